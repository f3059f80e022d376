//! Taking a containment back: the same lease, the same intent before effect, the same one way for first run and retry.
//! What is given back is decided by `brig_core::release` from the ledger and a fresh survey.

mod look;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use brig_core::{
    decide::Decided,
    ledger::{self, Claimable, Conclusion, Containment, Records, ReportOf, State, claimable},
    model::{Instance, gap::Gap, text::Sentence},
    release::{self, Reversal},
    report::{
        answer::{Answer, StepReport, Timings},
        fact::{Fact, Truth, release::facts},
        message::{self, Audience},
        verdict::Verdict,
    },
    step::{Lane, Note, Outcome, PerLane, Plan, StartInstance, Step},
    trigger::{Finding, Rejoin},
};
use look::{Seen, gone, look};

use crate::{
    claim::{Try, Unsettled},
    effects::{self, Room},
    engine::{Case, Engine, Invocation, LAST_CALL, Lanes, Occasion, key_of},
    ports::{CloudError, PortResult},
    tell::log,
    work::{Done, Searched, Work, merge},
};

impl Engine {
    /// Takes the instance's containment back.
    pub async fn release(&self, finding: &Finding, rejoin: Rejoin, invocation: &Invocation) -> Answer {
        let case = Case { finding, occasion: Occasion::Finding, invocation };
        let (lanes, instance, records) = match self.look_at_containment(case).await {
            Ok(seen) => seen,
            Err(answer) => return *answer,
        };
        let (current, records) = match self.claim_release(case, records).await {
            Ok(claimed) => claimed,
            Err(answer) => return *answer,
        };
        let work = self.release_work(case, &current, records, instance);
        self.give_back(case, work, current, &lanes, rejoin).await
    }

    /// What releasing it would give back. Changes nothing.
    pub async fn plan_release(&self, finding: &Finding, rejoin: Rejoin, invocation: &Invocation) -> Answer {
        let case = Case { finding, occasion: Occasion::Finding, invocation };
        let (lanes, instance, records) = match self.look_at_containment(case).await {
            Ok(seen) => seen,
            Err(answer) => return *answer,
        };
        let Some(current) = records.current.clone() else { return self.never_contained(case) };
        let work = self.release_work(case, &current, records, instance);
        let seen = look(&work, &lanes).await;
        let plan = seen.plan(&work, rejoin, 0);
        self.planned_release(case, &work, &plan, &seen.gaps)
    }

    /// The instance and its records; the answer instead, where there is nothing to release.
    async fn look_at_containment(&self, case: Case<'_>) -> Result<(Lanes, Instance, Records), Box<Answer>> {
        let finding = case.finding;
        let named = self.new_id(finding);
        let lanes = match self.open(finding, &named).await {
            Ok(lanes) => lanes,
            Err(why) => return Err(Box::new(self.nothing(case, Decided::refuse(why), Conclusion::Refused))),
        };
        let key = key_of(finding);
        let (instance, records) =
            futures::join!(lanes.network.describe_instance(&finding.target), self.ledger.read(&key));
        let (instance, records) = match (instance, records) {
            (Ok(instance), Ok(records)) => (instance.unwrap_or_else(|| gone(finding)), records),
            (Err(error), _) | (_, Err(error)) => return Err(Box::new(self.not_released(case, &error))),
        };
        match self.nothing_to_release(case, &records) {
            Some(answer) => Err(Box::new(answer)),
            None => Ok((lanes, instance, records)),
        }
    }

    fn release_work<'a>(
        &'a self,
        case: Case<'a>,
        current: &Containment,
        records: Records,
        instance: Instance,
    ) -> Work<'a> {
        Work {
            journal: self.journal(case, current, records.steps, &instance),
            policy: &self.policy,
            finding: case.finding,
            named: current.named.clone(),
            instance,
            searched: Searched::default(),
        }
    }

    fn never_contained(&self, case: Case<'_>) -> Answer {
        let why = format!("this ledger knows no containment of {}", case.finding.target);
        self.nothing(case, Decided::refuse(why), Conclusion::Refused)
    }

    fn not_released(&self, case: Case<'_>, error: &CloudError) -> Answer {
        let decided = Decided::contain(format!("release could not start: {error}"));
        let mut answer = self.nothing(case, decided, Conclusion::Failed);
        answer.verdict.summary =
            format!("{} is NOT released, nothing was changed: {}.", case.finding.target, answer.reason).into();
        answer.left_over = error.is_retryable();
        answer
    }

    fn nothing_to_release(&self, case: Case<'_>, records: &Records) -> Option<Answer> {
        let current = records.current.as_ref().filter(|current| current.state != State::Withdrawn);
        let Some(current) = current else { return Some(self.never_contained(case)) };
        if current.is_active() {
            return None;
        }
        let at = current.released_at.map_or_else(String::new, |at| format!(" at {at}"));
        let why = format!("it was released from {} already{at}", current.containment);
        let mut answer = self.nothing(case, Decided::ignore(why.clone()), Conclusion::Released);
        answer.containment_id = Some(current.containment.clone());
        answer.verdict.summary = format!("{} is in no containment: {why}.", case.finding.target).into();
        Some(answer)
    }

    /// Takes the lease for the release; what the containment recorded stays as it is.
    async fn claim_release(&self, case: Case<'_>, mut records: Records) -> Result<(Containment, Records), Box<Answer>> {
        let key = key_of(case.finding);
        let claimed =
            self.settle(&key, case.invocation, &mut records, async |records| self.try_release(case, records).await);
        match claimed.await {
            Ok(Ok(current)) => Ok((*current, records)),
            Ok(Err(answer)) => Err(answer),
            Err(Unsettled::Failed(error)) => Err(Box::new(self.not_released(case, &error))),
            Err(Unsettled::Restless) => {
                let decided = Decided::contain("its containment kept changing".to_owned());
                Err(Box::new(self.nothing(case, decided, Conclusion::InProgress)))
            }
        }
    }

    async fn try_release(
        &self,
        case: Case<'_>,
        records: &Records,
    ) -> PortResult<Try<Result<Box<Containment>, Box<Answer>>>> {
        let Case { finding, invocation, .. } = case;
        let ended = |answer: Answer| Ok(Try::Settled(Err(Box::new(answer))));
        let now = self.clock.now();
        if let Claimable::Held { by, until } = claimable(records.current.as_ref(), &invocation.request_id, now) {
            let why = format!("another invocation ({by}) holds its containment until {until}");
            let mut answer = self.nothing(case, Decided::contain(why), Conclusion::InProgress);
            answer.left_over = finding.is_automatic();
            return ended(answer);
        }
        if let Some(answer) = self.nothing_to_release(case, records) {
            return ended(answer);
        }
        let Some(old) = records.current.clone() else { return ended(self.never_contained(case)) };
        let claimed = self.claim_as_releasing(key_of(finding), old, invocation, now).await?;
        Ok(claimed.map_or(Try::Overtaken, |current| Try::Settled(Ok(Box::new(current)))))
    }

    /// Plans, runs, looks and plans again until nothing is left to give back or time is over.
    async fn give_back(
        &self,
        case: Case<'_>,
        mut work: Work<'_>,
        current: Containment,
        lanes: &Lanes,
        rejoin: Rejoin,
    ) -> Answer {
        let invocation = case.invocation;
        let mut done: Vec<Done> = Vec::new();
        // What AWS refused for good, or what turned out not to be Brig's to give: not tried again in this invocation.
        let mut settled: BTreeMap<String, Outcome> = BTreeMap::new();
        let mut pause = Duration::from_millis(200);
        let mut on_record = true;
        let mut starts = 0;
        let (plan, gaps) = loop {
            let seen: Seen = look(&work, lanes).await;
            work.instance = seen.instance.clone();
            let mut plan = seen.plan(&work, rejoin, starts);
            for planned in &mut plan.steps {
                if let Some(outcome) = settled.get(&work.key_of(&planned.step)) {
                    planned.outcome = outcome.clone();
                }
            }
            let more = plan.todo().next().is_some() || seen.gaps.iter().any(|gap| gap.retryable);
            if !more || self.left(invocation) <= LAST_CALL {
                break (plan, seen.gaps);
            }
            starts += usize::from(
                plan.todo().any(|step| matches!(step, Step::GiveBack(Reversal::StartInstance(StartInstance)))),
            );
            let tried: BTreeSet<String> = plan.todo().map(|step| work.key_of(step)).collect();
            let ran = work
                .run(&plan, |step| {
                    let room = Room::Release(effects::Release { work: &work, lanes });
                    async move { effects::run(&step, room).await }
                })
                .await;
            on_record &= work.finish(&ran).await;
            for one in ran.iter().filter(|one| tried.contains(&work.key_of(&one.step))) {
                if one.outcome.is_final() {
                    settled.insert(work.key_of(&one.step), one.outcome.clone());
                }
            }
            merge(&mut done, ran);
            self.clock.sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(4));
        };
        let left = plan.todo().next().is_some() || gaps.iter().any(|gap| gap.retryable) || !on_record;
        merge(&mut done, plan.steps.iter().map(as_done).collect());
        let mut answer = self.released(case, &work, &plan, &gaps, &done);
        answer.left_over = left;
        self.conclude_release(case, current, &work, &mut answer).await;
        answer
    }

    fn planned_release(&self, case: Case<'_>, work: &Work<'_>, plan: &Plan, gaps: &[Gap]) -> Answer {
        let why = format!("what a release from {} would give back", work.containment);
        let mut answer = self.nothing(case, Decided::contain(why), Conclusion::Planned);
        answer.containment_id = Some(work.containment.clone());
        let steps = plan.steps.iter();
        answer.steps =
            steps.map(|planned| StepReport::new(&planned.step, &planned.outcome, work.id().as_str())).collect();
        answer.notes.clone_from(&plan.notes);
        answer.notes.extend(gaps.iter().cloned().map(Note::Gap));
        answer
    }

    fn released(&self, case: Case<'_>, work: &Work<'_>, plan: &Plan, gaps: &[Gap], done: &[Done]) -> Answer {
        let all = facts(plan, gaps, work.id().as_str());
        let of = |lane: Lane| {
            let facts: Vec<Fact> = all.iter().filter(|(of, _)| *of == lane).map(|(_, fact)| fact.clone()).collect();
            if facts.is_empty() { Truth::Yes } else { Truth::of(&facts) }
        };
        let place = format!("{} in {}", work.id(), work.key.place());
        let kept: Vec<String> =
            all.iter().filter(|(_, fact)| fact.truth != Truth::Yes).map(|(_, fact)| said(fact)).collect();
        let summary = if kept.is_empty() {
            format!(
                "{place} is released: what its containment changed is back as it was, except what somebody else has changed since."
            )
        } else {
            format!("{place} is only PARTLY released; NOT given back: {}.", kept.join("; "))
        };
        let outcome = if kept.is_empty() { Conclusion::Released } else { Conclusion::ReleasePartial };
        let reason = case.finding.title.clone();
        let mut answer = self.nothing(case, Decided::contain(reason), outcome);
        answer.containment_id = Some(work.containment.clone());
        answer.verdict = Verdict::of(PerLane::of(of), summary);
        answer.steps = done.iter().map(|done| StepReport::new(&done.step, &done.outcome, work.id().as_str())).collect();
        answer.notes.clone_from(&plan.notes);
        let elsewhere = all.iter().filter(|(_, fact)| fact.truth == Truth::Yes && fact.why.is_some());
        answer.notes.extend(elsewhere.map(|(_, fact)| Note::LeftAlone(said(fact).into())));
        answer.notes.push(Note::EvidenceStays);
        answer.timings_ms = Timings { done: Some(self.elapsed(case.invocation)), ..Timings::default() };
        answer
    }

    async fn conclude_release(&self, case: Case<'_>, current: Containment, work: &Work<'_>, answer: &mut Answer) {
        let word = answer.outcome.word();
        let mut next = Containment {
            version: current.version.saturating_add(1),
            lease_until: self.clock.now(),
            ..current.clone()
        };
        next.outcome = Some(word.to_owned());
        if answer.outcome == Conclusion::Released && !answer.left_over {
            next.state = State::Released;
            next.released_at = Some(self.clock.now());
        }
        let news = current.told.as_deref() != Some(word);
        let audience =
            Audience { told: current.told.as_deref(), ..self.audience(Some(&work.instance), case.invocation) };
        let message = message::compose(answer, case.finding, &audience);
        let id = ledger::digest([current.containment.as_str(), word]);
        let place = work.key.pk();
        let notify = self.notify(&place, news.then_some((id.as_str(), &message)), case.invocation);
        let kept = self.keep_report(answer, work, ReportOf::Release, &current);
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
        match self.ledger.close(&work.key, &next, current.version).await {
            Ok(true) => {}
            Ok(false) => answer.notes.push(Note::TakenOver),
            Err(error) => {
                answer.notes.push(Note::EndNotOnRecord(Sentence::new(&error)));
                answer.left_over |= error.is_retryable();
            }
        }
        log(answer, case.finding);
    }
}

fn said(fact: &Fact) -> String {
    let why = fact.why.as_ref().map_or_else(String::new, |why| format!(" ({why})"));
    format!("{}{why}", fact.what)
}

fn as_done(planned: &brig_core::step::Planned) -> Done {
    Done { step: planned.step.clone(), outcome: planned.outcome.clone() }
}

impl Seen {
    fn plan(&self, work: &Work<'_>, rejoin: Rejoin, starts: usize) -> Plan {
        let records = work.records.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
        release::plan(&records, &self.look(starts), rejoin)
    }
}
