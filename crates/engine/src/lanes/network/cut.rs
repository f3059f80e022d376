//! Effects on interfaces: isolate, and untrack with its way back.

use std::{collections::BTreeSet, time::Duration};

use brig_core::{
    model::ids::{EniId, GroupId},
    step::{Failure, GroupRef, Mark, Outcome, Untrack},
};

use super::{NetworkLane, lock};
use crate::{
    ports::{ErrorKind, PortResult},
    work::{failed, failed_for_now},
};

/// Time that must remain in addition to the window before an interface is opened: enough to isolate it again through retries.
const SPARE: Duration = Duration::from_secs(15);
/// The longest that one call may take while an interface is open or about to be: shorter than the SDK's own retries.
const CALL: Duration = Duration::from_secs(3);

impl NetworkLane<'_> {
    pub(crate) async fn isolate(&self, eni: &EniId, isolation: &GroupRef, was: Option<&[GroupId]>) -> Outcome {
        let group = match self.resolve(isolation) {
            Ok(group) => group,
            Err(outcome) => return outcome,
        };
        match self.set_group(eni, &group).await {
            Ok(()) => Outcome::Changed(match was {
                Some(was) => format!("was {}", was.iter().map(GroupId::as_str).collect::<Vec<_>>().join(", ")).into(),
                None => "the groups it had before are not known".into(),
            }),
            Err(error) if error.kind == ErrorKind::NotFound && error.code.contains("NetworkInterface") => {
                Outcome::Missing("the interface is gone".into())
            }
            // A group that was seen or made a moment ago: AWS finds it soon.
            Err(error) if error.kind == ErrorKind::NotFound => failed_for_now(&error),
            Err(error) => failed(&error),
        }
    }

    /// A group that was made a moment ago may not be found yet; an interface that is gone is gone.
    async fn set_group(&self, eni: &EniId, group: &GroupId) -> PortResult<()> {
        let groups = [group.clone()];
        let mut pause = Duration::from_millis(100);
        loop {
            match self.cloud.modify_network_interface_groups(eni, &groups).await {
                Err(error)
                    if error.kind == ErrorKind::NotFound
                        && error.code.contains("Group")
                        && pause < Duration::from_secs(2) =>
                {
                    self.work.clock.sleep(pause).await;
                    pause *= 2;
                }
                answer => return answer,
            }
        }
    }

    pub(crate) async fn untrack(&self, step: &Untrack, closed: &BTreeSet<EniId>) -> Outcome {
        let Untrack { eni, untrack, isolation, seconds } = step;
        if !closed.contains(eni) {
            return Outcome::Skipped("its isolation did not succeed: it is not opened".into());
        }
        let window = Duration::from_secs(u64::from(*seconds));
        if self.work.left() < window + SPARE {
            return Outcome::Skipped(format!("no time: the window and {} s must be left", SPARE.as_secs()).into());
        }
        let (open, isolated) = match (self.resolve_fit(untrack), self.resolve(isolation)) {
            (Ok(open), Ok(isolated)) => (open, isolated),
            (Err(why), _) => {
                return Outcome::Skipped(format!("{why}; connections that were tracked may continue").into());
            }
            (_, Err(outcome)) => return outcome,
        };
        let before = self.work.clock.now();
        // One short try: it is worth less than the certainty of closing again in time.
        let opened = self.work.at_most(CALL, "ModifyNetworkInterfaceAttribute", self.open(eni, &open)).await;
        let since = self.work.clock.now();
        if let Err(error) = &opened
            && matches!(error.kind, ErrorKind::Denied(_) | ErrorKind::NotFound)
        {
            return Outcome::Skipped(format!("not opened: {error}; connections that were tracked may continue").into());
        }
        if opened.is_ok() {
            self.work.clock.sleep(window).await;
        }
        // An answer that was lost may have opened it all the same.
        let closing = self.close_again(eni, &isolated).await;
        let open_for = self.work.clock.now().since(since);
        match (closing, opened) {
            (Ok(()), Ok(())) => {
                lock(&self.windows).push(open_for);
                Outcome::Changed(format!("open for {} ms, then isolated again", open_for.as_millis()).into())
            }
            (Ok(()), Err(error)) => {
                Outcome::Skipped(format!("it may not have been opened: {error}; isolated again").into())
                    .marked(Mark::MayHaveOpened)
            }
            (Err(error), _) => Outcome::Failed(Failure::passing(format!("OPEN TO THE WORLD since {before}: {error}"))),
        }
    }

    async fn open(&self, eni: &EniId, group: &GroupId) -> PortResult<()> {
        self.cloud.modify_network_interface_groups(eni, std::slice::from_ref(group)).await
    }

    /// Nothing matters more than this call: every error but a vanished interface is tried again until time is over.
    async fn close_again(&self, eni: &EniId, group: &GroupId) -> PortResult<()> {
        let mut pause = Duration::from_millis(100);
        loop {
            // Ends a moment before the step's own bound, so that what is reported is that it is open.
            let most = CALL.min(self.work.left().saturating_sub(Duration::from_millis(300)));
            let call = self.cloud.modify_network_interface_groups(eni, std::slice::from_ref(group));
            match self.work.at_most(most, "ModifyNetworkInterfaceAttribute", call).await {
                Ok(()) => return Ok(()),
                Err(error) if error.kind == ErrorKind::NotFound && error.code.contains("NetworkInterface") => {
                    return Ok(());
                }
                Err(error) if self.work.left() <= pause + Duration::from_millis(500) => return Err(error),
                Err(_) => self.work.clock.sleep(pause).await,
            }
            pause = (pause * 2).min(Duration::from_secs(2));
        }
    }
}
