//! From the claim to the closed ledger item: the lanes, again where something is left, the verdict, the message.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use brig_core::{
    decide::{Asks, Decided},
    ledger::{self, Conclusion, Containment, Contest, ReportOf, State, StepRecord},
    model::{
        Instance,
        ids::TargetKey,
        tags::{CONTAINMENT_TAG, STATE_TAG},
        text::{Sentence, one_line},
        timestamp::Timestamp,
    },
    report::{
        answer::{Answer, Isolated, StepReport, Timings},
        contest::Contested,
        fact::Truth,
        message::{self, Audience, Message},
        notices::standing,
        proof::{Proof, State as ProofState},
        verdict::Verdict,
    },
    step::{Denial, Kind, Lane, Note, Outcome, OutcomeKind, Step, StepKind},
    trigger::Finding,
};

use crate::{
    arrive::Scene,
    claim::Ours,
    engine::{Case, Engine, Invocation, LAST_CALL, Lanes, Occasion, key_of},
    followups::stop,
    links::{Links, Search},
    ports::{PortResult, Tags},
    proof,
    reports::{Reports, Wanted, run_lanes},
    tell::{CLOSING, log},
    verify::{Caller, LONGEST_CALLER, Undone},
    work::{Journal, Searched, Work},
};

/// How often the instance's tag is tried to be set.
const MARKS: usize = 3;
/// How much earlier than Brig's own record a call may be dated and still count.
const SLACK_MS: i64 = 10_000;

impl Engine {
    /// Runs the lanes, again where something is left that can still succeed, and notifies people after the first attempt.
    pub(crate) async fn attempt(&self, case: Case<'_>, decided: Decided, ours: Ours) -> Answer {
        let Case { finding, invocation, .. } = case;
        let Ours { mut current, records, scene } = ours;
        let Scene { lanes, look, mut timings, .. } = scene;
        timings.claim = Some(self.elapsed(invocation));
        let lanes = &lanes;
        let before = current.outcome.clone();
        let asks = match case.occasion {
            Occasion::Finding => Asks::of(finding, look.records.active(), &invocation.request_id),
            Occasion::Verification(verification) => verification.asks,
        };
        let seen_to: BTreeMap<String, Timestamp> =
            records.iter().filter_map(|record| Some((record.key.clone(), record.finished_at?))).collect();
        let mut work = Work {
            journal: self.journal(case, &current, records, &look.instance).inheriting(asks),
            policy: &self.policy,
            finding,
            named: current.named.clone(),
            instance: look.instance,
            searched: Searched::default(),
        };
        tracing::info!(containment.id = %work.containment, "{} is claimed", work.containment);
        let mut reports = Reports::default();
        let mut wanted: BTreeSet<Lane> = Lane::ALL.into();
        let mut seen = Some(look.network);
        let mut pause = Duration::from_millis(500);
        let mut said = false;
        loop {
            let search = match case.occasion {
                Occasion::Finding if reports.links().is_none() => Search::Keys,
                Occasion::Finding | Occasion::Verification(_) => Search::Nothing,
            };
            let todo = Wanted { lanes: &wanted, ways: !reports.is_surveyed(), search };
            reports.take(run_lanes(&work, lanes, todo, seen.take()).await);
            let to_stop = stop::Wanted { on_record: current.stop, now: decided.decision.stops() };
            let stopped = Box::pin(stop::run(&work, lanes.evidence.as_ref(), &reports, to_stop)).await;
            reports.add(Lane::Evidence, stopped);
            let answer = answer(case, &work, &decided, &reports, &mut timings, before.as_deref());
            let answer = Answer { claimed_at: Some(current.claimed_at), ..answer };
            let again = answer.left_over && self.left(invocation) > LAST_CALL + pause;
            // While it goes on, a change of the outcome is news; at the end, any change of how it stands.
            let told = current.told.as_deref().map(ledger::word_of) == Some(told_as(answer.outcome));
            if !again || !told {
                let mut answer = answer;
                // What is added to a containment that holds is news once.
                let added = before.as_deref() == Some("contained") && answer.outcome == Conclusion::Contained;
                let added = added && !std::mem::replace(&mut said, true);
                if let (false, Occasion::Verification(verification)) = (again, case.occasion) {
                    let proof = match verification.caller {
                        Caller::Unknown => {
                            let (known, let_in) = (reports.flow_logs(), reports.let_in(&work));
                            proof::look(&work, lanes.reads.as_ref(), reports.interfaces(), known, &let_in).await
                        }
                        Caller::Named(_) => Proof::unavailable(
                            "this look followed a change at once; the scheduled verification reads flow logs",
                        ),
                    };
                    contradict(&mut answer, proof, before.as_deref());
                }
                let contest = contest(&mut answer, &work, current.contest.as_ref());
                let looks_up = case.caller() == Some(Caller::Unknown);
                let due = contest.as_ref().is_some_and(|contest| contest.is_due(self.clock.now()));
                if due || answer.outcome == Conclusion::Repaired && looks_up {
                    let callers = self.callers(&undone(&reports, &work, &seen_to), lanes.reads.as_ref()).await;
                    answer.notes.extend(callers.notes);
                    if let Some(contest) = &mut answer.contest {
                        contest.by = callers.by.into_iter().collect();
                    }
                }
                if let Some(Caller::Named(by)) = case.caller() {
                    name_caller(&mut answer, by);
                }
                let links = reports.links().filter(|links| case.caller().is_none() && !links.keys.is_empty());
                let then = match (again, links) {
                    (true, _) => Then::GoesOn,
                    (false, Some(links)) => Then::AsksAbout(links),
                    (false, None) => Then::Ends,
                };
                self.conclude(case, &mut current, &mut answer, &work, lanes, Said { then, added, contest }).await;
                if let Then::AsksAbout(links) = then {
                    answer.left_over |= self.ask_about_keys(case, links).await;
                    self.close(&work, &mut current, &mut answer, |next, answer| next.state = state(answer)).await;
                }
                if !again {
                    timings.done = Some(self.elapsed(invocation));
                    answer.timings_ms = timings;
                    log(&answer, finding);
                    return answer;
                }
            }
            self.clock.sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(8));
            lanes.target_groups.forget().await;
            wanted = reports.left_over();
            work.journal.inherited = work.known_keys();
            if let Ok(Some(instance)) = lanes.network.describe_instance(&finding.target).await {
                // The profile of the first look names the role; later ones have lost it.
                let profile = instance.profile.clone().or_else(|| work.instance.profile.clone());
                work.instance = Instance { profile, ..instance };
            }
        }
    }

    /// The journal of an instance's containment.
    pub(crate) fn journal<'a>(
        &'a self,
        case: Case<'a>,
        current: &Containment,
        records: Vec<StepRecord>,
        instance: &Instance,
    ) -> Journal<'a> {
        let (ledger, clock) = (self.ledger.as_ref(), self.clock.as_ref());
        Journal {
            deadline: case.invocation.deadline,
            owner: instance.is_auto_mode_node().then_some(Denial::AutoMode),
            ..Journal::new(ledger, clock, key_of(case.finding), current, records)
        }
    }

    /// Tells people where the outcome is news, marks the instance, and writes how the containment stands.
    async fn conclude(
        &self,
        case: Case<'_>,
        current: &mut Containment,
        answer: &mut Answer,
        work: &Work<'_>,
        lanes: &Lanes,
        Said { then, added, contest }: Said<'_>,
    ) {
        let invocation = case.invocation;
        let ends = !matches!(then, Then::GoesOn);
        let word = told_as(answer.outcome);
        let standing = standing(answer, word);
        let now = self.clock.now();
        // That it is fought is said at intervals of its own, whatever was said between.
        let news = match &contest {
            Some(contest) => contest.is_due(now),
            None => {
                !ledger::is_known(current.told.as_deref(), &standing) || answer.outcome == Conclusion::Repaired || added
            }
        };
        answer.timings_ms.done = Some(self.elapsed(invocation));
        let (id, message) = self.message(current, answer, work, &standing, invocation);
        let place = work.key.pk();
        let publish = self.notify(&place, news.then_some((id.as_str(), &message)), invocation);
        // What was asked about the instance is settled once it is contained.
        let settle =
            async { if ends && case.caller().is_none() { self.close_questions(&work.key).await } else { Ok(()) } };
        let mark = async {
            let known = work.instance.tags.get(STATE_TAG).is_some_and(|tag| tag == word);
            if known || !is_marked(answer) {
                return Ok(());
            }
            let tags: Tags = [(STATE_TAG.to_owned(), word.to_owned())].into();
            let mut tries = 0;
            loop {
                tries += 1;
                match lanes.evidence.create_tags(work.id().as_str(), &tags).await {
                    Err(error) if error.is_retryable() && tries < MARKS && self.left(invocation) > CLOSING * 3 => {
                        self.clock.sleep(Duration::from_millis(300)).await;
                    }
                    marked => return marked,
                }
            }
        };
        let kept = self.keep_report(answer, work, ReportOf::Answer, current);
        let (notified, marked, settled, kept) = futures::join!(publish, mark, settle, kept);
        answer.notes.extend(kept.err());
        if notified.is_known() {
            current.told = Some(standing);
            let told = |contest: Contest| if news { contest.notified(now) } else { contest };
            let known = current.contest.take().filter(|contest| !contest.is_over(now));
            current.contest = contest.map(told).or(known);
        }
        answer.not_notified(notified.failure());
        if let Err(error) = settled {
            answer.notes.push(Note::QuestionsNotClosed(Sentence::new(error)));
        }
        if let Err(error) = marked {
            answer.notes.push(Note::StateTagNotSet { word: word.to_owned(), error: Sentence::new(error) });
        }
        self.close(work, current, answer, |next, answer| {
            next.outcome = Some(word.to_owned());
            if ends {
                // What is left may be taken up at once; nobody has to wait for a lease that nobody uses.
                next.lease_until = self.clock.now();
                next.concluded_at = Some(now);
                // Until the questions are asked, the event that comes again has work to do.
                next.state = if matches!(then, Then::AsksAbout(_)) { State::Open } else { state(answer) };
            }
        })
        .await;
    }

    /// Writes how the containment stands, where nobody else did meanwhile.
    async fn close(
        &self,
        work: &Work<'_>,
        current: &mut Containment,
        answer: &mut Answer,
        change: impl FnOnce(&mut Containment, &Answer),
    ) {
        let read_version = current.version;
        let mut next = Containment { version: read_version.saturating_add(1), ..current.clone() };
        change(&mut next, answer);
        match self.ledger.close(&work.key, &next, read_version).await {
            Ok(true) => *current = next,
            Ok(false) => {
                answer.notes.push(Note::TakenOver);
            }
            Err(error) => {
                answer.notes.push(Note::EndNotOnRecord(Sentence::new(&error)));
                answer.left_over |= error.is_retryable();
            }
        }
    }

    /// The message of an outcome, and the id that it is kept by where it cannot be sent. That it was contained already is no
    /// news: whoever was not notified of the containment is notified of it as it was decided.
    fn message(
        &self,
        current: &Containment,
        answer: &Answer,
        work: &Work<'_>,
        standing: &str,
        invocation: &Invocation,
    ) -> (String, Message) {
        let mut said = answer.clone();
        let mut finding = work.finding.clone();
        if matches!(said.outcome, Conclusion::AlreadyContained | Conclusion::Verified) {
            said.outcome = Conclusion::Contained;
        }
        let first = current.findings.first().filter(|first| **first != finding.id);
        if let Some(first) = first.filter(|_| current.told.is_none() && said.outcome == Conclusion::Contained) {
            said.reason.clone_from(&current.reason);
            finding.id.clone_from(first);
        }
        let changed: Vec<String> = if said.outcome == Conclusion::Repaired {
            let changed = said.steps.iter().filter(|step| step.outcome == OutcomeKind::Changed);
            changed.map(|step| format!("{}/{}", step.step.key_word(), step.resource)).collect()
        } else {
            Vec::new()
        };
        let parts = [current.containment.as_str(), said.outcome.word(), standing];
        let id = ledger::digest(parts.into_iter().chain(changed.iter().map(String::as_str)));
        let audience = Audience { told: current.told.as_deref(), ..self.audience(Some(&work.instance), invocation) };
        (id, message::compose(&said, &finding, &audience))
    }

    /// Closes the questions about what has been contained.
    pub(crate) async fn close_questions(&self, key: &TargetKey) -> PortResult<()> {
        let mut from: Option<String> = None;
        loop {
            let page = self.ledger.questions(Some(key), from.as_deref()).await?;
            for question in page.questions {
                self.ledger.close_question(key, &question.question, "contained", self.clock.now()).await?;
            }
            from = page.next;
            if from.is_none() {
                return Ok(());
            }
        }
    }
}

/// What comes after a conclusion.
#[derive(Clone, Copy)]
enum Then<'a> {
    /// The attempt goes on.
    GoesOn,
    /// Questions about the users of keys.
    AsksAbout(&'a Links),
    Ends,
}

/// How a containment stands in the ledger once an attempt has ended.
fn state(answer: &Answer) -> State {
    if answer.left_over { State::Open } else { State::Closed }
}

/// What a conclusion is about, in addition to the answer.
struct Said<'a> {
    then: Then<'a>,
    /// A next step was added to a containment that holds.
    added: bool,
    /// Steps are held back.
    contest: Option<Contest>,
}

/// The contest, where steps are held back: the answer says so first.
fn contest(answer: &mut Answer, work: &Work<'_>, known: Option<&Contest>) -> Option<Contest> {
    let (contest, contested, alert) = held_back(work, known, work.id())?;
    answer.outcome = Conclusion::Contested;
    answer.verdict.alert(alert);
    answer.contest = Some(contested);
    Some(contest)
}

/// Where steps are held back: the contest, what an answer says of it, and what stands first.
pub(crate) fn held_back(
    journal: &Journal<'_>,
    known: Option<&Contest>,
    subject: impl std::fmt::Display,
) -> Option<(Contest, Contested, String)> {
    let until = journal.held_until()?;
    let contest = Contest::seen(known, journal.clock.now());
    let alert = format!(
        "SOMEBODY KEEPS UNDOING the containment of {subject}: Brig repaired it three times within an hour and has paused repairs until \
         {until}; a person's order (`brig verify`) repairs it at once"
    );
    let (since, held_until) = (contest.since.to_string(), until.to_string());
    Some((contest, Contested { since, held_until, by: Vec::new() }, alert))
}

/// Whose call was looked into stands first among those who undo it.
fn name_caller(answer: &mut Answer, by: &str) {
    if let Some(contest) = &mut answer.contest {
        let by = one_line(by, LONGEST_CALLER);
        contest.by.retain(|other| *other != by);
        contest.by.insert(0, by);
    }
}

/// What was undone, and since when a call on it counts: a little before Brig had last seen to it, since CloudTrail's times
/// are whole seconds.
fn undone(reports: &Reports, work: &Work<'_>, seen_to: &BTreeMap<String, Timestamp>) -> Undone {
    let undone = reports
        .done()
        .filter(|done| matches!(done.outcome, Outcome::Changed(_)) || work.is_held_back(&done.step))
        .filter_map(|done| {
            let resource = done.step.resource(work.id().as_str());
            let id = resource.split('/').next().unwrap_or_default();
            let recorded = ["eni-", "i-", "sg-"].iter().any(|prefix| id.starts_with(prefix));
            let since = seen_to.get(&work.key_of(&done.step));
            let since = since.map(|at| Timestamp::from_millis(at.millis().saturating_sub(SLACK_MS)));
            recorded.then(|| (id.to_owned(), since))
        });
    let mut all = Undone::new();
    for (id, since) in undone {
        let known = all.entry(id).or_insert(since);
        *known = (*known).min(since);
    }
    all
}

/// What the lanes said, as the answer for the instance.
fn answer(
    case: Case<'_>,
    work: &Work<'_>,
    decided: &Decided,
    reports: &Reports,
    timings: &mut Timings,
    before: Option<&str>,
) -> Answer {
    let invocation = case.invocation;
    let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    if timings.isolated.is_none() {
        timings.isolated = reports.isolated_at.map(|at| millis(at.since(invocation.began)));
    }
    timings.untrack_window = timings.untrack_window.max(reports.window.map(millis));
    let facts = reports.facts();
    let mut verdict = Verdict::judge(&subject(&work.instance, work.finding), &facts, reports.paths(work));
    for exposure in reports.exposures.iter().rev() {
        verdict.alert(Sentence::new(exposure));
    }
    let stop = reports.done().find(|done| matches!(done.step, Step::StopInstance(_)));
    if let Some(not) = stop.and_then(|done| brig_core::followups::stop::sentence(&done.outcome)) {
        verdict.add(not);
    }
    let steps: Vec<StepReport> =
        reports.done().map(|done| StepReport::new(&done.step, &done.outcome, work.id().as_str())).collect();
    let changed = steps.iter().any(|step| step.outcome == OutcomeKind::Changed);
    // A next step that was not there before is added to the containment; all else that changed had not held.
    let repairs = reports.done().filter(|done| matches!(done.outcome, Outcome::Changed(_)));
    let repairs = repairs.filter(|done| !done.step.is_escalation() || work.held.contains(&work.key_of(&done.step)));
    let repairs = repairs.count();
    let left_over = reports.any_left_over();
    let outcome = match (verdict.is_whole(), left_over) {
        (true, false) if !changed && before == Some("contained") => match case.occasion {
            Occasion::Verification(_) => Conclusion::Verified,
            Occasion::Finding => Conclusion::AlreadyContained,
        },
        // It had been seen to hold, and did not hold any more.
        (true, false) if matches!(before, Some("contained" | "contested")) && repairs > 0 => Conclusion::Repaired,
        (true, false) => Conclusion::Contained,
        _ if nothing_holds(&verdict) => Conclusion::Failed,
        _ => Conclusion::Partial,
    };
    if outcome == Conclusion::Repaired {
        let changes = if repairs == 1 { "change" } else { "changes" };
        verdict.alert(format!("Part of the containment no longer held; Brig repaired it ({repairs} {changes})"));
    }
    let mut notes: Vec<Note> = facts.broken().into_iter().map(Note::OfAFact).collect();
    notes.extend(reports.notes());
    notes.extend(reports.unwatched());
    notes.extend(work.finding.notes.iter().map(|note| Note::OfTheEvent(note.into())));
    if let Some(foreign) = work.instance.tags.get(CONTAINMENT_TAG).filter(|tag| *tag != work.containment.as_str()) {
        notes.push(Note::ForcedFrom(foreign.clone()));
    }
    Answer {
        containment_id: Some(work.containment.clone()),
        verdict,
        steps,
        notes,
        timings_ms: *timings,
        at: Some(work.clock.now()),
        isolated: reports.isolated_at.map(|at| Isolated { at, after_ms: millis(at.since(invocation.arrived)) }),
        left_over,
        instance_name: work.instance.name(),
        ..Answer::nothing_done(work.finding, decided.clone(), outcome)
    }
}

/// What flow logs say goes into the verdict; what contradicts it goes first, and stays until they prove that it is over.
fn contradict(answer: &mut Answer, proof: Proof, before: Option<&str>) {
    let said = match proof.state {
        ProofState::Contradiction => Some(format!("TRAFFIC WAS ACCEPTED AFTER THE CUT: {}", proof.detail)),
        ProofState::Unavailable if before == Some(Conclusion::Contradicted.word()) => Some(format!(
            "TRAFFIC WAS ACCEPTED AFTER THE CUT when flow logs were last read; it is not known whether that continues: {}",
            proof.detail
        )),
        ProofState::Unavailable | ProofState::Proof => None,
    };
    if let Some(said) = said {
        answer.verdict.contradict(said);
        if matches!(answer.outcome, Conclusion::Verified | Conclusion::Contained | Conclusion::AlreadyContained) {
            answer.outcome = Conclusion::Contradicted;
        }
    }
    answer.verdict.proof = Some(proof);
}

/// Whether the instance carries the tag of its containment, whose state the other tag tells.
fn is_marked(answer: &Answer) -> bool {
    let tags = Kind::Contain(StepKind::TagInstance);
    answer.steps.iter().any(|step| step.step == tags && step.outcome.is_done())
}

fn subject(instance: &Instance, finding: &Finding) -> String {
    match instance.name() {
        Some(name) => format!("{} ({name}) in {}/{}", instance.id, finding.account, finding.region),
        None => format!("{} in {}/{}", instance.id, finding.account, finding.region),
    }
}

fn nothing_holds(verdict: &Verdict) -> bool {
    verdict.truths.to_array().iter().all(|truth| matches!(truth, Truth::No | Truth::Unknown))
}

/// People are notified of an outcome once: "already contained" is no news to those who know that it is contained.
fn told_as(outcome: Conclusion) -> &'static str {
    let still = [Conclusion::AlreadyContained, Conclusion::Verified, Conclusion::Repaired];
    if still.contains(&outcome) { Conclusion::Contained.word() } else { outcome.word() }
}
