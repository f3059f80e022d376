//! The stack of `infra/template.yaml` as it was deployed for this run, and functions that run under its roles.

use serde_json::Value;

use crate::account::{Account, Office, endpoint, unique};

/// A deployed stack: its outputs, and the policies of its roles as they were rendered.
#[derive(Debug, Clone)]
pub struct Stack(Value);

/// A session that a function runs with.
#[derive(Debug, Default)]
pub struct Session {
    /// Its credentials, as environment variables.
    pub variables: Vec<(&'static str, String)>,
    /// Its ARN.
    pub arn: String,
}

impl Stack {
    /// The stack that this run has, where it has one.
    #[must_use]
    pub fn deployed() -> Option<Self> {
        let file = endpoint("STACK_OUTPUTS")?;
        let text = std::fs::read_to_string(file).expect("the stack's outputs");
        Some(Self(serde_json::from_str(&text).expect("JSON")))
    }

    /// One of its outputs.
    #[must_use]
    pub fn output(&self, name: &str) -> String {
        self.optional(name).expect("an output of the template")
    }

    /// An output that not every deployment has.
    fn optional(&self, name: &str) -> Option<String> {
        self.0.pointer(&format!("/outputs/{name}")).and_then(Value::as_str).map(str::to_owned)
    }

    /// Its table and its topic, and a queue that hears the topic.
    pub async fn office(&self, account: &Account) -> Office {
        let topic = self.output("TopicArn");
        let queue = account.subscriber(&topic).await;
        Office { table: self.output("LedgerTable"), topic, queue }
    }

    /// The variables and the ARN of a session of a role that may what the stack's roles may, but with another table and topic. It has the policies of
    /// one function if that alone is served, else of both.
    pub async fn session(&self, account: &Account, settings: &[(&str, &str)]) -> Session {
        let setting = |name: &str| settings.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| *value);
        let serves = setting("BRIG_SERVES");
        let duties: &[&str] = match serves {
            "contain" | "release" | "investigate" => &[serves],
            _ => &["contain", "release"],
        };
        let documents: Vec<&Value> = duties
            .iter()
            .flat_map(|duty| self.0.pointer(&format!("/policies/{duty}")).and_then(Value::as_array).expect("policies"))
            .collect();
        let role = unique("under-test");
        let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":["sts:AssumeRole","sts:SetSourceIdentity"]}]}"#;
        let made = account.iam.create_role().role_name(&role).path("/brig/").assume_role_policy_document(trust);
        let arn = made.send().await.expect("a role").role().expect("it").arn().to_owned();
        for (number, document) in documents.into_iter().enumerate() {
            let (table, queue) = (self.output("LedgerTable"), self.output("QueueArn"));
            let document = document
                .to_string()
                .replace(&format!("table/{table}"), &format!("table/{}", setting("BRIG_LEDGER_TABLE")))
                .replace(&self.output("TopicArn"), setting("BRIG_TOPIC_ARN"));
            let document = match (self.optional("ChatTopicArn"), setting("BRIG_CHAT_TOPIC_ARN")) {
                (Some(chat), topic) if !topic.is_empty() => document.replace(&chat, topic),
                (Some(_) | None, _) => document,
            };
            let evidence = [
                (self.optional("EvidenceBucketName"), "BRIG_EVIDENCE_BUCKET"),
                (self.optional("EvidenceSigningKeyArn"), "BRIG_EVIDENCE_KEY"),
            ];
            let document = evidence.into_iter().fold(document, |document, (deployed, name)| {
                match deployed.filter(|_| !setting(name).is_empty()) {
                    Some(deployed) => document.replace(&deployed, setting(name)),
                    None => document,
                }
            });
            let document = document.replace(&queue, "arn:aws:sqs:us-east-1:123456789012:*");
            let name = format!("rendered-{number}");
            let put = account.iam.put_role_policy().role_name(&role).policy_name(name).policy_document(document);
            put.send().await.expect("a policy");
        }
        let given = account.sts.assume_role().role_arn(arn).role_session_name("brig").send().await.expect("a session");
        let arn = given.assumed_role_user().expect("who").arn().to_owned();
        let given = given.credentials().expect("credentials");
        let variables = vec![
            ("AWS_ACCESS_KEY_ID", given.access_key_id().to_owned()),
            ("AWS_SECRET_ACCESS_KEY", given.secret_access_key().to_owned()),
            ("AWS_SESSION_TOKEN", given.session_token().to_owned()),
        ];
        Session { variables, arn }
    }
}
