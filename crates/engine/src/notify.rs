//! Nobody notified is not done. A statement is sent once; what could not be sent, for whatever reason, is kept on record as
//! it was composed, is left over, and is sent by the event's next delivery or by the next scheduled verification.
//!
//! A statement for people goes to the chat channel at the same time. Where only the channel does not take it, people know
//! it: nothing is sent to them again for that, and nobody waits longer than [`CHAT`].

use std::time::Duration;

use brig_core::{
    ledger::{Cause, Channel, Statement, Unheard},
    report::{
        answer::Resolution,
        message::{self, Message},
        notices::Unsent,
    },
    trigger::Addressed,
};

use crate::{
    engine::{Engine, Invocation, LAST_CALL},
    ports::{CloudError, ErrorKind, Notifier, PortResult},
    tell::CLOSING,
};

/// How long a chat channel's topic may take: it is a second way, and what hangs there must not hold up the first.
const CHAT: Duration = Duration::from_secs(3);

/// What became of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notified {
    /// It was sent now.
    Sent,
    /// It had been sent before.
    Before,
    /// It could not be sent to people.
    Not(Unheard),
    /// People know it now; an earlier message about the same place, or this one to the chat channel, could not be sent.
    Held(Unheard),
    /// People had known it before, and something about the same place still could not be sent.
    HeldBefore(Unheard),
}

impl Notified {
    /// What could not be sent, where something could not.
    #[must_use]
    pub fn failure(self) -> Option<Unheard> {
        match self {
            Self::Sent | Self::Before => None,
            Self::Not(unheard) | Self::Held(unheard) | Self::HeldBefore(unheard) => Some(unheard),
        }
    }

    /// Whether people know the statement.
    #[must_use]
    pub fn is_known(&self) -> bool {
        match self {
            Self::Sent | Self::Before | Self::Held(_) | Self::HeldBefore(_) => true,
            Self::Not(_) => false,
        }
    }

    /// Whether people had known the statement before.
    #[must_use]
    pub fn was_known(&self) -> bool {
        match self {
            Self::Before | Self::HeldBefore(_) => true,
            Self::Sent | Self::Not(_) | Self::Held(_) => false,
        }
    }
}

impl Engine {
    /// Notifies people of a statement about a place (an instance's key, or another of that shape), once.
    pub async fn notify_once(
        &self,
        place: &str,
        told: &Statement,
        message: &Message,
        report: &str,
        invocation: &Invocation,
    ) -> Notified {
        let louder = told.louder(self.clock.now());
        let (known, held) = futures::join!(self.was_notified(place, told), self.held(place));
        if known {
            return self.deliver(held, &[], invocation).await.map_or(Notified::Before, Notified::HeldBefore);
        }
        let louder = louder.filter(|louder| held.iter().any(|held| held.id == louder.digest()));
        if let Some(louder) = louder {
            let failed = self.deliver(held, &[], invocation).await;
            if let Some(unheard) = failed.as_ref().filter(|unheard| unheard.channel == Channel::People) {
                return Notified::Not(unheard.clone());
            }
            self.remember(place, &louder, report).await;
            return failed.map_or(Notified::Sent, Notified::Held);
        }
        let id = told.digest();
        let (people, chat) = futures::join!(
            self.send(place, &id, message, invocation),
            self.send_to_chat(place, &id, message, &held, invocation)
        );
        if let Some(unheard) = people {
            return Notified::Not(unheard);
        }
        self.remember(place, told, report).await;
        self.settle_held(held, &id, chat, invocation).await
    }

    /// Once people have heard a statement: what else waits about its place is sent.
    async fn settle_held(&self, held: Vec<Unsent>, id: &str, chat: ToChat, invocation: &Invocation) -> Notified {
        let mut sent = vec![id.to_owned()];
        let failed = match chat {
            ToChat::Sent => {
                sent.push(Channel::Chat.id(id));
                None
            }
            ToChat::Waits => None,
            ToChat::Not(unheard) => Some(unheard),
        };
        // What has just failed is not tried again at once.
        let again = |unsent: &Unsent| failed.is_none() || unsent.channel == Channel::People;
        let held: Vec<Unsent> = held.into_iter().filter(again).collect();
        let before = self.deliver(held, &sent, invocation).await;
        before.or(failed).map_or(Notified::Sent, Notified::Held)
    }

    /// Whether people were notified of a statement, or of a louder one. Where the ledger cannot say so, once too often is
    /// better than never.
    pub(crate) async fn was_notified(&self, place: &str, told: &Statement) -> bool {
        match told.louder(self.clock.now()) {
            Some(louder) if self.ledger.was_told(place, &louder).await.unwrap_or(false) => true,
            Some(_) | None => self.ledger.was_told(place, told).await.unwrap_or(false),
        }
    }

    async fn remember(&self, place: &str, told: &Statement, report: &str) {
        if let Err(error) = self.ledger.record_told(place, told, self.clock.now(), report).await {
            tracing::warn!(%error, "it is not on record that people were notified of {place}: they may be notified twice");
        }
    }

    /// Sends a message about a place, where there is one, and what was held back about it.
    pub(crate) async fn notify(
        &self,
        place: &str,
        news: Option<(&str, &Message)>,
        invocation: &Invocation,
    ) -> Notified {
        let Some((id, message)) = news else {
            let held = self.held(place).await;
            let failed = self.deliver(held, &[], invocation).await;
            return failed.map_or(Notified::Before, |unheard| match unheard.channel {
                Channel::People => Notified::Not(unheard),
                Channel::Chat => Notified::HeldBefore(unheard),
            });
        };
        let beside = async {
            let held = self.held(place).await;
            let chat = self.send_to_chat(place, id, message, &held, invocation).await;
            (held, chat)
        };
        let (people, (held, chat)) = futures::join!(self.send(place, id, message, invocation), beside);
        match people {
            Some(unheard) => Notified::Not(unheard),
            None => self.settle_held(held, id, chat, invocation).await,
        }
    }

    /// Sends what could not be sent before, about every place, until time is nearly over. Why something could not be sent.
    pub async fn send_held(&self, invocation: &Invocation) -> Option<String> {
        match self.ledger.unsent(None).await {
            Ok(held) => self.deliver(held.unsent, &[], invocation).await.map(|unheard| unheard.to_string()),
            Err(error) => Some(format!("messages that wait to be sent could not be read: {error}")),
        }
    }

    /// An address that no instance is known for.
    pub async fn unresolved(&self, addressed: &Addressed, resolution: &mut Resolution, invocation: &Invocation) {
        let (_, _, id) = addressed.about();
        let told = Statement {
            what: resolution.outcome.word().to_owned(),
            cause: Cause::NotThere,
            finding: id.to_owned(),
            about: vec![addressed.address.to_string()],
        };
        let place = format!("{}/{}/{}", addressed.account, addressed.region, addressed.address);
        let notified = self.notify_once(&place, &told, &message::unresolved(resolution), "", invocation).await;
        resolution.not_notified = notified.failure().map(|unheard| unheard.to_string());
    }

    /// Messages about a place that could not be sent. Where they cannot be read, the scheduled verification sends them.
    async fn held(&self, place: &str) -> Vec<Unsent> {
        match self.ledger.unsent(Some(place)).await {
            Ok(held) => held.unsent,
            Err(error) => {
                tracing::warn!(%error, "whether messages about {place} wait to be sent could not be read");
                Vec::new()
            }
        }
    }

    /// Sends what was held back, to people first. `sent` has the ids of what has just been sent again. What could not be sent
    /// to people is said before what the chat channel did not take.
    async fn deliver(&self, mut held: Vec<Unsent>, sent: &[String], invocation: &Invocation) -> Option<Unheard> {
        held.sort_by_key(|unsent| unsent.channel);
        let mut failed: Option<Unheard> = None;
        for unsent in held {
            let done = if sent.contains(&unsent.id) {
                Ok(())
            } else if self.left(invocation) < LAST_CALL / 2 {
                Err("the invocation's time is nearly over".to_owned())
            } else {
                self.publish_by(unsent.channel, &unsent.late(), invocation).await.map_err(|error| error.to_string())
            };
            match done {
                Ok(()) => {
                    if let Err(error) = self.ledger.forget_unsent(&unsent.place, &unsent.id).await {
                        tracing::warn!(%error, "{} was sent, and is sent again", unsent.message.subject);
                    }
                }
                Err(why) => {
                    let first = failed.as_ref().is_none_or(|failed| failed.channel == unsent.channel);
                    if first {
                        failed = Some(Unheard { channel: unsent.channel, why });
                    }
                    // Each of many would wait as long for a channel that hangs.
                    if unsent.channel == Channel::Chat {
                        break;
                    }
                }
            }
        }
        failed
    }

    /// Sends a message to people; what cannot be sent is kept.
    async fn send(&self, place: &str, id: &str, message: &Message, invocation: &Invocation) -> Option<Unheard> {
        let error = self.publish(message, invocation).await.err()?;
        tracing::error!(%error, "people could NOT be notified about {place}: {}", message.subject);
        Some(self.keep(Channel::People, place, id, message.clone(), &error).await)
    }

    /// Sends a message to the chat channel, unless it waits already: then it is sent with what is held.
    async fn send_to_chat(
        &self,
        place: &str,
        id: &str,
        message: &Message,
        held: &[Unsent],
        invocation: &Invocation,
    ) -> ToChat {
        let Some(message) = message.for_chat().filter(|_| self.chat.is_some()) else { return ToChat::Waits };
        // Either waits where the statement was made before: the other one has been sent.
        let again = held.iter().any(|held| held.id == id || held.id == Channel::Chat.id(id));
        if again {
            return ToChat::Waits;
        }
        let Err(error) = self.publish_by(Channel::Chat, &message, invocation).await else { return ToChat::Sent };
        tracing::error!(%error, "the chat channel could NOT be notified about {place}: {}", message.subject);
        ToChat::Not(self.keep(Channel::Chat, place, id, message, &error).await)
    }

    async fn keep(&self, channel: Channel, place: &str, id: &str, message: Message, error: &CloudError) -> Unheard {
        let unsent = Unsent {
            place: place.to_owned(),
            channel,
            id: channel.id(id),
            at: self.clock.now(),
            why: error.to_string(),
            message,
        };
        let why = match self.ledger.keep_unsent(&unsent).await {
            Ok(()) => error.to_string(),
            Err(kept) => format!("{error}; nor is the message on record: {kept}"),
        };
        Unheard { channel, why }
    }

    /// Publishes to people, and gives up in time for the ledger to say so.
    pub(crate) async fn publish(&self, message: &Message, invocation: &Invocation) -> PortResult<()> {
        self.publish_by(Channel::People, message, invocation).await
    }

    /// Publishes by one way. A channel that the settings no longer have takes everything: nobody would read it there.
    pub(crate) async fn publish_by(
        &self,
        channel: Channel,
        message: &Message,
        invocation: &Invocation,
    ) -> PortResult<()> {
        let most = self.left(invocation).saturating_sub(CLOSING);
        let (notifier, most, over): (&dyn Notifier, _, _) = match (channel, &self.chat) {
            (Channel::People, _) => (self.notifier.as_ref(), most, "the invocation's time is nearly over"),
            (Channel::Chat, Some(chat)) => (chat.as_ref(), most.min(CHAT), "the topic did not answer in time"),
            (Channel::Chat, None) => return Ok(()),
        };
        let timer = self.clock.sleep(most);
        match futures::future::select(notifier.publish(message), timer).await {
            futures::future::Either::Left((answer, _)) => answer,
            futures::future::Either::Right(((), _)) => Err(CloudError {
                operation: "Publish",
                kind: ErrorKind::Transient,
                code: "OutOfTime".to_owned(),
                message: over.to_owned(),
            }),
        }
    }
}

/// What became of a message for the chat channel.
enum ToChat {
    /// It was sent now.
    Sent,
    /// There is none to send now: no channel, or the ledger has it.
    Waits,
    /// It could not be sent.
    Not(Unheard),
}
