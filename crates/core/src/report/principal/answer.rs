//! What an invocation answers for one principal: the response entry, which is also what machines receive.

use serde::Serialize;

use crate::{
    decide::{Decided, Decision},
    ledger::{Cause, Channel, Conclusion, Unheard},
    model::{
        Principal,
        ids::{AccessKeyId, AccountId, ContainmentId, RoleKey, RoleName, TargetKey, UserKey, UserName},
        text::Sentence,
        timestamp::Timestamp,
    },
    report::{answer::StepReport, contest::Contested, principal::PrincipalVerdict},
    step::Note,
    trigger::Finding,
};

/// Milliseconds since the invocation began, where the point was reached.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Timings {
    /// The first look was complete.
    pub look: Option<u64>,
    /// The claim was recorded.
    pub claim: Option<u64>,
    /// AWS had accepted what denies everything.
    pub denied: Option<u64>,
    /// The report was complete.
    pub done: Option<u64>,
}

/// The response entry of one principal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PrincipalAnswer {
    pub account: AccountId,
    /// The user; none where it is not known, or where it is no user.
    pub user: Option<UserName>,
    /// The role whose sessions are denied, or would be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<RoleName>,
    /// The access key that was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_key_id: Option<AccessKeyId>,
    /// What was named, where it is neither a user nor a user's key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// The containment, where one exists.
    pub containment_id: Option<ContainmentId>,
    /// What was decided.
    pub decision: Decision,
    /// Why.
    pub reason: Sentence,
    /// How it ended.
    pub outcome: Conclusion,
    /// What became true.
    pub verdict: PrincipalVerdict,
    /// What was done.
    pub steps: Vec<StepReport>,
    /// What else people should know.
    pub notes: Vec<Note>,
    /// Somebody keeps undoing it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contest: Option<Contested>,
    /// How long it took.
    pub timings_ms: Timings,
    /// When this was seen.
    #[serde(skip)]
    pub at: Option<Timestamp>,
    /// Work is left that a later attempt may finish.
    #[serde(skip)]
    pub left_over: bool,
    /// Another invocation holds the containment: when its lease ends.
    #[serde(skip)]
    pub held_until: Option<Timestamp>,
    /// People were to be notified and could not be: why, in AWS's words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_notified: Option<String>,
    /// The id of the question, where a person must decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// Why it was decided so, as a word.
    #[serde(skip)]
    pub cause: Cause,
    /// What tells it apart from other statements of this outcome about this finding.
    #[serde(skip)]
    pub about: Vec<String>,
}

impl PrincipalAnswer {
    /// About a finding about which nothing was done. `key` is whose IAM says it is, where that is known.
    #[must_use]
    pub fn nothing_done(
        finding: &Finding<Principal>,
        key: Option<&TargetKey>,
        decided: Decided,
        outcome: Conclusion,
    ) -> Self {
        let user = key.and_then(TargetKey::user).map(|key| &key.user);
        let role = key.and_then(TargetKey::role).map(|key| &key.role);
        let (named, access_key, other) = match &finding.target {
            Principal::User(name) => (Some(name), None, None),
            Principal::AccessKey { id, user } => (user.as_ref(), Some(id), None),
            Principal::Root { key } => (None, key.as_ref(), Some("root".to_owned())),
            Principal::Session { .. } => (None, None, Some(finding.target.to_string())),
        };
        let who = key.map_or_else(|| finding.target.to_string(), TargetKey::subject);
        Self {
            account: finding.account.clone(),
            user: user.or(named).cloned(),
            role: role.cloned(),
            access_key_id: access_key.cloned(),
            principal: other,
            containment_id: None,
            decision: decided.decision,
            verdict: PrincipalVerdict::untouched(format!(
                "Nothing was done to {who} in {}: {}.",
                finding.account, decided.reason
            )),
            reason: decided.reason,
            outcome,
            steps: Vec::new(),
            notes: Vec::new(),
            contest: None,
            timings_ms: Timings::default(),
            at: None,
            left_over: false,
            held_until: None,
            not_notified: None,
            question: None,
            cause: decided.cause,
            about: Vec::new(),
        }
    }

    /// Nobody notified is not done, whatever the reason: it is said, and left over for a later attempt.
    pub fn not_notified(&mut self, unheard: Option<Unheard>) {
        let Some(unheard) = unheard else { return };
        let why = Sentence::from(&unheard.why);
        self.notes.push(match unheard.channel {
            Channel::People => Note::NotNotified(why),
            Channel::Chat => Note::NotInChat(why),
        });
        self.not_notified = Some(unheard.to_string());
        self.left_over = true;
    }

    /// Whom it is about, for a person.
    #[must_use]
    pub fn subject(&self) -> String {
        if let Some(role) = &self.role {
            return format!("role {role}");
        }
        match (&self.user, &self.access_key_id, &self.principal) {
            (Some(user), _, _) => format!("user {user}"),
            (None, Some(key), None) => format!("access key {key}"),
            (None, _, Some(other)) if other == "root" => "the root user".to_owned(),
            (None, _, Some(other)) => other.clone(),
            (None, None, None) => "a principal".to_owned(),
        }
    }

    /// What the ledger knows it by; none of what is no user's, nor a role's that was looked at.
    #[must_use]
    pub fn key(&self) -> Option<TargetKey> {
        let account = self.account.clone();
        match (&self.role, &self.user) {
            (Some(role), _) => Some(RoleKey { account, role: role.clone() }.into()),
            (None, Some(user)) => Some(UserKey { account, user: user.clone() }.into()),
            (None, None) => None,
        }
    }

    /// Its place, as messages and questions are kept under: the ledger's key, where it is a user.
    #[must_use]
    pub fn place(&self) -> String {
        if let Some(key) = self.key() {
            return key.pk();
        }
        let name = match (&self.user, &self.access_key_id, &self.principal) {
            (_, Some(key), _) => key.to_string(),
            (_, None, other) => other.clone().unwrap_or_default().replace(' ', "-"),
        };
        format!("{}/iam/{name}", self.account)
    }
}
