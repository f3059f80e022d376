//! The function's processes: what they are made of, what they do, and how they die.

use std::{future::Future, pin::pin, sync::Arc, task::Poll, time::Duration};

use async_trait::async_trait;
use brig_core::{
    decide::{Asks, rules::Rules},
    iam::readiness::Topic,
    model::{Principal, ids::InstanceId, timestamp::Timestamp},
    report::{answer::Answer, message::Message, principal::PrincipalAnswer},
    trigger::{Finding, Force, Place, Rejoin, Source},
};
use brig_engine::{
    Engine, Invocation, Verification,
    ports::{Clock, Notifier, PortResult},
    rulebook::Rulebook,
};

use crate::{
    build::{ACCOUNT, finding},
    cloud::SimClouds,
    ledger::SimLedger,
    sim::Sim,
};

/// The function's timeout.
const TIMEOUT: Duration = Duration::from_mins(2);

impl Sim {
    /// The function as one process of it.
    #[must_use]
    pub fn engine(self: &Arc<Self>, process: usize) -> Engine {
        let ledger = Arc::new(SimLedger { sim: Arc::clone(self), process });
        Engine {
            clouds: Arc::new(SimClouds { sim: Arc::clone(self), process }),
            ledger,
            notifier: Arc::new(SimNotifier { sim: Arc::clone(self), process }),
            chat: self.state().chat.is_some().then(|| Arc::new(SimChat { sim: Arc::clone(self), process }) as _),
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
            region: Some(crate::REGION.parse().expect("a Region")),
            log_group: "/aws/lambda/brig-contain".to_owned(),
            began,
            deadline: began.after(timeout),
            arrived: began,
            patience: Duration::ZERO,
        }
    }

    /// Contains an instance once, as one process; none where the process died.
    pub fn contain(self: &Arc<Self>, instance: &InstanceId, request_id: &str) -> Option<Answer> {
        self.timers.run(self.process(0, instance, request_id, TIMEOUT)).flatten()
    }

    /// The same within a time.
    pub fn contain_within(self: &Arc<Self>, instance: &InstanceId, request_id: &str, time: Duration) -> Option<Answer> {
        self.timers.run(self.process(0, instance, request_id, time)).flatten()
    }

    /// One process that contains; it ends without an answer where it dies.
    pub async fn process(
        self: &Arc<Self>,
        process: usize,
        instance: &InstanceId,
        request_id: &str,
        timeout: Duration,
    ) -> Option<Answer> {
        let engine = self.engine(process);
        let mut finding = finding(instance, &format!("finding-of-{instance}"));
        finding.remotes = self.state().world.remotes.get(instance).cloned().unwrap_or_default();
        finding.stop = self.state().world.stops.contains(instance);
        (finding.roles, finding.profiles) = self.state().world.named.get(instance).cloned().unwrap_or_default();
        let invocation = self.invocation(request_id, timeout);
        Box::pin(self.mortal(process, engine.contain(&finding, Force::No, &invocation))).await
    }

    /// Takes the containment back, as a person.
    pub fn release(self: &Arc<Self>, instance: &InstanceId, rejoin: Rejoin, request_id: &str) -> Option<Answer> {
        self.timers.run(self.releasing(0, instance, rejoin, request_id)).flatten()
    }

    /// One process that releases; it ends without an answer where it dies.
    pub async fn releasing(
        self: &Arc<Self>,
        process: usize,
        instance: &InstanceId,
        rejoin: Rejoin,
        request_id: &str,
    ) -> Option<Answer> {
        let engine = self.engine(process);
        let finding = person(instance);
        let invocation = self.invocation(request_id, TIMEOUT);
        Box::pin(self.mortal(process, engine.release(&finding, rejoin, &invocation))).await
    }

    /// Contains a principal once, as one process; none where the process died.
    pub fn contain_principal(self: &Arc<Self>, principal: &Principal, request_id: &str) -> Option<PrincipalAnswer> {
        self.timers.run(self.containing(0, principal, request_id)).flatten()
    }

    /// Contains an instance once for an event that is delivered again, and had arrived at `arrived`.
    pub fn contain_redelivered(
        self: &Arc<Self>,
        instance: &InstanceId,
        request_id: &str,
        arrived: Timestamp,
    ) -> Option<Answer> {
        let life = async {
            let engine = self.engine(0);
            let invocation = Invocation { arrived, ..self.invocation(request_id, TIMEOUT) };
            let finding = finding(instance, &format!("finding-of-{instance}"));
            Box::pin(self.mortal(0, engine.contain(&finding, Force::No, &invocation))).await
        };
        self.timers.run(life).flatten()
    }

    /// Contains a principal once, as a person orders it; none where the process died.
    pub fn order_principal(self: &Arc<Self>, principal: &Principal, request_id: &str) -> Option<PrincipalAnswer> {
        let life = async {
            let engine = self.engine(0);
            let invocation = self.invocation(request_id, TIMEOUT);
            let finding = by_person(principal);
            Box::pin(self.mortal(0, engine.contain_principal(&finding, Force::No, &invocation))).await
        };
        self.timers.run(life).flatten()
    }

    /// One process that contains a principal, for GuardDuty's finding about it.
    pub async fn containing(
        self: &Arc<Self>,
        process: usize,
        principal: &Principal,
        request_id: &str,
    ) -> Option<PrincipalAnswer> {
        let engine = self.engine(process);
        let finding = about(principal, &format!("finding-of-{principal}"));
        let invocation = self.invocation(request_id, TIMEOUT);
        Box::pin(self.mortal(process, engine.contain_principal(&finding, Force::No, &invocation))).await
    }

    /// Takes a principal's containment back, as a person.
    pub fn release_principal(self: &Arc<Self>, principal: &Principal, request_id: &str) -> Option<PrincipalAnswer> {
        self.timers.run(self.giving_back(0, principal, request_id)).flatten()
    }

    /// One process that releases a principal.
    pub async fn giving_back(
        self: &Arc<Self>,
        process: usize,
        principal: &Principal,
        request_id: &str,
    ) -> Option<PrincipalAnswer> {
        let engine = self.engine(process);
        let finding = by_person(principal);
        let invocation = self.invocation(request_id, TIMEOUT);
        Box::pin(self.mortal(process, engine.release_principal(&finding, &invocation))).await
    }

    /// Looks at a contained principal again.
    pub fn verify_principal(
        self: &Arc<Self>,
        principal: &Principal,
        asks: Asks,
        request_id: &str,
    ) -> Option<PrincipalAnswer> {
        let life = async {
            let engine = self.engine(0);
            let finding = by_person(principal);
            let invocation = self.invocation(request_id, TIMEOUT);
            let verification = Verification::ordered(asks);
            Box::pin(self.mortal(0, engine.verify_principal(&finding, verification, &invocation))).await
        };
        self.timers.run(life).flatten()
    }

    /// Waits in virtual time.
    pub async fn sleep(&self, time: Duration) {
        self.timers.sleep(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)).await;
    }

    /// Runs a future in virtual time; none where it waits for ever.
    pub fn run<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        self.timers.run(future)
    }

    /// Lives until its process dies: none where it did.
    pub async fn mortal<T>(&self, process: usize, life: impl Future<Output = T>) -> Option<T> {
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
}

/// GuardDuty's finding about a principal.
#[must_use]
pub fn about(principal: &Principal, id: &str) -> Finding<Principal> {
    Finding {
        source: Source::GuardDuty,
        kind: "UnauthorizedAccess:IAMUser/MaliciousIPCaller".to_owned(),
        title: "a key was used from a malicious address".to_owned(),
        severity: Some(8.0),
        by_person: false,
        id: id.to_owned(),
        ..by_person(principal)
    }
}

/// A person's finding about a principal.
#[must_use]
pub fn by_person(principal: &Principal) -> Finding<Principal> {
    let (account, region) = (ACCOUNT.parse().expect("an account"), crate::REGION.parse().expect("a Region"));
    let occasion = Finding::occasion(
        "manual-r".to_owned(),
        "requested by a person".to_owned(),
        account,
        region,
        principal.clone(),
    );
    Finding { kind: "Manual".to_owned(), place: Place::Stated, ..occasion }
}

/// A person's finding about an instance.
pub(crate) fn person(instance: &InstanceId) -> Finding {
    let base = finding(instance, "manual-r");
    Finding {
        source: Source::Manual,
        kind: "Manual".to_owned(),
        title: "requested by a person".to_owned(),
        severity: None,
        by_person: true,
        ..base
    }
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
    async fn topic(&self) -> PortResult<Topic> {
        let topic = Topic { confirmed: 1, pending: 0, key: None };
        self.sim.call(self.process, "GetTopicAttributes", false, |_| Ok(topic)).await
    }

    async fn publish(&self, message: &Message) -> PortResult<()> {
        let message = message.clone();
        self.sim
            .call(self.process, "Publish", true, move |state| {
                state.told.push(message);
                Ok(())
            })
            .await
    }
}

/// The topic of a chat channel; its calls have a name of their own, so that they can be broken apart.
struct SimChat {
    sim: Arc<Sim>,
    process: usize,
}

#[async_trait]
impl Notifier for SimChat {
    async fn topic(&self) -> PortResult<Topic> {
        Ok(Topic { confirmed: 1, pending: 0, key: None })
    }

    async fn publish(&self, message: &Message) -> PortResult<()> {
        let message = message.clone();
        self.sim
            .call(self.process, "PublishToChat", true, move |state| {
                state.chat.get_or_insert_default().push(message);
                Ok(())
            })
            .await
    }
}
