//! The network lane's effects. Plans come from `brig_core::plan::network`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use brig_core::{
    ids::{EniId, GroupId, VpcId},
    ledger::StepRecord,
    plan::{
        Plan,
        network::{self, Look, untrack_rules},
    },
    step::{Failure, GroupRef, Lane, Outcome, Step},
    survey::{Direction, Gap, Interface, Purpose, SecurityGroup},
    timestamp::Timestamp,
    verdict::{OPEN, Truth},
};
use futures::future::join_all;

use crate::{
    ports::{Answer, Cloud, ErrorKind, InterfacesOf, Tags},
    work::{Done, LaneReport, Work, failed, gap, merge},
};

/// How often interfaces are listed again before an attempt leaves the rest to the next one.
const ROUNDS: usize = 4;
/// Time that must remain beside the window before an interface is opened: enough to isolate it again through retries.
const SPARE: Duration = Duration::from_secs(15);

/// What the lane reads at the first look and again after each round.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) interfaces: Vec<Interface>,
    pub(crate) groups: Vec<SecurityGroup>,
    /// Isolation groups with a stray rule that hold an interface of no active containment.
    pub(crate) shared: BTreeSet<GroupId>,
}

/// The plan for what was seen, given what the ledger has.
pub(crate) fn plan_from(
    seen: &Seen,
    records: &[StepRecord],
    instance: &brig_core::survey::Instance,
    containment: &brig_core::ids::ContainmentId,
    untrack: brig_core::policy::Untrack,
) -> Plan {
    let memory = Memory::of(records);
    network::plan(&memory.look(seen, instance), containment, untrack)
}

/// What the ledger remembers of interfaces.
struct Memory {
    untracked: BTreeSet<EniId>,
    open_since: BTreeMap<EniId, Timestamp>,
}

impl Memory {
    fn of(records: &[StepRecord]) -> Self {
        let mut memory = Self { untracked: BTreeSet::new(), open_since: BTreeMap::new() };
        for record in records {
            if let Step::Untrack { eni, .. } = &record.step
                && matches!(record.outcome, Some(Outcome::Changed(_) | Outcome::AlreadyDone(_)))
            {
                memory.untracked.insert(eni.clone());
            }
            if let Step::Isolate { eni, .. } = &record.step {
                memory.open_since.insert(eni.clone(), record.finished_at.unwrap_or(record.recorded_at));
            }
        }
        memory
    }

    fn look<'a>(&'a self, seen: &'a Seen, instance: &'a brig_core::survey::Instance) -> Look<'a> {
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

pub(crate) struct NetworkLane<'a> {
    work: &'a Work<'a>,
    cloud: &'a dyn Cloud,
    /// Groups made in this attempt, by VPC and name.
    made: Mutex<BTreeMap<(VpcId, String), GroupId>>,
    windows: Mutex<Vec<Duration>>,
    isolated_at: Mutex<Option<Timestamp>>,
}

/// The lane's report, and the points in time that only it knows.
pub(crate) struct NetworkReport {
    pub(crate) lane: LaneReport,
    pub(crate) isolated_at: Option<Timestamp>,
    pub(crate) window: Option<Duration>,
    /// Sentences about interfaces that were found open to the world.
    pub(crate) exposures: Vec<String>,
}

impl<'a> NetworkLane<'a> {
    pub(crate) fn new(work: &'a Work<'a>, cloud: &'a dyn Cloud) -> Self {
        Self {
            work,
            cloud,
            made: Mutex::new(BTreeMap::new()),
            windows: Mutex::new(Vec::new()),
            isolated_at: Mutex::new(None),
        }
    }

    /// The look that an attempt after the first begins with.
    pub(crate) async fn look(&self) -> Result<Seen, Gap> {
        look(self.work, self.cloud).await.map_err(|error| gap("the interfaces and their groups", &error))
    }

    /// Runs the plan that the claim recorded, then lists and plans again until nothing is left to do.
    pub(crate) async fn run(self, seen: Result<Seen, Gap>) -> NetworkReport {
        let mut report = LaneReport::default();
        let mut exposures = Vec::new();
        let mut seen = seen;
        for round in 0..ROUNDS {
            let current = match &seen {
                Ok(current) => current.clone(),
                Err(gap) => {
                    report.look_again = gap.retryable;
                    report.facts = vec![brig_core::verdict::Fact::unread(gap)];
                    break;
                }
            };
            let records = self.work.recorded(Lane::Network);
            let plan =
                plan_from(&current, &records, &self.work.instance, &self.work.containment, self.work.policy.untrack);
            for note in &plan.notes {
                if note.contains(OPEN) {
                    exposures.push(note.clone());
                }
                report.note(note.clone());
            }
            if round > 0 && plan.todo().next().is_none() {
                let (settled, _) = self.execute(&plan).await;
                merge(&mut report.done, settled);
                break;
            }
            let (done, recorded) = self.execute(&plan).await;
            report.look_again |= !recorded;
            let gave_up = done.iter().any(|done| matches!(done.outcome, Outcome::Failed(_)));
            merge(&mut report.done, done);
            seen = self.look_again(&report.done).await;
            if gave_up {
                break;
            }
        }
        self.judge(&mut report, seen.as_ref());
        self.work.recap(Lane::Network, &mut report);
        let window = lock(&self.windows).iter().max().copied();
        let isolated_at = *lock(&self.isolated_at);
        NetworkReport { lane: report, isolated_at, window, exposures }
    }

    fn judge(&self, report: &mut LaneReport, seen: Result<&Seen, &Gap>) {
        let seen = match seen {
            Ok(seen) => seen,
            Err(gap) => {
                report.look_again |= gap.retryable;
                report.facts = vec![brig_core::verdict::Fact::unread(gap)];
                return;
            }
        };
        let memory = Memory::of(&self.work.recorded(Lane::Network));
        let mut facts = network::facts(&memory.look(seen, &self.work.instance), &[]);
        if seen.interfaces.is_empty() {
            facts.push(brig_core::verdict::Fact::holding("no interface is attached"));
        }
        // What AWS accepted and does not show yet is not known, rather than untrue.
        for fact in &mut facts {
            let accepted = report.done.iter().any(|done| {
                matches!((&done.step, &done.outcome), (Step::Isolate { eni, .. }, Outcome::Changed(_))
                    if fact.what.starts_with(eni.as_str()))
            });
            if fact.truth == Truth::No && accepted && fact.why != OPEN {
                fact.truth = Truth::Unknown;
                fact.why = format!("not yet visible: {}", fact.why);
                report.look_again = true;
            }
        }
        report.facts = facts;
    }

    /// Groups first, then every interface isolated, then every isolated one untracked. Outcomes are recorded beside the
    /// next stage, never before it.
    async fn execute(&self, plan: &Plan) -> (Vec<Done>, bool) {
        let intent = self.work.intend(plan).await;
        let stage = |wanted: fn(&Step) -> bool| Plan {
            steps: plan.steps.iter().filter(|planned| wanted(&planned.step)).cloned().collect(),
            notes: Vec::new(),
        };
        let open = stage(|step| matches!(step, Step::Isolate { isolation, .. } if isolation.id.is_some()));
        let groups = stage(|step| !matches!(step, Step::Isolate { .. } | Step::Untrack { .. }));
        let waiting = stage(|step| matches!(step, Step::Isolate { isolation, .. } if isolation.id.is_none()));
        let untracks = stage(|step| matches!(step, Step::Untrack { .. }));

        // Interfaces whose group exists wait for no other VPC's group to be made.
        let effect = |step| self.effect(step);
        let (mut isolated, (mut done, late)) = futures::join!(self.work.run_if(&intent, &open, effect), async {
            let groups = self.work.run_if(&intent, &groups, effect).await;
            let late = self.work.run_if(&intent, &waiting, effect).await;
            (groups, late)
        });
        isolated.extend(late);
        let all = isolated.iter().all(|done| !matches!(done.outcome, Outcome::Failed(_)));
        if all && !isolated.is_empty() {
            let now = self.work.clock.now();
            lock(&self.isolated_at).get_or_insert(now);
        }
        done.extend(isolated);

        let closed: BTreeSet<EniId> = done
            .iter()
            .filter(|done| matches!(done.outcome, Outcome::Changed(_) | Outcome::AlreadyDone(_)))
            .filter_map(|done| if let Step::Isolate { eni, .. } = &done.step { Some(eni.clone()) } else { None })
            .collect();
        let untrack = |step| self.untrack(step, &closed);
        let (first, untracked) = futures::join!(self.work.finish(&done), self.work.run_if(&intent, &untracks, untrack));
        let second = self.work.finish(&untracked).await;
        done.extend(untracked);
        (done, first && second)
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "a lane runs the steps of its own plan only")]
    async fn effect(&self, step: Step) -> Outcome {
        match &step {
            Step::CreateSecurityGroup { group } => self.create_group(group).await,
            Step::RevokeSecurityGroupRules { group, .. } => self.revoke_rules(group).await,
            Step::AuthorizeSecurityGroupRules { group } => match self.resolve(group) {
                Ok(id) => changed(self.authorize_all(&id).await, "allows everything, both ways, IPv4 and IPv6"),
                Err(outcome) => outcome,
            },
            Step::Isolate { eni, isolation, was } => self.isolate(eni, isolation, was.as_deref()).await,
            _ => Outcome::Skipped("no step of the network lane".to_owned()),
        }
    }

    async fn isolate(&self, eni: &EniId, isolation: &GroupRef, was: Option<&[GroupId]>) -> Outcome {
        let group = match self.resolve(isolation) {
            Ok(group) => group,
            Err(outcome) => return outcome,
        };
        match self.set_group(eni, &group).await {
            Ok(()) => Outcome::Changed(match was {
                Some(was) => format!("was {}", was.iter().map(GroupId::as_str).collect::<Vec<_>>().join(", ")),
                None => "its groups before are not known here".to_owned(),
            }),
            Err(error) if error.kind == ErrorKind::NotFound && error.code.contains("NetworkInterface") => {
                Outcome::Missing("the interface is gone".to_owned())
            }
            Err(error) => failed(&error),
        }
    }

    /// A group that was made a moment ago may not be found yet; an interface that is gone is gone.
    async fn set_group(&self, eni: &EniId, group: &GroupId) -> Answer<()> {
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

    async fn untrack(&self, step: Step, closed: &BTreeSet<EniId>) -> Outcome {
        let Step::Untrack { eni, untrack, isolation, seconds } = &step else {
            return Outcome::Skipped("no untrack step".to_owned());
        };
        if !closed.contains(eni) {
            return Outcome::Skipped("its isolation did not succeed: it is not opened".to_owned());
        }
        let window = Duration::from_secs(u64::from(*seconds));
        if self.work.left() < window + SPARE {
            return Outcome::Skipped(format!("no time: the window and {} s must be left", SPARE.as_secs()));
        }
        let (open, isolated) = match (self.resolve(untrack), self.resolve(isolation)) {
            (Ok(open), Ok(isolated)) => (open, isolated),
            (Err(_), _) => {
                return Outcome::Skipped("there is no untrack group: flows that were tracked may go on".to_owned());
            }
            (_, Err(outcome)) => return outcome,
        };
        let before = self.work.clock.now();
        let opened = self.set_group(eni, &open).await;
        let since = self.work.clock.now();
        if let Err(error) = &opened
            && matches!(error.kind, ErrorKind::Denied | ErrorKind::NotFound)
        {
            return Outcome::Skipped(format!("not opened: {error}; flows that were tracked may go on"));
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
                Outcome::Changed(format!("open for {} ms, then isolated again", open_for.as_millis()))
            }
            (Ok(()), Err(error)) => Outcome::Skipped(format!("not surely opened: {error}; isolated again")),
            (Err(error), _) => {
                Outcome::Failed(Failure { error: format!("{OPEN} since {before}: {error}"), retryable: true })
            }
        }
    }

    /// Nothing matters more than this call: every error but a vanished interface is tried again until time is over.
    async fn close_again(&self, eni: &EniId, group: &GroupId) -> Answer<()> {
        let mut pause = Duration::from_millis(100);
        loop {
            match self.cloud.modify_network_interface_groups(eni, std::slice::from_ref(group)).await {
                Ok(()) => return Ok(()),
                Err(error) if error.kind == ErrorKind::NotFound && error.code.contains("NetworkInterface") => {
                    return Ok(());
                }
                Err(error) if self.work.left() <= pause => return Err(error),
                Err(_) => self.work.clock.sleep(pause).await,
            }
            pause = (pause * 2).min(Duration::from_secs(2));
        }
    }

    async fn create_group(&self, group: &GroupRef) -> Outcome {
        let tags: Tags = [(brig_core::survey::GROUP_ROLE_TAG.to_owned(), group.purpose.tag_value().to_owned())].into();
        let (id, detail) = match self.cloud.create_security_group(&group.vpc, &group.name, &tags).await {
            Ok(id) => (id, "made"),
            Err(error) if error.kind == ErrorKind::Duplicate => match self.find_group(group).await {
                Ok(id) => (id, "made by another invocation at the same time"),
                Err(outcome) => return outcome,
            },
            Err(error) => return failed(&error),
        };
        let ruled = match group.purpose {
            Purpose::Isolation => self.revoke_defaults(&id).await,
            Purpose::Untrack => self.authorize_all(&id).await,
        };
        // Known from here on: rules that could not be set are seen by the next look, and isolating into a group that
        // still lets something out beats not isolating.
        lock(&self.made).insert((group.vpc.clone(), group.name.clone()), id.clone());
        match ruled {
            Ok(()) => Outcome::Changed(format!("{id}, {detail}")),
            Err(error) => failed(&error),
        }
    }

    /// Two invocations may make the same group at once; a name that somebody else took is not ours to use.
    async fn find_group(&self, group: &GroupRef) -> Result<GroupId, Outcome> {
        for pause in [0, 200, 400, 800] {
            self.work.clock.sleep(Duration::from_millis(pause)).await;
            let groups = self.cloud.describe_brig_groups().await.map_err(|error| failed(&error))?;
            let found = groups.iter().find(|found| found.vpc == group.vpc && found.name == group.name);
            if let Some(found) = found {
                return if found.is_ours(group.purpose, &self.work.instance.account) {
                    Ok(found.id.clone())
                } else {
                    Err(Outcome::Failed(Failure {
                        error: format!("{} has a group {} that Brig did not make", group.vpc, group.name),
                        retryable: true,
                    }))
                };
            }
        }
        Err(Outcome::Failed(Failure {
            error: format!("{} exists in {} and is not yet visible", group.name, group.vpc),
            retryable: true,
        }))
    }

    /// A new group lets everything out, in IPv4 and, where the VPC has it, in IPv6. Both are revoked unseen, to save a
    /// round trip before the cut; the look after it lists what is left.
    async fn revoke_defaults(&self, id: &GroupId) -> Answer<()> {
        let (v4, v6) = futures::join!(
            self.work.eventually(|| self.cloud.revoke_all_egress(id, "0.0.0.0/0")),
            self.work.eventually(|| self.cloud.revoke_all_egress(id, "::/0"))
        );
        v4.and(v6)
    }

    async fn authorize_all(&self, id: &GroupId) -> Answer<()> {
        let rules = untrack_rules();
        let calls = rules.iter().map(|rule| self.work.eventually(move || self.cloud.authorize_rule(id, rule)));
        join_all(calls).await.into_iter().collect()
    }

    async fn revoke_rules(&self, group: &GroupRef) -> Outcome {
        let id = match self.resolve(group) {
            Ok(id) => id,
            Err(outcome) => return outcome,
        };
        let rules = match self.cloud.describe_security_group_rules(&id).await {
            Ok(rules) => rules,
            Err(error) => return failed(&error),
        };
        let of = |direction: Direction| -> Vec<String> {
            rules.iter().filter(|rule| rule.direction == direction).map(|rule| rule.id.clone()).collect()
        };
        let (incoming, outgoing) = (of(Direction::Ingress), of(Direction::Egress));
        let revoke = async |direction, ids: &[String]| {
            if ids.is_empty() { Ok(()) } else { self.cloud.revoke_rules(&id, direction, ids).await }
        };
        let (a, b) = futures::join!(revoke(Direction::Ingress, &incoming), revoke(Direction::Egress, &outgoing));
        changed(a.and(b), &format!("{} rule(s) revoked", rules.len()))
    }

    fn resolve(&self, group: &GroupRef) -> Result<GroupId, Outcome> {
        let made = || lock(&self.made).get(&(group.vpc.clone(), group.name.clone())).cloned();
        group.id.clone().or_else(made).ok_or_else(|| {
            Outcome::Failed(Failure { error: format!("{} of {} was not made", group.name, group.vpc), retryable: true })
        })
    }

    /// Lists interfaces and groups again, and waits a little where AWS does not show yet what it accepted.
    async fn look_again(&self, done: &[Done]) -> Result<Seen, Gap> {
        let accepted: Vec<&EniId> = done
            .iter()
            .filter(|done| matches!(done.outcome, Outcome::Changed(_)))
            .filter_map(|done| if let Step::Isolate { eni, .. } = &done.step { Some(eni) } else { None })
            .collect();
        let mut pauses = [200, 400, 800, 1600].into_iter();
        loop {
            let seen =
                look(self.work, self.cloud).await.map_err(|error| gap("the interfaces and their groups", &error))?;
            let stale = seen.interfaces.iter().any(|interface| {
                accepted.contains(&&interface.id) && !is_isolated(interface, &seen.groups, &self.work.instance)
            });
            match pauses.next() {
                Some(pause) if stale => self.work.clock.sleep(Duration::from_millis(pause)).await,
                _ => return Ok(seen),
            }
        }
    }
}

fn is_isolated(interface: &Interface, groups: &[SecurityGroup], instance: &brig_core::survey::Instance) -> bool {
    match interface.groups.as_slice() {
        [only] => groups.iter().any(|group| group.id == *only && group.is_ours(Purpose::Isolation, &instance.account)),
        _ => false,
    }
}

async fn look(work: &Work<'_>, cloud: &dyn Cloud) -> Answer<Seen> {
    let (attached, groups) = futures::join!(
        work.within("DescribeNetworkInterfaces", cloud.describe_network_interfaces(InterfacesOf::Instance(work.id()))),
        work.within("DescribeSecurityGroups", cloud.describe_brig_groups())
    );
    let interfaces = attached?.into_iter().map(|attached| attached.interface).collect();
    let groups = groups?;
    let shared = shared_groups(work.ledger, cloud, &work.instance, &groups).await?;
    Ok(Seen { interfaces, groups, shared })
}

/// Isolation groups with a stray rule that hold an interface which belongs to no active containment. Costs a call only
/// where a stray rule was seen.
pub(crate) async fn shared_groups(
    ledger: &dyn crate::ports::Ledger,
    cloud: &dyn Cloud,
    instance: &brig_core::survey::Instance,
    groups: &[SecurityGroup],
) -> Answer<BTreeSet<GroupId>> {
    let mut shared = BTreeSet::new();
    for group in groups {
        if group.rules.is_empty() || !group.is_ours(Purpose::Isolation, &instance.account) {
            continue;
        }
        for attached in cloud.describe_network_interfaces(InterfacesOf::Group(&group.id)).await? {
            let contained = match attached.instance.as_deref().and_then(|id| id.parse().ok()) {
                None => false,
                Some(id) if id == instance.id => true,
                Some(id) => {
                    let key = brig_core::ledger::InstanceKey {
                        account: instance.account.clone(),
                        region: instance.region.clone(),
                        instance: id,
                    };
                    ledger.read(&key).await?.current.is_some()
                }
            };
            if !contained {
                shared.insert(group.id.clone());
            }
        }
    }
    Ok(shared)
}

fn changed(answer: Answer<()>, detail: &str) -> Outcome {
    match answer {
        Ok(()) => Outcome::Changed(detail.to_owned()),
        Err(error) => failed(&error),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
