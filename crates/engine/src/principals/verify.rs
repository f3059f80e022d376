//! Looking again at a contained user: another attempt at the same containment, as for an instance.

use brig_core::{
    decide::Decided,
    ledger::{Cause, Conclusion, State},
    model::{
        Principal,
        ids::{AccountId, RoleKey, TargetKey, UserKey},
    },
    report::principal::{PrincipalAnswer, PrincipalVerdict},
    settings::Mode,
    step::{Outcome, OutcomeKind},
    trigger::{Finding, Force, TrailCall},
};

use super::{UserCase, UserScene};
use crate::{
    engine::{Engine, Invocation, LAST_CALL, Occasion},
    ports::PortResult,
    verify::{Drift, Verification},
};

impl Engine {
    /// Reads back what a user's containment promised, and repairs what drifted. Never fails: an error is an answer.
    pub async fn verify_principal(
        &self,
        finding: &Finding<Principal>,
        verification: Verification<'_>,
        invocation: &Invocation,
    ) -> PrincipalAnswer {
        let case = UserCase { finding, occasion: Occasion::Verification(verification), invocation };
        self.patiently(invocation, async || match self.arrive_at_user(case).await {
            Ok((finding, scene)) => {
                let case = UserCase { finding: &finding, ..case };
                Box::pin(self.verify_user(case, scene, verification.drift)).await
            }
            Err((finding, stop)) => self.user_stopped(UserCase { finding: &finding, ..case }, stop).await,
        })
        .await
    }

    async fn verify_user(&self, case: UserCase<'_>, scene: UserScene, drift: Drift) -> PrincipalAnswer {
        let decided = Decided::contain(case.finding.title.clone());
        let Some(current) = scene.records.active() else {
            let why = format!("this ledger knows no active containment of {}", scene.key.subject());
            return self.nothing_of(case, &scene.key, Decided::refuse(why), Conclusion::Refused);
        };
        if current.state == State::Releasing {
            let why = format!("a person is releasing it from {}", current.containment);
            return self.nothing_of(case, &scene.key, Decided::ignore(why), Conclusion::Ignored);
        }
        if drift == Drift::Repair && self.policy.mode == Mode::Enforce {
            return self.claim_user(case, decided, scene).await;
        }
        let mut answer = self.preview_user(case, decided, Conclusion::Verified, &scene);
        let drifted = answer.steps.iter().filter(|step| step.outcome == OutcomeKind::Planned).count();
        let (account, who) = (scene.key.account(), scene.key.subject());
        if drifted == 0 {
            answer.verdict = PrincipalVerdict::untouched(format!("{who} is as its containment left it."));
            return answer;
        }
        answer.outcome = Conclusion::Drifted;
        answer.verdict = PrincipalVerdict::untouched(format!(
            "{who} in {account} HAS DRIFTED from its containment: {drifted} step(s) would put it right, and none was run."
        ));
        self.tell_user_decision(case, answer).await
    }

    /// The occasion of a scheduled verification of a user or a role; none of an instance.
    pub(crate) fn occasion_of(&self, key: &TargetKey, invocation: &Invocation) -> Option<Finding<Principal>> {
        let id = format!("verification-{}", self.clock.now().hour());
        let principal = Principal::of(key)?;
        let account = key.account().clone();
        Some(Finding::occasion(id, "looked at again".to_owned(), account, invocation.home(), principal))
    }

    /// Verifies the contained users and roles that somebody's call touched.
    pub(crate) async fn touched_users(
        &self,
        touched: &TrailCall,
        invocation: &Invocation,
    ) -> PortResult<Vec<PrincipalAnswer>> {
        let drift = if self.policy.is_responder(&touched.by) { Drift::Report } else { Drift::Repair };
        let mut answers = Vec::new();
        let account = || touched.account.clone();
        let users = touched.users.iter().map(|user| UserKey { account: account(), user: user.clone() }.into());
        let roles = touched.denied_roles.iter().map(|role| RoleKey { account: account(), role: role.clone() }.into());
        let mut contained = None;
        for mut key in users.chain(roles).collect::<Vec<TargetKey>>() {
            let records = self.ledger.read(&key).await?;
            if records.active().is_none() {
                // IAM does not tell names apart by case, and a caller may write them in any.
                if contained.is_none() {
                    contained = Some(self.contained_principals(&touched.account).await?);
                }
                let named = |one: &&TargetKey| one.pk().eq_ignore_ascii_case(&key.pk());
                let Some(same) = contained.iter().flatten().find(named) else { continue };
                key = same.clone();
            }
            if self.left(invocation) <= LAST_CALL {
                continue;
            }
            let when = touched.at.map_or_else(String::new, |at| format!(" at {at}"));
            let title = format!("{} by {}{when}", touched.call, touched.by);
            let Some(principal) = Principal::of(&key) else { continue };
            let finding = Finding::occasion(touched.id.clone(), title, account(), invocation.home(), principal);
            let verification = Verification::after(&touched.by, drift);
            answers.push(Box::pin(self.verify_principal(&finding, verification, invocation)).await);
        }
        Ok(answers)
    }

    /// The users and roles of an account that are contained.
    async fn contained_principals(&self, account: &AccountId) -> PortResult<Vec<TargetKey>> {
        let mut found = Vec::new();
        let mut from: Option<String> = None;
        loop {
            let page = self.ledger.active(from.as_deref()).await?;
            found.extend(page.keys.into_iter().filter(|key| key.instance().is_none() && key.account() == account));
            from = page.next;
            if from.is_none() {
                return Ok(found);
            }
        }
    }

    /// How a user's containment stands now; none where the ledger says that it has ended.
    pub(crate) async fn user_standing(
        &self,
        key: &TargetKey,
        invocation: &Invocation,
    ) -> PortResult<Option<PrincipalStanding>> {
        let Some(finding) = self.occasion_of(key, invocation) else { return Ok(None) };
        let records = self.ledger.read(key).await?;
        let Some(current) = records.active().cloned() else { return Ok(None) };
        let mut now = Box::pin(self.plan_principal(&finding, Force::No, invocation)).await;
        let looked = now.outcome == Conclusion::Planned;
        let planned = now.steps.iter().filter(|step| step.outcome == OutcomeKind::Planned);
        let (never, drift): (Vec<_>, Vec<_>) = planned.partition(|step| {
            let of = |record: &&brig_core::ledger::StepRecord| {
                record.step.kind() == step.step && record.step.resource(key.name()) == step.resource
            };
            // A role's later denial is a step of its own: the last one says how it stands.
            let record = records.steps.iter().filter(of).max_by_key(|record| record.recorded_at);
            record.is_some_and(|record| !matches!(record.outcome, Some(Outcome::Changed(_) | Outcome::AlreadyDone(_))))
        });
        let (never_done, drift) = (never.len(), drift.len());
        let who = key.subject();
        now.verdict = PrincipalVerdict::untouched(match (looked, drift, never_done) {
            (false, _, _) => format!("How {who} stands could NOT be seen: {}.", now.reason),
            (true, 0, 0) => format!("{who} is as its containment left it."),
            (true, 0, _) => format!("{who} is only partly contained: {never_done} step(s) have never succeeded."),
            (true, _, _) => format!("{who} HAS DRIFTED: {drift} step(s) would repair it."),
        });
        if !looked {
            now.cause = Cause::CannotLook;
        }
        now.reason.clone_from(&current.reason);
        Ok(Some(PrincipalStanding {
            state: current.state,
            claimed_at: current.claimed_at.to_string(),
            age_seconds: self.clock.now().since(current.claimed_at).as_secs(),
            last_outcome: current.outcome,
            findings: current.findings,
            drift,
            never_done,
            notified: current.told.is_some(),
            now,
        }))
    }
}

/// An active containment of a user, as `status` lists it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct PrincipalStanding {
    /// The user and what was seen of it now; `reason` is why it was contained.
    #[serde(flatten)]
    pub now: PrincipalAnswer,
    /// `open`, `closed` or `releasing`.
    pub state: State,
    /// When it began.
    pub claimed_at: String,
    /// Seconds since then.
    pub age_seconds: u64,
    /// The outcome of the last attempt that ended in order.
    pub last_outcome: Option<String>,
    /// The findings that named the user.
    pub findings: Vec<String>,
    /// How many steps had been done and would have to be run now.
    pub drift: usize,
    /// How many steps have never succeeded.
    pub never_done: usize,
    /// Whether people were notified of `last_outcome`.
    pub notified: bool,
}
