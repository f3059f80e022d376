//! Amazon SQS: when a message whose work is not finished is delivered again.

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use brig_engine::ports::{CloudError, ErrorKind, PortResult, Queue};

use crate::{error::Explain, session::Session};

/// Queues of the function's own Region.
#[derive(Debug, Clone)]
pub struct SqsQueue {
    client: Client,
}

impl SqsQueue {
    /// Makes the client.
    #[must_use]
    pub fn new(session: &Session) -> Self {
        Self { client: Client::new(session.config()) }
    }
}

#[async_trait]
impl Queue for SqsQueue {
    async fn change_visibility(&self, queue_arn: &str, receipt: &str, seconds: i32) -> PortResult<()> {
        let mut parts = queue_arn.split(':').skip(4);
        let (Some(account), Some(name)) = (parts.next(), parts.next()) else {
            return Err(CloudError {
                operation: "ChangeMessageVisibility",
                kind: ErrorKind::Other,
                code: "BadArn".to_owned(),
                message: format!("{queue_arn} is not the ARN of a queue"),
            });
        };
        let request = self.client.get_queue_url().queue_name(name).queue_owner_aws_account_id(account);
        let found = request.send().await.explain("GetQueueUrl")?;
        self.client
            .change_message_visibility()
            .queue_url(found.queue_url().unwrap_or_default())
            .receipt_handle(receipt)
            .visibility_timeout(seconds)
            .send()
            .await
            .explain("ChangeMessageVisibility")?;
        Ok(())
    }
}
