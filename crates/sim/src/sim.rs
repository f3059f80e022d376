//! The machine that runs a world: calls with their latency and faults, processes that die, and what was seen to go wrong.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use brig_core::{model::timestamp::Timestamp, report::message::Message, settings::Policy, step::Denial};
use brig_engine::ports::{CloudError, ErrorKind, PortResult};

use crate::{ledger::Tables, time::Timers, world::World};

/// The clock starts here.
pub(crate) const START: i64 = 1_790_000_000_000;
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
    /// What came back is no answer of AWS: a page in HTML, a redirection, an empty or a cut body.
    Unreadable,
    /// AWS will never take the request as it is.
    Invalid,
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Throttled,
        Self::ServerError,
        Self::Timeout,
        Self::Denied,
        Self::NotFound,
        Self::Unreadable,
        Self::Invalid,
    ];
}

/// Whether a call fails before its effect, or its answer is lost after it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Nothing happened.
    Before,
    /// It happened, and nobody was notified.
    After,
}

/// Which calls fail, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Break {
    /// The call of this number, counted from zero.
    Once(usize, Fault, When),
    /// Every call of this operation.
    Always(&'static str, Fault),
    /// The first call of this operation from this number on.
    Next(&'static str, usize, Fault, When),
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
    /// What a chat channel got, where there is one.
    pub(crate) chat: Option<Vec<Message>>,
    pub(crate) violations: Vec<String>,
    pub(crate) now: u64,
    calls: Vec<Call>,
    past: VecDeque<(u64, Shared)>,
    random: fastrand::Rng,
    breaks: Vec<Break>,
    hooks: Vec<(usize, Hook)>,
    points: usize,
    kill: Option<usize>,
    pub(crate) dead: BTreeSet<usize>,
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
    /// The time, as AWS writes it.
    pub(crate) fn time(&self) -> Timestamp {
        Timestamp::from_millis(START + i64::try_from(self.now).unwrap_or(i64::MAX))
    }

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

    fn is_first(&self, number: usize, from: usize, operation: &str) -> bool {
        let between = self.calls.iter().skip(from).take(number.saturating_sub(from));
        between.into_iter().all(|call| call.operation != operation)
    }

    fn fault(&self, number: usize, operation: &str, when: When) -> Option<Fault> {
        self.breaks.iter().find_map(|broken| match broken {
            Break::Once(at, fault, then) if *at == number && *then == when => Some(*fault),
            Break::Always(named, fault) if *named == operation && when == When::Before => Some(*fault),
            Break::Next(named, from, fault, then)
                if *named == operation
                    && *then == when
                    && number >= *from
                    && self.is_first(number, *from, operation) =>
            {
                Some(*fault)
            }
            Break::Once(..) | Break::Always(..) | Break::Next(..) => None,
        })
    }
}

/// A simulated account and everything that happens to it.
pub struct Sim {
    pub(crate) timers: Arc<Timers>,
    state: Mutex<State>,
    pub(crate) policy: Policy,
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
            chat: None,
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

    /// The messages that people got.
    #[must_use]
    pub fn messages(&self) -> Vec<Message> {
        self.state().told.clone()
    }

    /// From now on there is a chat channel, too.
    pub fn open_chat(&self) {
        self.state().chat = Some(Vec::new());
    }

    /// The messages that the chat channel got.
    #[must_use]
    pub fn in_chat(&self) -> Vec<Message> {
        self.state().chat.clone().unwrap_or_default()
    }

    /// Lets time pass.
    pub fn wait(&self, time: Duration) {
        self.timers.skip(u64::try_from(time.as_millis()).unwrap_or(u64::MAX));
    }

    /// A process that died is started again by Lambda.
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
        effect: impl FnOnce(&mut State) -> PortResult<T>,
    ) -> PortResult<T> {
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

/// AWS's answer for a fault.
pub(crate) fn error(operation: &'static str, fault: Fault) -> CloudError {
    let (kind, code) = match fault {
        Fault::Throttled => (ErrorKind::Throttled, "RequestLimitExceeded"),
        Fault::ServerError => (ErrorKind::Transient, "InternalError"),
        Fault::Timeout => (ErrorKind::Transient, "Timeout"),
        Fault::Denied => (ErrorKind::Denied(Denial::Unsaid), "AccessDenied"),
        Fault::NotFound => (ErrorKind::NotFound, "Resource.NotFound"),
        Fault::Unreadable => (ErrorKind::Transient, "Unreadable"),
        Fault::Invalid => (ErrorKind::Other, "InvalidParameter"),
    };
    CloudError { operation, kind, code: code.to_owned(), message: "by the simulator".to_owned() }
}
