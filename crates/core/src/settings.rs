//! What the operator set: the policy by which Brig acts, read once at the start.

use std::time::Duration;

use ipnet::IpNet;

use crate::model::{
    deny_policy::{RoleDeny, RoleOverflow},
    ids::{AccountId, UserName},
};

pub(crate) mod forensic_access;

pub use forensic_access::ForensicAccess;

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
    /// IAM users that nobody contains through Brig: the way in when all else is lost.
    pub break_glass_users: Vec<UserName>,
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
            break_glass_users: Vec::new(),
            escalate: vec![Escalation::Timeouts],
            acl_never: Vec::new(),
            forensic_profile: None,
            forensic_access: None,
        }
    }
}
