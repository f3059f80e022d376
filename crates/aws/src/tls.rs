//! The one HTTP client that every service's client shares: rustls, with the machine's own root certificates.

use aws_smithy_http_client::{
    Builder, Connector,
    tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::{
    connector_metadata::ConnectorMetadata,
    http::{HttpClient, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector},
    runtime_components::RuntimeComponents,
};
use rustls_pki_types::{CertificateDer, pem::PemObject};

use crate::sound::Sound;

/// Where Amazon Linux, Debian and others keep all root certificates in one file.
const BUNDLES: [&str; 3] =
    ["/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/cert.pem"];

/// The client. It trusts what the machine trusts: `SSL_CERT_FILE` and `SSL_CERT_DIR` where they are set, else the
/// system's bundle, else whatever else the system has.
#[must_use]
pub fn http_client() -> SharedHttpClient {
    let builder = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring));
    SharedHttpClient::new(Shared(match context() {
        Some(context) => builder.tls_context(context).build_https(),
        None => builder.build_https(),
    }))
}

/// A connector for what is no service of the SDK's, with the same trust.
pub(crate) fn connector() -> Connector {
    let builder = Connector::builder().tls_provider(Provider::Rustls(CryptoMode::Ring));
    match context() {
        Some(context) => builder.tls_context(context).build(),
        None => builder.build(),
    }
}

fn context() -> Option<TlsContext> {
    // The system's store is often there twice, as one file and as a folder of hundreds: reading both takes most of a
    // cold start.
    let bundle = BUNDLES.into_iter().filter(|_| !is_configured()).find_map(|path| std::fs::read(path).ok());
    let trust = TrustStore::empty().with_pem_certificate(bundle.filter(|pem| is_sound(pem))?);
    TlsContext::builder().with_trust_store(trust).build().ok()
}

/// The SDK's client reads all certificates again for every service's client that is made, only to see whether it can. This
/// one reads them when it first connects, which the warm-up of the init phase does.
#[derive(Debug)]
struct Shared(SharedHttpClient);

impl HttpClient for Shared {
    fn http_connector(&self, settings: &HttpConnectorSettings, components: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(Sound(self.0.http_connector(settings, components)))
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.0.connector_metadata()
    }
}

fn is_configured() -> bool {
    ["SSL_CERT_FILE", "SSL_CERT_DIR"].iter().any(|name| std::env::var_os(name).is_some())
}

/// Whether every certificate can be used: the client takes a bundle whole, and would end the process over one that it
/// cannot read.
fn is_sound(pem: &[u8]) -> bool {
    let mut any = false;
    let sound = CertificateDer::pem_slice_iter(pem).all(|certificate| {
        any = true;
        certificate.is_ok_and(|der| webpki::anchor_from_trusted_cert(&der).is_ok())
    });
    any && sound
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_that_cannot_be_used_whole_is_not_used() {
        assert!(!is_sound(b""));
        assert!(!is_sound(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"));
        assert!(!is_sound(b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n"));
    }
}
