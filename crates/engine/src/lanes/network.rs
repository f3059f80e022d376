//! The network lane: runs the plan of the cut, lists again, plans again. Plans come from `brig_core::lanes::network`; the
//! effects on interfaces are in `cut`, those on Brig's groups in `groups`.

mod cut;
pub(crate) mod groups;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use brig_core::{
    lanes::network::{self, Look},
    ledger::StepRecord,
    model::{
        Exposure, Instance, Interface, Purpose, SecurityGroup, Uncut,
        gap::{Gap, Subject},
        ids::{ContainmentId, EniId, GroupId, VpcId},
        timestamp::Timestamp,
    },
    report::fact::{self, Cause, Fact, Promise, Truth},
    settings::Untrack,
    step::{
        self, AuthorizeSecurityGroupRules, CreateSecurityGroup, Failure, GroupRef, Isolate, Lane, Outcome, Plan,
        Planned, RevokeSecurityGroupRules, Step,
    },
};
use futures::future::join_all;

use crate::{
    effects::{self, Room},
    followups::{
        FollowUps,
        forensic_access::{self, Access},
    },
    ports::{Cloud, InterfacesOf, NetworkPorts, PortResult},
    stable::{self, PAUSES, Shown},
    work::{Done, LaneReport, Work, gap, merge},
};

pub(crate) use groups::shared_groups;

/// How often interfaces are listed again before an attempt leaves the rest to the next one.
const ROUNDS: usize = 4;

/// What the lane reads at the first look and again after each round.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) interfaces: Vec<Interface>,
    pub(crate) groups: Vec<SecurityGroup>,
    /// Isolation groups with a stray rule that hold an interface of no active containment.
    pub(crate) shared: BTreeSet<GroupId>,
    /// What of the groups' rules is forensic access: those above have the rest.
    pub(crate) access: Access,
}

/// The plan for what was seen, given what the ledger has.
pub(crate) fn plan_from(
    seen: &Seen,
    records: &[StepRecord],
    instance: &Instance,
    containment: &ContainmentId,
    untrack: Untrack,
) -> Plan {
    network::plan(&Memory::of(records).look(seen, instance), containment, untrack)
}

/// What the ledger remembers of interfaces.
struct Memory {
    untracked: BTreeSet<EniId>,
    open_since: BTreeMap<EniId, Timestamp>,
}

impl Memory {
    fn of(records: &[StepRecord]) -> Self {
        let mut memory = Self { untracked: BTreeSet::new(), open_since: BTreeMap::new() };
        memory.untracked = untracked(records);
        for record in records {
            if let Step::Isolate(Isolate { eni, .. }) = &record.step {
                memory.open_since.insert(eni.clone(), record.finished_at.unwrap_or(record.recorded_at));
            }
        }
        memory
    }

    fn look<'a>(&'a self, seen: &'a Seen, instance: &'a Instance) -> Look<'a> {
        Look {
            account: &instance.account,
            state: instance.state,
            interfaces: &seen.interfaces,
            groups: &seen.groups,
            shared: &seen.shared,
            untracked: &self.untracked,
            open_since: &self.open_since,
        }
    }
}

/// Interfaces whose untrack window came after their last isolation: one that was put back since has flows that no window
/// was opened for.
pub(crate) fn untracked(records: &[StepRecord]) -> BTreeSet<EniId> {
    let isolated: BTreeMap<&EniId, Option<Timestamp>> = records
        .iter()
        .filter_map(|record| {
            if let Step::Isolate(Isolate { eni, .. }) = &record.step { Some((eni, record.finished_at)) } else { None }
        })
        .collect();
    let window = |record: &StepRecord| {
        let Step::Untrack(step::Untrack { eni, .. }) = &record.step else { return None };
        let since = isolated.get(eni).copied().flatten();
        (since.is_none() || record.finished_at >= since).then(|| eni.clone())
    };
    records.iter().filter(|record| record.is_done()).filter_map(window).collect()
}

/// A group by VPC and name.
type GroupKey = (VpcId, String);

pub(crate) struct NetworkLane<'a> {
    work: &'a Work<'a>,
    cloud: &'a dyn Cloud,
    /// Groups made in this attempt.
    made: Mutex<BTreeMap<GroupKey, GroupId>>,
    /// Isolation groups that were made, or not, before their step ran.
    first: Mutex<BTreeMap<GroupKey, groups::Made>>,
    /// VPCs in which no group can be made.
    full: Mutex<BTreeSet<VpcId>>,
    /// Groups that could not be made or do not have their rules, and why.
    unfit: Mutex<BTreeMap<GroupKey, Failure>>,
    windows: Mutex<Vec<Duration>>,
    /// What of the groups' rules is not to be revoked.
    access: Mutex<Access>,
    isolated_at: Mutex<Option<Timestamp>>,
}

/// The lane's report, and what only it knows.
pub(crate) struct NetworkReport {
    pub(crate) lane: LaneReport,
    pub(crate) cut: Cut,
}

/// What became of the cut.
pub(crate) struct Cut {
    pub(crate) isolated_at: Option<Timestamp>,
    pub(crate) window: Option<Duration>,
    /// Sentences about interfaces that were found open to the world.
    pub(crate) exposures: Vec<Exposure>,
    /// The interfaces as they were last seen.
    pub(crate) interfaces: Vec<Interface>,
    /// What was seen of forensic access.
    pub(crate) access: Access,
}

impl<'a> NetworkLane<'a> {
    pub(crate) fn new(work: &'a Work<'a>, cloud: &'a dyn Cloud) -> Self {
        Self {
            work,
            cloud,
            made: Mutex::default(),
            first: Mutex::default(),
            full: Mutex::default(),
            unfit: Mutex::default(),
            windows: Mutex::default(),
            access: Mutex::default(),
            isolated_at: Mutex::default(),
        }
    }

    /// The look that an attempt after the first begins with.
    pub(crate) async fn look(&self) -> Result<Seen, Gap> {
        look(self.work, self.cloud).await.map_err(|error| gap(Subject::Interfaces, &error))
    }

    /// Runs the plan that the claim recorded, then lists and plans again until nothing is left to do.
    pub(crate) async fn run(self, mut seen: Result<Seen, Gap>) -> NetworkReport {
        let mut report = LaneReport::default();
        let mut exposures = Vec::new();
        let mut followups = FollowUps::new(self.work, self.cloud);
        for round in 0..ROUNDS {
            let Ok(current) = seen.as_ref() else { break };
            let plan = self.plan(current);
            lock(&self.access).clone_from(&current.access);
            exposures.extend(self.exposures(current));
            report.note_all(&plan);
            let last = plan.todo().next().is_none();
            let (done, recorded) = self.execute(&plan).await;
            report.look_again |= !recorded;
            let stuck =
                done.iter().any(|done| matches!((&done.step, &done.outcome), (Step::Isolate(_), Outcome::Failed(_))));
            merge(&mut report.done, done);
            // The next look shows what the first one did not: whose a public address is.
            if last && round > 0 {
                followups.during(&current.interfaces, async {}).await;
                break;
            }
            seen = followups.during(&current.interfaces, self.look_again(&report.done)).await;
            if stuck {
                break;
            }
        }
        report.add(followups.end(seen.as_ref().ok()).await);
        self.judge(&mut report, seen.as_ref());
        let uncut: Vec<Uncut> = report.facts.iter().filter_map(Fact::uncut).cloned().collect();
        if !uncut.is_empty() {
            let vpcs = lock(&self.full).clone();
            let spare = groups::spare(self.cloud, &vpcs).await;
            for note in network::by_hand(&uncut, &spare, &self.work.instance.region) {
                report.note(note);
            }
        }
        let complete = report.facts.iter().all(|fact| fact.truth != Truth::Unknown);
        self.work.recap(Lane::Network, &mut report, complete);
        let window = lock(&self.windows).iter().max().copied();
        let isolated_at = *lock(&self.isolated_at);
        let (interfaces, access) = seen.map(|seen| (seen.interfaces, seen.access)).unwrap_or_default();
        NetworkReport { lane: report, cut: Cut { isolated_at, window, exposures, interfaces, access } }
    }

    fn plan(&self, seen: &Seen) -> Plan {
        let work = self.work;
        let recorded = work.recorded(Lane::Network);
        lock(&work.exposed).extend(self.exposures(seen).into_iter().map(|exposure| exposure.eni));
        plan_from(seen, &recorded, &work.instance, &work.containment, work.policy.untrack)
    }

    /// Interfaces that are open to the world.
    fn exposures(&self, seen: &Seen) -> Vec<Exposure> {
        let recorded = self.work.recorded(Lane::Network);
        network::exposures(&Memory::of(&recorded).look(seen, &self.work.instance))
    }

    fn judge(&self, report: &mut LaneReport, seen: Result<&Seen, &Gap>) {
        let seen = match seen {
            Ok(seen) => seen,
            Err(gap) => {
                report.look_again |= gap.retryable;
                report.facts = vec![Fact::unread(gap)];
                return;
            }
        };
        let memory = Memory::of(&self.work.recorded(Lane::Network));
        let mut facts = fact::network::facts(&memory.look(seen, &self.work.instance), &[]);
        if seen.interfaces.is_empty() {
            facts.push(Fact::holding(Promise::NoInterface));
        }
        let isolation_of = |promise: &Promise| {
            let Promise::Isolated(eni) = promise else { return None };
            report.done.iter().find(|done| matches!(&done.step, Step::Isolate(Isolate { eni: of, .. }) if of == eni))
        };
        let groups_held_back = report
            .done
            .iter()
            .any(|done| matches!(done.step, Step::RevokeSecurityGroupRules(_)) && self.work.is_held_back(&done.step));
        let refused = report.done.iter().any(|done| {
            let final_word = matches!(&done.outcome, Outcome::Failed(failure) if !failure.retryable);
            final_word && group_of(&done.step).is_some_and(|group| group.purpose == Purpose::Isolation)
        });
        let mut again = false;
        for (fact, interface) in facts.iter_mut().zip(&seen.interfaces) {
            let [group] = interface.groups.as_slice() else { continue };
            if let Some(gap) = seen.access.doubt(group).filter(|_| fact.truth == Truth::Yes) {
                fact.truth = Truth::Unknown;
                fact.why = Some(Cause::MayBeAccess(group.clone(), gap.what.clone()));
                again |= gap.retryable;
            }
        }
        for fact in facts.iter_mut().filter(|fact| fact.truth == Truth::No) {
            let isolation = isolation_of(&fact.what);
            // Held back: trying again before its time cannot help.
            if isolation.is_some_and(|done| self.work.is_held_back(&done.step)) {
                continue;
            }
            match (isolation.map(|done| &done.outcome), &fact.why) {
                // What AWS accepted and does not show yet is not known, rather than untrue.
                (Some(Outcome::Changed(_)), Some(Cause::In(_))) => {
                    fact.truth = Truth::Unknown;
                    fact.why = Some(Cause::NotYetVisible(fact.why.take().map(Box::new)));
                    again = true;
                }
                (Some(Outcome::Failed(_)), _) => {}
                // In a group whose rules Brig may not take away: trying again cannot help.
                (Some(_), Some(Cause::HasRule(_))) if refused || groups_held_back => {}
                // An interface that came, or was changed, since the last round: the next attempt cuts it.
                _ => again = true,
            }
        }
        let full = lock(&self.full).clone();
        for (fact, interface) in facts.iter_mut().zip(&seen.interfaces) {
            if fact.truth != Truth::Yes && full.contains(&interface.vpc) {
                *fact = fact::network::uncut(fact.clone(), interface);
            }
        }
        report.look_again |= again;
        report.facts = facts;
    }

    /// Every interface isolated, its group made first where it must be, while untrack groups are prepared; then
    /// every isolated one untracked. Outcomes are recorded during the next stage, never before it.
    async fn execute(&self, plan: &Plan) -> (Vec<Done>, bool) {
        let intent = self.work.intend(plan).await;
        let stage = |wanted: &dyn Fn(&Step) -> bool| Plan {
            steps: plan.steps.iter().filter(|Planned { step, .. }| wanted(step)).cloned().collect(),
            notes: Vec::new(),
        };
        let open = stage(&|step| matches!(step, Step::Isolate(Isolate { isolation, .. }) if isolation.id.is_some()));
        let waiting = stage(&|step| matches!(step, Step::Isolate(Isolate { isolation, .. }) if isolation.id.is_none()));
        let untracks = stage(&|step| matches!(step, Step::Untrack(_)));
        let groups = |purpose| stage(&move |step| group_of(step).is_some_and(|group| group.purpose == purpose));
        let (isolation_groups, untrack_groups) = (groups(Purpose::Isolation), groups(Purpose::Untrack));

        let effect = |step| async move { effects::run(&step, Room::Network(self)).await };
        let groups = async {
            if intent.is_ok() && untrack_groups.todo().next().is_some() {
                self.make_first(&isolation_groups).await;
            }
            futures::join!(
                async {
                    let groups = self.work.run_if(&intent, &isolation_groups, effect).await;
                    let isolated = self.work.run_if(&intent, &waiting, effect).await;
                    (groups, isolated)
                },
                self.work.run_if(&intent, &untrack_groups, effect)
            )
        };
        let (open, ((mut done, waiting), prepared)) = futures::join!(self.work.run_if(&intent, &open, effect), groups);
        done.extend(prepared);
        let isolated: Vec<Done> = open.into_iter().chain(waiting).collect();
        let closed: BTreeSet<EniId> = isolated.iter().filter_map(|done| self.closed(done)).collect();
        if !isolated.is_empty() && closed.len() == isolated.len() {
            let now = self.work.clock.now();
            lock(&self.isolated_at).get_or_insert(now);
        }
        done.extend(isolated);

        let room = Room::Untracking(effects::Untracking { lane: self, closed: &closed });
        let untrack = |step| async move { effects::run(&step, room).await };
        let (first, untracked) = futures::join!(self.work.finish(&done), self.work.run_if(&intent, &untracks, untrack));
        let second = self.work.finish(&untracked).await;
        done.extend(untracked);
        (done, first && second)
    }

    /// The interface that a step isolated, in a group that has no rule as far as is known.
    fn closed(&self, done: &Done) -> Option<EniId> {
        let Step::Isolate(Isolate { eni, isolation, .. }) = &done.step else { return None };
        let held = matches!(done.outcome, Outcome::Changed(_) | Outcome::AlreadyDone(_));
        let unfit = lock(&self.unfit).contains_key(&key_of(isolation));
        (held && !unfit).then(|| eni.clone())
    }

    /// Lists interfaces and groups again, and waits a little where AWS does not show yet what it accepted.
    async fn look_again(&self, done: &[Done]) -> Result<Seen, Gap> {
        let accepted: Vec<&EniId> = done
            .iter()
            .filter(|done| matches!(done.outcome, Outcome::Changed(_)))
            .filter_map(|done| if let Step::Isolate(Isolate { eni, .. }) = &done.step { Some(eni) } else { None })
            .collect();
        let stale = |seen: &Seen| {
            seen.interfaces.iter().any(|interface| {
                accepted.contains(&&interface.id) && !is_isolated(interface, &seen.groups, &self.work.instance)
            })
        };
        stable::read_back(self.work, &PAUSES, async || {
            let seen = self.look().await;
            Shown::when(!seen.as_ref().is_ok_and(stale), seen)
        })
        .await
    }
}

fn group_of(step: &Step) -> Option<&GroupRef> {
    if let Step::CreateSecurityGroup(CreateSecurityGroup { group })
    | Step::RevokeSecurityGroupRules(RevokeSecurityGroupRules { group, .. })
    | Step::AuthorizeSecurityGroupRules(AuthorizeSecurityGroupRules { group }) = step
    {
        Some(group)
    } else {
        None
    }
}

fn key_of(group: &GroupRef) -> GroupKey {
    (group.vpc.clone(), group.name.clone())
}

fn is_isolated(interface: &Interface, groups: &[SecurityGroup], instance: &Instance) -> bool {
    match interface.groups.as_slice() {
        [only] => groups.iter().any(|group| group.id == *only && group.is_ours(Purpose::Isolation, &instance.account)),
        _ => false,
    }
}

async fn look(work: &Work<'_>, cloud: &dyn NetworkPorts) -> PortResult<Seen> {
    let setting = work.policy.forensic_access.as_ref();
    let (attached, groups, forensic) = futures::join!(
        work.within("DescribeNetworkInterfaces", cloud.describe_network_interfaces(InterfacesOf::Instance(work.id()))),
        work.within("DescribeSecurityGroups", cloud.describe_brig_groups()),
        forensic_access::look(work, cloud)
    );
    let mut interfaces: Vec<Interface> = attached?.into_iter().map(|attached| attached.interface).collect();
    let trunks = interfaces.iter().filter(|interface| interface.kind == "trunk").map(|trunk| {
        work.within("DescribeNetworkInterfaces", cloud.describe_network_interfaces(InterfacesOf::Trunk(&trunk.id)))
    });
    let branches = join_all(trunks).await.into_iter().collect::<PortResult<Vec<_>>>()?;
    interfaces.extend(branches.into_iter().flatten().map(|branch| branch.interface));
    let mut groups = groups?;
    let access = Access::exact(setting, forensic, &mut groups, &work.instance.account);
    let shared = shared_groups(work.ledger, cloud, &work.instance, &interfaces, &groups).await;
    Ok(Seen { interfaces, groups, shared, access })
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
