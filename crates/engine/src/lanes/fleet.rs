//! The fleet lane's effects. Plans come from `brig_core::lanes::fleet`. Leaving the Auto Scaling group waits for the targets
//! in the group's own target groups, which it would drain, and for no other.

use std::{collections::BTreeSet, future::Future, pin::pin, time::Duration};

use brig_core::{
    lanes::fleet::{self},
    ledger::StepRecord,
    model::{
        FleetLook, Instance, Registration, ScalingGroup, Target,
        gap::{Gap, Subject},
    },
    report::fact,
    step::{DeregisterTargets, Lane, Outcome, Step},
};
use futures::{
    StreamExt,
    channel::oneshot,
    future::{Either, pending, ready, select},
    stream,
};

use crate::{
    effects::{self, Room},
    engine::Lanes,
    ports::{Clock, ErrorKind, FleetPorts, LoadBalancers, PortResult, TargetGroup},
    stable::{self, PAUSES, Shown},
    target_groups::TargetGroups,
    work::{LaneReport, Searched, Work, gap, merge},
};

/// So many target groups are searched a second time, after the instance was taken out.
const SEARCHED_TWICE: usize = 20;
/// DescribeTargetHealth calls at once: all of ELBv2's reads share a bucket of 40, refilled by 10 a second.
const HEALTH_AT_ONCE: usize = 8;
/// How long leaving the Auto Scaling group waits for the targets that its group would drain. The fastest health check of a
/// load balancer takes twice as long to fail
/// (<https://docs.aws.amazon.com/elasticloadbalancing/latest/application/target-group-health-checks.html>).
const OWN_FIRST: Duration = Duration::from_secs(5);
/// Kept of the time that is left when target groups are searched: what was found must still be deregistered.
const AFTER_SEARCH: Duration = Duration::from_secs(10);
/// Near the end it still takes so long: a few groups are looked at in that time.
const LEAST_SEARCH: Duration = Duration::from_secs(2);
/// A search takes no longer at once: what it found is acted on, people are notified, other lanes try again. Then it goes on.
const AT_ONCE: Duration = Duration::from_secs(10);

pub(crate) async fn run(work: &Work<'_>, cloud: &dyn FleetPorts, groups: &TargetGroups) -> LaneReport {
    // Detached, it is drained by its group at once: those targets are put on record in the same intent.
    let least = (work.left() / 2).min(LEAST_SEARCH);
    let search = work.left().saturating_sub(AFTER_SEARCH).clamp(least, AT_ONCE);
    let (group, balancers) = halves(work.clock, cloud, groups.list(cloud), &work.instance, search, &work.searched);
    let (membership, balancers) = (part(work, cloud, group), part(work, cloud, balancers));
    let ((mut report, group), (other, balanced)) = futures::join!(membership, balancers);
    merge(&mut report.done, other.done);
    for note in other.notes {
        report.note(note);
    }
    let after = joined(group, balanced);
    report.look_again |= other.look_again || after.gaps.iter().any(|gap| gap.retryable);
    report.facts = fact::fleet::facts(&after, &work.instance);
    if report.done.iter().all(|done| !matches!(done.outcome, Outcome::Failed(_) | Outcome::Skipped(_))) {
        report.look_again |= brig_core::report::fact::not_yet_visible(&mut report.facts);
    }
    let complete = after.gaps.is_empty();
    work.recap(Lane::Fleet, &mut report, complete);
    report
}

/// Looks, plans, runs and looks again at one half of the lane.
async fn part(
    work: &Work<'_>,
    cloud: &dyn FleetPorts,
    look: impl Future<Output = FleetLook>,
) -> (LaneReport, FleetLook) {
    let mut report = LaneReport::default();
    let recorded = work.recorded(Lane::Fleet);
    let names = recorded.iter().map(|record| record.step.name()).collect();
    let seen = FleetLook { recorded: names, ..look.await };
    let plan = fleet::plan(&seen, &work.instance, &groups_of(&recorded));
    report.note_all(&plan);
    if plan.todo().next().is_none() {
        let room = Room::Fleet(effects::Fleet { work, cloud });
        report.done = work.run(&plan, |step| async move { effects::run(&step, room).await }).await;
        report.look_again = !work.finish(&report.done).await;
        return (report, seen);
    }
    let intent = work.intend(&plan).await;
    let room = Room::Fleet(effects::Fleet { work, cloud });
    let done = work.run_if(&intent, &plan, |step| async move { effects::run(&step, room).await }).await;
    let (recorded, after) = futures::join!(work.finish(&done), read_back(work, cloud, &seen));
    report.look_again = !recorded;
    report.done = done;
    (report, after)
}

/// Both halves as one look.
fn joined(group: FleetLook, balanced: FleetLook) -> FleetLook {
    let mut seen = group;
    seen.registrations.extend(balanced.registrations);
    seen.classic.extend(balanced.classic);
    seen.gaps.extend(balanced.gaps);
    seen.searched += balanced.searched;
    seen.own = balanced.own;
    seen
}

/// Target groups whose targets are on record: what drains there is leaving because of this containment.
pub(crate) fn groups_of(records: &[StepRecord]) -> BTreeSet<String> {
    let group = |record: &StepRecord| {
        let Step::DeregisterTargets(DeregisterTargets { group, .. }) = &record.step else { return None };
        Some(group.clone())
    };
    records.iter().filter_map(group).collect()
}

/// Everything, for a plan without effects.
pub(crate) async fn look(clock: &dyn Clock, lanes: &Lanes, instance: &Instance, time: Duration) -> FleetLook {
    let (cloud, groups) = (lanes.fleet.as_ref(), lanes.target_groups.as_ref());
    let searched = Searched::default();
    let (group, balancers) = halves(clock, cloud, groups.list(cloud), instance, time, &searched);
    let (group, balanced) = futures::join!(group, balancers);
    joined(group, balanced)
}

/// The two looks: at the Auto Scaling group with its own balancers, and, for `time`, at all other balancers.
fn halves<'a>(
    clock: &'a dyn Clock,
    cloud: &'a dyn FleetPorts,
    groups: impl Future<Output = PortResult<Vec<TargetGroup>>> + 'a,
    instance: &'a Instance,
    time: Duration,
    searched: &'a Searched,
) -> (impl Future<Output = FleetLook> + 'a, impl Future<Output = FleetLook> + 'a) {
    let (tell, told) = oneshot::channel();
    let own = async { told.await.unwrap_or_default() };
    (
        look_membership(cloud, instance, clock.sleep(OWN_FIRST), tell),
        look_balancers(cloud, groups, instance, clock.sleep(time), own, searched),
    )
}

/// The Auto Scaling group, and where its own balancers hold the instance. `tell` hears which balancers these are.
async fn look_membership(
    cloud: &dyn FleetPorts,
    instance: &Instance,
    time: impl Future<Output = ()>,
    tell: oneshot::Sender<ScalingGroup>,
) -> FleetLook {
    let mut seen = FleetLook::default();
    match cloud.describe_auto_scaling_instance(&instance.id).await {
        Ok(membership) => seen.membership = membership,
        Err(error) => seen.gaps.push(gap(Subject::Membership, &error)),
    }
    let Some(membership) = seen.membership.clone() else { return seen };
    let what = || Subject::GroupBalancers(membership.group.clone());
    let own = async {
        match cloud.describe_auto_scaling_group(&membership.group).await {
            Ok(group) => {
                let mut group = group.unwrap_or_default();
                if membership.state == "Terminating:Wait" {
                    match cloud.describe_termination_hooks(&membership.group).await {
                        Ok(hooks) => group.hooks = hooks,
                        Err(error) => {
                            let what = Subject::LifecycleHooks(membership.group.clone());
                            return FleetLook { gaps: vec![gap(what, &error)], ..FleetLook::default() };
                        }
                    }
                }
                let _ = tell.send(group.clone());
                own_balancers(cloud, instance, group).await
            }
            Err(error) => FleetLook { gaps: vec![gap(what(), &error)], ..FleetLook::default() },
        }
    };
    match select(pin!(own), pin!(time)).await {
        Either::Left((own, _)) => joined(seen, own),
        Either::Right(_) => {
            let error = "they did not answer in time".into();
            seen.gaps.push(Gap { what: what(), error, retryable: true });
            seen
        }
    }
}

/// Where an Auto Scaling group's own balancers hold the instance.
async fn own_balancers(cloud: &dyn LoadBalancers, instance: &Instance, own: ScalingGroup) -> FleetLook {
    let seen = look_at(cloud, instance, groups_by_arn(&own), &own.classic, &Searched::default()).await;
    FleetLook { own, ..seen }
}

/// Which of these target groups and classic load balancers hold the instance.
async fn look_at(
    cloud: &dyn LoadBalancers,
    instance: &Instance,
    groups: Vec<TargetGroup>,
    balancers: &[String],
    searched: &Searched,
) -> FleetLook {
    let classic = async {
        if balancers.is_empty() { Ok(Vec::new()) } else { cloud.describe_classic_balancers_of(&instance.id).await }
    };
    let all = groups.len();
    let (mut seen, classic) = futures::join!(healths(cloud, instance, groups, all, pending(), searched), classic);
    add_classic(&mut seen, classic, |name| balancers.contains(name));
    seen
}

/// The group's own target groups, which hold instances by their id.
fn groups_by_arn(own: &ScalingGroup) -> Vec<TargetGroup> {
    let group = |arn: &String| TargetGroup { arn: arn.clone(), vpc: None, kind: "instance".to_owned(), protocol: None };
    own.target_groups.iter().map(group).collect()
}

/// All balancers but those that `own` names. Searches until `time` is over; how many groups were not looked at by then is a
/// gap. Where there are many, those in which the instance was not are not looked at again.
async fn look_balancers(
    cloud: &dyn LoadBalancers,
    groups: impl Future<Output = PortResult<Vec<TargetGroup>>>,
    instance: &Instance,
    time: impl Future<Output = ()>,
    own: impl Future<Output = ScalingGroup>,
    searched: &Searched,
) -> FleetLook {
    let (groups, classic, own) = futures::join!(groups, cloud.describe_classic_balancers_of(&instance.id), own);
    let listed = match groups {
        // A group without a VPC (Lambda), or of load balancers, cannot hold an instance. Address groups of other VPCs
        // are looked at too: what is found there is reported, not touched.
        Ok(groups) => {
            let fits = |group: &TargetGroup| {
                matches!(group.kind.as_str(), "instance" | "ip") && !own.target_groups.contains(&group.arn)
            };
            Ok(groups.into_iter().filter(fits).collect::<Vec<_>>())
        }
        Err(error) => Err(gap(Subject::TargetGroups, &error)),
    };
    let mut seen = match listed {
        Ok(mut groups) => {
            let all = groups.len();
            if all > SEARCHED_TWICE {
                groups.retain(|group| !searched.has(&group.arn));
            }
            FleetLook { searched: all, ..healths(cloud, instance, groups, all, time, searched).await }
        }
        Err(gap) => FleetLook { gaps: vec![gap], ..FleetLook::default() },
    };
    add_classic(&mut seen, classic, |name| !own.classic.contains(name));
    seen.own = own;
    seen
}

fn add_classic(seen: &mut FleetLook, classic: PortResult<Vec<String>>, counts: impl Fn(&String) -> bool) {
    match classic {
        Ok(classic) => seen.classic = classic.into_iter().filter(counts).collect(),
        Err(error) => seen.gaps.push(gap(Subject::ClassicBalancers, &error)),
    }
}

/// Which of these target groups, of `all` in all, hold the instance, as far as `time` lets look.
async fn healths(
    cloud: &dyn LoadBalancers,
    instance: &Instance,
    groups: Vec<TargetGroup>,
    all: usize,
    time: impl Future<Output = ()>,
    searched: &Searched,
) -> FleetLook {
    let mut seen = FleetLook::default();
    let wanted = groups.len();
    let healths: Vec<_> = stream::iter(groups)
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
    if healths.len() < wanted {
        seen.gaps.push(Gap {
            what: Subject::SomeTargetGroups { left: wanted - healths.len(), all },
            error: "they were not looked at yet".into(),
            retryable: true,
        });
    }
    for (group, health) in healths {
        match health {
            Ok(targets) => {
                let targets = ours(targets, instance);
                if targets.iter().all(|target| target.state == "draining") {
                    searched.add(&group.arn);
                }
                if !targets.is_empty() {
                    seen.registrations.push(Registration { group: group.arn, vpc: group.vpc, targets });
                }
            }
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) => seen.gaps.push(gap(Subject::Targets(group.arn), &error)),
        }
    }
    seen
}

/// Looks again: at everything where that is cheap, so that a registration which came meanwhile is seen; else at what the
/// first look found, since a second search would cost hundreds of calls. `verify` searches again later.
async fn read_back(work: &Work<'_>, cloud: &dyn FleetPorts, before: &FleetLook) -> FleetLook {
    let instance = &work.instance;
    stable::read_back(work, &PAUSES[..3], async || {
        let seen = if before.membership.is_some() {
            let (own, membership) = futures::join!(
                own_balancers(cloud, instance, before.own.clone()),
                cloud.describe_auto_scaling_instance(work.id())
            );
            let mut seen = joined(FleetLook { gaps: before.gaps.clone(), ..FleetLook::default() }, own);
            match membership {
                Ok(membership) => seen.membership = membership,
                Err(error) => seen.gaps.push(gap(Subject::Membership, &error)),
            }
            seen
        } else if (1..=SEARCHED_TWICE).contains(&before.searched) {
            let (groups, time) = (cloud.describe_target_groups(), work.clock.sleep(work.left()));
            look_balancers(cloud, groups, instance, time, ready(before.own.clone()), &work.searched).await
        } else {
            read_found(cloud, instance, before, &work.searched).await
        };
        let settled = fact::fleet::facts(&seen, &work.instance)
            .iter()
            .all(|fact| fact.truth != brig_core::report::fact::Truth::No);
        Shown::when(settled, seen)
    })
    .await
}

/// Looks again at what a long search found.
async fn read_found(
    cloud: &dyn LoadBalancers,
    instance: &Instance,
    before: &FleetLook,
    searched: &Searched,
) -> FleetLook {
    let found = before.registrations.iter().map(|old| TargetGroup {
        arn: old.group.clone(),
        vpc: old.vpc.clone(),
        kind: String::new(),
        protocol: None,
    });
    let mut seen = look_at(cloud, instance, found.collect(), &before.classic, searched).await;
    seen.gaps.extend(before.gaps.iter().cloned());
    seen
}

/// Targets that carry the instance's id, or an address that one of its interfaces has in whichever VPC.
fn ours(targets: Vec<Target>, instance: &Instance) -> Vec<Target> {
    targets.into_iter().filter(|target| target.may_be(instance)).collect()
}
