//! What people must know of an event beyond its containments: one message an event, repeated by no retry once it was
//! published, and left over where it, or its copy for the chat channel, could not be.

use brig_core::report::message::Unhandled;

use crate::{
    engine::{Engine, Invocation},
    notify::Notified,
    ports::{CloudError, ErrorKind, PortResult},
};

impl Engine {
    /// Notifies people. An error means that somebody was not notified: the event must come again.
    pub async fn announce(&self, said: &Unhandled<'_>, invocation: &Invocation) -> PortResult<()> {
        if said.is_empty() {
            return Ok(());
        }
        let record = said.record();
        let place = format!("event/{}", record.event);
        match self.ledger.was_announced(&record).await {
            Ok(true) => return unheard(self.notify(&place, None, invocation).await),
            Ok(false) => {}
            // Twice is better than never.
            Err(error) => tracing::warn!(%error, "whether people were notified of {} is unknown", record.event),
        }
        let message = said.message();
        let notified = self.notify(&place, Some((record.digest.as_str(), &message)), invocation).await;
        if !notified.is_known() {
            return unheard(notified);
        }
        tracing::info!("notified: {}", message.subject);
        if let Err(error) = self.ledger.record_announced(&record, self.clock.now(), &message.subject).await {
            tracing::warn!(%error, "a retry of {} will notify people again", record.event);
        }
        unheard(notified)
    }
}

fn unheard(notified: Notified) -> PortResult<()> {
    let Some(unheard) = notified.failure() else { return Ok(()) };
    Err(CloudError {
        operation: "Publish",
        kind: ErrorKind::Transient,
        code: "NotNotified".to_owned(),
        message: unheard.to_string(),
    })
}
