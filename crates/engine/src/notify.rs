//! Nobody notified is not done. A statement is sent once; what could not be sent, for whatever reason, is kept on record as
//! it was composed, is left over, and is sent by the event's next delivery or by the next scheduled verification.

use brig_core::{
    containment::Resolution,
    finding::{Action, Addressed},
    ledger::Told,
    message::{self, Message},
    told::{Cause, Unsent},
};

use crate::{
    contain::{Engine, Invocation, LAST_CALL},
    ports::{Answer, CloudError, ErrorKind},
    tell::CLOSING,
};

/// What became of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notified {
    /// It was sent now.
    Sent,
    /// It had been sent before.
    Before,
    /// It could not be sent: why, in AWS's words.
    Not(String),
    /// People know it, and an earlier message about the same place still could not be sent: why.
    Held(String),
}

impl Notified {
    /// Why it could not be sent, where it could not.
    #[must_use]
    pub fn failure(self) -> Option<String> {
        match self {
            Self::Sent | Self::Before => None,
            Self::Not(why) | Self::Held(why) => Some(why),
        }
    }
}

impl Engine {
    /// Notifies people of a statement about a place (an instance's key, or another of that shape), once.
    pub async fn notify_once(
        &self,
        place: &str,
        told: &Told,
        message: &Message,
        report: &str,
        invocation: &Invocation,
    ) -> Notified {
        let louder = told.louder(self.clock.now());
        let (known, held) = futures::join!(self.was_notified(place, told), self.held(place));
        if known {
            return self.deliver(held, None, invocation).await.map_or(Notified::Before, Notified::Held);
        }
        let louder = louder.filter(|louder| held.iter().any(|held| held.id == louder.digest()));
        if let Some(louder) = louder {
            if let Some(why) = self.deliver(held, None, invocation).await {
                return Notified::Not(why);
            }
            self.remember(place, &louder, report).await;
            return Notified::Sent;
        }
        let id = told.digest();
        if let Some(why) = self.send(place, &id, message, invocation).await {
            return Notified::Not(why);
        }
        self.remember(place, told, report).await;
        self.deliver(held, Some(&id), invocation).await.map_or(Notified::Sent, Notified::Held)
    }

    /// Whether people were notified of a statement, or of a louder one. Where the ledger cannot say so, once too often is
    /// better than never.
    pub(crate) async fn was_notified(&self, place: &str, told: &Told) -> bool {
        match told.louder(self.clock.now()) {
            Some(louder) if self.ledger.was_told(place, &louder).await.unwrap_or(false) => true,
            Some(_) | None => self.ledger.was_told(place, told).await.unwrap_or(false),
        }
    }

    async fn remember(&self, place: &str, told: &Told, report: &str) {
        if let Err(error) = self.ledger.record_told(place, told, self.clock.now(), report).await {
            tracing::warn!(%error, "that people were notified of {place} is not on record: they may hear of it twice");
        }
    }

    /// Sends a message about a place, where there is one, and what was held back about it. Why something could not be sent.
    pub(crate) async fn notify(
        &self,
        place: &str,
        news: Option<(&str, &Message)>,
        invocation: &Invocation,
    ) -> Option<String> {
        let Some((id, message)) = news else {
            let held = self.held(place).await;
            return self.deliver(held, None, invocation).await;
        };
        let (failed, held) = futures::join!(self.send(place, id, message, invocation), self.held(place));
        match failed {
            Some(why) => Some(why),
            None => self.deliver(held, Some(id), invocation).await,
        }
    }

    /// Sends what could not be sent before, about every place, until time is nearly over. Why something could not be sent.
    pub async fn send_held(&self, invocation: &Invocation) -> Option<String> {
        match self.ledger.unsent(None).await {
            Ok(held) => self.deliver(held, None, invocation).await,
            Err(error) => Some(format!("messages that wait to be sent could not be read: {error}")),
        }
    }

    /// An address that no instance is known for.
    pub async fn unresolved(
        &self,
        addressed: &Addressed,
        resolution: &mut Resolution,
        action: Action,
        invocation: &Invocation,
    ) {
        tracing::info!("asked: {}", resolution.verdict.summary);
        if action != Action::Contain {
            return;
        }
        let (_, _, id) = addressed.about();
        let told = Told {
            what: resolution.outcome.word().to_owned(),
            cause: Cause::NotThere,
            finding: id.to_owned(),
            about: vec![addressed.address.to_string()],
        };
        let place = format!("{}/{}/{}", addressed.account, addressed.region, addressed.address);
        let notified = self.notify_once(&place, &told, &message::unresolved(resolution), "", invocation).await;
        resolution.not_notified = notified.failure();
    }

    /// Messages about a place that could not be sent. Where they cannot be read, the scheduled verification sends them.
    async fn held(&self, place: &str) -> Vec<Unsent> {
        self.ledger.unsent(Some(place)).await.unwrap_or_else(|error| {
            tracing::warn!(%error, "whether messages about {place} wait to be sent could not be read");
            Vec::new()
        })
    }

    /// Sends what was held back. `sent` is the id of one that has just been sent anew.
    async fn deliver(&self, held: Vec<Unsent>, sent: Option<&str>, invocation: &Invocation) -> Option<String> {
        let mut failed = None;
        for unsent in held {
            let done = if sent == Some(unsent.id.as_str()) {
                Ok(())
            } else if self.left(invocation) < LAST_CALL / 2 {
                Err("the invocation's time is nearly over".to_owned())
            } else {
                self.publish(&unsent.message.late(unsent.at), invocation).await.map_err(|error| error.to_string())
            };
            match done {
                Ok(()) => {
                    if let Err(error) = self.ledger.forget_unsent(&unsent.place, &unsent.id).await {
                        tracing::warn!(%error, "{} was sent, and is sent again", unsent.message.subject);
                    }
                }
                Err(why) => failed = Some(why),
            }
        }
        failed
    }

    /// Sends a message; what cannot be sent is kept.
    async fn send(&self, place: &str, id: &str, message: &Message, invocation: &Invocation) -> Option<String> {
        let error = self.publish(message, invocation).await.err()?;
        tracing::error!(%error, "people could NOT be notified about {place}: {}", message.subject);
        let unsent = Unsent {
            place: place.to_owned(),
            id: id.to_owned(),
            at: self.clock.now(),
            why: error.to_string(),
            message: message.clone(),
        };
        Some(match self.ledger.keep_unsent(&unsent).await {
            Ok(()) => error.to_string(),
            Err(kept) => format!("{error}; nor is the message on record: {kept}"),
        })
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
}
