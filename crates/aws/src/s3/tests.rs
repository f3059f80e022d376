use std::sync::Arc;

use aws_config::Region;
use aws_credential_types::{Credentials, provider::SharedCredentialsProvider};
use aws_smithy_runtime_api::{
    client::{http::HttpConnectorFuture, orchestrator::HttpRequest},
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use expect_test::{Expect, expect};

use super::*;

/// Gives these answers, the next to each request, and keeps where the requests went: status, Region of the bucket, body.
#[derive(Debug, Clone)]
struct Scripted(Arc<Mutex<Script>>);

#[derive(Debug)]
struct Script {
    answers: Vec<(u16, &'static str, &'static str)>,
    asked: Vec<String>,
}

impl HttpConnector for Scripted {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let mut script = self.0.lock().expect("no panic");
        let scope = request.headers().get("authorization").and_then(|value| value.split('/').nth(2)).expect("a Region");
        script.asked.push(format!("{scope} {}", request.uri()));
        let (status, region, body) = script.answers.remove(0);
        let mut answer = HttpResponse::new(StatusCode::try_from(status).expect("a status"), SdkBody::from(body));
        if !region.is_empty() {
            answer.headers_mut().insert("x-amz-bucket-region", region);
        }
        HttpConnectorFuture::ready(Ok(answer))
    }
}

async fn list(answers: &[(u16, &'static str, &'static str)], expected: &Expect) {
    let key = SharedCredentialsProvider::new(Credentials::new("AKID", "secret", None, None, "test"));
    let region = Region::from_static("us-east-1");
    let script = Arc::new(Mutex::new(Script { answers: answers.to_vec(), asked: Vec::new() }));
    let s3 = S3 {
        config: SdkConfig::builder().region(region).credentials_provider(key).build(),
        connector: SharedHttpConnector::new(Scripted(Arc::clone(&script))),
        elsewhere: Mutex::default(),
    };
    let listing = Listing { prefix: "AWSLogs/day=1/".to_owned(), after: "AWSLogs/day=1/x".to_owned() };
    let answer = match s3.list_objects("logs", &listing).await {
        Ok(objects) => objects.into_iter().map(|object| object.key).collect::<Vec<_>>().join(" "),
        Err(error) => format!("{:?}: {error}", error.kind),
    };
    let query = "list-type=2&prefix=AWSLogs%2Fday%3D1%2F&start-after=AWSLogs%2Fday%3D1%2Fx";
    let asked = script.lock().expect("no panic").asked.join("\n").replace(query, "LIST");
    expected.assert_eq(&format!("{asked}\n{answer}"));
}

const ONE: &str = "<L><Contents><Key>a</Key><Size>1</Size></Contents><IsTruncated>false</IsTruncated></L>";
const MORE: &str = "<L><Contents><Key>b</Key><Size>1</Size></Contents><IsTruncated>true</IsTruncated><NextContinuationToken>t+/</NextContinuationToken></L>";
const DENIED: &str = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
const ELSEWHERE: &str = "<Error><Code>AuthorizationHeaderMalformed</Code><Message>the region is wrong</Message><Region>eu-west-1</Region></Error>";
const MOVED: &str = "<Error><Code>PermanentRedirect</Code><Message>elsewhere</Message></Error>";

#[tokio::test]
async fn a_list_is_read_to_its_end() {
    list(
        &[(200, "us-east-1", MORE), (200, "us-east-1", ONE)],
        &expect![[r#"
        us-east-1 https://logs.s3.us-east-1.amazonaws.com/?LIST
        us-east-1 https://logs.s3.us-east-1.amazonaws.com/?LIST&continuation-token=t%2B%2F
        b a"#]],
    )
    .await;
}

#[tokio::test]
async fn a_bucket_elsewhere_is_asked_there_from_then_on() {
    list(
        &[(301, "eu-west-1", MOVED), (200, "eu-west-1", MORE), (200, "eu-west-1", ONE)],
        &expect![[r#"
        us-east-1 https://logs.s3.us-east-1.amazonaws.com/?LIST
        eu-west-1 https://logs.s3.eu-west-1.amazonaws.com/?LIST
        eu-west-1 https://logs.s3.eu-west-1.amazonaws.com/?LIST&continuation-token=t%2B%2F
        b a"#]],
    )
    .await;
}

#[tokio::test]
async fn a_bucket_may_be_elsewhere_and_busy() {
    list(
        &[(503, "", ""), (400, "", ELSEWHERE), (200, "eu-west-1", ONE)],
        &expect![[r#"
        us-east-1 https://logs.s3.us-east-1.amazonaws.com/?LIST
        us-east-1 https://logs.s3.us-east-1.amazonaws.com/?LIST
        eu-west-1 https://logs.s3.eu-west-1.amazonaws.com/?LIST
        a"#]],
    )
    .await;
    list(
        &[(301, "eu-west-1", MOVED), (301, "us-east-1", MOVED)],
        &expect![[r#"
        us-east-1 https://logs.s3.us-east-1.amazonaws.com/?LIST
        eu-west-1 https://logs.s3.eu-west-1.amazonaws.com/?LIST
        Other: ListObjectsV2: PermanentRedirect: elsewhere"#]],
    )
    .await;
}

#[tokio::test]
async fn what_may_do_better_is_asked_once_more_and_a_refusal_is_not() {
    list(
        &[(503, "", ""), (200, "", ONE)],
        &expect![[r#"
        us-east-1 https://logs.s3.us-east-1.amazonaws.com/?LIST
        us-east-1 https://logs.s3.us-east-1.amazonaws.com/?LIST
        a"#]],
    )
    .await;
    list(
        &[(503, "", ""), (500, "", "")],
        &expect![[r#"
            us-east-1 https://logs.s3.us-east-1.amazonaws.com/?LIST
            us-east-1 https://logs.s3.us-east-1.amazonaws.com/?LIST
            Transient: ListObjectsV2: Unreadable: HTTP 500: the answer cannot be read"#]],
    )
    .await;
    list(
        &[(403, "us-east-1", DENIED)],
        &expect![[r#"
            us-east-1 https://logs.s3.us-east-1.amazonaws.com/?LIST
            Denied(Unsaid): ListObjectsV2: AccessDenied: Access Denied"#]],
    )
    .await;
    list(
        &[(200, "", "<html>")],
        &expect![[r#"
            us-east-1 https://logs.s3.us-east-1.amazonaws.com/?LIST
            Transient: ListObjectsV2: Unreadable: error parsing XML: it does not say whether the list is complete"#]],
    )
    .await;
    list(
        &[(200, "", MORE); MOST_PAGES],
        &expect![[r#"
        us-east-1 https://logs.s3.us-east-1.amazonaws.com/?LIST
        us-east-1 https://logs.s3.us-east-1.amazonaws.com/?LIST&continuation-token=t%2B%2F
        us-east-1 https://logs.s3.us-east-1.amazonaws.com/?LIST&continuation-token=t%2B%2F
        us-east-1 https://logs.s3.us-east-1.amazonaws.com/?LIST&continuation-token=t%2B%2F
        us-east-1 https://logs.s3.us-east-1.amazonaws.com/?LIST&continuation-token=t%2B%2F
        Other: ListObjectsV2: TooMany: more than 5 objects begin with AWSLogs/day=1/"#]],
    )
    .await;
}
