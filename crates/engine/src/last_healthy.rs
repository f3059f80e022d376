//! The target groups of which an instance is the last healthy target. Looked up at the same time as the
//! first look and the claim, so that the cut waits for it only where its answer is late, and then not for long.

use std::{future::Future, pin::pin, sync::Arc, time::Duration};

use brig_core::{
    decide::{self, Decided},
    lanes::fleet,
    model::{Instance, Registration},
};
use futures::{
    FutureExt,
    future::{BoxFuture, Either, MaybeDone, join_all, maybe_done, select},
};

use crate::{
    engine::Lanes,
    ports::{Clock, Cloud, PortResult, TargetGroup},
};

/// More target groups than this in the instance's VPCs are not looked at before the cut: DescribeTargetHealth takes one
/// group a call, from a bucket of 40 that ten calls a second refill.
const MOST_GROUPS: usize = 20;

/// What was seen of it.
pub(crate) enum LastHealthy {
    /// The target groups (ARNs) of which it is the last healthy target.
    Last(Vec<String>),
    /// Why that could not be seen.
    Unseen(String),
}

impl LastHealthy {
    /// The decision, given which services depend on the instance. What could not be seen holds nothing up.
    pub(crate) fn weigh(self, decided: Decided) -> Decided {
        match self {
            Self::Last(groups) if groups.is_empty() => decided,
            Self::Last(groups) => decide::last_healthy(&decided.reason, &groups),
            Self::Unseen(why) => {
                let reason = format!(
                    "{} (whether it is the last healthy target of a target group was not seen: {why})",
                    decided.reason
                );
                Decided { reason: reason.into(), ..decided }
            }
        }
    }
}

/// The check, from its listing of target groups on, which begins before it is known whether anybody needs it.
pub(crate) struct LastHealthyCheck {
    listing: MaybeDone<BoxFuture<'static, PortResult<Vec<TargetGroup>>>>,
    fleet: Arc<dyn Cloud>,
}

impl LastHealthyCheck {
    /// It makes its first call once something runs next to it.
    pub(crate) fn begin(lanes: &Lanes) -> Self {
        let (groups, lister) = (Arc::clone(&lanes.target_groups), Arc::clone(&lanes.fleet));
        let listing = async move { groups.list(lister.as_ref()).await };
        Self { listing: maybe_done(listing.boxed()), fleet: Arc::clone(&lanes.fleet) }
    }

    /// Lists target groups while `work` runs, which it does not hold up.
    pub(crate) async fn during<T>(&mut self, work: impl Future<Output = T>) -> T {
        match select(pin!(work), &mut self.listing).await {
            Either::Left((done, _)) => done,
            Either::Right(((), work)) => work.await,
        }
    }

    /// Goes on while `work` runs, and for `grace` after it.
    ///
    /// ```text
    /// work    |--- look ---|------ claim ------|
    /// check   |-- list target groups --|-- health of each --|
    ///                                          |<-- grace ->| then: not seen
    /// ```
    pub(crate) async fn during_and_after<T>(
        self,
        work: impl Future<Output = T>,
        grace: Duration,
        instance: &Instance,
        clock: &dyn Clock,
    ) -> (T, LastHealthy) {
        match select(pin!(work), pin!(self.look(instance))).await {
            Either::Left((done, look)) => (done, soon(look, grace, clock).await),
            Either::Right((seen, work)) => (work.await, seen),
        }
    }

    /// Ends the check within a time.
    pub(crate) async fn within(self, most: Duration, instance: &Instance, clock: &dyn Clock) -> LastHealthy {
        soon(pin!(self.look(instance)), most, clock).await
    }

    /// Looks at the target groups of the instance's VPCs.
    async fn look(self, instance: &Instance) -> LastHealthy {
        let Self { mut listing, fleet } = self;
        (&mut listing).await;
        let listed = match std::pin::Pin::new(&mut listing).take_output() {
            Some(Ok(listed)) => listed,
            Some(Err(error)) => return LastHealthy::Unseen(error.to_string()),
            None => return LastHealthy::Unseen("target groups were not listed".to_owned()),
        };
        let fleet = fleet.as_ref();
        let near = |group: &TargetGroup| {
            matches!(group.kind.as_str(), "instance" | "ip")
                && instance.interfaces.iter().any(|interface| Some(&interface.vpc) == group.vpc.as_ref())
        };
        let near: Vec<TargetGroup> = listed.into_iter().filter(near).collect();
        if near.len() > MOST_GROUPS {
            return LastHealthy::Unseen(format!(
                "its VPCs have {} target groups, too many to look at before the cut",
                near.len()
            ));
        }
        let healths = near.into_iter().map(|group| async move {
            let targets = fleet.describe_target_health(&group.arn).await;
            targets.map(|targets| Registration { group: group.arn, vpc: group.vpc, targets })
        });
        let mut last = Vec::new();
        let mut unseen = None;
        for health in join_all(healths).await {
            match health {
                Ok(registration) if fleet::leaves_none_healthy(&registration, instance) => {
                    last.push(registration.group);
                }
                Ok(_) => {}
                Err(error) => unseen = Some(error.to_string()),
            }
        }
        match unseen {
            Some(why) if last.is_empty() => LastHealthy::Unseen(why),
            _ => LastHealthy::Last(last),
        }
    }
}

async fn soon(look: impl Future<Output = LastHealthy> + Unpin, most: Duration, clock: &dyn Clock) -> LastHealthy {
    match select(look, clock.sleep(most)).await {
        Either::Left((seen, _)) => seen,
        Either::Right(((), _)) => LastHealthy::Unseen("there was no time".to_owned()),
    }
}
