//! The fleet lane's effects. Plans come from `brig_core::plan::fleet`. Leaving the Auto Scaling group does not wait for
//! the search through the load balancers for longer than a second.

use std::{collections::BTreeSet, future::Future, time::Duration};

use brig_core::{
    ledger::StepRecord,
    plan::fleet,
    step::{Failure, Lane, Outcome, Step},
    survey::{FleetLook, Gap, Instance, Registration, Target},
};
use futures::{
    FutureExt, StreamExt,
    channel::oneshot,
    future::{ready, select},
    stream,
};

use crate::{
    ports::{Cloud, ErrorKind},
    work::{LaneReport, Work, failed, gap, merge},
};

/// So many target groups are searched a second time, after the instance was taken out.
const SEARCHED_TWICE: usize = 20;
/// DescribeTargetHealth calls at once: all of ELBv2's reads share a bucket of 40, refilled by 10 a second.
const HEALTH_AT_ONCE: usize = 8;
/// How long one attempt waits for a state that can be detached.
const WAIT: Duration = Duration::from_secs(5);
/// How long leaving the Auto Scaling group waits for the record of the targets that its group would drain. A health check
/// that fails takes longer to end the instance.
const SEARCH_FIRST: Duration = Duration::from_secs(1);
/// Kept of the time that is left when target groups are searched: what was found must still be deregistered.
const AFTER_SEARCH: Duration = Duration::from_secs(10);

pub(crate) async fn run(work: &Work<'_>, cloud: &dyn Cloud) -> LaneReport {
    // Detached, it is drained by its group at once: its targets are put on record first, unless that takes long.
    let (recorded, on_record) = oneshot::channel();
    let held = select(on_record, work.clock.sleep(SEARCH_FIRST)).map(|_| ());
    let membership = part(work, cloud, async |instance| look_membership(cloud, instance).await, held, || {});
    let search = work.left().saturating_sub(AFTER_SEARCH);
    let balancers = part(
        work,
        cloud,
        async |instance| look_balancers(cloud, instance, work.clock.sleep(search)).await,
        ready(()),
        move || {
            let _ = recorded.send(());
        },
    );
    let ((mut report, group), (other, balanced)) = futures::join!(membership, balancers);
    merge(&mut report.done, other.done);
    for note in other.notes {
        report.note(note);
    }
    let after = FleetLook {
        membership: group.membership,
        gaps: group.gaps.into_iter().chain(balanced.gaps).collect(),
        ..balanced
    };
    report.look_again |= other.look_again || after.gaps.iter().any(|gap| gap.retryable);
    report.facts = fleet::facts(&after, &work.instance);
    if report.done.iter().all(|done| !matches!(done.outcome, Outcome::Failed(_) | Outcome::Skipped(_))) {
        report.look_again |= brig_core::verdict::not_yet_visible(&mut report.facts);
    }
    let complete = after.gaps.is_empty();
    work.recap(Lane::Fleet, &mut report, complete);
    report
}

/// Looks, plans, runs and looks again at one half of the lane.
async fn part(
    work: &Work<'_>,
    cloud: &dyn Cloud,
    look: impl AsyncFn(&Instance) -> FleetLook,
    held: impl Future<Output = ()>,
    on_record: impl FnOnce(),
) -> (LaneReport, FleetLook) {
    let mut report = LaneReport::default();
    let seen = look(&work.instance).await;
    let plan = fleet::plan(&seen, &work.instance, &groups_of(&work.recorded(Lane::Fleet)));
    for note in &plan.notes {
        report.note(note.clone());
    }
    if plan.todo().next().is_none() {
        on_record();
        report.done = work.run(&plan, |step| effect(work, cloud, step)).await;
        report.look_again = !work.finish(&report.done).await;
        return (report, seen);
    }
    let intent = work.intend(&plan).await;
    on_record();
    held.await;
    let done = work.run_if(&intent, &plan, |step| effect(work, cloud, step)).await;
    let (recorded, after) = futures::join!(work.finish(&done), read_back(work, cloud, &seen));
    report.look_again = !recorded;
    report.done = done;
    (report, after)
}

/// Target groups whose targets are on record: what drains there is leaving because of this containment.
pub(crate) fn groups_of(records: &[StepRecord]) -> BTreeSet<String> {
    let group = |record: &StepRecord| {
        let Step::DeregisterTargets { group, .. } = &record.step else { return None };
        Some(group.clone())
    };
    records.iter().filter_map(group).collect()
}

/// Everything, for a plan without effects.
pub(crate) async fn look(cloud: &dyn Cloud, instance: &Instance, time: impl Future<Output = ()>) -> FleetLook {
    let (group, balanced) = futures::join!(look_membership(cloud, instance), look_balancers(cloud, instance, time));
    FleetLook { membership: group.membership, gaps: group.gaps.into_iter().chain(balanced.gaps).collect(), ..balanced }
}

async fn look_membership(cloud: &dyn Cloud, instance: &Instance) -> FleetLook {
    let mut seen = FleetLook::default();
    match cloud.describe_auto_scaling_instance(&instance.id).await {
        Ok(membership) => seen.membership = membership,
        Err(error) => seen.gaps.push(gap("membership of an Auto Scaling group", &error)),
    }
    seen
}

/// Searches until `time` is over; how many groups were not looked at then is a gap.
async fn look_balancers(cloud: &dyn Cloud, instance: &Instance, time: impl Future<Output = ()>) -> FleetLook {
    let mut seen = FleetLook::default();
    let (groups, classic) =
        futures::join!(cloud.describe_target_groups(), cloud.describe_classic_balancers_of(&instance.id));
    match classic {
        Ok(classic) => seen.classic = classic,
        Err(error) => seen.gaps.push(gap("classic load balancers", &error)),
    }
    let groups = match groups {
        Ok(groups) => groups,
        Err(error) => {
            seen.gaps.push(gap("target groups", &error));
            return seen;
        }
    };
    // A group without a VPC (Lambda), or of load balancers, cannot hold an instance. Address groups of other VPCs are
    // looked at too: what is found there is told, not touched.
    let candidates: Vec<_> =
        groups.into_iter().filter(|group| matches!(group.kind.as_str(), "instance" | "ip")).collect();
    let all = candidates.len();
    seen.searched = all;
    let healths: Vec<_> = stream::iter(candidates)
        .map(|group| async move {
            let health = match cloud.describe_target_health(&group.arn).await {
                // Deleted since it was listed, if AWS says so twice.
                Err(error) if error.kind == ErrorKind::NotFound => cloud.describe_target_health(&group.arn).await,
                health => health,
            };
            (group, health)
        })
        .buffered(HEALTH_AT_ONCE)
        .take_until(Box::pin(time))
        .collect()
        .await;
    if healths.len() < all {
        seen.gaps.push(Gap {
            what: format!("{} of {all} target groups", all - healths.len()),
            error: "no time was left to look at them".to_owned(),
            retryable: true,
        });
    }
    for (group, health) in healths {
        match health {
            Ok(targets) => {
                let targets = ours(targets, instance);
                if !targets.is_empty() {
                    seen.registrations.push(Registration { group: group.arn, vpc: group.vpc, targets });
                }
            }
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) => seen.gaps.push(gap(format!("the targets of {}", group.arn), &error)),
        }
    }
    seen
}

/// Looks again: at everything where that is cheap, so that a registration which came meanwhile is seen; else at what the
/// first look found, since a second search would cost hundreds of calls. `verify` searches again later.
async fn read_back(work: &Work<'_>, cloud: &dyn Cloud, before: &FleetLook) -> FleetLook {
    let mut pauses = [200, 400, 800].into_iter();
    loop {
        let mut seen = FleetLook::default();
        if before.membership.is_some() {
            let now = look_membership(cloud, &work.instance).await;
            seen.membership = now.membership;
            seen.gaps.extend(now.gaps);
        }
        if (1..=SEARCHED_TWICE).contains(&before.searched) {
            let again = look_balancers(cloud, &work.instance, work.clock.sleep(work.left())).await;
            let gaps = seen.gaps.into_iter().chain(again.gaps).collect();
            seen = FleetLook { membership: seen.membership, gaps, ..again };
        } else if !before.classic.is_empty() {
            match cloud.describe_classic_balancers_of(work.id()).await {
                Ok(classic) => seen.classic = classic,
                Err(error) => seen.gaps.push(gap("classic load balancers", &error)),
            }
        }
        if seen.searched == 0 {
            seen.gaps.extend(before.gaps.iter().cloned());
        }
        let known = if seen.searched > 0 { &[][..] } else { &before.registrations };
        let healths: Vec<_> = stream::iter(known)
            .map(|old| async move { (old, cloud.describe_target_health(&old.group).await) })
            .buffered(HEALTH_AT_ONCE)
            .collect()
            .await;
        for (old, health) in healths {
            match health {
                Ok(targets) => {
                    let targets = ours(targets, &work.instance);
                    seen.registrations.push(Registration { targets, ..old.clone() });
                }
                Err(error) if error.kind == ErrorKind::NotFound => {}
                Err(error) => seen.gaps.push(gap(format!("the targets of {}", old.group), &error)),
            }
        }
        let settled =
            fleet::facts(&seen, &work.instance).iter().all(|fact| fact.truth != brig_core::verdict::Truth::No);
        match pauses.next() {
            Some(pause) if !settled && work.left().as_secs() > 5 => {
                work.clock.sleep(Duration::from_millis(pause)).await;
            }
            _ => return seen,
        }
    }
}

/// Targets that carry the instance's id, or an address that one of its interfaces has in whichever VPC.
fn ours(targets: Vec<Target>, instance: &Instance) -> Vec<Target> {
    targets.into_iter().filter(|target| fleet::may_be(target, instance)).collect()
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a lane runs the steps of its own plan only")]
async fn effect(work: &Work<'_>, cloud: &dyn Cloud, step: Step) -> Outcome {
    match &step {
        Step::DetachInstances { group, was, .. } => detach(work, cloud, group, was).await,
        Step::DeregisterTargets { group, was } => match cloud.deregister_targets(group, was).await {
            Ok(()) => {
                let shown: Vec<String> = was
                    .iter()
                    .map(|target| target.port.map_or_else(|| target.id.clone(), |port| format!("{}:{port}", target.id)))
                    .collect();
                Outcome::Changed(format!("was {}", shown.join(", ")))
            }
            Err(error) if error.kind == ErrorKind::NotFound => Outcome::Missing("the target group is gone".to_owned()),
            Err(error) => failed(&error),
        },
        Step::DeregisterInstancesFromLoadBalancer { balancer } => {
            match cloud.deregister_from_classic_balancer(balancer, work.id()).await {
                Ok(()) => Outcome::Changed(String::new()),
                Err(error) if error.kind == ErrorKind::NotFound => Outcome::Missing("the balancer is gone".to_owned()),
                Err(error) => failed(&error),
            }
        }
        _ => Outcome::Skipped("no step of the fleet lane".to_owned()),
    }
}

/// States on the way to InService or Standby are waited for, a few seconds in one attempt: other lanes and the first
/// message must not wait for a lifecycle hook.
async fn detach(work: &Work<'_>, cloud: &dyn Cloud, group: &str, was: &str) -> Outcome {
    let mut state = was.to_owned();
    let until = work.clock.now().after(WAIT);
    loop {
        if matches!(state.as_str(), "InService" | "Standby") {
            match cloud.detach_instance(group, work.id()).await {
                Ok(()) => {
                    return Outcome::Changed(format!(
                        "was {was}; the group keeps its capacity and launches a replacement"
                    ));
                }
                // It was there at the look: an earlier try whose answer was lost took it out.
                Err(error) if error.kind == ErrorKind::NotFound => {
                    return Outcome::Changed(format!("was {was}; in the group no more when asked again"));
                }
                // The state moved between look and call; the next look says where to.
                Err(error) if error.kind == ErrorKind::Conflict && work.left() > Duration::from_secs(3) => {}
                Err(error) => return failed(&error),
            }
        }
        if work.clock.now() >= until || work.left() < Duration::from_secs(12) {
            return Outcome::Failed(Failure {
                error: format!("{state} is a state that AWS does not detach from; it is tried again"),
                retryable: true,
            });
        }
        work.clock.sleep(Duration::from_secs(1)).await;
        match cloud.describe_auto_scaling_instance(work.id()).await {
            Ok(None) => return Outcome::Missing("it is in no Auto Scaling group any more".to_owned()),
            Ok(Some(now)) if now.state.starts_with("Terminat") => {
                return Outcome::Skipped(format!("{}: its group is terminating it", now.state));
            }
            Ok(Some(now)) if now.state.starts_with("Detach") => return Outcome::AlreadyDone(now.state),
            Ok(Some(now)) => state = now.state,
            Err(error) if error.is_retryable() => {}
            Err(error) => return failed(&error),
        }
    }
}
