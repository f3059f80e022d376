//! People are told: what could not start, and decisions that are no containment, once each.

use brig_core::{
    containment::{Conclusion, Containment},
    finding::{Action, Finding},
    ids::ContainmentId,
    ledger::{Records, told_word},
    message::{self, Audience},
    policy::{Decided, Decision},
    survey::Instance,
};

use crate::{
    contain::{Engine, Invocation, key_of},
    ports::{CloudError, ErrorKind},
};

impl Engine {
    /// Nothing is changed without a recorded intent; people learn that containment could not start.
    pub(crate) async fn cannot_start(
        &self,
        finding: &Finding,
        error: &CloudError,
        action: Action,
        invocation: &Invocation,
    ) -> Containment {
        let why = format!("containment could not start: {error}");
        let decided = Decided { decision: Decision::Contain, reason: why, refused: false };
        let mut answer = self.nothing(finding, decided, Conclusion::Failed, invocation);
        answer.left_over = error.is_retryable() || error.kind == ErrorKind::NotFound;
        if action == Action::Contain
            && let Err(error) = self.notifier.publish(&message::cannot_start(finding, &error.to_string())).await
        {
            answer.notes.push(format!("people could NOT be told: {error}"));
        }
        log(&answer, finding);
        answer
    }

    /// Tells people once about a decision that is no containment.
    pub(crate) async fn tell_decision(
        &self,
        mut answer: Containment,
        finding: &Finding,
        instance: Option<&Instance>,
        records: &Records,
        action: Action,
        invocation: &Invocation,
    ) -> Containment {
        let word = told_word(answer.decision, answer.outcome == Conclusion::Refused);
        if action == Action::Contain && !records.was_told(word, &finding.id) {
            let audience = Audience {
                function: &invocation.function,
                table: &self.table,
                instance_name: instance.and_then(Instance::name),
            };
            let message = message::compose(&answer, finding, &audience);
            match self.notifier.publish(&message).await {
                Ok(()) => {
                    let told = self.ledger.record_told(&key_of(finding), word, &finding.id, self.clock.now()).await;
                    if let Err(error) = told {
                        answer.notes.push(format!("that people were told is not on record: {error}"));
                    }
                }
                Err(error) => {
                    answer.notes.push(format!("people could NOT be told: {error}"));
                    answer.left_over |= error.is_retryable();
                }
            }
        }
        log(&answer, finding);
        answer
    }

    pub(crate) fn audience<'a>(&'a self, instance: &'a Instance, invocation: &'a Invocation) -> Audience<'a> {
        Audience { function: &invocation.function, table: &self.table, instance_name: instance.name() }
    }
}

pub(crate) fn log(answer: &Containment, finding: &Finding) {
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
