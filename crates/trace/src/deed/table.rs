//! Which operation does what. The names are AWS's; what is not listed and does not only read is another change.

use brig_core::model::text::{LONG, one_line, shell};

use super::{
    DeedKind,
    ec2::of_ec2,
    iam::of_iam,
    services::{of_bedrock, of_data, of_detection, of_lambda, of_machines},
    undone::place,
};
use crate::Record;

/// What a call is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Draft {
    pub(crate) kind: DeedKind,
    pub(crate) what: Vec<String>,
    pub(crate) detail: Option<String>,
    pub(crate) undo: Option<String>,
    /// What it is known by, where later calls can undo it.
    pub(crate) things: Vec<String>,
    /// Why it did nothing, where its answer says so.
    pub(crate) failed: Option<String>,
}

pub(super) fn draft(kind: DeedKind, what: &[Option<&str>]) -> Draft {
    let what = what.iter().flatten().map(|text| (*text).to_owned()).collect();
    Draft { kind, what, detail: None, undo: None, things: Vec::new(), failed: None }
}

impl Draft {
    pub(super) fn thing(mut self, thing: impl Into<String>) -> Self {
        self.things.push(thing.into());
        self
    }

    pub(super) fn things(mut self, things: Vec<String>) -> Self {
        self.things = things;
        self
    }

    /// None where a word of it is not known, or cannot be pasted.
    pub(super) fn undo(mut self, command: impl FnOnce() -> Option<String>) -> Self {
        self.undo = command();
        self
    }

    pub(super) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    pub(super) fn failed(mut self, code: impl Into<String>) -> Self {
        self.failed = Some(code.into());
        self
    }
}

/// A name as one word of a command; none where there is no name, or it has characters that do not survive being shown.
pub(super) fn word(name: Option<&str>) -> Option<String> {
    name.filter(|name| !name.is_empty() && one_line(name, LONG) == *name).map(shell)
}

/// Names as words of a command, with spaces between: all or none.
pub(super) fn words(names: &[&str]) -> Option<String> {
    let all: Option<Vec<String>> = names.iter().map(|name| word(Some(name))).collect();
    all.filter(|all| !all.is_empty()).map(|all| all.join(" "))
}

/// What a call did, or tried; none of what only reads what everybody may see.
pub(crate) fn classify(record: &Record) -> Option<Draft> {
    let found = match record.service.as_str() {
        "iam" | "rolesanywhere" | "sso-admin" | "signin" => of_iam(record),
        "ec2" => of_ec2(record).or_else(|| of_detection(record)),
        "lambda" => of_lambda(record),
        "s3" | "kms" | "rds" => of_data(record),
        "secretsmanager" | "ssm" | "ec2-instance-connect" => of_machines(record),
        "bedrock" => of_bedrock(record),
        "cloudtrail" | "guardduty" | "config" | "securityhub" | "route53resolver" | "logs" | "monitoring"
        | "access-analyzer" | "macie2" | "organizations" => of_detection(record),
        _ => None,
    };
    let mut draft = found.or_else(|| other(record))?;
    draft.things.sort_unstable();
    draft.things.dedup();
    draft.things = draft.things.iter().map(|thing| place(record, thing)).collect();
    Some(draft)
}

/// In which Region a command is given.
pub(super) fn in_region(record: &Record) -> String {
    format!(" --region {}", shell(&record.region))
}

/// What changes something and is in no list. What only reads, and what credentials are made of, is none.
fn other(record: &Record) -> Option<Draft> {
    const ISSUES: [&str; 8] = [
        "AssumeRole",
        "AssumeRoleWithSAML",
        "AssumeRoleWithWebIdentity",
        "AssumeRoot",
        "GetSessionToken",
        "GetFederationToken",
        "ConsoleLogin",
        "GetSigninToken",
    ];
    let reads = [
        "Get", "List", "Describe", "Head", "BatchGet", "Lookup", "Search", "Simulate", "Check", "Test", "Scan",
        "Query", "Select", "View", "Validate", "Preview", "Estimate",
    ];
    // The session that it gave is in the graph; where it was refused there is none.
    if record.call.starts_with("AssumeRole") && record.error.is_some() {
        return Some(draft(DeedKind::WayIn, &[record.asked("roleArn")]));
    }
    if ISSUES.contains(&record.call.as_str()) {
        return None;
    }
    let only_reads = record.read_only.unwrap_or_else(|| reads.iter().any(|verb| record.call.starts_with(verb)));
    if only_reads {
        return None;
    }
    let named: Vec<String> = if record.resources.is_empty() {
        let texts = record.request.as_object().into_iter().flatten();
        let ids = texts.filter(|(key, _)| {
            ["id", "name", "arn", "identifier"].iter().any(|end| key.to_ascii_lowercase().ends_with(end))
        });
        ids.filter_map(|(_, value)| value.as_str()).take(4).map(str::to_owned).collect()
    } else {
        record.resources.iter().take(4).cloned().collect()
    };
    let kind =
        if ["Delete", "Terminate", "Remove", "Purge", "Deregister"].iter().any(|verb| record.call.starts_with(verb)) {
            DeedKind::Deletion
        } else {
            DeedKind::Other
        };
    Some(Draft { what: named, ..draft(kind, &[]) })
}
