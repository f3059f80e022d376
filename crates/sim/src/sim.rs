//! The machine that runs a world: calls with their latency and faults, processes that die, and what was seen to go wrong.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    future::Future,
    ops::{Deref, DerefMut},
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::Poll,
    time::Duration,
};

use async_trait::async_trait;
use brig_core::{
    containment::Containment,
    finding::{Action, Finding},
    ids::InstanceId,
    message::Message,
    policy::Policy,
    rules::Rules,
    timestamp::Timestamp,
};
use brig_engine::{
    Engine, Invocation,
    ports::{Answer, Clock, CloudError, ErrorKind, Notifier},
    rulebook::Rulebook,
};

use crate::{
    build::{ACCOUNT, finding},
    cloud::SimClouds,
    ledger::{SimLedger, Tables},
    time::Timers,
    world::World,
};

/// The clock starts here.
const START: i64 = 1_790_000_000_000;
/// The function's timeout.
const TIMEOUT: Duration = Duration::from_mins(2);
/// How long the adapter waits for an answer.
const NO_ANSWER: u64 = 5_000;

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Too many calls.
    Throttled,
    /// AWS's own failure.
    ServerError,
    /// No answer within the adapter's patience.
    Timeout,
    /// The role lacks the permission.
    Denied,
    /// The resource is not found.
    NotFound,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Throttled, Self::ServerError, Self::Timeout, Self::Denied, Self::NotFound];
}

/// Whether a call fails before its effect, or its answer is lost after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Nothing happened.
    Before,
    /// It happened, and nobody was told.
    After,
}

/// Which calls fail, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Break {
    /// The call of this number, counted from zero.
    Once(usize, Fault, When),
    /// Every call of this operation.
    Always(&'static str, Fault),
}

/// A call that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// AWS's operation.
    pub operation: &'static str,
    /// Whether it changes anything.
    pub writes: bool,
    /// The process that made it.
    pub process: usize,
    /// When, in milliseconds.
    pub at: i64,
}

type Hook = Box<dyn FnOnce(&mut World) + Send>;

/// The world, shared with its past until it changes.
#[derive(Clone)]
pub(crate) struct Shared(Arc<World>);

impl Deref for Shared {
    type Target = World;

    fn deref(&self) -> &World {
        &self.0
    }
}

impl DerefMut for Shared {
    fn deref_mut(&mut self) -> &mut World {
        Arc::make_mut(&mut self.0)
    }
}

pub(crate) struct State {
    pub(crate) world: Shared,
    pub(crate) tables: Tables,
    pub(crate) told: Vec<Message>,
    pub(crate) violations: Vec<String>,
    pub(crate) now: u64,
    calls: Vec<Call>,
    past: VecDeque<(u64, Shared)>,
    random: fastrand::Rng,
    breaks: Vec<Break>,
    hooks: Vec<(usize, Hook)>,
    points: usize,
    kill: Option<usize>,
    dead: BTreeSet<usize>,
    latency: (u64, u64),
    lag: u64,
    buckets: Option<BTreeMap<&'static str, Bucket>>,
}

/// One of AWS's token buckets: what it holds, as of when.
struct Bucket {
    tokens: f64,
    at: u64,
}

/// Capacity and refill a second of the bucket that an operation draws from
/// (<https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>,
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/load-balancer-api-throttling.html>).
fn bucket_of(operation: &'static str) -> Option<(&'static str, f64, f64)> {
    Some(match operation {
        "DescribeTargetGroups" | "DescribeTargetHealth" => ("elbv2 reads", 40.0, 10.0),
        "RegisterTargets" | "DeregisterTargets" => ("elbv2 registrations", 20.0, 4.0),
        "DescribeLoadBalancers" => ("elb reads", 40.0, 10.0),
        "RegisterInstancesWithLoadBalancer" | "DeregisterInstancesFromLoadBalancer" => ("elb registrations", 20.0, 4.0),
        "DescribeSecurityGroups"
        | "DescribeInstances"
        | "DescribeNetworkInterfaces"
        | "DescribeSnapshots"
        | "DescribeInstanceAttribute"
        | "DescribeSecurityGroupRules"
        | "DescribeLockedSnapshots"
        | "DescribeIamInstanceProfileAssociations" => (operation, 100.0, 20.0),
        "ModifyNetworkInterfaceAttribute"
        | "ModifyInstanceMetadataOptions"
        | "CreateSnapshots"
        | "CreateSnapshot"
        | "AssociateIamInstanceProfile"
        | "DisassociateIamInstanceProfile" => (operation, 100.0, 5.0),
        "CreateTags" => (operation, 100.0, 10.0),
        "CreateSecurityGroup"
        | "AuthorizeSecurityGroupIngress"
        | "AuthorizeSecurityGroupEgress"
        | "RevokeSecurityGroupIngress"
        | "RevokeSecurityGroupEgress"
        | "ModifyInstanceAttribute"
        | "LockSnapshot"
        | "DeleteTags" => (operation, 50.0, 5.0),
        _ => return None,
    })
}

impl State {
    /// Takes a token; says whether there was one.
    fn token(&mut self, operation: &'static str) -> bool {
        let (Some(buckets), Some((name, capacity, refill))) = (&mut self.buckets, bucket_of(operation)) else {
            return true;
        };
        let bucket = buckets.entry(name).or_insert(Bucket { tokens: capacity, at: self.now });
        let passed = u32::try_from(self.now.saturating_sub(bucket.at)).unwrap_or(u32::MAX);
        bucket.tokens = (bucket.tokens + f64::from(passed) / 1000.0 * refill).min(capacity);
        bucket.at = self.now;
        let has = bucket.tokens >= 1.0;
        if has {
            bucket.tokens -= 1.0;
        }
        has
    }

    /// The world as a read shows it: as it was a moment ago, where reads lag.
    pub(crate) fn view(&mut self) -> Shared {
        if self.lag == 0 {
            return self.world.clone();
        }
        let at = self.now.saturating_sub(self.random.u64(0..=self.lag));
        // The past holds what was true until a write.
        self.past.iter().find(|(until, _)| *until > at).map_or_else(|| self.world.clone(), |(_, world)| world.clone())
    }

    /// Whether something that was made at a time is known everywhere yet.
    pub(crate) fn is_known(&mut self, made: u64) -> bool {
        self.lag == 0 || self.now.saturating_sub(made) >= self.random.u64(0..=self.lag)
    }

    fn remember(&mut self) {
        if self.lag > 0 {
            self.past.push_back((self.now, self.world.clone()));
            while self.past.front().is_some_and(|(until, _)| *until + self.lag < self.now) {
                self.past.pop_front();
            }
        }
    }

    fn fault(&self, number: usize, operation: &str, when: When) -> Option<Fault> {
        self.breaks.iter().find_map(|broken| match broken {
            Break::Once(at, fault, then) if *at == number && *then == when => Some(*fault),
            Break::Always(named, fault) if *named == operation && when == When::Before => Some(*fault),
            Break::Once(..) | Break::Always(..) => None,
        })
    }
}

/// A simulated account and everything that happens to it.
pub struct Sim {
    pub(crate) timers: Arc<Timers>,
    state: Mutex<State>,
    policy: Policy,
}

impl Sim {
    /// A world, and the seed that everything random in it follows from.
    #[must_use]
    pub fn new(world: World, seed: u64) -> Arc<Self> {
        Self::with(world, seed, Policy::default())
    }

    /// The same with other settings.
    #[must_use]
    pub fn with(world: World, seed: u64, policy: Policy) -> Arc<Self> {
        let state = State {
            world: Shared(Arc::new(world)),
            tables: Tables::default(),
            told: Vec::new(),
            violations: Vec::new(),
            now: 0,
            calls: Vec::new(),
            past: VecDeque::new(),
            random: fastrand::Rng::with_seed(seed),
            breaks: Vec::new(),
            hooks: Vec::new(),
            points: 0,
            kill: None,
            dead: BTreeSet::new(),
            latency: (20, 20),
            lag: 0,
            buckets: None,
        };
        Arc::new(Self { timers: Arc::default(), state: Mutex::new(state), policy })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Each way of a call takes as long, in milliseconds, at random.
    pub fn latency(&self, least: u64, most: u64) {
        self.state().latency = (least, most);
    }

    /// Reads of EC2, IAM and tags are up to so many milliseconds old.
    pub fn lag(&self, most: u64) {
        self.state().lag = most;
    }

    /// Calls draw from AWS's token buckets, and are tried three times by the adapter, as the SDK does.
    pub fn throttles(&self) {
        self.state().buckets = Some(BTreeMap::new());
    }

    /// Makes calls fail.
    pub fn breaks(&self, broken: Break) {
        self.state().breaks.push(broken);
    }

    /// Heals everything.
    pub fn heal(&self) {
        self.state().breaks.clear();
        self.state().kill = None;
    }

    /// The process that reaches this await point dies there.
    pub fn kill_at(&self, point: usize) {
        self.state().kill = Some(point);
    }

    /// Something happens in the world just before the call of this number.
    pub fn happens(&self, at: usize, what: impl FnOnce(&mut World) + Send + 'static) {
        self.state().hooks.push((at, Box::new(what)));
    }

    /// The world as it is.
    #[must_use]
    pub fn world(&self) -> World {
        World::clone(&self.state().world)
    }

    /// Changes the world from outside.
    pub fn change(&self, what: impl FnOnce(&mut World)) {
        what(&mut self.state().world);
    }

    /// The calls that were made.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// How many points there were at which a process could die.
    #[must_use]
    pub fn points(&self) -> usize {
        self.state().points
    }

    /// What must never happen and did.
    #[must_use]
    pub fn violations(&self) -> Vec<String> {
        self.state().violations.clone()
    }

    /// Subjects of the messages that people got.
    #[must_use]
    pub fn told(&self) -> Vec<String> {
        self.state().told.iter().map(|message| message.subject.clone()).collect()
    }

    /// Lets time pass.
    pub fn wait(&self, time: Duration) {
        self.timers.skip(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    }

    /// The function as one process of it.
    #[must_use]
    pub fn engine(self: &Arc<Self>, process: usize) -> Engine {
        let ledger = Arc::new(SimLedger { sim: Arc::clone(self), process });
        Engine {
            clouds: Arc::new(SimClouds { sim: Arc::clone(self), process }),
            ledger,
            notifier: Arc::new(SimNotifier { sim: Arc::clone(self), process }),
            clock: Arc::new(SimClock(Arc::clone(self))),
            policy: self.policy.clone(),
            rulebook: Rulebook::fixed(Rules::none()),
            table: "brig".to_owned(),
        }
    }

    /// An invocation of the function.
    #[must_use]
    pub fn invocation(&self, request_id: &str, timeout: Duration) -> Invocation {
        let began = self.clock();
        Invocation {
            request_id: request_id.to_owned(),
            own: ACCOUNT.parse().expect("an account"),
            function: "brig-contain".to_owned(),
            release_function: "brig-release".to_owned(),
            began,
            deadline: began.after(timeout),
        }
    }

    /// Contains an instance once, as one process; none where the process died.
    pub fn contain(self: &Arc<Self>, instance: &InstanceId, request_id: &str) -> Option<Containment> {
        self.timers.run(self.process(0, instance, request_id, TIMEOUT)).flatten()
    }

    /// The same within a time.
    pub fn contain_within(
        self: &Arc<Self>,
        instance: &InstanceId,
        request_id: &str,
        time: Duration,
    ) -> Option<Containment> {
        self.timers.run(self.process(0, instance, request_id, time)).flatten()
    }

    /// One process that contains; it ends without an answer where it dies.
    pub async fn process(
        self: &Arc<Self>,
        process: usize,
        instance: &InstanceId,
        request_id: &str,
        timeout: Duration,
    ) -> Option<Containment> {
        let engine = self.engine(process);
        let mut finding = finding(instance, &format!("finding-of-{instance}"));
        finding.remotes = self.state().world.remotes.get(instance).cloned().unwrap_or_default();
        finding.stop = self.state().world.stops.contains(instance);
        let invocation = self.invocation(request_id, timeout);
        Box::pin(self.mortal(process, engine.contain(&finding, Action::Contain, false, &invocation))).await
    }

    /// Takes the containment back, as a person.
    pub fn release(self: &Arc<Self>, instance: &InstanceId, rejoin: bool, request_id: &str) -> Option<Containment> {
        self.timers.run(self.releasing(0, instance, rejoin, request_id)).flatten()
    }

    /// One process that releases; it ends without an answer where it dies.
    pub async fn releasing(
        self: &Arc<Self>,
        process: usize,
        instance: &InstanceId,
        rejoin: bool,
        request_id: &str,
    ) -> Option<Containment> {
        let engine = self.engine(process);
        let finding = person(instance);
        let invocation = self.invocation(request_id, TIMEOUT);
        Box::pin(self.mortal(process, engine.release(&finding, rejoin, false, &invocation))).await
    }

    /// Waits in virtual time.
    pub async fn sleep(&self, time: Duration) {
        self.timers.sleep(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)).await;
    }

    /// Runs a future in virtual time; none where it waits for ever.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        self.timers.run(future)
    }

    async fn mortal<T>(&self, process: usize, life: impl Future<Output = T>) -> Option<T> {
        let mut life = pin!(life);
        std::future::poll_fn(|context| {
            let polled = life.as_mut().poll(context);
            if self.state().dead.contains(&process) {
                return Poll::Ready(None);
            }
            polled.map(Some)
        })
        .await
    }

    /// A process that died is started anew by Lambda.
    pub fn revive(&self, process: usize) {
        self.state().dead.remove(&process);
    }

    /// The time.
    #[must_use]
    pub fn clock(&self) -> Timestamp {
        Timestamp::from_millis(START + i64::try_from(self.timers.now()).unwrap_or(i64::MAX))
    }

    /// A point at which the process may die.
    async fn point(&self, process: usize) {
        let dies = {
            let mut state = self.state();
            let at = state.points;
            state.points += 1;
            if state.kill == Some(at) {
                state.dead.insert(process);
            }
            state.dead.contains(&process)
        };
        if dies {
            std::future::pending::<()>().await;
        }
    }

    async fn half_way(self: &Arc<Self>) {
        let millis = {
            let mut state = self.state();
            let (least, most) = state.latency;
            state.random.u64(least..=most)
        };
        self.timers.sleep(millis).await;
    }

    /// One call: on its way, its effect at one moment, and back.
    pub(crate) async fn call<T>(
        self: &Arc<Self>,
        process: usize,
        operation: &'static str,
        writes: bool,
        effect: impl FnOnce(&mut State) -> Answer<T>,
    ) -> Answer<T> {
        self.point(process).await;
        let at = self.clock().millis();
        let number = {
            let mut state = self.state();
            state.calls.push(Call { operation, writes, process, at });
            let number = state.calls.len() - 1;
            let (due, later): (Vec<(usize, Hook)>, _) =
                std::mem::take(&mut state.hooks).into_iter().partition(|(at, _)| *at == number);
            state.hooks = later;
            for (_, hook) in due {
                hook(&mut state.world);
            }
            number
        };
        self.half_way().await;
        for pause in [500, 1_000, 0] {
            let throttled = {
                let mut state = self.state();
                state.now = self.timers.now();
                !state.token(operation)
            };
            if !throttled {
                break;
            }
            if pause == 0 {
                self.point(process).await;
                return Err(error(operation, Fault::Throttled));
            }
            self.timers.sleep(pause).await;
        }
        let early = self.state().fault(number, operation, When::Before);
        if let Some(fault) = early {
            if fault == Fault::Timeout {
                self.timers.sleep(NO_ANSWER).await;
            }
            self.point(process).await;
            return Err(error(operation, fault));
        }
        let answer = {
            let mut state = self.state();
            state.now = self.timers.now();
            let now = state.now;
            if state.world.is_due(now) {
                state.world.pass(now);
            }
            if writes {
                state.remember();
            }
            effect(&mut state)
        };
        let late = self.state().fault(number, operation, When::After);
        if let Some(fault) = late {
            if fault == Fault::Timeout {
                self.timers.sleep(NO_ANSWER).await;
            }
            self.point(process).await;
            return Err(error(operation, fault));
        }
        self.half_way().await;
        self.point(process).await;
        answer
    }
}

/// A person's finding about an instance.
pub(crate) fn person(instance: &InstanceId) -> Finding {
    let base = finding(instance, "manual-r");
    Finding {
        source: brig_core::finding::Source::Manual,
        kind: "Manual".to_owned(),
        title: "requested by a person".to_owned(),
        severity: None,
        by_person: true,
        ..base
    }
}

/// AWS's answer for a fault.
pub(crate) fn error(operation: &'static str, fault: Fault) -> CloudError {
    let (kind, code) = match fault {
        Fault::Throttled => (ErrorKind::Throttled, "RequestLimitExceeded"),
        Fault::ServerError => (ErrorKind::Transient, "InternalError"),
        Fault::Timeout => (ErrorKind::Transient, "Timeout"),
        Fault::Denied => (ErrorKind::Denied, "AccessDenied"),
        Fault::NotFound => (ErrorKind::NotFound, "Resource.NotFound"),
    };
    CloudError { operation, kind, code: code.to_owned(), message: "by the simulator".to_owned() }
}

struct SimClock(Arc<Sim>);

#[async_trait]
impl Clock for SimClock {
    fn now(&self) -> Timestamp {
        self.0.clock()
    }

    async fn sleep(&self, duration: Duration) {
        self.0.timers.sleep(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)).await;
    }
}

struct SimNotifier {
    sim: Arc<Sim>,
    process: usize,
}

#[async_trait]
impl Notifier for SimNotifier {
    async fn count_subscribers(&self) -> Answer<u64> {
        self.sim.call(self.process, "GetTopicAttributes", false, |_| Ok(1)).await
    }

    async fn publish(&self, message: &Message) -> Answer<()> {
        let message = message.clone();
        self.sim
            .call(self.process, "Publish", true, move |state| {
                state.told.push(message);
                Ok(())
            })
            .await
    }
}
