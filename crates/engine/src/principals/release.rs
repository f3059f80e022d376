//! Taking a user's containment back: the same lease, the same intent before effect. Credentials first, the denial last.

use std::{collections::BTreeMap, time::Duration};

use brig_core::{
    decide::Decided,
    ledger::{self, Claimable, Conclusion, Containment, Records, ReportOf, State, claimable},
    model::{Holder, Principal, ids::TargetKey, text::Sentence},
    release,
    report::{
        answer::StepReport,
        fact::Truth,
        message,
        principal::{PrincipalAnswer, PrincipalVerdict},
    },
    step::{Note, Outcome, Plan},
    trigger::Finding,
};

use super::{UserCase, UserScene, arrive::look_at, tell};
use crate::{
    claim::{Try, Unsettled},
    effects::{self, Room},
    engine::{Engine, Invocation, LAST_CALL, Occasion},
    ports::{PortResult, UserPorts},
    work::{Done, Journal, merge},
};

impl Engine {
    /// Takes the user's containment back.
    pub async fn release_principal(&self, finding: &Finding<Principal>, invocation: &Invocation) -> PrincipalAnswer {
        let case = UserCase { finding, occasion: Occasion::Finding, invocation };
        let (finding, scene) = match self.arrive_at_user(case).await {
            Ok(arrived) => arrived,
            Err((finding, stop)) => return self.user_not_looked_at(UserCase { finding: &finding, ..case }, stop),
        };
        let case = UserCase { finding: &finding, ..case };
        let mut records = scene.records.clone();
        let claimed = self
            .settle(&scene.key, invocation, &mut records, async |records| {
                self.try_release_user(case, &scene.key, records).await
            })
            .await;
        match claimed {
            Ok(Ok(current)) => Box::pin(self.give_user_back(case, scene, (*current, records))).await,
            Ok(Err(answer)) => *answer,
            Err(Unsettled::Failed(error)) => {
                let decided = Decided::contain(format!("release could not start: {error}"));
                let mut answer = self.nothing_of(case, &scene.key, decided, Conclusion::Failed);
                answer.left_over = error.is_retryable();
                answer
            }
            Err(Unsettled::Restless) => {
                let decided = Decided::contain("its containment kept changing");
                self.nothing_of(case, &scene.key, decided, Conclusion::InProgress)
            }
        }
    }

    /// What releasing it would give back. Changes nothing.
    pub async fn plan_release_principal(
        &self,
        finding: &Finding<Principal>,
        invocation: &Invocation,
    ) -> PrincipalAnswer {
        let case = UserCase { finding, occasion: Occasion::Finding, invocation };
        let (finding, scene) = match self.arrive_at_user(case).await {
            Ok(arrived) => arrived,
            Err((finding, stop)) => return self.user_not_looked_at(UserCase { finding: &finding, ..case }, stop),
        };
        let case = UserCase { finding: &finding, ..case };
        if let Some(answer) = self.no_user_to_release(case, &scene.key, &scene.records) {
            return answer;
        }
        let plan = release::plan_holder(&scene.records.steps, &scene.seen).whole();
        let id = scene.records.current.as_ref().map(|current| current.containment.clone());
        let why = "what a release would give back".to_owned();
        let mut answer = self.nothing_of(case, &scene.key, Decided::contain(why), Conclusion::Planned);
        answer.containment_id = id;
        answer.steps = reports(&scene.key, plan.steps.iter().map(|one| (&one.step, &one.outcome)));
        answer.notes = scene.seen.gaps().iter().cloned().map(Note::Gap).collect();
        answer
    }

    fn no_user_to_release(&self, case: UserCase<'_>, key: &TargetKey, records: &Records) -> Option<PrincipalAnswer> {
        let current = records.current.as_ref().filter(|current| current.state != State::Withdrawn);
        let Some(current) = current else {
            let why = format!("this ledger knows no containment of {}", key.subject());
            return Some(self.nothing_of(case, key, Decided::refuse(why), Conclusion::Refused));
        };
        if current.is_active() {
            return None;
        }
        let at = current.released_at.map_or_else(String::new, |at| format!(" at {at}"));
        let why = format!("it was released from {} already{at}", current.containment);
        let mut answer = self.nothing_of(case, key, Decided::ignore(why.clone()), Conclusion::Released);
        answer.containment_id = Some(current.containment.clone());
        answer.verdict = PrincipalVerdict::untouched(format!("{} is in no containment: {why}.", key.subject()));
        Some(answer)
    }

    async fn try_release_user(
        &self,
        case: UserCase<'_>,
        key: &TargetKey,
        records: &Records,
    ) -> PortResult<Try<Result<Box<Containment>, Box<PrincipalAnswer>>>> {
        let UserCase { finding, invocation, .. } = case;
        let now = self.clock.now();
        let ended = |answer: PrincipalAnswer| Ok(Try::Settled(Err(Box::new(answer))));
        if let Claimable::Held { by, until } = claimable(records.current.as_ref(), &invocation.request_id, now) {
            let why = format!("another invocation ({by}) holds its containment until {until}");
            let mut answer = self.nothing_of(case, key, Decided::contain(why), Conclusion::InProgress);
            answer.left_over = finding.is_automatic();
            return ended(answer);
        }
        if let Some(answer) = self.no_user_to_release(case, key, records) {
            return ended(answer);
        }
        let Some(old) = records.current.clone() else { return Ok(Try::Overtaken) };
        let claimed = self.claim_as_releasing(key.clone(), old, invocation, now).await?;
        Ok(claimed.map_or(Try::Overtaken, |current| Try::Settled(Ok(Box::new(current)))))
    }

    /// Plans, runs, looks and plans again until nothing is left to give back or time is over.
    async fn give_user_back(
        &self,
        case: UserCase<'_>,
        scene: UserScene,
        (current, records): (Containment, Records),
    ) -> PrincipalAnswer {
        let invocation = case.invocation;
        let UserScene { cloud, key, mut seen, .. } = scene;
        let ports: &dyn UserPorts = cloud.as_ref();
        let journal = Journal {
            deadline: invocation.deadline,
            ..Journal::new(self.ledger.as_ref(), self.clock.as_ref(), key.clone(), &current, records.steps)
        };
        let mut done: Vec<Done> = Vec::new();
        let mut settled: BTreeMap<String, Outcome> = BTreeMap::new();
        let mut pause = Duration::from_millis(200);
        let mut on_record = true;
        let plan = loop {
            let steps = journal.recorded(brig_core::step::Lane::Credentials);
            let mut plan = release::plan_holder(&steps, &seen);
            for planned in plan.denial.steps.iter_mut().chain(&mut plan.deactivation.steps) {
                if let Some(outcome) = settled.get(&journal.key_of(&planned.step)) {
                    planned.outcome = outcome.clone();
                }
            }
            let more = plan.whole().todo().next().is_some() || seen.gaps().iter().any(|gap| gap.retryable);
            if !more || self.left(invocation) <= LAST_CALL {
                break plan.whole();
            }
            for part in [&plan.deactivation, &plan.denial] {
                let tried: Vec<String> = part.todo().map(|step| journal.key_of(step)).collect();
                let ran =
                    journal.run(part, |step| async move { effects::run(&step, Room::Principals(ports)).await }).await;
                on_record &= journal.finish(&ran).await;
                for one in ran.iter().filter(|one| tried.contains(&journal.key_of(&one.step))) {
                    if one.outcome.is_final() {
                        settled.insert(journal.key_of(&one.step), one.outcome.clone());
                    }
                }
                merge(&mut done, ran);
            }
            self.clock.sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(4));
            // What is not there any more has nothing to be given back; what cannot be read is looked at again.
            if let Ok(Some(now)) = look_at(&key, ports).await {
                seen = now;
            }
        };
        let left = plan.todo().next().is_some() || seen.gaps().iter().any(|gap| gap.retryable) || !on_record;
        let last = plan.steps.iter().map(|one| Done { step: one.step.clone(), outcome: one.outcome.clone() });
        merge(&mut done, last.collect());
        let mut answer = self.user_released(case, &key, &plan, &seen, &done);
        answer.containment_id = Some(journal.containment.clone());
        answer.left_over = left;
        self.conclude_user_release(case, &current, &journal, &mut answer).await;
        tell::log(&answer, case.finding);
        answer
    }

    fn user_released(
        &self,
        case: UserCase<'_>,
        key: &TargetKey,
        plan: &Plan,
        seen: &Holder,
        done: &[Done],
    ) -> PrincipalAnswer {
        let kept: Vec<String> = plan
            .steps
            .iter()
            .filter(|one| matches!(one.outcome, Outcome::Planned | Outcome::Failed(_)))
            .map(|one| match &one.outcome {
                Outcome::Failed(failure) => {
                    format!("{} {} ({failure})", one.step.name(), one.step.resource(key.name()))
                }
                Outcome::Planned
                | Outcome::Changed(_)
                | Outcome::AlreadyDone(_)
                | Outcome::Missing(_)
                | Outcome::Skipped(_) => {
                    format!("{} {} (not yet as it was)", one.step.name(), one.step.resource(key.name()))
                }
            })
            .collect();
        let place = format!("{} in {}", key.subject(), key.account());
        let whole = kept.is_empty();
        let summary = if whole {
            format!(
                "{place} is released: what its containment changed is back as it was, except what somebody else has changed since."
            )
        } else {
            format!("{place} is only PARTLY released; NOT given back: {}.", kept.join("; "))
        };
        let outcome = if whole { Conclusion::Released } else { Conclusion::ReleasePartial };
        let mut answer = self.nothing_of(case, key, Decided::contain(case.finding.title.clone()), outcome);
        let truth = if whole { Truth::Yes } else { Truth::Partial };
        answer.verdict = PrincipalVerdict { denied: truth, inactive: truth, ..PrincipalVerdict::untouched(summary) };
        answer.steps = reports(key, done.iter().map(|done| (&done.step, &done.outcome)));
        answer.notes = seen.gaps().iter().cloned().map(Note::Gap).collect();
        answer
    }

    async fn conclude_user_release(
        &self,
        case: UserCase<'_>,
        current: &Containment,
        journal: &Journal<'_>,
        answer: &mut PrincipalAnswer,
    ) {
        let word = answer.outcome.word();
        let now = self.clock.now();
        let mut next = Containment { version: current.version.saturating_add(1), lease_until: now, ..current.clone() };
        next.outcome = Some(word.to_owned());
        if answer.outcome == Conclusion::Released && !answer.left_over {
            next.state = State::Released;
            next.released_at = Some(now);
        }
        let news = current.told.as_deref() != Some(word);
        let audience = message::Audience { told: current.told.as_deref(), ..self.audience(None, case.invocation) };
        let message = message::principal::compose(answer, case.finding, &audience);
        let id = ledger::digest([current.containment.as_str(), word]);
        let place = journal.key.pk();
        let notify = self.notify(&place, news.then_some((id.as_str(), &message)), case.invocation);
        let kept = self.keep_user_report(answer, journal, ReportOf::Release, current);
        let (notified, kept) = futures::join!(notify, kept);
        answer.notes.extend(kept.err());
        if notified.is_known() {
            next.told = Some(word.to_owned());
        } else if news {
            // Whoever takes the release up again sends the message, if the scheduled verification has not.
            next.state = State::Releasing;
            next.released_at = None;
        }
        answer.not_notified(notified.failure());
        match self.ledger.close(&journal.key, &next, current.version).await {
            Ok(true) => {}
            Ok(false) => answer.notes.push(Note::TakenOver),
            Err(error) => {
                answer.notes.push(Note::EndNotOnRecord(Sentence::new(&error)));
                answer.left_over |= error.is_retryable();
            }
        }
    }
}

fn reports<'a>(
    key: &TargetKey,
    steps: impl Iterator<Item = (&'a brig_core::step::Step, &'a Outcome)>,
) -> Vec<StepReport> {
    steps.map(|(step, outcome)| StepReport::new(step, outcome, key.name())).collect()
}
