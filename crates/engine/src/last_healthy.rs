//! The target groups of which an instance is the last healthy target. Looked up at the same time as the
//! first look and the claim, so that the cut waits for it only where its answer is late, and then not for long.

use std::{future::Future, time::Duration};

use brig_core::{
    plan::fleet,
    policy::{self, Decided},
    survey::{Instance, Registration},
};
use futures::future::{BoxFuture, Either, MaybeDone, join_all, select};

use crate::{
    contain::{Engine, Scene},
    ports::{Answer, Cloud, TargetGroup},
};

/// More target groups than this in the instance's VPCs are not looked at before the cut: DescribeTargetHealth takes one
/// group a call, from a bucket of 40 that ten calls a second refill.
const MOST_GROUPS: usize = 20;

/// The listing of target groups, begun before it is known whether anybody needs it; none where nobody can.
pub(crate) type Groups<'a> = MaybeDone<BoxFuture<'a, Option<Answer<Vec<TargetGroup>>>>>;

/// What was seen of it.
pub(crate) enum LastHealthy {
    /// The target groups (ARNs) of which it is the last healthy target.
    Last(Vec<String>),
    /// Why that could not be seen.
    Unseen(String),
}

impl LastHealthy {
    /// The decision, given what stands and falls with the instance. What could not be seen holds nothing up.
    pub(crate) fn weigh(self, decided: Decided) -> Decided {
        match self {
            Self::Last(groups) if groups.is_empty() => decided,
            Self::Last(groups) => policy::last_healthy(&decided.reason, &groups),
            Self::Unseen(why) => {
                let reason = format!(
                    "{} (whether it is the last healthy target of a target group was not seen: {why})",
                    decided.reason
                );
                Decided { reason, ..decided }
            }
        }
    }
}

/// Looks at the target groups of the instance's VPCs.
pub(crate) async fn look(groups: &mut Groups<'_>, cloud: &dyn Cloud, instance: &Instance) -> LastHealthy {
    (&mut *groups).await;
    let listed = match std::pin::Pin::new(groups).take_output().flatten() {
        Some(Ok(listed)) => listed,
        Some(Err(error)) => return LastHealthy::Unseen(error.to_string()),
        None => return LastHealthy::Unseen("target groups were not listed".to_owned()),
    };
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
        let targets = cloud.describe_target_health(&group.arn).await;
        targets.map(|targets| Registration { group: group.arn, vpc: group.vpc, targets })
    });
    let mut last = Vec::new();
    let mut unseen = None;
    for health in join_all(healths).await {
        match health {
            Ok(registration) if fleet::leaves_none_healthy(&registration, instance) => last.push(registration.group),
            Ok(_) => {}
            Err(error) => unseen = Some(error.to_string()),
        }
    }
    match unseen {
        Some(why) if last.is_empty() => LastHealthy::Unseen(why),
        _ => LastHealthy::Last(last),
    }
}

impl Engine {
    /// The same, within a time.
    pub(crate) async fn standing(&self, scene: &Scene, groups: &mut Groups<'_>, most: Duration) -> LastHealthy {
        let look = std::pin::pin!(look(groups, scene.lanes.fleet.as_ref(), &scene.look.instance));
        self.soon(look, most).await
    }

    /// Waits for it, but not for long.
    pub(crate) async fn soon(&self, look: impl Future<Output = LastHealthy> + Unpin, most: Duration) -> LastHealthy {
        match select(look, self.clock.sleep(most)).await {
            Either::Left((standing, _)) => standing,
            Either::Right(((), _)) => LastHealthy::Unseen("there was no time".to_owned()),
        }
    }
}
