//! What writing evidence needs from outside. Adapters translate; they decide nothing.

use async_trait::async_trait;
use brig_aws::evidence::{Bucket, Custody, Lease, Signer};
pub use brig_aws::evidence::{Locked, Put, PutError};
use brig_core::model::{ids::TargetKey, timestamp::Timestamp};
use brig_engine::ports::PortResult;
use brig_evidence::SigningKey;

/// Where evidence is kept.
#[async_trait]
pub trait Vault: Send + Sync {
    /// Whether Object Lock is on.
    async fn has_lock(&self) -> PortResult<bool>;
    /// Writes an object where none of that name is. `sha256` is base64.
    async fn put(&self, key: &str, bytes: &[u8], sha256: &str, until: Timestamp) -> Result<Put, PutError>;
    /// Until when an object is kept.
    async fn retention(&self, key: &str) -> PortResult<Locked>;
    /// The keys below a prefix, and how large each object is.
    async fn keys(&self, prefix: &str) -> PortResult<Vec<(String, u64)>>;
}

/// The chain of custody.
#[async_trait]
pub trait Book: Send + Sync {
    /// Records below a prefix, by their keys.
    async fn records(&self, target: &TargetKey, prefix: &str) -> PortResult<Vec<(String, String)>>;
    /// Puts a record.
    async fn put(&self, target: &TargetKey, sk: &str, record: &str) -> PortResult<()>;
    /// Puts a record unless somebody else holds it; says whether it did.
    async fn put_held(
        &self,
        target: &TargetKey,
        sk: &str,
        record: &str,
        holder: &str,
        times: (Timestamp, Timestamp),
    ) -> PortResult<bool>;
}

/// What signs a manifest.
#[async_trait]
pub trait Signs: Send + Sync {
    /// The key; none where evidence is not signed.
    async fn key(&self) -> PortResult<Option<SigningKey>>;
    /// The signature of a digest, DER.
    async fn sign(&self, digest: &[u8], algorithm: &str) -> PortResult<Vec<u8>>;
}

#[async_trait]
impl Vault for Bucket {
    async fn has_lock(&self) -> PortResult<bool> {
        Self::has_lock(self).await
    }

    async fn put(&self, key: &str, bytes: &[u8], sha256: &str, until: Timestamp) -> Result<Put, PutError> {
        Self::put(self, key, bytes, sha256, until).await
    }

    async fn retention(&self, key: &str) -> PortResult<Locked> {
        Self::retention(self, key).await
    }

    async fn keys(&self, prefix: &str) -> PortResult<Vec<(String, u64)>> {
        Self::keys(self, prefix).await
    }
}

#[async_trait]
impl Book for Custody {
    async fn records(&self, target: &TargetKey, prefix: &str) -> PortResult<Vec<(String, String)>> {
        Self::records(self, target, prefix).await
    }

    async fn put(&self, target: &TargetKey, sk: &str, record: &str) -> PortResult<()> {
        Self::put(self, target, sk, record).await
    }

    async fn put_held(
        &self,
        target: &TargetKey,
        sk: &str,
        record: &str,
        holder: &str,
        (now, until): (Timestamp, Timestamp),
    ) -> PortResult<bool> {
        Self::put_held(self, target, sk, record, Lease { holder, now, until }).await
    }
}

/// A key of KMS, or none.
#[async_trait]
impl Signs for Option<Signer> {
    async fn key(&self) -> PortResult<Option<SigningKey>> {
        use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
        let Some(signer) = self else { return Ok(None) };
        let key = signer.public_key().await?;
        // What it offers of what is verified offline: a key has one of these.
        let known = ["ECDSA_SHA_256", "ECDSA_SHA_384"];
        let algorithm = known.into_iter().find(|known| key.algorithms.iter().any(|offered| offered == known));
        let algorithm = algorithm.ok_or_else(|| brig_engine::ports::CloudError {
            operation: "GetPublicKey",
            kind: brig_engine::ports::ErrorKind::Unsupported,
            code: "KeySpec".to_owned(),
            message: format!(
                "{} signs with {}: ECC_NIST_P256 or ECC_NIST_P384 is needed",
                key.arn,
                key.algorithms.join(", ")
            ),
        })?;
        Ok(Some(SigningKey { arn: key.arn, algorithm: algorithm.to_owned(), public_key: BASE64.encode(key.der) }))
    }

    async fn sign(&self, digest: &[u8], algorithm: &str) -> PortResult<Vec<u8>> {
        match self {
            Some(signer) => signer.sign(digest, algorithm).await,
            None => Ok(Vec::new()),
        }
    }
}
