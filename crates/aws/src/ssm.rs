//! Parameters of Systems Manager.

use async_trait::async_trait;
use aws_sdk_ssm::Client;
use brig_engine::{
    ports::{CloudError, ErrorKind, PortResult},
    rulebook::Parameters,
};

use crate::{error::Explain, session::Session};

/// Reads parameters of the function's own account and Region.
#[derive(Debug, Clone)]
pub struct SsmParameters {
    client: Client,
}

impl SsmParameters {
    /// Makes the client. No call.
    #[must_use]
    pub fn new(session: &Session) -> Self {
        Self { client: Client::new(session.config()) }
    }
}

#[async_trait]
impl Parameters for SsmParameters {
    async fn get_parameter(&self, name: &str) -> PortResult<String> {
        let answer = self.client.get_parameter().name(name).with_decryption(true).send().await;
        let answer = answer.explain("GetParameter")?;
        let value = answer.parameter.and_then(|parameter| parameter.value);
        value.ok_or_else(|| CloudError {
            operation: "GetParameter",
            kind: ErrorKind::Other,
            code: "NoValue".to_owned(),
            message: format!("{name} has no value"),
        })
    }
}
