//! People are notified of decisions that are no containment, of what could not start, and of what could not be looked at:
//! once each, where the ledger can say so.

use std::time::Duration;

use brig_core::{
    decide::{self, Decided},
    ledger::{Cause, Conclusion, Containment, Question, Report, ReportOf, Statement, Unheard},
    model::{
        Instance,
        ids::ContainmentId,
        text::{self, Sentence},
    },
    report::{
        answer::Answer,
        message::{self, Audience, Message},
        story,
    },
    step::Note,
    trigger::Finding,
};

use crate::{
    arrive::Stop,
    engine::{Case, Engine, Invocation, Occasion, key_of},
    ports::{CloudError, ErrorKind},
    work::{Journal, Work},
};

/// The longest report that is kept with a decision that people were notified of: an item of the ledger holds 400 KB.
const LONGEST_REPORT: usize = 200_000;
/// What is kept of the time for the ledger's last write after a message.
pub(crate) const CLOSING: Duration = Duration::from_secs(1);

impl Engine {
    /// What becomes of a finding whose instance could not be looked at. People are notified of it.
    pub(crate) async fn stopped(&self, case: Case<'_>, stop: Stop) -> Answer {
        let quiet = match &stop {
            Stop::Failed(error) => return self.cannot_start(case, error).await,
            Stop::Ignored(_) => true,
            // Most likely a typing error: the person reads it in the answer, and nobody else needs to.
            Stop::NotThere { .. } => case.finding.by_person,
            Stop::Refused(_) | Stop::Unreachable(_) => false,
        };
        let answer = self.not_looked_at(case, stop);
        match case.occasion {
            _ if quiet => answer,
            Occasion::Finding => self.tell_decision(case, answer, None).await,
            Occasion::Verification(_) => {
                let (left_over, unreachable) = (answer.left_over, answer.unreachable);
                let unverified = self.cannot_look(case, answer.cause, answer.reason.into()).await;
                Answer { left_over: unverified.left_over || left_over, unreachable, ..unverified }
            }
        }
    }

    /// The answer where the instance could not be looked at.
    pub(crate) fn not_looked_at(&self, case: Case<'_>, stop: Stop) -> Answer {
        let refused = |decided| self.nothing(case, decided, Conclusion::Refused);
        match stop {
            Stop::Ignored(decided) => self.nothing(case, decided, Conclusion::Ignored),
            Stop::Refused(decided) => refused(decided),
            Stop::Unreachable(why) => {
                Answer { unreachable: true, ..refused(Decided::refuse(why).because(Cause::Unreachable)) }
            }
            Stop::NotThere { why, retryable } => {
                Answer { left_over: retryable && case.finding.is_automatic(), ..refused(Decided::refuse(why)) }
            }
            Stop::Failed(error) => self.not_started(case, &error),
        }
    }

    /// Nothing is changed without a recorded intent; people learn that containment could not start.
    pub(crate) async fn cannot_start(&self, case: Case<'_>, error: &CloudError) -> Answer {
        match case.occasion {
            Occasion::Verification(_) => {
                let answer = self.cannot_look(case, Cause::CannotLook, error.to_string()).await;
                Answer { left_over: answer.left_over || may_pass(error), ..answer }
            }
            Occasion::Finding => self.tell_decision(case, self.not_started(case, error), None).await,
        }
    }

    fn not_started(&self, case: Case<'_>, error: &CloudError) -> Answer {
        let finding = case.finding;
        let decided = Decided::contain(format!("containment could not start: {error}"));
        let mut answer = self.nothing(case, decided.because(Cause::CannotStart), Conclusion::Failed);
        answer.verdict.summary = format!(
            "{} in {}/{} is NOT contained: {}. Nothing was changed, since nothing is changed that cannot be recorded first.",
            finding.target, finding.account, finding.region, answer.reason
        ).into();
        answer.about = vec![error.operation.to_owned(), error.code.clone()];
        answer.left_over = may_pass(error);
        answer
    }

    /// A verification that cannot look has failed, and people are notified of it, unless the ledger says that nothing is contained.
    async fn cannot_look(&self, case: Case<'_>, cause: Cause, why: String) -> Answer {
        let finding = case.finding;
        let records = self.ledger.read(&key_of(finding)).await;
        if records.as_ref().is_ok_and(|records| records.active().is_none()) {
            return self.nothing(case, Decided::refuse(why).because(cause), Conclusion::Refused);
        }
        let decided = Decided::contain(format!("a verification could not look: {why}")).because(cause);
        let mut answer = self.nothing(case, decided, Conclusion::Unverified);
        if let Ok(records) = &records {
            answer.containment_id = records.active().map(|current| current.containment.clone());
        }
        answer.verdict.summary = format!(
            "Whether the containment of {} in {}/{} still holds could NOT be verified: {why}. Nothing was changed.",
            finding.target, finding.account, finding.region
        )
        .into();
        self.tell_decision(case, answer, None).await
    }

    /// Notifies people once about an outcome that is no containment; a question is also on record.
    pub(crate) async fn tell_decision(
        &self,
        case: Case<'_>,
        mut answer: Answer,
        instance: Option<&Instance>,
    ) -> Answer {
        let Case { finding, invocation, .. } = case;
        if answer.instance_name.is_none() {
            answer.instance_name = instance.and_then(Instance::name);
        }
        // Who invokes Brig and mistypes reads so in the answer; nobody else is woken for it.
        let to_invoker = finding.by_person && answer.outcome == Conclusion::Refused;
        if !to_invoker {
            let told = Statement::of(&answer, finding, self.clock.now());
            let question = Question::of(&answer, finding, &told, self.clock.now());
            let asks = answer.outcome == Conclusion::Asked;
            answer.question = asks.then(|| question.question.clone());
            let message = message::compose(&answer, finding, &self.audience(instance, invocation));
            let mut report = serde_json::to_value(&answer).unwrap_or_default();
            text::clean(&mut report);
            let report = report.to_string();
            let place = key_of(finding).pk();
            let question = asks.then_some(question);
            let (failure, unrecorded) = self.tell_once(&place, &told, question, (&message, &report), invocation).await;
            if let Some(error) = unrecorded {
                answer.notes.push(Note::QuestionNotOnRecord(Sentence::new(&error)));
                answer.left_over |= error.is_retryable();
            }
            answer.not_notified(failure);
        }
        log(&answer, finding);
        answer
    }

    /// Notifies people once of a statement about a place, and has its question on record before: its id is in the message,
    /// and a retry does not ask what was sent already. Says what could not be sent, and why the question is not on record.
    pub(crate) async fn tell_once(
        &self,
        place: &str,
        told: &Statement,
        question: Option<Question>,
        (message, report): (&Message, &str),
        invocation: &Invocation,
    ) -> (Option<Unheard>, Option<CloudError>) {
        let report = if report.len() > LONGEST_REPORT { "" } else { report };
        let question = match question {
            Some(question) if !self.was_notified(place, told).await => Some(question),
            Some(_) | None => None,
        };
        let unrecorded = match &question {
            Some(question) => self.ledger.ask(question).await.err(),
            None => None,
        };
        if unrecorded.as_ref().is_some_and(CloudError::is_retryable) {
            let notified = self.notify(place, Some((&told.digest(), message)), invocation).await;
            return (notified.failure(), unrecorded);
        }
        let notified = self.notify_once(place, told, message, report, invocation).await;
        if let Some(question) =
            question.filter(|_| unrecorded.is_none() && notified.is_known() && !notified.was_known())
        {
            let question = Question { notified: true, ..question };
            if let Err(error) = self.ledger.ask(&question).await {
                tracing::warn!(%error, "the question {} is on record as one that nobody was notified of", question.question);
            }
        }
        (notified.failure(), unrecorded)
    }

    /// Keeps what was read back for people who ask later. Where it cannot be kept, the error is a note: nothing depends on it.
    pub(crate) async fn keep_report(
        &self,
        answer: &Answer,
        work: &Work<'_>,
        of: ReportOf,
        current: &Containment,
    ) -> Result<(), Note> {
        self.keep_story(work, story::kept(answer), of, current).await
    }

    /// Keeps an answer as the story of a containment reads it.
    pub(crate) async fn keep_story(
        &self,
        journal: &Journal<'_>,
        answer: String,
        of: ReportOf,
        current: &Containment,
    ) -> Result<(), Note> {
        let report = Report {
            of,
            containment: journal.containment.clone(),
            version: current.version.saturating_add(1),
            at: self.clock.now(),
            answer,
        };
        let kept = self.ledger.keep_report(&journal.key, &report).await;
        kept.map_err(|error| Note::ReportNotOnRecord(Sentence::new(error)))
    }

    pub(crate) fn audience<'a>(&'a self, instance: Option<&'a Instance>, invocation: &'a Invocation) -> Audience<'a> {
        Audience {
            function: &invocation.function,
            release_function: &invocation.release_function,
            table: &self.table,
            account: Some(&invocation.own),
            region: invocation.region.as_ref(),
            log_group: &invocation.log_group,
            instance_name: instance.and_then(Instance::name),
            exemption: instance.and_then(|instance| decide::exemption(instance, &self.policy)),
            told: None,
        }
    }
}

/// Whether what failed may pass: a table or a role that is not found may only just have been made.
fn may_pass(error: &CloudError) -> bool {
    error.is_retryable() || error.kind == ErrorKind::NotFound
}

pub(crate) fn log(answer: &Answer, finding: &Finding) {
    tracing::info!(
        containment.id = answer.containment_id.as_ref().map(ContainmentId::as_str),
        finding.id = %finding.id,
        instance.id = %answer.instance_id,
        outcome = answer.outcome.word(),
        isolated_ms = answer.timings_ms.isolated,
        done_ms = answer.timings_ms.done,
        "{}: {}",
        answer.outcome.word(),
        answer.verdict.summary
    );
}
