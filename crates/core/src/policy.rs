//! Whether to act: a finding and what was seen of its instance -> contain, ask people, or ignore, always with the reason
//! that a person reads. The hourly cap is decided with the claim, since only the ledger can count.

mod built_in;

use std::time::Duration;

use built_in::{built_in, of_a_node, settled};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    access::ForensicAccess,
    finding::{Finding, Force, ResourceRole, Source},
    ids::AccountId,
    ledger::{Current, Limits, OverCap, State},
    notified::Cause,
    rules::Rules,
    survey::Instance,
    text,
    timestamp::Timestamp,
};

/// Whether Brig acts or only says what it would do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Contain.
    Enforce,
    /// Survey, plan, record and tell; the account stays untouched.
    Observe,
}

/// The untrack step: an open group on an isolated interface for a moment, so that flows which the old rules had made
/// tracked may stop being tracked before the last cut
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/security-group-connection-tracking.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Untrack {
    /// Never open an interface.
    Off,
    /// How many seconds the open group stays, from AWS's answer to the next call.
    Seconds(u32),
}

/// Whose credentials the role's deny policy hits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoleDeny {
    /// The contained instances' own sessions, stolen copies included.
    Instance,
    /// Every user of the role.
    Role,
}

/// What is done where a role's policy has no room to name all of its contained instances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RoleOverflow {
    /// The instance is not denied, and the report says so first: nobody else loses access.
    #[default]
    Fail,
    /// Every user of the role is denied.
    Role,
}

/// A next step after the cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Escalation {
    /// The idle timeouts of connection tracking to their least.
    Timeouts,
    /// Elastic addresses are taken off; they come back with a release.
    PublicAddress,
    /// Addresses that AWS assigned too; they do not come back.
    AnyPublicAddress,
    /// The finding's remote addresses are denied in the network ACLs of the instance's subnets.
    RemoteAcl,
}

impl Escalation {
    /// The escalation of a setting's word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Some(match word {
            "timeouts" => Self::Timeouts,
            "public-address" => Self::PublicAddress,
            "public-address!" => Self::AnyPublicAddress,
            "remote-acl" => Self::RemoteAcl,
            _ => return None,
        })
    }
}

/// The settings that decisions and plans are made with.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// Act or observe.
    pub mode: Mode,
    /// Findings below this severity (GuardDuty's scale of 1 to 10) are ignored.
    pub min_severity: f64,
    /// The tag key that exempts an instance.
    pub exempt_tag: String,
    /// New automatic containments per account, Region and hour.
    pub max_per_hour: u32,
    /// The untrack step.
    pub untrack: Untrack,
    /// Days of the snapshots' governance lock; 0 for no lock.
    pub lock_days: u32,
    /// The reach of the credential cut.
    pub role_deny: RoleDeny,
    /// What is done where that finds no room in the role's policy.
    pub role_overflow: RoleOverflow,
    /// Tag keys that, put on an instance, contain it.
    pub trigger_tags: Vec<String>,
    /// ARNs of the Security Hub custom actions that contain.
    pub custom_actions: Vec<String>,
    /// Accounts whose events may name other accounts' instances; empty for the function's own alone.
    pub trusted_accounts: Vec<AccountId>,
    /// The most instances that one event may name without a person being asked.
    pub max_per_finding: usize,
    /// How old the activity of a finding may be when Security Hub sends it on its own, to contain without a question.
    pub import_max_age: Duration,
    /// ARNs of roles whose changes to a contained instance are reported and never undone: people at work.
    pub responders: Vec<String>,
    /// The next steps after the cut.
    pub escalate: Vec<Escalation>,
    /// The ARN of the instance profile that takes the place of the instance's own, `{account}` standing for its account.
    pub forensic_profile: Option<String>,
    /// What the isolation group lets through for people who examine the instance.
    pub forensic_access: Option<ForensicAccess>,
    /// Addresses that no network ACL is to deny.
    pub acl_never: Vec<IpNet>,
}

impl Policy {
    /// The responders' instance profile for an account; none where it is of another one.
    #[must_use]
    pub fn forensic_profile(&self, account: &AccountId) -> Option<String> {
        let arn = self.forensic_profile.as_ref()?.replace("{account}", account.as_str());
        (arn.split(':').nth(4) == Some(account.as_str())).then_some(arn)
    }

    /// Whether a call by this principal is a responder's: the role itself, or a session of it.
    #[must_use]
    pub fn is_responder(&self, by: &str) -> bool {
        // A role `arn:aws:iam::1:role/path/name` acts as `arn:aws:sts::1:assumed-role/name/session`.
        let session = |role: &str| {
            let (head, name) = role.split_once(":role/")?;
            let name = name.rsplit('/').next()?;
            Some(format!("{}:assumed-role/{name}/", head.replacen(":iam:", ":sts:", 1)))
        };
        self.responders
            .iter()
            .any(|role| role == by || session(role).is_some_and(|session| by.starts_with(session.as_str())))
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            mode: Mode::Enforce,
            min_severity: 7.0,
            exempt_tag: "brig:exempt".to_owned(),
            max_per_hour: 10,
            untrack: Untrack::Seconds(1),
            lock_days: 7,
            role_deny: RoleDeny::Instance,
            role_overflow: RoleOverflow::Fail,
            trigger_tags: vec!["abuse-report".to_owned(), "brig:contain".to_owned()],
            custom_actions: Vec::new(),
            trusted_accounts: Vec::new(),
            max_per_finding: 3,
            // GuardDuty itself reports activity that goes on only every six hours by default.
            import_max_age: Duration::from_hours(8),
            responders: Vec::new(),
            escalate: vec![Escalation::Timeouts],
            acl_never: Vec::new(),
            forensic_profile: None,
            forensic_access: None,
        }
    }
}

/// What to do about a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Act.
    Contain,
    /// A person must decide; tell them what would be done.
    Ask,
    /// Nothing to do.
    Ignore,
}

/// A decision and why. `refused` marks a person's request that a precondition forbids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// What to do.
    pub decision: Decision,
    /// Why, for a person.
    pub reason: String,
    /// A precondition failed: nothing may be done, whoever asks.
    pub refused: bool,
    /// A rule of the account's own said so: the built-in rules are not asked.
    pub by_rule: bool,
    /// A person or a rule asks that the instance be stopped, too.
    pub stop: bool,
    /// Why, as a word: what tells news from a repetition.
    pub cause: Cause,
}

impl Decided {
    /// A decision that no precondition and no rule of the account's made. The reason is one line: names and titles of others
    /// are in it.
    #[must_use]
    pub fn new(decision: Decision, reason: String) -> Self {
        let reason = text::into_line(reason, text::REPORT);
        Self { decision, reason, refused: false, by_rule: false, stop: false, cause: Cause::Finding }
    }

    /// The same for this cause.
    #[must_use]
    pub fn because(self, cause: Cause) -> Self {
        Self { cause, ..self }
    }

    /// A precondition failed.
    #[must_use]
    pub fn refused(reason: String) -> Self {
        Self { refused: true, ..Self::new(Decision::Contain, reason) }
    }
}

/// The tag that names the containment an instance is in.
pub const CONTAINMENT_TAG: &str = "brig:containment";

/// What decisions are made by: the settings and the account's own rules.
#[derive(Debug, Clone, Copy)]
pub struct Guide<'a> {
    /// The settings.
    pub policy: &'a Policy,
    /// `BRIG_POLICY`.
    pub rules: &'a Rules,
    /// Why the account's rules could not be read, where they could not.
    pub rules_lost: Option<&'a str>,
}

/// What the finding alone settles, before any call to AWS. No rule lifts these.
#[must_use]
pub fn gate(finding: &Finding, policy: &Policy, own: &AccountId) -> Option<Decided> {
    let ignore = |reason: String| Some(Decided::new(Decision::Ignore, reason));
    // Who clicks is answered, see `settled`.
    if finding.source != Source::CustomAction {
        if finding.sample {
            return ignore(format!("{} is a sample finding", finding.id));
        }
        if let Some(closed) = finding.closed {
            return ignore(format!("{} is {closed} at its source", finding.id));
        }
    }
    distrust(&finding.said_by, &finding.account, policy, own)
        .map(|why| Decided::refused(why).because(Cause::NotTrusted))
}

/// Why an event of one account may not name an instance of another; none where it may.
#[must_use]
pub fn distrust(said_by: &AccountId, account: &AccountId, policy: &Policy, own: &AccountId) -> Option<String> {
    let trusted = account == said_by
        || said_by == own && policy.trusted_accounts.is_empty()
        || policy.trusted_accounts.contains(said_by);
    (!trusted).then(|| {
        format!(
            "an event of the account {said_by} names an instance of {account}; it may do so if {said_by} is in BRIG_TRUSTED_ACCOUNTS"
        )
    })
}

/// What the built-in rules ignore by the finding alone, where the account has no rules that may say otherwise.
#[must_use]
pub fn ignored(finding: &Finding, policy: &Policy) -> Option<Decided> {
    built_in(finding, policy).filter(|decided| decided.decision == Decision::Ignore)
}

/// The document that rules are matched against.
#[must_use]
pub fn document(finding: &Finding, instance: &Instance) -> Value {
    let role = finding.role.map(|role| match role {
        ResourceRole::Actor => "ACTOR",
        ResourceRole::Target => "TARGET",
    });
    let vpcs: Vec<&str> = instance.interfaces.iter().map(|interface| interface.vpc.as_str()).collect();
    json!({
        "finding": {
            "source": finding.source.name(),
            "type": finding.kind,
            "severity": finding.severity,
            "role": role,
        },
        "instance": {
            "id": instance.id,
            "account": instance.account,
            "region": instance.region,
            "vpc": vpcs,
            "tags": instance.tags,
            "profile": instance.profile,
            "group": instance.auto_scaling_group(),
            "spot": instance.spot,
            "public": instance.public,
        },
    })
}

/// What the ledger knows of the instance, as far as a decision needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known<'a> {
    /// No containment of this instance is active.
    No,
    /// This one is.
    Active(&'a str),
    /// A person is taking the containment back, or died at it.
    Releasing(&'a str),
    /// It was taken back.
    Released {
        /// When.
        at: Timestamp,
        /// The findings that had led to it.
        findings: &'a [String],
    },
    /// The ledger dates its release in the future: a wrong clock, or somebody wrote to it. That time shows nothing.
    ReleasedInFuture {
        /// When, by the ledger.
        at: Timestamp,
    },
}

/// How far two functions' clocks may be apart.
const CLOCK_SKEW: Duration = Duration::from_mins(1);

impl<'a> Known<'a> {
    /// Reads the item `current`, as of now.
    #[must_use]
    pub fn of(current: Option<&'a Current>, now: Timestamp) -> Self {
        let Some(current) = current else { return Self::No };
        match (current.state, current.released_at) {
            (State::Open | State::Closed, _) => Self::Active(current.containment.as_str()),
            (State::Releasing, _) => Self::Releasing(current.containment.as_str()),
            (State::Released, Some(at)) if at.since(now) > CLOCK_SKEW => Self::ReleasedInFuture { at },
            (State::Released, Some(at)) => Self::Released { at, findings: &current.findings },
            (State::Withdrawn, _) | (State::Released, None) => Self::No,
        }
    }
}

/// How far an instance is exempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strength {
    /// A person may contain it by force.
    UnlessForced,
    /// Nobody may, until the tag is changed.
    Never,
}

/// An instance's exemption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exemption<'a> {
    /// The tag's key.
    pub tag: &'a str,
    /// Its value, as somebody wrote it.
    pub value: &'a str,
    /// How far it goes.
    pub strength: Strength,
}

/// The exemption that an instance carries.
#[must_use]
pub fn exemption<'a>(instance: &'a Instance, policy: &'a Policy) -> Option<Exemption<'a>> {
    let value = instance.tags.get(&policy.exempt_tag).filter(|value| value.as_str() != "false")?;
    let strength = if value == "never" { Strength::Never } else { Strength::UnlessForced };
    Some(Exemption { tag: &policy.exempt_tag, value, strength })
}

/// Decides about a finding whose instance was seen. Exemption is read only here, when a new containment is decided: an
/// exempt tag that appears afterwards (an attacker can write tags too) lifts nothing.
#[must_use]
pub fn decide(finding: &Finding, instance: &Instance, known: &Known<'_>, force: Force, guide: &Guide<'_>) -> Decided {
    let decided = judge(finding, instance, known, force, guide);
    Decided { stop: decided.stop || finding.stop, ..decided }
}

fn judge(finding: &Finding, instance: &Instance, known: &Known<'_>, force: Force, guide: &Guide<'_>) -> Decided {
    let policy = guide.policy;
    let what =
        if finding.is_automatic() { format!("{}: {}", finding.kind, finding.title) } else { finding.title.clone() };
    match known {
        Known::Releasing(id) if finding.is_automatic() => {
            return Decided::new(Decision::Ask, format!("{what}; a person is releasing the instance from {id}"))
                .because(Cause::BeingReleased);
        }
        Known::Active(_) | Known::Releasing(_) => return Decided::new(Decision::Contain, what),
        Known::Released { at, findings } if finding.is_automatic() => {
            if let Some(decided) = after_release(finding, &what, *at, findings) {
                return decided;
            }
        }
        Known::ReleasedInFuture { at } if finding.is_automatic() => {
            return Decided::new(
                Decision::Ask,
                format!(
                    "{what}; the ledger says that the instance was released at {at}, which is in the future, so it \
                     cannot show whether this activity is older. A clock is wrong, or somebody changed the ledger"
                ),
            );
        }
        Known::Released { .. } | Known::ReleasedInFuture { .. } | Known::No => {}
    }
    if let Some(id) = instance.tags.get(CONTAINMENT_TAG)
        && force == Force::No
    {
        return Decided::refused(format!(
            "{} carries the tag {CONTAINMENT_TAG}={}, a containment that this ledger does not know; invoke with \
             \"force\": true to take it over, its original settings then being unknown",
            instance.id,
            text::one_line(id, text::NAME)
        ))
        .because(Cause::ForeignContainment);
    }
    let Some(Exemption { tag, value, strength }) = exemption(instance, policy) else {
        return by_rule(finding, instance, what, force, guide);
    };
    let value = text::one_line(value, text::NAME);
    match strength {
        _ if finding.is_automatic() => Decided::new(
            Decision::Ask,
            format!("{what}; the instance is EXEMPT by its tag {tag}={value}, so a person must decide"),
        )
        .because(Cause::Exempt),
        Strength::Never => Decided::refused(format!(
            "{} is tagged {tag}=never: it may not be contained, not even by force, until that tag is changed",
            instance.id
        ))
        .because(Cause::Exempt),
        Strength::UnlessForced if force == Force::No => Decided::refused(format!(
            "{} is exempt by its tag {tag}={value}; invoke with \"force\": true to contain it anyway",
            instance.id
        ))
        .because(Cause::Exempt),
        Strength::UnlessForced => by_rule(finding, instance, what, force, guide),
    }
}

/// Only activity since the release counts: findings go on being updated and delivered for hours. Of a finding that a
/// person has already judged, a person judges the update too.
fn after_release(finding: &Finding, what: &str, at: Timestamp, findings: &[String]) -> Option<Decided> {
    match finding.last_seen {
        None => Some(Decided::new(
            Decision::Ignore,
            format!("{what}; the instance was released at {at}, and the event does not say when the activity was"),
        )),
        Some(seen) if seen <= at => Some(Decided::new(
            Decision::Ignore,
            format!("{what}; its activity ({seen}) is older than the instance's release ({at})"),
        )),
        Some(seen) if findings.contains(&finding.id) => Some(Decided::new(
            Decision::Ask,
            format!(
                "{what}; the instance was released from this same finding at {at}, and the activity continues ({seen})"
            ),
        )
        .because(Cause::Released)),
        Some(_) => None,
    }
}

/// The crowd, the account's own rules, then the built-in ones.
fn by_rule(finding: &Finding, instance: &Instance, what: String, force: Force, guide: &Guide<'_>) -> Decided {
    if let Some(unclear) = finding.unclear
        && force == Force::No
    {
        return Decided::new(
            Decision::Ask,
            format!("{what}; it is not plain that {} is meant: the report {}", finding.instance, unclear.why()),
        );
    }
    // Who names an instance means it; a pasted report's instances are named by whoever wrote the report.
    if finding.by_person && (force == Force::Yes || finding.source != Source::AbuseReport) {
        return Decided::new(Decision::Contain, what);
    }
    if finding.crowd > guide.policy.max_per_finding {
        return Decided::new(
            Decision::Ask,
            format!(
                "{what}; the event names {} instances, more than BRIG_MAX_PER_FINDING ({})",
                finding.crowd, guide.policy.max_per_finding
            ),
        )
        .because(Cause::Crowd);
    }
    if finding.by_person && finding.source == Source::AbuseReport {
        return Decided::new(Decision::Contain, what);
    }
    let decided = weigh(finding, instance, &what, guide);
    match decided.decision {
        Decision::Contain => settled(finding, &what, guide.policy).unwrap_or(decided),
        Decision::Ask | Decision::Ignore => decided,
    }
}

fn weigh(finding: &Finding, instance: &Instance, what: &str, guide: &Guide<'_>) -> Decided {
    if let Some((name, decision, stop)) = guide.rules.decide(&document(finding, instance)) {
        return Decided { by_rule: true, stop, ..Decided::new(decision, format!("{what} (rule \"{name}\")")) };
    }
    if let Some(decided) = built_in(finding, guide.policy).or_else(|| of_a_node(finding, instance, what)) {
        return decided;
    }
    match guide.rules_lost {
        Some(why) => Decided::new(
            Decision::Ask,
            format!("{what}; the account's own rules could not be read ({why}), so a person must decide"),
        )
        .because(Cause::RulesUnread),
        None => Decided::new(Decision::Contain, what.to_owned()),
    }
}

/// How many instances the sentence about the cap names.
const MOST_NAMED: usize = 20;

/// The decision once the claim found the hour's cap reached.
#[must_use]
pub fn over_cap(reason: &str, policy: &Policy, over: &OverCap) -> Decided {
    let loud = if over.first {
        "NOTHING MORE IS CONTAINED AUTOMATICALLY THIS HOUR, this instance and those that follow: "
    } else {
        ""
    };
    let named = over.instances.iter().take(MOST_NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    let used_by = match over.instances.len() {
        0 => String::new(),
        all if all > MOST_NAMED => format!(" (used by {named} and {} more)", all - MOST_NAMED),
        _ => format!(" (used by {named})"),
    };
    Decided::new(
        Decision::Ask,
        format!(
            "{loud}{reason}; the cap of {} new automatic containments an hour in this account and Region is reached{used_by}, so a person must decide",
            policy.max_per_hour
        ),
    )
    .because(if over.first { Cause::CapReached } else { Cause::Cap })
}

/// The decision once the claim found two containments in the group within a day.
#[must_use]
pub fn third_in_group(reason: &str, group: &str) -> Decided {
    Decided::new(
        Decision::Ask,
        format!(
            "{reason}; it is the third containment in the Auto Scaling group {group} within 24 hours: its template itself may be the hole, and every replacement has it"
        ),
    )
    .because(Cause::ThirdInGroup)
}

/// The decision once the instance was seen to be the last healthy target of these target groups (ARNs).
#[must_use]
pub fn last_healthy(reason: &str, groups: &[String]) -> Decided {
    Decided::new(
        Decision::Ask,
        format!(
            "{reason}; it is the last healthy target of {}: containing it takes that service down, so a person must decide",
            groups.join(", ")
        ),
    )
    .because(Cause::LastHealthy)
}

/// Whether what depends on the instance may still turn the decision into a question: not for a person's own request, nor
/// where a rule of the account's says to contain.
#[must_use]
pub fn asks_about_dependents(finding: &Finding, decided: &Decided) -> bool {
    finding.is_automatic() && decided.decision == Decision::Contain && !decided.refused && !decided.by_rule
}

/// What a new automatic containment counts against: half of the hour's cap is kept for GuardDuty's own events, so that
/// tags, reports, alarms and imports cannot use it up.
#[must_use]
pub fn limits(finding: &Finding, decided: &Decided, instance: &Instance, policy: &Policy) -> Limits {
    let cap = policy.max_per_hour;
    let group = if asks_about_dependents(finding, decided) { instance.auto_scaling_group() } else { None };
    Limits {
        cap,
        others: (finding.source != Source::GuardDuty || finding.imported.is_some()).then_some(cap.div_ceil(2)),
        group: group.map(str::to_owned),
    }
}

#[cfg(test)]
mod tests;
