//! Credentials in another account: its member role, assumed once and renewed in time.

use std::sync::{Mutex, PoisonError};

use aws_credential_types::{
    Credentials,
    provider::{self, ProvideCredentials, error::CredentialsError, future},
};
use brig_core::model::{
    ids::{AccountId, Region},
    timestamp::Timestamp,
};
use brig_engine::ports::{Clock, CloudError, ErrorKind, PortResult};

use crate::{clock::SystemClock, error::Explain};

/// Renewed this long before they end, so that no containment runs into their end.
const EARLY_MS: i64 = 5 * 60 * 1000;

/// Where the member role of an account is.
#[must_use]
pub(crate) fn role_arn(setting: &str, account: &AccountId, region: &Region) -> String {
    if setting.starts_with("arn:") {
        setting.replace("{account}", account.as_str())
    } else {
        format!("arn:{}:iam::{account}:role/{setting}", region.partition())
    }
}

/// Assumes one role; the session and the source identity carry the name of who is contained, so that the member account's
/// CloudTrail says it too (<https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_control-access_monitor.html>).
#[derive(Debug)]
pub(crate) struct MemberRole {
    sts: aws_sdk_sts::Client,
    arn: String,
    session: String,
    held: Mutex<Option<(Credentials, Timestamp)>>,
}

impl MemberRole {
    pub(crate) fn new(sts: aws_sdk_sts::Client, arn: String, session: &str) -> Self {
        let session = session.chars().take(64).collect();
        Self { sts, arn, session, held: Mutex::new(None) }
    }

    /// Credentials that last for a while.
    pub(crate) async fn assume(&self) -> PortResult<Credentials> {
        let now = SystemClock.now();
        let held = self.held.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((credentials, ends)) = held
            && ends.millis() - EARLY_MS > now.millis()
        {
            return Ok(credentials);
        }
        let answer = self
            .sts
            .assume_role()
            .role_arn(&self.arn)
            .role_session_name(&self.session)
            .source_identity(&self.session)
            .send()
            .await
            .explain("AssumeRole")?;
        let given = answer.credentials().ok_or_else(|| CloudError {
            operation: "AssumeRole",
            kind: ErrorKind::Transient,
            code: "NoCredentials".to_owned(),
            message: "the answer holds none".to_owned(),
        })?;
        let ends = Timestamp::from_millis(given.expiration().to_millis().unwrap_or_else(|_| now.millis()));
        let credentials = Credentials::new(
            given.access_key_id(),
            given.secret_access_key(),
            Some(given.session_token().to_owned()),
            given.expiration().to_owned().try_into().ok(),
            "BrigMemberRole",
        );
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some((credentials.clone(), ends));
        Ok(credentials)
    }
}

impl ProvideCredentials for MemberRole {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let credentials: provider::Result = self.assume().await.map_err(CredentialsError::provider_error);
            credentials
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_role_is_a_name_or_an_arn_with_a_place_for_the_account() {
        let account: AccountId = "999988887777".parse().expect("account");
        let arn = |setting: &str, region: &str| role_arn(setting, &account, &region.parse().expect("region"));
        assert_eq!(arn("brig/member", "us-gov-west-1"), "arn:aws-us-gov:iam::999988887777:role/brig/member");
        assert_eq!(arn("arn:aws:iam::{account}:role/x", "us-east-1"), "arn:aws:iam::999988887777:role/x");
    }
}
