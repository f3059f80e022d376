//! A trail for tests: records in the form that CloudTrail writes, with made-up names.

use brig_core::model::timestamp::Timestamp;
use brig_trace::{Record, Root, Trace};
use serde_json::{Value, json};

/// Records under construction, a second after each other.
#[derive(Debug, Default, Clone)]
pub struct Trail {
    pub records: Vec<Value>,
}

pub const ACCOUNT: &str = "123456789012";

pub fn at(second: i64) -> Timestamp {
    Timestamp::from_millis(1_790_000_000_000 + second * 1000)
}

/// A user's key.
pub fn user(name: &str, key: &str) -> Value {
    json!({"type": "IAMUser", "principalId": format!("AIDA{}", name.to_uppercase()), "accountId": ACCOUNT, "accessKeyId": key,
        "arn": format!("arn:aws:iam::{ACCOUNT}:user/{name}"), "userName": name})
}

/// A session of a role, issued at a second.
pub fn session(role: &str, name: &str, key: &str, issued: i64) -> Value {
    json!({"type": "AssumedRole", "principalId": format!("AROA{}:{name}", role.to_uppercase()), "accountId": ACCOUNT, "accessKeyId": key,
        "arn": format!("arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{name}"),
        "sessionContext": {"attributes": {"creationDate": at(issued).to_string()},
            "sessionIssuer": {"type": "Role", "arn": format!("arn:aws:iam::{ACCOUNT}:role/{role}"), "userName": role}}})
}

impl Trail {
    /// A call that succeeded.
    #[expect(clippy::needless_pass_by_value, reason = "they are written where it is called")]
    pub fn call(&mut self, who: &Value, service: &str, call: &str, request: Value, response: Value) -> &mut Value {
        let second = i64::try_from(self.records.len()).expect("a few");
        let read = ["Get", "List", "Describe", "AssumeRole"].iter().any(|verb| call.starts_with(verb));
        self.records.push(json!({"eventVersion": "1.09", "eventID": format!("e{second:04}"), "eventName": call,
            "eventSource": format!("{service}.amazonaws.com"), "eventTime": at(second).to_string(), "awsRegion": "us-east-1",
            "recipientAccountId": ACCOUNT, "readOnly": read, "sourceIPAddress": "198.51.100.7", "userAgent": "aws-cli",
            "userIdentity": who, "requestParameters": request, "responseElements": response}));
        self.records.last_mut().expect("it")
    }

    /// sts:AssumeRole, and the session that it gave.
    pub fn assume(&mut self, who: &Value, role: &str, name: &str, key: &str) -> Value {
        let issued = i64::try_from(self.records.len()).expect("a few");
        let request = json!({"roleArn": format!("arn:aws:iam::{ACCOUNT}:role/{role}"), "roleSessionName": name, "durationSeconds": 3600});
        let response = json!({"credentials": {"accessKeyId": key, "sessionToken": "x", "expiration": at(issued + 3600).to_string()},
            "assumedRoleUser": {"assumedRoleId": format!("AROA{}:{name}", role.to_uppercase())}});
        self.call(who, "sts", "AssumeRole", request, response);
        session(role, name, key, issued)
    }

    pub fn read(&self) -> Vec<Record> {
        self.records.iter().map(|value| Record::read(value).expect("a record")).collect()
    }

    pub fn trace(&self, root: &str, cut: Option<Timestamp>, now: Timestamp) -> Trace {
        let root: Root = root.parse().expect("a root");
        Trace::of(root, &self.read(), cut, now, Vec::new())
    }
}

/// The graph in lines.
pub fn graph(trace: &Trace) -> String {
    let mut lines = Vec::new();
    for one in &trace.credentials {
        let from = one.from.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
        let by = one.by.as_deref().unwrap_or("-");
        let (state, _) = one.standing.words();
        let uses = &one.uses;
        lines
            .push(format!("{} <- {from} by {by}: {state}, {} calls, {} refused", one.id, uses.succeeded, uses.refused));
    }
    lines.join("\n") + "\n"
}

/// The deeds and the attempts in lines, each with the command that undoes it.
pub fn deeds(trace: &Trace) -> String {
    let mut lines = Vec::new();
    for deed in trace.deeds.iter().chain(&trace.attempts) {
        let detail = deed.detail.as_deref().unwrap_or("-");
        let unusual = if deed.unusual_region { "UNUSUAL " } else { "" };
        lines.push(format!(
            "{unusual}{} {} x{} {:?} ({detail}) {:?} {:?}",
            deed.kind, deed.call, deed.times, deed.what, deed.state, deed.presence
        ));
        lines.extend(deed.undo.iter().map(|undo| format!("    {undo}")));
    }
    lines.join("\n") + "\n"
}
