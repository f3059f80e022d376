//! People are told decisions that are no containment, and what could not start: once each, where the ledger can say so.

use std::time::Duration;

use brig_core::{
    containment::{Conclusion, Containment},
    finding::{Action, Finding},
    ids::ContainmentId,
    ledger::Told,
    message::{self, Audience, Message},
    policy::{self, Decided, Decision},
    survey::Instance,
    text,
};

use crate::{
    contain::{Case, Engine, Invocation, key_of},
    ports::{Answer, CloudError, ErrorKind},
};

/// The longest report that is kept with a told decision: an item of the ledger holds 400 KB.
const LONGEST_REPORT: usize = 200_000;
/// What is kept of the time for the ledger's last write after a message.
pub(crate) const CLOSING: Duration = Duration::from_secs(1);

impl Engine {
    /// Nothing is changed without a recorded intent; people learn that containment could not start.
    pub(crate) async fn cannot_start(&self, case: Case<'_>, error: &CloudError) -> Containment {
        let finding = case.finding;
        let decided = Decided::new(Decision::Contain, format!("containment could not start: {error}"));
        let mut answer = self.nothing(case, decided, Conclusion::Failed);
        answer.verdict.summary = format!(
            "{} in {}/{} is NOT contained: {}. Nothing was changed, since nothing is changed that cannot be recorded first.",
            finding.instance, finding.account, finding.region, answer.reason
        );
        answer.left_over = error.is_retryable() || error.kind == ErrorKind::NotFound;
        self.tell_decision(case, answer, None).await
    }

    /// A precondition failed before anything was looked at.
    pub(crate) async fn refuse(&self, case: Case<'_>, decided: Decided) -> Containment {
        let answer = self.nothing(case, decided, Conclusion::Refused);
        self.tell_decision(case, answer, None).await
    }

    /// Tells people once about an outcome that is no containment.
    pub(crate) async fn tell_decision(
        &self,
        case: Case<'_>,
        mut answer: Containment,
        instance: Option<&Instance>,
    ) -> Containment {
        let Case { finding, action, invocation, .. } = case;
        let told = Told { what: answer.outcome.word().to_owned(), finding: finding.id.clone() };
        // Who invokes Brig and mistypes reads so in the answer; nobody else is woken for it.
        let to_invoker = finding.by_person && answer.outcome == Conclusion::Refused;
        // Where the ledger cannot say whether people were notified, once too often is better than never.
        let is_new = async || !self.ledger.was_told(&key_of(finding), &told).await.unwrap_or(false);
        if action == Action::Contain && !to_invoker && is_new().await {
            let audience = self.audience(instance, invocation);
            match self.publish(&message::compose(&answer, finding, &audience), invocation).await {
                Ok(()) => {
                    let mut report = serde_json::to_value(&answer).unwrap_or_default();
                    text::clean(&mut report);
                    let report = report.to_string();
                    let report = if report.len() > LONGEST_REPORT { String::new() } else { report };
                    let kept = self.ledger.record_told(&key_of(finding), &told, self.clock.now(), &report).await;
                    if let Err(error) = kept {
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

    /// Publishes, and gives up in time for the ledger to say so.
    pub(crate) async fn publish(&self, message: &Message, invocation: &Invocation) -> Answer<()> {
        let most = self.left(invocation).saturating_sub(CLOSING);
        let timer = self.clock.sleep(most);
        match futures::future::select(self.notifier.publish(message), timer).await {
            futures::future::Either::Left((answer, _)) => answer,
            futures::future::Either::Right(((), _)) => Err(CloudError {
                operation: "Publish",
                kind: ErrorKind::Transient,
                code: "OutOfTime".to_owned(),
                message: "the invocation's time is nearly over".to_owned(),
            }),
        }
    }

    pub(crate) fn audience<'a>(&'a self, instance: Option<&'a Instance>, invocation: &'a Invocation) -> Audience<'a> {
        Audience {
            function: &invocation.function,
            release_function: &invocation.release_function,
            table: &self.table,
            instance_name: instance.and_then(Instance::name),
            exemption: instance.and_then(|instance| policy::exemption(instance, &self.policy)),
        }
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
