//! One record of CloudTrail, as far as it is needed. A record that another version of CloudTrail wrote is read too: what is
//! missing is none, and what has another form is left out
//! (<https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>).

use brig_core::model::{text, timestamp::Timestamp};
use serde_json::Value;

/// Characters of a text that others wrote, where it is kept.
const LONGEST: usize = 512;

/// Why a value is no record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub(crate) String);

/// Who made a call.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    /// `IAMUser`, `AssumedRole`, `Root`, `AWSService`, ...
    pub kind: String,
    /// `AIDA...`, `AROA...:<session>`, or an account.
    pub principal: Option<String>,
    pub arn: Option<String>,
    pub account: Option<String>,
    /// The access key that signed it.
    pub key: Option<String>,
    /// The user's name.
    pub user: Option<String>,
    /// The ARN of the role, or of the user, whose session it is.
    pub issuer: Option<String>,
    /// When the session was issued.
    pub issued: Option<Timestamp>,
    /// By which version of the instance's metadata service the credentials were handed out: `1.0` or `2.0`.
    pub delivery: Option<String>,
    pub source_identity: Option<String>,
    /// A service called on behalf of it.
    pub invoked_by: Option<String>,
}

impl Caller {
    /// The session's name: what follows the unique id.
    #[must_use]
    pub fn session(&self) -> Option<&str> {
        self.principal.as_deref()?.split_once(':').map(|(_, session)| session)
    }

    /// The user's or the role's name, for a person.
    #[must_use]
    pub fn shown(&self) -> String {
        self.arn
            .clone()
            .or_else(|| self.user.clone())
            .or_else(|| self.invoked_by.clone())
            .unwrap_or_else(|| self.kind.clone())
    }
}

/// One record.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// `eventID`, by which the same record twice is known.
    pub id: String,
    pub at: Timestamp,
    /// The service, `iam`.
    pub service: String,
    /// The operation, without an API version: `CreateFunction`.
    pub call: String,
    pub region: String,
    /// The account whose trail has it.
    pub account: Option<String>,
    pub caller: Caller,
    /// `errorCode`: it did nothing.
    pub error: Option<String>,
    /// The address that it came from, or the service.
    pub address: Option<String>,
    pub agent: Option<String>,
    pub request: Value,
    pub response: Value,
    /// The ARNs that it names.
    pub resources: Vec<String>,
    /// It only reads, where the record says so.
    pub read_only: Option<bool>,
    /// From the console.
    pub console: bool,
}

impl Record {
    /// Reads one.
    ///
    /// # Errors
    /// It has no operation, or no time: the error names the field and the value.
    pub fn read(value: &Value) -> Result<Self, Unreadable> {
        let text = |path: &str| value.pointer(path).and_then(Value::as_str).map(clip);
        let need = |path: &str| {
            text(path).filter(|text| !text.is_empty()).ok_or_else(|| {
                let found = value.pointer(path).unwrap_or(&Value::Null);
                Unreadable(format!(
                    "{}: {} is no text",
                    path.trim_start_matches('/'),
                    text::one_line(&found.to_string(), 60)
                ))
            })
        };
        let (call, source) = (need("/eventName")?, need("/eventSource")?);
        let at = value.get("eventTime").and_then(Timestamp::read).ok_or_else(|| {
            let found = value.get("eventTime").unwrap_or(&Value::Null);
            Unreadable(format!("eventTime: {} is no time", text::one_line(&found.to_string(), 60)))
        })?;
        let flag = |path: &str| match value.pointer(path) {
            Some(Value::Bool(flag)) => Some(*flag),
            Some(Value::String(flag)) => flag.to_ascii_lowercase().parse().ok(),
            _ => None,
        };
        let session = "/userIdentity/sessionContext";
        let caller = Caller {
            kind: text("/userIdentity/type").unwrap_or_default(),
            principal: text("/userIdentity/principalId"),
            arn: text("/userIdentity/arn"),
            account: text("/userIdentity/accountId"),
            key: text("/userIdentity/accessKeyId").filter(|key| !key.is_empty()),
            user: text("/userIdentity/userName"),
            issuer: text(&format!("{session}/sessionIssuer/arn")),
            issued: value.pointer(&format!("{session}/attributes/creationDate")).and_then(Timestamp::read),
            delivery: text(&format!("{session}/ec2RoleDelivery")),
            source_identity: text(&format!("{session}/sourceIdentity")),
            invoked_by: text("/userIdentity/invokedBy"),
        };
        let list = value.get("resources").and_then(Value::as_array).into_iter().flatten();
        let resources = list.filter_map(|one| {
            let arn = one.get("ARN").or_else(|| one.get("arn")).or_else(|| one.get("ARNPrefix"))?;
            arn.as_str().map(clip)
        });
        Ok(Self {
            id: text("/eventID").unwrap_or_default(),
            at,
            service: source.split('.').next().unwrap_or_default().to_ascii_lowercase(),
            call: unversioned(&call),
            region: text("/awsRegion").unwrap_or_default(),
            account: text("/recipientAccountId").or_else(|| caller.account.clone()),
            error: text("/errorCode").filter(|code| !code.is_empty()),
            address: text("/sourceIPAddress"),
            agent: text("/userAgent"),
            request: value.get("requestParameters").cloned().unwrap_or_default(),
            response: value.get("responseElements").cloned().unwrap_or_default(),
            resources: resources.collect(),
            read_only: flag("/readOnly"),
            console: flag("/sessionCredentialFromConsole").unwrap_or(false),
            caller,
        })
    }

    /// Whether it did something: CloudTrail records refused calls, and those that only ask whether they would be allowed.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        let signs_in = self.service == "signin" || self.call == "ConsoleLogin";
        self.error.is_none() && !(signs_in && self.response_text(&self.call) == Some("Failure"))
    }

    /// Whether it succeeded and changed nothing: it only asked what would happen.
    pub(crate) fn only_asked(&self) -> bool {
        match top(&self.request, "dryRun") {
            Some(Value::Bool(dry)) => *dry,
            Some(Value::String(dry)) => dry.eq_ignore_ascii_case("true"),
            Some(Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_)) | None => false,
        }
    }

    /// A text of the request, wherever services write it: keys are compared without upper and lower case.
    #[must_use]
    pub fn asked(&self, key: &str) -> Option<&str> {
        find(&self.request, key, 0)?.as_str()
    }

    /// A value of the request.
    #[must_use]
    pub fn asked_value(&self, key: &str) -> Option<&Value> {
        find(&self.request, key, 0)
    }

    /// A text of the response.
    #[must_use]
    pub fn response_text(&self, key: &str) -> Option<&str> {
        find(&self.response, key, 0)?.as_str()
    }

    /// A value of the response.
    #[must_use]
    pub fn answered(&self, key: &str) -> Option<&Value> {
        find(&self.response, key, 0)
    }
}

/// Deeper nesting than any call has.
const DEEPEST: usize = 8;

/// The value of a key of an object itself.
pub(crate) fn top<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    value.as_object()?.iter().find(|(own, _)| own.eq_ignore_ascii_case(key)).map(|(_, value)| value)
}

/// The first value of a key, the nearest to the top.
pub(crate) fn find<'a>(value: &'a Value, key: &str, depth: usize) -> Option<&'a Value> {
    let map = match value {
        Value::Object(map) => map,
        Value::Array(items) if depth < DEEPEST => return items.iter().find_map(|item| find(item, key, depth + 1)),
        Value::Array(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
    };
    let own = map.iter().find(|(own, _)| own.eq_ignore_ascii_case(key)).map(|(_, value)| value);
    own.or_else(|| if depth < DEEPEST { map.values().find_map(|value| find(value, key, depth + 1)) } else { None })
}

/// Every text under a key, in order.
pub(crate) fn all<'a>(value: &'a Value, key: &str) -> Vec<&'a str> {
    fn walk<'a>(value: &'a Value, key: &str, depth: usize, found: &mut Vec<&'a str>) {
        if depth > DEEPEST {
            return;
        }
        match value {
            Value::Object(map) => {
                for (own, value) in map {
                    match value {
                        Value::String(text) if own.eq_ignore_ascii_case(key) => found.push(text),
                        Value::Array(items) if own.eq_ignore_ascii_case(key) => {
                            found.extend(items.iter().filter_map(Value::as_str));
                            for item in items {
                                walk(item, key, depth + 1, found);
                            }
                        }
                        Value::Null
                        | Value::Bool(_)
                        | Value::Number(_)
                        | Value::String(_)
                        | Value::Array(_)
                        | Value::Object(_) => {
                            walk(value, key, depth + 1, found);
                        }
                    }
                }
            }
            Value::Array(items) => {
                for item in items {
                    walk(item, key, depth + 1, found);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut found = Vec::new();
    walk(value, key, 0, &mut found);
    found
}

fn clip(text: &str) -> String {
    text::one_line(text, LONGEST)
}

/// `UpdateFunctionConfiguration20150331v2` -> `UpdateFunctionConfiguration`.
fn unversioned(call: &str) -> String {
    let bare = call.trim_end_matches(|c: char| c.is_ascii_digit()).trim_end_matches('v');
    let digits = |text: &str| text.len() - text.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let plain = call.trim_end_matches(|c: char| c.is_ascii_digit());
    let dated = if plain.ends_with('v') && plain != call { bare } else { call };
    if digits(dated) >= 6 {
        dated.trim_end_matches(|c: char| c.is_ascii_digit() || c == '_').to_owned()
    } else {
        call.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_operation_is_known_whatever_api_version_it_carries() {
        for (written, call) in [
            ("UpdateFunctionConfiguration20150331v2", "UpdateFunctionConfiguration"),
            ("CreateFunction20150331", "CreateFunction"),
            ("GetBucketLocation", "GetBucketLocation"),
            ("ListObjectsV2", "ListObjectsV2"),
            ("AssumeRole", "AssumeRole"),
            ("DeleteDistribution2020_05_31", "DeleteDistribution2020_05_31"),
        ] {
            assert_eq!(unversioned(written), call, "{written}");
        }
    }

    #[test]
    fn what_is_no_record_names_the_field_and_the_value() {
        let error = |value: &Value| Record::read(value).expect_err("no record").to_string();
        assert_eq!(error(&json!({"eventName": 7})), "eventName: 7 is no text");
        let no_time = json!({"eventName": "X", "eventSource": "iam.amazonaws.com", "eventTime": "soon"});
        assert_eq!(error(&no_time), "eventTime: \"soon\" is no time");
    }

    #[test]
    fn values_are_found_in_whichever_case_and_depth_a_service_writes_them() {
        let record = json!({"eventName": "DeleteFlowLogs", "eventSource": "ec2.amazonaws.com", "eventTime": "2026-01-02T03:04:05Z",
            "requestParameters": {"DeleteFlowLogsRequest": {"FlowLogId": {"content": "fl-1"}}}});
        let record = Record::read(&record).expect("a record");
        assert_eq!(record.asked("content"), Some("fl-1"));
        assert!(record.succeeded());
        assert_eq!(
            all(&json!({"items": [{"instanceId": "i-1"}, {"instanceId": "i-2"}]}), "InstanceId"),
            ["i-1", "i-2"]
        );
    }
}
