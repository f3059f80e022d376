//! Where a request to S3 goes, and its signature.

use std::time::SystemTime;

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use aws_sdk_ec2::config::endpoint::{DefaultResolver, Params, ResolveEndpoint as _};
use aws_sigv4::{
    http_request::{
        PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
        UriPathNormalizationMode, sign,
    },
    sign::v4,
};
use aws_smithy_runtime_api::client::{identity::Identity, orchestrator::HttpRequest};
use aws_types::service_config::ServiceConfigKey;

/// Where the bucket answers: by its own name, or by a path where an endpoint is configured or its name has a dot, which no
/// certificate covers (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html>).
pub(super) async fn base(config: &SdkConfig, bucket: &str, region: &str) -> Result<String, String> {
    if let Some(endpoint) = endpoint(config) {
        return Ok(format!("{}/{bucket}", endpoint.trim_end_matches('/')));
    }
    // The SDK's table of partitions has each one's domain.
    let params = Params::builder().region(region).build().map_err(|why| why.to_string())?;
    let known = DefaultResolver::new().resolve_endpoint(&params).await.map_err(|why| why.to_string())?;
    let domain = known.url().strip_prefix("https://ec2.").ok_or_else(|| format!("{region} has no known domain"))?;
    let fips = if config.use_fips() == Some(true) { "-fips" } else { "" };
    let dual = if config.use_dual_stack() == Some(true) { ".dualstack" } else { "" };
    let host = format!("s3{fips}{dual}.{domain}");
    Ok(if bucket.contains('.') { format!("https://{host}/{bucket}") } else { format!("https://{bucket}.{host}") })
}

/// An endpoint of S3's own, else of every service's.
fn endpoint(config: &SdkConfig) -> Option<String> {
    let key = ServiceConfigKey::builder().service_id("S3").env("AWS_ENDPOINT_URL").profile("endpoint_url");
    let own = key.build().ok().and_then(|key| config.service_config()?.load_config(key));
    own.or_else(|| config.endpoint_url().map(str::to_owned))
}

/// GET, signed as S3 asks
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>).
pub(super) fn signed(
    uri: &str,
    region: &str,
    credentials: Credentials,
    at: SystemTime,
) -> Result<HttpRequest, Box<dyn std::error::Error + Send + Sync>> {
    let identity = Identity::from(credentials);
    let mut settings = SigningSettings::default();
    settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    settings.percent_encoding_mode = PercentEncodingMode::Single;
    settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    let params = v4::SigningParams::builder().identity(&identity).region(region).name("s3");
    let params = params.time(at).settings(settings).build()?.into();
    let plain = SignableRequest::new("GET", uri, std::iter::empty(), SignableBody::empty())?;
    let mut request = HttpRequest::empty();
    request.set_uri(uri)?;
    for header in sign(plain, &params)?.into_parts().0.into_parts().0 {
        request.headers_mut().try_insert(header.name(), header.value().to_owned())?;
    }
    Ok(request)
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use aws_config::Region;

    use super::*;

    fn config(region: &str) -> aws_types::sdk_config::Builder {
        SdkConfig::builder().region(Region::new(region.to_owned()))
    }

    #[tokio::test]
    async fn a_bucket_answers_in_the_domain_of_its_partition() {
        for (config, bucket, url) in [
            (config("eu-west-1"), "logs", "https://logs.s3.eu-west-1.amazonaws.com"),
            (config("eu-west-1"), "logs.example.com", "https://s3.eu-west-1.amazonaws.com/logs.example.com"),
            (config("cn-north-1"), "logs", "https://logs.s3.cn-north-1.amazonaws.com.cn"),
            (config("us-gov-west-1"), "logs", "https://logs.s3.us-gov-west-1.amazonaws.com"),
            (config("us-iso-east-1"), "logs", "https://logs.s3.us-iso-east-1.c2s.ic.gov"),
            (config("us-east-1").use_fips(true), "logs", "https://logs.s3-fips.us-east-1.amazonaws.com"),
            (config("us-east-1").use_dual_stack(true), "logs", "https://logs.s3.dualstack.us-east-1.amazonaws.com"),
            (config("us-east-1").endpoint_url("http://127.0.0.1:1/"), "logs", "http://127.0.0.1:1/logs"),
        ] {
            let config = config.build();
            let region = config.region().expect("a Region").to_string();
            assert_eq!(base(&config, bucket, &region).await.as_deref(), Ok(url));
        }
    }

    /// The list of AWS's own examples (<https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>).
    #[test]
    fn the_signature_is_that_of_awss_example() {
        let key =
            Credentials::new("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", None, None, "test");
        let at = UNIX_EPOCH + Duration::from_hours(15_849 * 24);
        let uri = "https://examplebucket.s3.amazonaws.com/?max-keys=2&prefix=J";
        let request = signed(uri, "us-east-1", key, at).expect("a request");
        let signature = request.headers().get("authorization").and_then(|value| value.split_once("Signature="));
        let expected = "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7";
        assert_eq!(signature.map(|(_, signature)| signature), Some(expected));
    }

    #[test]
    fn a_session_names_its_token() {
        let key = Credentials::new("AKID", "secret", Some("token".to_owned()), None, "test");
        let request = signed("https://logs.s3.eu-west-1.amazonaws.com/a/year%3D2026/x", "eu-west-1", key, UNIX_EPOCH);
        assert_eq!(request.expect("a request").headers().get("x-amz-security-token"), Some("token"));
    }
}
