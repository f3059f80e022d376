//! People are notified of what becomes of a principal: once each, where the ledger can say so.

use brig_core::{
    decide::Decided,
    ledger::{Cause, Conclusion, Containment, ReportOf},
    model::{
        Holder,
        text::{self, Sentence},
        timestamp::Timestamp,
    },
    report::{
        fact::Truth,
        message::principal::{compose, question, statement},
        principal::{PrincipalAnswer, PrincipalVerdict},
        story,
    },
    step::Note,
    trigger::Finding,
};

use super::{UserCase, UserStop};
use crate::{
    engine::{Engine, Occasion},
    ports::ErrorKind,
    work::Journal,
};

impl Engine {
    /// What becomes of a finding whose principal could not be looked at. People are notified of it.
    pub(crate) async fn user_stopped(&self, case: UserCase<'_>, stop: UserStop) -> PrincipalAnswer {
        let quiet = match &stop {
            UserStop::Decided(decided) => {
                decided.decision == brig_core::decide::Decision::Ignore
                    || case.finding.by_person && decided.cause == Cause::NotThere
            }
            UserStop::Failed(_) => false,
        };
        let answer = self.user_not_looked_at(case, stop);
        if quiet {
            return answer;
        }
        match case.occasion {
            Occasion::Finding => self.tell_user_decision(case, answer).await,
            Occasion::Verification(_) => self.user_cannot_look(case, answer).await,
        }
    }

    /// The answer where the principal could not be looked at.
    pub(crate) fn user_not_looked_at(&self, case: UserCase<'_>, stop: UserStop) -> PrincipalAnswer {
        use brig_core::decide::Decision;
        match stop {
            UserStop::Decided(decided) => {
                let outcome = match decided.decision {
                    Decision::Ask => Conclusion::Asked,
                    Decision::Ignore => Conclusion::Ignored,
                    Decision::Refuse | Decision::Contain { .. } => Conclusion::Refused,
                };
                self.nothing_about(case, decided, outcome)
            }
            UserStop::Failed(error) => {
                let decided = Decided::contain(format!("containment could not start: {error}"));
                let mut answer = self.nothing_about(case, decided.because(Cause::CannotStart), Conclusion::Failed);
                answer.verdict = PrincipalVerdict::untouched(format!(
                    "{} in {} is NOT contained: {}. Nothing was changed, since nothing is changed that cannot be recorded first.",
                    case.finding.target, case.finding.account, answer.reason
                ));
                answer.about = vec![error.operation.to_owned(), error.code.clone()];
                answer.left_over = error.is_retryable() || error.kind == ErrorKind::NotFound;
                answer
            }
        }
    }

    /// A verification that cannot look has failed, and people are notified of it.
    async fn user_cannot_look(&self, case: UserCase<'_>, found: PrincipalAnswer) -> PrincipalAnswer {
        let decided = Decided::contain(format!("a verification could not look: {}", found.reason));
        let mut answer = self.nothing_about(case, decided.because(Cause::CannotLook), Conclusion::Unverified);
        answer.verdict = PrincipalVerdict::untouched(format!(
            "Whether the containment of {} in {} still holds could NOT be verified: {}. Nothing was changed.",
            case.finding.target, case.finding.account, found.reason
        ));
        answer.left_over = found.left_over;
        self.tell_user_decision(case, answer).await
    }

    /// Notifies people once about an outcome that is no containment; a question is also on record.
    pub(crate) async fn tell_user_decision(&self, case: UserCase<'_>, mut answer: PrincipalAnswer) -> PrincipalAnswer {
        let UserCase { finding, invocation, .. } = case;
        // Who invokes Brig and mistypes reads so in the answer; nobody else is woken for it.
        if !(finding.by_person && answer.outcome == Conclusion::Refused) {
            let told = statement(&answer, finding, self.clock.now());
            let asked = question(&answer, finding, &told, self.clock.now());
            answer.question = asked.as_ref().map(|asked| asked.question.clone());
            let message = compose(&answer, finding, &self.audience(None, invocation));
            let mut report = serde_json::to_value(&answer).unwrap_or_default();
            text::clean(&mut report);
            let (failure, unrecorded) =
                self.tell_once(&answer.place(), &told, asked, (&message, &report.to_string()), invocation).await;
            if let Some(error) = unrecorded {
                answer.notes.push(Note::QuestionNotOnRecord(Sentence::new(&error)));
                answer.left_over |= error.is_retryable();
            }
            answer.not_notified(failure);
        }
        log(&answer, finding);
        answer
    }

    /// Keeps what was read back for people who ask later. Where it cannot be kept, the error is a note.
    pub(crate) async fn keep_user_report(
        &self,
        answer: &PrincipalAnswer,
        journal: &Journal<'_>,
        of: ReportOf,
        current: &Containment,
    ) -> Result<(), Note> {
        self.keep_story(journal, story::kept_of_principal(answer), of, current).await
    }
}

/// What no step does, and people should know.
pub(super) fn notes(holder: &Holder) -> Vec<Note> {
    let user = match holder {
        Holder::User(user) => user,
        Holder::Role(_) => return vec![Note::DenialTakesTime],
    };
    let mut notes = vec![Note::DenialTakesTime, Note::RolesOfUser(user.name.clone())];
    if user.console == Some(true) {
        notes.push(Note::PasswordStays(user.name.clone()));
    }
    notes
}

/// How the containment stands, as far as a change of it is news. `before` is the moment before which a role's sessions are
/// denied: that a later finding moved it is news.
pub(super) fn standing(answer: &PrincipalAnswer, before: Option<Timestamp>, word: &str) -> String {
    if answer.outcome != Conclusion::Partial && answer.outcome != Conclusion::Failed {
        return before.map_or_else(|| word.to_owned(), |before| format!("{word}#{before}"));
    }
    let failed = answer.steps.iter().filter(|step| step.outcome == brig_core::step::OutcomeKind::Failed);
    let mut failed: Vec<String> = failed.map(|step| format!("{}/{}", step.step.key_word(), step.resource)).collect();
    failed.sort();
    let truths = [answer.verdict.denied, answer.verdict.inactive].map(Truth::word);
    let parts = truths.into_iter().chain(failed.iter().map(String::as_str));
    format!("{word}#{}", brig_core::ledger::digest(parts).chars().take(12).collect::<String>())
}

/// People are notified of an outcome once.
pub(super) fn told_as(outcome: Conclusion) -> &'static str {
    let still = [Conclusion::AlreadyContained, Conclusion::Verified, Conclusion::Repaired];
    if still.contains(&outcome) { Conclusion::Contained.word() } else { outcome.word() }
}

pub(super) fn log(answer: &PrincipalAnswer, finding: &Finding<brig_core::model::Principal>) {
    tracing::info!(
        containment.id = answer.containment_id.as_ref().map(brig_core::model::ids::ContainmentId::as_str),
        finding.id = %finding.id,
        principal = %answer.subject(),
        outcome = answer.outcome.word(),
        denied_ms = answer.timings_ms.denied,
        done_ms = answer.timings_ms.done,
        "{}: {}",
        answer.outcome.word(),
        answer.verdict.summary
    );
}
