//! Amazon SNS: people, and machines that subscribe.

use async_trait::async_trait;
use aws_sdk_sns::{Client, types::MessageAttributeValue};
use brig_core::{iam::readiness::Topic, report::message::Message};
use brig_engine::ports::{CloudError, ErrorKind, Notifier, PortResult};

use crate::{error::Explain, session::Session};

/// Publishes to one topic.
#[derive(Debug, Clone)]
pub struct SnsNotifier {
    client: Client,
    topic: String,
}

impl SnsNotifier {
    /// The topic's ARN.
    #[must_use]
    pub fn new(session: &Session, topic: String) -> Self {
        Self { client: Client::new(session.config()), topic }
    }
}

#[async_trait]
impl Notifier for SnsNotifier {
    async fn publish(&self, message: &Message) -> PortResult<()> {
        let mut request = self
            .client
            .publish()
            .topic_arn(&self.topic)
            .subject(&message.subject)
            .message_structure("json")
            .message(&message.body);
        for (name, kind, value) in &message.attributes {
            let attribute =
                MessageAttributeValue::builder().data_type(*kind).string_value(value).build().map_err(|error| {
                    CloudError {
                        operation: "Publish",
                        kind: ErrorKind::Other,
                        code: "BadAttribute".to_owned(),
                        message: error.to_string(),
                    }
                })?;
            request = request.message_attributes(*name, attribute);
        }
        request.send().await.explain("Publish")?;
        Ok(())
    }

    async fn topic(&self) -> PortResult<Topic> {
        let request = self.client.get_topic_attributes().topic_arn(&self.topic);
        let answer = request.send().await.explain("GetTopicAttributes")?;
        let attribute =
            |name: &str| answer.attributes().and_then(|all| all.get(name)).filter(|value| !value.is_empty());
        let count = |name: &str| attribute(name).and_then(|count| count.parse().ok()).unwrap_or_default();
        Ok(Topic {
            confirmed: count("SubscriptionsConfirmed"),
            pending: count("SubscriptionsPending"),
            key: attribute("KmsMasterKeyId").cloned(),
        })
    }
}
