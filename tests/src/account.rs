//! Clients of the account under test, and the ledger, topic and queue that one function uses.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig};
use aws_sdk_dynamodb::types::{AttributeDefinition, BillingMode, KeySchemaElement, KeyType, ScalarAttributeType};
use serde_json::Value;

/// The account that the endpoints serve.
pub const ACCOUNT: &str = "123456789012";
/// Its Region.
pub const REGION: &str = "us-east-1";

static NEXT: AtomicU64 = AtomicU64::new(0);

/// A name that no other test has.
#[must_use]
pub fn unique(prefix: &str) -> String {
    format!("{prefix}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// The environment, and the HTTP client that the function uses too.
fn defaults() -> ConfigLoader {
    aws_config::defaults(BehaviorVersion::latest()).http_client(brig_aws::http_client())
}

/// Clients of every service.
pub struct Account {
    /// The URL of the endpoint that serves what EC2's does not.
    pub url: String,
    /// EC2.
    pub ec2: aws_sdk_ec2::Client,
    /// IAM where policies live.
    pub iam: aws_sdk_iam::Client,
    /// IAM where EC2 looks profiles up; the same where one endpoint serves all.
    pub ec2_iam: aws_sdk_iam::Client,
    /// Auto Scaling.
    pub autoscaling: aws_sdk_autoscaling::Client,
    /// Classic load balancers.
    pub elb: aws_sdk_elasticloadbalancing::Client,
    /// Target groups.
    pub elbv2: aws_sdk_elasticloadbalancingv2::Client,
    /// The ledger's service.
    pub dynamodb: aws_sdk_dynamodb::Client,
    /// The topic's service.
    pub sns: aws_sdk_sns::Client,
    /// A subscriber's service.
    pub sqs: aws_sdk_sqs::Client,
    /// Who is who, at the endpoint that the function asks.
    pub sts: aws_sdk_sts::Client,
    /// Parameters.
    pub ssm: aws_sdk_ssm::Client,
    /// The event bus.
    pub events: aws_sdk_eventbridge::Client,
    /// Log groups.
    pub logs: aws_sdk_cloudwatchlogs::Client,
    /// Keys.
    pub kms: aws_sdk_kms::Client,
    /// Buckets.
    pub s3: aws_sdk_s3::Client,
    /// Buckets where EC2 looks them up; the same where one endpoint serves all.
    pub ec2_s3: aws_sdk_s3::Client,
}

fn s3(config: &SdkConfig) -> aws_sdk_s3::Client {
    aws_sdk_s3::Client::from_conf(aws_sdk_s3::config::Builder::from(config).force_path_style(true).build())
}

impl Account {
    /// The account at the endpoints that the environment names.
    pub async fn open() -> Self {
        let ec2 = endpoint("AWS_ENDPOINT_URL_EC2").expect("AWS_ENDPOINT_URL_EC2: run the tests with `make test`");
        let all = endpoint("AWS_ENDPOINT_URL").expect("AWS_ENDPOINT_URL: run the tests with `make test`");
        Self::at(&ec2, &all).await
    }

    /// The account where one endpoint serves everything.
    pub async fn at_one_endpoint() -> Self {
        let ec2 = endpoint("AWS_ENDPOINT_URL_EC2").expect("AWS_ENDPOINT_URL_EC2: run the tests with `make test`");
        Self::at(&ec2, &ec2).await
    }

    /// Another account at the endpoint that serves everything, as one who may assume a role there sees it. Makes the role.
    pub async fn member(account: &str, role: &str) -> Self {
        let url = endpoint("AWS_ENDPOINT_URL_EC2").expect("AWS_ENDPOINT_URL_EC2: run the tests with `make test`");
        let home = defaults().endpoint_url(&url).load().await;
        let arn = format!("arn:aws:iam::{account}:role/{role}");
        let sts = aws_sdk_sts::Client::new(&home);
        let given = sts.assume_role().role_arn(arn).role_session_name("seed").send().await.expect("the role");
        let given = given.credentials().expect("credentials");
        let credentials = aws_sdk_sts::config::Credentials::new(
            given.access_key_id(),
            given.secret_access_key(),
            Some(given.session_token().to_owned()),
            None,
            "seed",
        );
        let provider = aws_sdk_sts::config::SharedCredentialsProvider::new(credentials);
        let config = home.into_builder().credentials_provider(provider).build();
        Self::with(&url, &config, &config)
    }

    /// Makes a key that signs evidence; gives its ARN.
    pub async fn signing_key(&self) -> String {
        let make = self.kms.create_key().key_usage(aws_sdk_kms::types::KeyUsageType::SignVerify);
        let made = make.key_spec(aws_sdk_kms::types::KeySpec::EccNistP256).send().await.expect("a key");
        made.key_metadata().and_then(|key| key.arn()).expect("an ARN").to_owned()
    }

    /// The public half of a key, as DER.
    pub async fn public_key(&self, key: &str) -> Vec<u8> {
        let answer = self.kms.get_public_key().key_id(key).send().await.expect("the key");
        answer.public_key().expect("it").as_ref().to_vec()
    }

    /// What signs with other credentials at the endpoint that serves everything but EC2.
    pub async fn signing(&self, key: &str, secret: &str, token: Option<&str>) -> SdkConfig {
        let held = aws_sdk_sts::config::Credentials::new(key, secret, token.map(str::to_owned), None, "given");
        let provider = aws_sdk_sts::config::SharedCredentialsProvider::new(held);
        let config = defaults().endpoint_url(&self.url).load().await;
        config.into_builder().credentials_provider(provider).build()
    }

    async fn at(ec2: &str, all: &str) -> Self {
        let config = |url: &str| defaults().endpoint_url(url).load();
        let (compute, other): (SdkConfig, SdkConfig) = (config(ec2).await, config(all).await);
        Self::with(all, &compute, &other)
    }

    fn with(all: &str, compute: &SdkConfig, other: &SdkConfig) -> Self {
        // Named endpoints of the environment would win over the configuration's; here they are the same.
        Self {
            url: all.to_owned(),
            ec2: aws_sdk_ec2::Client::new(compute),
            ec2_iam: aws_sdk_iam::Client::new(compute),
            autoscaling: aws_sdk_autoscaling::Client::new(compute),
            elb: aws_sdk_elasticloadbalancing::Client::new(compute),
            elbv2: aws_sdk_elasticloadbalancingv2::Client::new(compute),
            iam: aws_sdk_iam::Client::new(other),
            kms: aws_sdk_kms::Client::new(other),
            dynamodb: aws_sdk_dynamodb::Client::new(other),
            sns: aws_sdk_sns::Client::new(other),
            sqs: aws_sdk_sqs::Client::new(other),
            sts: aws_sdk_sts::Client::new(other),
            ssm: aws_sdk_ssm::Client::new(other),
            events: aws_sdk_eventbridge::Client::new(other),
            logs: aws_sdk_cloudwatchlogs::Client::new(other),
            s3: s3(other),
            ec2_s3: s3(compute),
        }
    }

    /// A ledger, a topic, and a queue that hears the topic, each of a test's own.
    pub async fn office(&self) -> Office {
        let table = unique("brig");
        self.dynamodb
            .create_table()
            .table_name(&table)
            .billing_mode(BillingMode::PayPerRequest)
            .key_schema(key("pk", KeyType::Hash))
            .key_schema(key("sk", KeyType::Range))
            .attribute_definitions(definition("pk"))
            .attribute_definitions(definition("sk"))
            .send()
            .await
            .expect("the ledger's table");
        let topic = self.sns.create_topic().name(unique("brig")).send().await.expect("the topic");
        let topic = topic.topic_arn().expect("an ARN").to_owned();
        let queue = self.subscriber(&topic).await;
        Office { table, topic, queue }
    }

    /// The URL of a new queue that hears a topic.
    pub async fn subscriber(&self, topic: &str) -> String {
        let name = unique("people");
        let arn = format!("arn:aws:sqs:{REGION}:{ACCOUNT}:{name}");
        let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage",
            "Resource": arn, "Condition": {"ArnEquals": {"aws:SourceArn": topic}}}]});
        let request = self.sqs.create_queue().queue_name(&name);
        let request = request.attributes(aws_sdk_sqs::types::QueueAttributeName::Policy, policy.to_string());
        let queue = request.send().await.expect("the queue").queue_url().expect("a URL").to_owned();
        self.sns.subscribe().topic_arn(topic).protocol("sqs").endpoint(arn).send().await.expect("a subscription");
        queue
    }

    /// The messages that arrived, each as SNS wraps it, oldest first.
    pub async fn messages(&self, office: &Office) -> Vec<Value> {
        let mut found = Vec::new();
        loop {
            let batch = self
                .sqs
                .receive_message()
                .queue_url(&office.queue)
                .max_number_of_messages(10)
                .send()
                .await
                .expect("messages");
            if batch.messages().is_empty() {
                return found;
            }
            for message in batch.messages() {
                found.push(serde_json::from_str(message.body().unwrap_or_default()).expect("a notification"));
                let handle = message.receipt_handle().unwrap_or_default();
                self.sqs.delete_message().queue_url(&office.queue).receipt_handle(handle).send().await.expect("gone");
            }
        }
    }

    /// A second topic, for a chat channel: its ARN, and an office whose queue hears it.
    pub async fn chat(&self, office: &Office) -> Office {
        let topic = self.sns.create_topic().name(unique("brig-chat")).send().await.expect("the topic");
        let topic = topic.topic_arn().expect("an ARN").to_owned();
        let queue = self.subscriber(&topic).await;
        Office { table: office.table.clone(), topic, queue }
    }

    /// Waits for messages.
    pub async fn awaited_messages(&self, office: &Office, most: Duration) -> Vec<Value> {
        let waited = tokio::time::timeout(most, async {
            loop {
                let found = self.messages(office).await;
                if !found.is_empty() {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        });
        waited.await.unwrap_or_default()
    }

    /// Puts an event on the default bus.
    pub async fn put_event(&self, source: &str, detail_type: &str, detail: &Value) {
        let entry = aws_sdk_eventbridge::types::PutEventsRequestEntry::builder()
            .source(source)
            .detail_type(detail_type)
            .detail(detail.to_string())
            .build();
        let answer = self.events.put_events().entries(entry).send().await.expect("an answer");
        assert_eq!(answer.failed_entry_count(), 0, "{answer:?}");
    }

    /// Every item of the ledger.
    pub async fn ledger(
        &self,
        office: &Office,
    ) -> Vec<std::collections::HashMap<String, aws_sdk_dynamodb::types::AttributeValue>> {
        let answer = self.dynamodb.scan().table_name(&office.table).consistent_read(true).send().await.expect("items");
        answer.items().to_vec()
    }
}

/// Where one function records and tells.
pub struct Office {
    /// The ledger's table.
    pub table: String,
    /// The topic's ARN.
    pub topic: String,
    /// The URL of the queue that hears the topic.
    pub queue: String,
}

impl Office {
    /// The settings that a function needs.
    #[must_use]
    pub fn settings(&self) -> Vec<(&str, &str)> {
        vec![("BRIG_LEDGER_TABLE", &self.table), ("BRIG_TOPIC_ARN", &self.topic)]
    }
}

/// An endpoint of the environment.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the endpoints are given by the environment")]
pub fn endpoint(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn key(name: &str, kind: KeyType) -> KeySchemaElement {
    KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("a key")
}

fn definition(name: &str) -> AttributeDefinition {
    AttributeDefinition::builder()
        .attribute_name(name)
        .attribute_type(ScalarAttributeType::S)
        .build()
        .expect("a definition")
}
