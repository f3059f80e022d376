//! What should be in place before the bad day: each check as a line that says what was seen and what to do. What could not
//! be seen is `unknown`, never `ok`.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::{
    iam::power::Read,
    model::{
        Purpose, SecurityGroup,
        ids::{AccountId, VpcId},
        text,
    },
    step::Denial,
};

/// What one check showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Seen to be in place.
    Ok,
    /// Seen not to be.
    Missing,
    /// Not seen.
    Unknown,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// What was checked.
    pub check: String,
    /// What it showed.
    pub state: State,
    /// What was seen.
    pub detail: String,
    /// What to do; empty where nothing is to be done.
    #[serde(rename = "do")]
    pub todo: String,
}

/// Why something was not seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unseen {
    /// Why AWS denied it, where it did.
    pub denial: Option<Denial>,
    /// What AWS said.
    pub error: String,
}

/// A reading, or why there is none.
pub type Seen<T> = Result<T, Unseen>;

/// A trail of CloudTrail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trail {
    pub name: String,
    /// It covers all Regions.
    pub all_regions: bool,
    /// It is recording.
    pub logging: bool,
}

/// The topic that people are notified by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Topic {
    /// Confirmed subscriptions.
    pub confirmed: u64,
    /// Subscriptions that wait to be confirmed.
    pub pending: u64,
    /// The key that messages are kept under; none where the topic is not encrypted.
    pub key: Option<String>,
}

/// Everything that the checks are made of.
#[derive(Debug)]
pub struct Look {
    /// Calls that look, each tried once.
    pub reads: Vec<(Read, Seen<()>)>,
    /// IAM actions of changes, tried with EC2's DryRun. None where there was nothing to try on.
    pub changes: Vec<(&'static str, Option<Seen<()>>)>,
    /// The ledger, written and read.
    pub ledger: Seen<()>,
    pub topic: Seen<Topic>,
    /// A message to it, where one was asked for.
    pub published: Option<Seen<()>>,
    /// The VPCs of the Region.
    pub vpcs: Seen<Vec<VpcId>>,
    /// Groups of Brig's names.
    pub groups: Seen<Vec<SecurityGroup>>,
    /// Whether GuardDuty's detectors here are enabled.
    pub detectors: Seen<Vec<bool>>,
    /// The trails that record this Region.
    pub trails: Seen<Vec<Trail>>,
    /// VPCs, subnets and interfaces with active flow logs.
    pub flow_logs: Seen<Vec<String>>,
    /// The account's default for `HttpTokens` of new instances; none where it sets none.
    pub default_tokens: Seen<Option<String>>,
    /// Running instances whose metadata service answers without a token.
    pub without_tokens: Seen<usize>,
    /// The member role in each account that was asked about.
    pub members: Vec<(AccountId, Result<(), String>)>,
}

/// The lines of a look. `own` is the account that the look is of.
#[must_use]
pub fn judge(look: &Look, own: &AccountId) -> Vec<Line> {
    let mut lines = Vec::new();
    permissions(look, &mut lines);
    lines.push(seen("ledger", &look.ledger, "grant the role the table, or repair the table", |()| {
        (State::Ok, "written and read".to_owned(), "")
    }));
    people(look, &mut lines);
    groups(look, own, &mut lines);
    lines.push(seen("GuardDuty", &look.detectors, "grant guardduty:ListDetectors and GetDetector", |detectors| {
        if detectors.contains(&true) {
            (State::Ok, "enabled in this Region".to_owned(), "")
        } else {
            (State::Missing, "not enabled in this Region".to_owned(), "enable it, here and in every Region in use")
        }
    }));
    lines.push(seen("CloudTrail", &look.trails, "grant cloudtrail:DescribeTrails and GetTrailStatus", |trails| {
        match trails.iter().find(|trail| trail.all_regions && trail.logging) {
            Some(trail) => (State::Ok, format!("{} records all Regions", trail.name), ""),
            None if trails.is_empty() => (State::Missing, "no trail".to_owned(), "create a trail for all Regions"),
            None => (
                State::Missing,
                "no trail both covers all Regions and is recording".to_owned(),
                "let one trail cover all Regions, and start it",
            ),
        }
    }));
    flow_logs(look, &mut lines);
    lines.push(seen("metadata default", &look.default_tokens, "grant ec2:GetInstanceMetadataDefaults", |tokens| {
        if tokens.as_deref() == Some("required") {
            (State::Ok, "new instances require tokens".to_owned(), "")
        } else {
            (
                State::Missing,
                "new instances may answer without a token".to_owned(),
                "aws ec2 modify-instance-metadata-defaults --http-tokens required",
            )
        }
    }));
    lines.push(seen("metadata", &look.without_tokens, "grant ec2:DescribeInstances", |count| match count {
        0 => (State::Ok, "every running instance requires tokens".to_owned(), ""),
        count => (
            State::Missing,
            format!("{count} running instance(s) give credentials without a token"),
            "aws ec2 modify-instance-metadata-options --http-tokens required, after a look at what uses version 1",
        ),
    }));
    for (account, answer) in &look.members {
        let (state, detail, todo) = match answer {
            Ok(()) => (State::Ok, "assumed", ""),
            Err(error) => {
                (State::Missing, error.as_str(), "deploy infra/member-role.yaml there, and set BRIG_MEMBER_ROLE")
            }
        };
        lines.push(line(&format!("member role in {account}"), state, detail, todo));
    }
    lines.push(line(
        "SCP for users",
        State::Unknown,
        "not seen whether users can change IAM while Brig denies one: only the organization's management account and its delegated administrators can read SCPs",
        &format!(
            "attach UsersDoNotChangeIam of infra/scp.json; aws organizations list-policies-for-target --target-id {own} --filter SERVICE_CONTROL_POLICY shows what is attached"
        ),
    ));
    lines
}

/// The way to people, as far as AWS lets it be tried. SNS has no dry run: whether the role may publish, and whether the
/// key's policy admits it, is seen by a message alone.
fn people(look: &Look, lines: &mut Vec<Line>) {
    lines.push(seen("people", &look.topic, "grant sns:GetTopicAttributes", |topic| {
        let pending = match topic.pending {
            0 => String::new(),
            count => format!("; {count} subscription(s) are not confirmed"),
        };
        match topic.confirmed {
            0 => (
                State::Missing,
                format!("no one is subscribed to the topic{pending}"),
                "subscribe the on-call, and confirm it",
            ),
            count => {
                let detail =
                    format!("{count} confirmed subscription(s){pending}; whether they reach anybody, a drill shows");
                (State::Ok, detail, "")
            }
        }
    }));
    let key = match &look.topic {
        Ok(Topic { key: Some(key), .. }) => format!(", which is encrypted under {key}"),
        Ok(_) | Err(_) => String::new(),
    };
    lines.push(match &look.published {
        Some(Ok(())) => line("message to people", State::Ok, &format!("sent to the topic{key}"), ""),
        Some(Err(unseen)) => {
            let grant = "grant the role sns:Publish and, for an encrypted topic, kms:GenerateDataKey and kms:Decrypt, in the key's policy too";
            let (state, todo) = match unseen.denial {
                Some(denial) if denial.is_missing_grant() => (State::Missing, grant),
                Some(denial) => (State::Missing, denial.help()),
                None => (State::Unknown, "look at the error, and ask again"),
            };
            line("message to people", state, &format!("the topic{key}: {}", unseen.error), todo)
        }
        None => line(
            "message to people",
            State::Unknown,
            &format!("no message was sent to the topic{key}"),
            "ask with \"notify\": true, which sends one to everybody who is subscribed",
        ),
    });
}

fn line(check: &str, state: State, detail: &str, todo: &str) -> Line {
    Line { check: check.to_owned(), state, detail: text::one_line(detail, text::REPORT), todo: todo.to_owned() }
}

fn seen<T>(
    check: &str,
    reading: &Seen<T>,
    grant: &str,
    judge: impl FnOnce(&T) -> (State, String, &'static str),
) -> Line {
    match reading {
        Ok(value) => {
            let (state, detail, todo) = judge(value);
            line(check, state, &detail, todo)
        }
        Err(unseen) => {
            let todo = match unseen.denial {
                Some(denial) if denial.is_missing_grant() => grant,
                Some(denial) => denial.help(),
                None => "look at the error, and ask again",
            };
            line(check, State::Unknown, &unseen.error, todo)
        }
    }
}

/// Adds what helps against a denial, each thing once.
fn help(helps: &mut Vec<&'static str>, denial: Denial, grant: &'static str) {
    let help = if denial.is_missing_grant() { grant } else { denial.help() };
    if !helps.contains(&help) {
        helps.push(help);
    }
}

fn permissions(look: &Look, lines: &mut Vec<Line>) {
    let mut refused = Vec::new();
    let mut helps = Vec::new();
    let mut unclear = Vec::new();
    for (read, answer) in &look.reads {
        match answer {
            Ok(()) => {}
            Err(Unseen { denial: Some(denial), .. }) => {
                refused.extend(read.iam_actions());
                help(&mut helps, *denial, "grant these actions to the function's role");
            }
            Err(unseen) => unclear.push(format!("{}: {}", read.iam_actions().join(", "), unseen.error)),
        }
    }
    let tried = look.reads.len();
    lines.push(if !refused.is_empty() {
        line("permissions to look", State::Missing, &refused.join(", "), &helps.join("; "))
    } else if !unclear.is_empty() {
        line("permissions to look", State::Unknown, &unclear.join("; "), "ask again")
    } else {
        line("permissions to look", State::Ok, &format!("{tried} calls were tried and allowed"), "")
    });
    let (mut allowed, mut refused, mut unclear) = (Vec::new(), Vec::new(), Vec::new());
    helps.clear();
    for (action, answer) in &look.changes {
        match answer {
            Some(Ok(())) => allowed.push(*action),
            Some(Err(Unseen { denial: Some(denial), .. })) => {
                refused.push(*action);
                help(&mut helps, *denial, "grant these actions to the role");
            }
            Some(Err(_)) | None => unclear.push(*action),
        }
    }
    if !refused.is_empty() {
        lines.push(line("permissions to change", State::Missing, &refused.join(", "), &helps.join("; ")));
    }
    if !allowed.is_empty() {
        let detail = format!("EC2 would allow {} (tried without effect)", allowed.join(", "));
        lines.push(line("permissions to change", State::Ok, &detail, ""));
    }
    if !unclear.is_empty() {
        let todo = "give \"instance_id\" to try what EC2 can try (the interface once Brig's groups are there); DisassociateIamInstanceProfile only a drill shows";
        lines.push(line("permissions to change", State::Unknown, &format!("not tried: {}", unclear.join(", ")), todo));
    }
    lines.push(line(
        "permissions of IAM, Auto Scaling and Elastic Load Balancing to change",
        State::Unknown,
        "these services have no DryRun",
        "a drill shows them",
    ));
}

fn groups(look: &Look, own: &AccountId, lines: &mut Vec<Line>) {
    let vpcs = match &look.vpcs {
        Ok(vpcs) => vpcs,
        Err(unseen) => {
            return lines.push(line("Brig's groups", State::Unknown, &unseen.error, "grant ec2:DescribeVpcs"));
        }
    };
    let groups = match &look.groups {
        Ok(groups) => groups,
        Err(unseen) => {
            let todo = "grant ec2:DescribeSecurityGroups";
            return lines.push(line("Brig's groups", State::Unknown, &unseen.error, todo));
        }
    };
    let has = |vpc: &VpcId, purpose| groups.iter().any(|group| group.vpc == *vpc && group.is_ours(purpose, own));
    let bare: Vec<&str> = vpcs
        .iter()
        .filter(|vpc| !has(vpc, Purpose::Isolation) || !has(vpc, Purpose::Untrack))
        .map(VpcId::as_str)
        .collect();
    lines.push(if bare.is_empty() {
        line("Brig's groups", State::Ok, &format!("in each of {} VPC(s)", vpcs.len()), "")
    } else {
        let todo = "ask again with \"prepare\": true (not in observe mode), which saves the first cut in each VPC two round trips";
        line("Brig's groups", State::Missing, &format!("not in {}", bare.join(", ")), todo)
    });
}

fn flow_logs(look: &Look, lines: &mut Vec<Line>) {
    let line = match (&look.vpcs, &look.flow_logs) {
        (Err(unseen), _) | (_, Err(unseen)) => {
            line("flow logs", State::Unknown, &unseen.error, "grant ec2:DescribeVpcs and DescribeFlowLogs")
        }
        (Ok(vpcs), Ok(logged)) => {
            let logged: BTreeSet<&str> = logged.iter().map(String::as_str).collect();
            let bare: Vec<&str> = vpcs.iter().map(VpcId::as_str).filter(|vpc| !logged.contains(vpc)).collect();
            if bare.is_empty() {
                line("flow logs", State::Ok, &format!("on each of {} VPC(s)", vpcs.len()), "")
            } else {
                let todo =
                    "aws ec2 create-flow-logs --resource-type VPC; without them nothing can prove the cut afterwards";
                line("flow logs", State::Missing, &format!("no log of the whole VPC {}", bare.join(", ")), todo)
            }
        }
    };
    lines.push(line);
}

#[cfg(test)]
mod tests;
