//! A key of KMS that signs.

use aws_sdk_kms::{
    Client,
    primitives::Blob,
    types::{MessageType, SigningAlgorithmSpec},
};
use brig_engine::ports::PortResult;

use crate::{error::Explain, session::Session};

/// One key.
#[derive(Debug, Clone)]
pub struct Signer {
    client: Client,
    key: String,
}

/// Its public half.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// The key's ARN.
    pub arn: String,
    /// DER of SubjectPublicKeyInfo.
    pub der: Vec<u8>,
    /// What it can sign with: `ECDSA_SHA_256`, ...
    pub algorithms: Vec<String>,
}

impl Signer {
    /// By the key's ARN.
    #[must_use]
    pub fn new(session: &Session, key: String) -> Self {
        Self { client: Client::new(session.config()), key }
    }

    /// GetPublicKey.
    pub async fn public_key(&self) -> PortResult<PublicKey> {
        let answer = self.client.get_public_key().key_id(&self.key).send().await.explain("GetPublicKey")?;
        Ok(PublicKey {
            arn: answer.key_id().unwrap_or(&self.key).to_owned(),
            der: answer.public_key().map(|blob| blob.as_ref().to_vec()).unwrap_or_default(),
            algorithms: answer.signing_algorithms().iter().map(|known| known.as_str().to_owned()).collect(),
        })
    }

    /// Sign of a digest: DER of the signature.
    pub async fn sign(&self, digest: &[u8], algorithm: &str) -> PortResult<Vec<u8>> {
        let request = self.client.sign().key_id(&self.key).message(Blob::new(digest)).message_type(MessageType::Digest);
        let answer = request.signing_algorithm(SigningAlgorithmSpec::from(algorithm)).send().await.explain("Sign")?;
        Ok(answer.signature().map(|blob| blob.as_ref().to_vec()).unwrap_or_default())
    }
}
