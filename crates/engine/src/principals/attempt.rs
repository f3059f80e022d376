//! From the claim to the closed ledger item: deny, turn off, read back; look again while IAM's reads may lag and somebody
//! with the same credentials may still act; tell people.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use brig_core::{
    decide::{Asks, Decided},
    lanes::holder::{self, HolderPlan, Terms},
    ledger::{self, Conclusion, Containment, Contest, ReportOf, State, StepRecord},
    model::{Holder, ids::TargetKey, text::Sentence, timestamp::Timestamp},
    report::{
        answer::StepReport,
        fact::holder::{Attachment, HolderFacts, facts, is_promised},
        message,
        principal::{PrincipalAnswer, PrincipalVerdict, Timings},
    },
    step::{Made, Note, Outcome, OutcomeKind, Step, credential_of},
};

use super::{UserCase, UserScene, arrive::look_at, tell};
use crate::{
    attempt::held_back,
    effects::{self, Room},
    engine::{Engine, LAST_CALL, Occasion},
    ports::{CloudError, View},
    stable::{PAUSES, Shown, read_back},
    verify::{Caller, Undone},
    work::{Done, Journal, merge},
};

/// When a new containment is looked at again, counted from when it was first read back: IAM's reads lag its writes by
/// seconds, and whoever holds the same credentials can act until a denial takes effect
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency>).
const LOOKS: [u64; 3] = [5, 20, 60];
/// A read that shows something as it was before Brig's own write is late up to this long after the write. AWS gives no bound.
const LAG: Duration = Duration::from_secs(15);
/// What failed and may pass is tried again after this, twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// How much earlier than Brig's own record a call may be dated and still count.
const SLACK_MS: i64 = 10_000;

/// What is known of a user in the course of an attempt.
struct Seen<'a> {
    journal: Journal<'a>,
    /// As it was last read back.
    now: Holder,
    terms: Terms,
    done: Vec<Done>,
    /// When each step was last run to its end, by key.
    written: BTreeMap<String, Timestamp>,
    /// Steps that had held and did not any more, or that nobody had seen at the first look.
    meanwhile: BTreeSet<String>,
    /// Nothing was read back yet in this attempt.
    first: bool,
    /// What its credentials called last.
    reached: Vec<Note>,
    /// A look failed.
    unread: Option<CloudError>,
    gone: bool,
    /// The keys of the steps that were on record before.
    known: BTreeSet<String>,
}

/// Whether an attempt looks once more.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    LooksAgain,
    Ends,
}

/// What is written down, and told, of a look.
struct Ending<'a> {
    journal: &'a Journal<'a>,
    terms: &'a Terms,
    /// The keys of the steps that somebody undid, or that came, meanwhile.
    acted: Vec<&'a String>,
    contest: Option<Contest>,
    then: Then,
}

impl Seen<'_> {
    fn plan(&self) -> HolderPlan {
        holder::plan(&self.now, &self.journal.recorded(brig_core::step::Lane::Credentials), &self.terms)
    }

    /// Whether IAM refused for good to attach the policy.
    fn attachment(&self) -> Attachment {
        let plan = self.plan();
        let refused = plan
            .denial
            .steps
            .iter()
            .any(|one| matches!(one.step, Step::AttachUserPolicy(_)) && matches!(one.outcome, Outcome::Skipped(_)));
        if refused { Attachment::Waived } else { Attachment::Promised }
    }

    fn facts(&self) -> HolderFacts {
        facts(&self.now, &self.terms, self.attachment())
    }

    fn is_left_over(&self) -> bool {
        self.done.iter().any(|done| done.outcome.is_left_over())
            || self.unread.as_ref().is_some_and(CloudError::is_retryable)
            || self.now.gaps().iter().any(|gap| is_promised(gap) && gap.retryable)
            // It was accepted, and reads do not show it yet.
            || self.plan().whole().todo().any(|step| self.was_done(step))
    }

    /// How many changes there were that no later finding asked for.
    fn repairs(&self) -> usize {
        let changed = self.done.iter().filter(|done| matches!(done.outcome, Outcome::Changed(_)));
        let asked =
            |step: &Step| matches!(step, Step::DenyRoleSessions(_)) && !self.known.contains(&self.journal.key_of(step));
        changed.filter(|done| !asked(&done.step)).count()
    }

    fn was_done(&self, step: &Step) -> bool {
        let key = self.journal.key_of(step);
        self.done.iter().any(|done| done.outcome.is_done() && self.journal.key_of(&done.step) == key)
    }
}

impl Engine {
    /// Runs what the plan says, again where something is left or came meanwhile, and notifies people.
    pub(crate) async fn attempt_user(
        &self,
        case: UserCase<'_>,
        decided: Decided,
        (mut current, records): (Containment, Vec<StepRecord>),
        scene: UserScene,
    ) -> PrincipalAnswer {
        let invocation = case.invocation;
        let UserScene { cloud, key, seen: now, terms, mut timings, records: found, gone, .. } = scene;
        let before = current.outcome.clone();
        let asks = match case.occasion {
            Occasion::Finding => Asks::of(case.finding, found.active(), &invocation.request_id),
            Occasion::Verification(verification) => verification.asks,
        };
        let journal = Journal {
            deadline: invocation.deadline,
            ..Journal::new(self.ledger.as_ref(), self.clock.as_ref(), key.clone(), &current, records)
        };
        let mut seen = Seen {
            journal: journal.inheriting(asks),
            now,
            terms: Terms { since: Some(current.claimed_at), ..terms },
            done: Vec::new(),
            written: BTreeMap::new(),
            meanwhile: BTreeSet::new(),
            first: true,
            reached: Vec::new(),
            unread: None,
            gone,
            known: found.steps.iter().map(|record| record.key.clone()).collect(),
        };
        tracing::info!(containment.id = %current.containment, "{} is claimed", current.containment);
        // Another look is worth its time only where something was changed now.
        let mut looks = LOOKS.into_iter();
        let mut began = None;
        let mut pause = FIRST_PAUSE;
        loop {
            let reached = async {
                match case.occasion {
                    // Who had been notified reads it on record; a look costs one of two calls a second.
                    Occasion::Finding if began.is_none() && current.told.is_none() => {
                        self.reached(case.finding, &key, cloud.as_ref(), invocation).await
                    }
                    Occasion::Finding | Occasion::Verification(_) => Vec::new(),
                }
            };
            let ((), calls) = futures::join!(self.round(&mut seen, cloud.as_ref(), &mut timings, case), reached);
            seen.reached.extend(calls);
            let first_read = *began.get_or_insert(self.clock.now());
            let changed = seen.done.iter().any(|done| matches!(done.outcome, Outcome::Changed(_)));
            let left_over = seen.is_left_over();
            let wait = if left_over {
                let wait = pause;
                pause = (pause * 2).min(LONGEST_PAUSE);
                Some(wait)
            } else if changed && !seen.gone {
                looks.next().map(|seconds| first_read.after(Duration::from_secs(seconds)).since(self.clock.now()))
            } else {
                None
            };
            let wait = wait.filter(|wait| self.left(invocation) > LAST_CALL + *wait);
            let mut answer = self.user_answer(case, &key, &decided, &seen, timings, before.as_deref());
            answer.containment_id = Some(current.containment.clone());
            answer.left_over = left_over;
            let then = if wait.is_some() { Then::LooksAgain } else { Then::Ends };
            let told = current.told.as_deref().map(ledger::word_of) == Some(tell::told_as(answer.outcome));
            if then == Then::Ends || !told {
                let contest = user_contest(&mut answer, &seen.journal, current.contest.as_ref());
                let mut acted = Vec::new();
                if then == Then::Ends && !seen.meanwhile.is_empty() {
                    answer.notes.extend(self.callers_of(&key, &seen, invocation).await);
                    // Who was told that it is contained hears of what came meanwhile, once all looks are over.
                    acted = seen.meanwhile.iter().collect();
                }
                let ending = Ending { journal: &seen.journal, terms: &seen.terms, acted, contest, then };
                self.conclude_user(case, &mut current, &mut answer, ending).await;
            }
            let Some(wait) = wait else {
                answer.timings_ms.done = Some(self.elapsed(invocation));
                tell::log(&answer, case.finding);
                return answer;
            };
            self.clock.sleep(wait).await;
            Self::look_again(&mut seen, &key, cloud.as_ref()).await;
        }
    }

    /// One round: what denies, then what turns credentials off, then a look until it shows what AWS accepted.
    async fn round(
        &self,
        seen: &mut Seen<'_>,
        cloud: &dyn crate::ports::UserPorts,
        timings: &mut Timings,
        case: UserCase<'_>,
    ) {
        if seen.gone {
            return;
        }
        let plan = seen.plan();
        if !seen.first {
            let now = self.clock.now();
            let whole = plan.whole();
            let undone = whole.todo().filter_map(|step| {
                let key = seen.journal.key_of(step);
                // A read that lags shows what was so before Brig's own write.
                let undone = seen.written.get(&key).is_some_and(|at| now.since(*at) > LAG);
                let came = credential_of(step).is_some_and(|(_, made)| made == Made::Since);
                (undone || came).then_some(key)
            });
            let undone: Vec<String> = undone.collect();
            seen.meanwhile.extend(undone);
        }
        seen.first = false;
        for part in [&plan.denial, &plan.deactivation] {
            let ran =
                seen.journal.run(part, |step| async move { effects::run(&step, Room::Principals(cloud)).await }).await;
            seen.journal.finish(&ran).await;
            let now = self.clock.now();
            let changed = ran.iter().filter(|done| matches!(done.outcome, Outcome::Changed(_)));
            let changed: Vec<String> = changed.map(|done| seen.journal.key_of(&done.step)).collect();
            seen.written.extend(changed.into_iter().map(|key| (key, now)));
            merge(&mut seen.done, ran);
            if timings.denied.is_none() && denied(&seen.done) {
                timings.denied = Some(self.elapsed(case.invocation));
            }
        }
        let (journal, terms) = (&seen.journal, &seen.terms);
        let looked = read_back(journal, &PAUSES, async || match look_at(&journal.key, cloud).await {
            Ok(Some(now)) => {
                let records = journal.recorded(brig_core::step::Lane::Credentials);
                let left = holder::plan(&now, &records, terms).whole();
                Shown::when(left.todo().next().is_none(), Ok(Some(now)))
            }
            other => Shown::Settled(other),
        })
        .await;
        Self::take(seen, looked);
    }

    async fn look_again(seen: &mut Seen<'_>, key: &TargetKey, cloud: &dyn crate::ports::UserPorts) {
        let looked = look_at(key, cloud).await;
        Self::take(seen, looked);
    }

    /// Takes in a look.
    fn take(seen: &mut Seen<'_>, looked: Result<Option<Holder>, CloudError>) {
        match looked {
            Ok(Some(now)) => {
                seen.now = now;
                seen.unread = None;
            }
            Ok(None) => seen.gone = true,
            Err(error) => seen.unread = Some(error),
        }
    }

    fn user_answer(
        &self,
        case: UserCase<'_>,
        key: &TargetKey,
        decided: &Decided,
        seen: &Seen<'_>,
        timings: Timings,
        before: Option<&str>,
    ) -> PrincipalAnswer {
        let facts = seen.facts();
        let mut verdict = PrincipalVerdict::judge(&seen.now, &facts, &seen.terms);
        if seen.gone {
            let what = match seen.now {
                Holder::User(_) => {
                    "it was deleted, or renamed. A renamed user keeps its credentials and what was done to it, under its new name, and Brig does not follow it"
                }
                Holder::Role(_) => "it was deleted, and its sessions may live on until they expire",
            };
            let (noun, name) = (seen.now.noun().to_uppercase(), key.name());
            verdict = PrincipalVerdict::untouched(format!(
                "IAM shows NO {noun} {name} in {} any more: {what}",
                key.account()
            ));
        } else if let Some(error) = &seen.unread {
            verdict = PrincipalVerdict::untouched(format!(
                "Whether {} in {} is contained could NOT be read back: {error}.",
                key.subject(),
                key.account()
            ));
        }
        let changed = seen.done.iter().filter(|done| matches!(done.outcome, Outcome::Changed(_))).count();
        let repairs = seen.repairs();
        let was_whole = matches!(before, Some("contained" | "contested"));
        // Nobody saw that its credentials are dead: only that no user has the name.
        let whole = !seen.gone && verdict.is_whole();
        let outcome = match (whole, seen.is_left_over()) {
            (true, false) if changed == 0 && was_whole => match case.occasion {
                Occasion::Verification(_) => Conclusion::Verified,
                Occasion::Finding => Conclusion::AlreadyContained,
            },
            (true, false) if was_whole && repairs > 0 => Conclusion::Repaired,
            (true, false) => Conclusion::Contained,
            _ if !seen.gone && verdict.is_void() => Conclusion::Failed,
            _ => Conclusion::Partial,
        };
        let changes = if repairs == 1 { "change" } else { "changes" };
        if outcome == Conclusion::Repaired {
            verdict.alert(format!("Part of the containment no longer held; Brig repaired it ({repairs} {changes})"));
        } else if !seen.meanwhile.is_empty() {
            verdict.alert(format!(
                "SOMEBODY ACTED AS THE {} while it was being contained; what came meanwhile was undone too (see Notes)",
                seen.now.noun().to_uppercase()
            ));
        }
        let mut notes: Vec<Note> = seen.now.gaps().iter().cloned().map(Note::Gap).collect();
        notes.extend(seen.meanwhile.iter().filter_map(|key| seen.journal.record_of(key)).map(|record| {
            Note::CameMeanwhile { what: record.step.name(), resource: record.step.resource(key.name()) }
        }));
        notes.extend(tell::notes(&seen.now));
        notes.extend(seen.reached.iter().cloned());
        notes.extend(case.finding.notes.iter().map(|note| Note::OfTheEvent(note.into())));
        let name = key.name();
        PrincipalAnswer {
            verdict,
            steps: seen.done.iter().map(|done| StepReport::new(&done.step, &done.outcome, name)).collect(),
            notes,
            timings_ms: timings,
            ..self.nothing_of(case, key, decided.clone(), outcome)
        }
    }

    /// Who acted meanwhile, by CloudTrail's record, which may be up to 15 minutes late.
    async fn callers_of(&self, key: &TargetKey, seen: &Seen<'_>, invocation: &crate::engine::Invocation) -> Vec<Note> {
        let session = format!("brig-{}", invocation.request_id);
        let region = invocation.home().of_iam();
        let cloud = match self.clouds.open(key.account(), &region, View::Reads, &session).await {
            Ok(cloud) => cloud,
            Err(error) => {
                return vec![Note::TrailUnread { id: key.name().to_owned(), error: Sentence::new(error) }];
            }
        };
        let since = seen.terms.since.map(|since| Timestamp::from_millis(since.millis().saturating_sub(SLACK_MS)));
        let undone: Undone = [(key.name().to_owned(), since)].into();
        self.callers(&undone, cloud.as_ref()).await.notes
    }

    /// Tells people where the outcome is news, and writes how the containment stands.
    async fn conclude_user(
        &self,
        case: UserCase<'_>,
        current: &mut Containment,
        answer: &mut PrincipalAnswer,
        Ending { journal, terms, acted, contest, then }: Ending<'_>,
    ) {
        let invocation = case.invocation;
        let word = tell::told_as(answer.outcome);
        let standing = tell::standing(answer, journal.key.role().map(|_| terms.before), word);
        let now = self.clock.now();
        if let (Occasion::Verification(verification), Some(contested)) = (case.occasion, &mut answer.contest)
            && let Caller::Named(by) = verification.caller
        {
            contested.by.push(by.to_owned());
        }
        let news = if let Some(contest) = &contest {
            contest.is_due(now)
        } else {
            let known = ledger::is_known(current.told.as_deref(), &standing);
            !known || answer.outcome == Conclusion::Repaired || !acted.is_empty()
        };
        answer.timings_ms.done = Some(self.elapsed(invocation));
        let mut said = answer.clone();
        if matches!(said.outcome, Conclusion::AlreadyContained | Conclusion::Verified) {
            said.outcome = Conclusion::Contained;
        }
        let changed = said.steps.iter().filter(|step| step.outcome == OutcomeKind::Changed);
        let changed: Vec<String> = if said.outcome == Conclusion::Repaired {
            changed.map(|step| format!("{}/{}", step.step.key_word(), step.resource)).collect()
        } else {
            Vec::new()
        };
        let parts = [current.containment.as_str(), said.outcome.word(), standing.as_str()];
        let also = changed.iter().map(String::as_str).chain(acted.iter().map(|key| key.as_str()));
        let id = ledger::digest(parts.into_iter().chain(also));
        let audience = message::Audience { told: current.told.as_deref(), ..self.audience(None, invocation) };
        let message = message::principal::compose(&said, case.finding, &audience);
        let place = journal.key.pk();
        let publish = self.notify(&place, news.then_some((id.as_str(), &message)), invocation);
        let is_asked = matches!(case.occasion, Occasion::Finding);
        let settle =
            async { if then == Then::Ends && is_asked { self.close_questions(&journal.key).await } else { Ok(()) } };
        let kept = self.keep_user_report(answer, journal, ReportOf::Answer, current);
        let (notified, settled, kept) = futures::join!(publish, settle, kept);
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
        let read_version = current.version;
        let mut next = Containment { version: read_version.saturating_add(1), ..current.clone() };
        next.outcome = Some(word.to_owned());
        if then == Then::Ends {
            next.lease_until = now;
            next.state = if answer.left_over { State::Open } else { State::Closed };
            next.concluded_at = Some(now);
        }
        match self.ledger.close(&journal.key, &next, read_version).await {
            Ok(true) => *current = next,
            Ok(false) => answer.notes.push(Note::TakenOver),
            Err(error) => {
                answer.notes.push(Note::EndNotOnRecord(Sentence::new(&error)));
                answer.left_over |= error.is_retryable();
            }
        }
    }
}

/// Whether AWS accepted one of the two things that deny.
fn denied(done: &[Done]) -> bool {
    done.iter().any(|done| done.step.denies_holder() && done.outcome.is_done())
}

/// The contest, where steps are held back: the answer says so first.
fn user_contest(answer: &mut PrincipalAnswer, journal: &Journal<'_>, known: Option<&Contest>) -> Option<Contest> {
    let (contest, contested, alert) = held_back(journal, known, answer.subject())?;
    answer.outcome = Conclusion::Contested;
    answer.verdict.alert(alert);
    answer.contest = Some(contested);
    Some(contest)
}
