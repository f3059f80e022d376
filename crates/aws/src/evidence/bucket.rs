//! The bucket that keeps evidence: written once, and read by nobody here.

use aws_sdk_s3::{
    Client,
    primitives::ByteStream,
    types::{ChecksumAlgorithm, ObjectLockMode, ObjectLockRetentionMode},
};
use aws_smithy_types::DateTime;
use brig_core::model::timestamp::Timestamp;
use brig_engine::ports::{CloudError, ErrorKind, PortResult};

use super::raw::keep;
use crate::{error::Explain, session::Session};

/// One bucket.
#[derive(Debug, Clone)]
pub struct Bucket {
    client: Client,
    name: String,
    /// Whom it must belong to: a bucket of this name that is somebody else's is not written to.
    owner: Option<String>,
    mode: ObjectLockMode,
}

/// How an object is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locked {
    /// Until when.
    Until(Timestamp),
    /// It is not.
    Not,
}

/// An object that was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Put {
    pub request: Option<String>,
    pub version: Option<String>,
}

/// Why an object was not written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PutError {
    /// One of that name is there.
    Exists,
    Failed(CloudError),
}

impl Bucket {
    /// `compliance`: nobody can shorten the retention, not even the account's owner.
    #[must_use]
    pub fn new(session: &Session, name: String, owner: Option<String>, compliance: Retention) -> Self {
        let mode = match compliance {
            Retention::Governance => ObjectLockMode::Governance,
            Retention::Compliance => ObjectLockMode::Compliance,
        };
        Self { client: Client::new(session.config()), name, owner, mode }
    }

    /// Whether Object Lock is on (GetObjectLockConfiguration).
    pub async fn has_lock(&self) -> PortResult<bool> {
        let request = self.client.get_object_lock_configuration().bucket(&self.name);
        let answer = request.set_expected_bucket_owner(self.owner.clone()).send().await;
        match answer.explain("GetObjectLockConfiguration") {
            Ok(answer) => Ok(answer
                .object_lock_configuration()
                .and_then(|configuration| configuration.object_lock_enabled())
                .is_some_and(|enabled| enabled.as_str() == "Enabled")),
            Err(error) if error.code == "ObjectLockConfigurationNotFoundError" => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// PutObject: only where none of that name is there, with the SHA-256 that S3 compares, kept until then
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>). `sha256` is base64.
    ///
    /// # Errors
    /// One is there, or AWS's answer.
    pub async fn put(&self, key: &str, bytes: &[u8], sha256: &str, until: Timestamp) -> Result<Put, PutError> {
        let request = self
            .client
            .put_object()
            .bucket(&self.name)
            .key(key)
            .set_expected_bucket_owner(self.owner.clone())
            .if_none_match("*")
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .checksum_sha256(sha256)
            .object_lock_mode(self.mode.clone())
            .object_lock_retain_until_date(DateTime::from_millis(until.millis()))
            .body(ByteStream::from(bytes.to_vec()));
        match keep!("PutObject", request) {
            Ok((answer, raw)) => Ok(Put { request: raw.request, version: answer.version_id().map(str::to_owned) }),
            Err(error) if error.code == "PreconditionFailed" => Err(PutError::Exists),
            // Another write of the same name is under way: it decides.
            Err(error) if error.code == "ConditionalRequestConflict" => {
                Err(PutError::Failed(CloudError { kind: ErrorKind::Conflict, ..error }))
            }
            Err(error) => Err(PutError::Failed(error)),
        }
    }

    /// GetObjectRetention.
    pub async fn retention(&self, key: &str) -> PortResult<Locked> {
        let request = self.client.get_object_retention().bucket(&self.name).key(key);
        let answer = request.set_expected_bucket_owner(self.owner.clone()).send().await;
        let answer = match answer.explain("GetObjectRetention") {
            Err(error) if error.code == "NoSuchObjectLockConfiguration" => return Ok(Locked::Not),
            answer => answer?,
        };
        let kept = answer.retention().filter(|kept| kept.mode().is_some_and(is_mode));
        let until = kept.and_then(|kept| kept.retain_until_date()).and_then(|until| until.to_millis().ok());
        Ok(until.map_or(Locked::Not, |millis| Locked::Until(Timestamp::from_millis(millis))))
    }

    /// ListObjectsV2: the keys below a prefix, each with its size in bytes.
    pub async fn keys(&self, prefix: &str) -> PortResult<Vec<(String, u64)>> {
        let request = self.client.list_objects_v2().bucket(&self.name).prefix(prefix);
        let mut pages = request.set_expected_bucket_owner(self.owner.clone()).into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.explain("ListObjectsV2")?;
            let sized = page.contents().iter().filter_map(|object| {
                Some((object.key()?.to_owned(), u64::try_from(object.size().unwrap_or_default()).unwrap_or_default()))
            });
            keys.extend(sized);
        }
        Ok(keys)
    }
}

/// How firmly an object is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// Whoever may bypass it can shorten it.
    Governance,
    /// Nobody can.
    Compliance,
}

fn is_mode(mode: &ObjectLockRetentionMode) -> bool {
    matches!(mode, ObjectLockRetentionMode::Compliance | ObjectLockRetentionMode::Governance)
}
