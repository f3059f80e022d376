//! Effects on Brig's own groups: made, given exactly their rules, found again.

use std::{collections::BTreeSet, time::Duration};

use brig_core::{
    lanes::network::untrack_rules,
    model::{
        Direction, Instance, Interface, Purpose, SecurityGroup,
        ids::{AccountId, GroupId, InstanceId, InstanceKey, VpcId},
        tags::GROUP_ROLE_TAG,
    },
    step::{CreateSecurityGroup, Failure, GroupRef, Outcome, Plan, Step},
};
use futures::future::join_all;

use super::{NetworkLane, key_of, lock};
use crate::{
    ports::{
        Attached, Clock, CloudError, ErrorKind, Interfaces, InterfacesOf, Ledger, NetworkPorts, PortResult,
        SecurityGroups, Tags,
    },
    work::{eventually, failed, failed_for_now, failure},
};

impl NetworkLane<'_> {
    pub(crate) async fn create_group(&self, group: &GroupRef) -> Outcome {
        let outcome = self.make(group).await;
        self.note_fitness(group, outcome)
    }

    async fn make(&self, group: &GroupRef) -> Outcome {
        let clock = self.work.clock;
        let first = lock(&self.first).remove(&key_of(group));
        let made = match first {
            Some(made) => made,
            None => create(self.cloud, clock, &self.work.instance.account, group).await,
        };
        let (id, detail) = match made {
            Ok(made) => made,
            Err(NotMade { failure, full }) => {
                if full {
                    lock(&self.full).insert(group.vpc.clone());
                }
                return Outcome::Failed(failure);
            }
        };
        // Known even if its rules cannot be set: isolating into a group that still lets something out beats not
        // isolating, and the next look sees the rules.
        lock(&self.made).insert(key_of(group), id.clone());
        let ruled = rule(self.cloud, clock, group.purpose, &id).await;
        changed(ruled, format!("{id}, {detail}"))
    }

    /// Makes isolation groups before untrack groups are made: where the quota leaves room for one group, it is the one that
    /// cuts. Costs no time on the way to the cut, since an untrack group is not needed before its interface is isolated.
    pub(super) async fn make_first(&self, groups: &Plan) {
        let creates = groups.todo().filter_map(|step| {
            let Step::CreateSecurityGroup(CreateSecurityGroup { group }) = step else { return None };
            Some(async move {
                let made = create(self.cloud, self.work.clock, &self.work.instance.account, group);
                let made = match self.work.within("CreateSecurityGroup", async { Ok(made.await) }).await {
                    Ok(made) => made,
                    Err(error) => Err(NotMade::by(&error)),
                };
                lock(&self.first).insert(key_of(group), made);
            })
        });
        join_all(creates).await;
    }

    pub(crate) async fn authorize_group(&self, group: &GroupRef) -> Outcome {
        let outcome = match self.resolve(group) {
            Ok(id) => changed(
                rule(self.cloud, self.work.clock, Purpose::Untrack, &id).await,
                "allows everything, both ways, IPv4 and IPv6".to_owned(),
            ),
            Err(outcome) => outcome,
        };
        self.note_fitness(group, outcome)
    }

    pub(crate) async fn revoke_rules(&self, group: &GroupRef) -> Outcome {
        let outcome = match self.resolve(group) {
            Ok(id) => self.revoke_listed(&id).await,
            Err(outcome) => outcome,
        };
        self.note_fitness(group, outcome)
    }

    /// Remembers a group that is not as it must be. That an account forbids groups open to the world is no failure of
    /// the containment: the untrack step is skipped, and says why.
    fn note_fitness(&self, group: &GroupRef, outcome: Outcome) -> Outcome {
        let Outcome::Failed(failure) = outcome else { return outcome };
        lock(&self.unfit).insert(key_of(group), failure.clone());
        match group.purpose {
            Purpose::Untrack if !failure.retryable => Outcome::Skipped(failure.to_string().into()),
            Purpose::Untrack | Purpose::Isolation => Outcome::Failed(failure),
        }
    }

    async fn revoke_listed(&self, id: &GroupId) -> Outcome {
        let rules = match self.cloud.describe_security_group_rules(id).await {
            Ok(rules) => rules,
            Err(error) => return failed(&error),
        };
        let of = |direction: Direction| -> Vec<String> {
            let access = lock(&self.access);
            let of_way = rules.iter().filter(|listed| listed.rule.direction == direction);
            of_way.filter(|listed| !access.keeps(id, &listed.rule)).map(|listed| listed.id.clone()).collect()
        };
        let (incoming, outgoing) = (of(Direction::Ingress), of(Direction::Egress));
        let revoke = async |direction, ids: &[String]| {
            if ids.is_empty() { Ok(()) } else { self.cloud.revoke_rules(id, direction, ids).await }
        };
        let (a, b) = futures::join!(revoke(Direction::Ingress, &incoming), revoke(Direction::Egress, &outgoing));
        changed(a.and(b), format!("{} rule(s) revoked", incoming.len() + outgoing.len()))
    }

    /// The id of a group that exists or was made a moment ago.
    pub(super) fn resolve(&self, group: &GroupRef) -> Result<GroupId, Outcome> {
        let made = || lock(&self.made).get(&key_of(group)).cloned();
        group.id.clone().or_else(made).ok_or_else(|| {
            let why = lock(&self.unfit).get(&key_of(group)).cloned();
            Outcome::Failed(
                why.unwrap_or_else(|| Failure::passing(format!("{} of {} was not made", group.name, group.vpc))),
            )
        })
    }

    /// The same, for a group that must have exactly its rules: one that lets flows out without letting everything in
    /// would make new tracked flows, which outlive the cut.
    pub(super) fn resolve_fit(&self, group: &GroupRef) -> Result<GroupId, String> {
        if let Some(failure) = lock(&self.unfit).get(&key_of(group)) {
            return Err(format!("there is no untrack group: {failure}"));
        }
        self.resolve(group).map_err(|outcome| outcome.words().to_string())
    }
}

/// A group that could not be made, and why.
#[derive(Debug, Clone)]
pub(crate) struct NotMade {
    pub(crate) failure: Failure,
    /// The quota of security groups is used up.
    pub(crate) full: bool,
}

impl NotMade {
    fn by(error: &CloudError) -> Self {
        Self { failure: failure(error), full: error.kind == ErrorKind::LimitReached }
    }
}

impl From<Failure> for NotMade {
    fn from(failure: Failure) -> Self {
        Self { failure, full: false }
    }
}

/// A group that was made, and whether by this invocation.
pub(crate) type Made = Result<(GroupId, &'static str), NotMade>;

/// Makes a group without its rules, or finds the one that another invocation has just made; says which.
pub(crate) async fn create(
    cloud: &dyn SecurityGroups,
    clock: &dyn Clock,
    account: &AccountId,
    group: &GroupRef,
) -> Made {
    let tags: Tags = [(GROUP_ROLE_TAG.to_owned(), group.purpose.tag_value().to_owned())].into();
    match cloud.create_security_group(&group.vpc, &group.name, &tags).await {
        Ok(id) => Ok((id, "made")),
        Err(error) if error.kind == ErrorKind::Duplicate => {
            let id = find(cloud, clock, account, group).await?;
            Ok((id, "made by another invocation at the same time"))
        }
        Err(error) => Err(NotMade::by(&error)),
    }
}

/// Two invocations may make the same group at once; a name that somebody else took is not ours to use.
async fn find(
    cloud: &dyn SecurityGroups,
    clock: &dyn Clock,
    account: &AccountId,
    group: &GroupRef,
) -> Result<GroupId, Failure> {
    for pause in [0, 200, 400, 800] {
        clock.sleep(Duration::from_millis(pause)).await;
        let groups = cloud.describe_brig_groups().await.map_err(|error| failure(&error))?;
        let found = groups.iter().find(|found| found.vpc == group.vpc && found.name == group.name);
        if let Some(found) = found {
            return if found.is_ours(group.purpose, account) {
                Ok(found.id.clone())
            } else {
                let error = format!("{} has a group {} that Brig did not make", group.vpc, group.name);
                Err(Failure::passing(error))
            };
        }
    }
    Err(Failure::passing(format!("{} exists in {} and is not yet visible", group.name, group.vpc)))
}

/// Gives a new group its rules: all, or none.
///
/// A new group lets everything out, in IPv4 and, where the VPC has it, in IPv6. Both are revoked unseen, to save a round
/// trip before the cut; the look after it lists what is left.
pub(crate) async fn rule(
    cloud: &dyn SecurityGroups,
    clock: &dyn Clock,
    purpose: Purpose,
    id: &GroupId,
) -> PortResult<()> {
    match purpose {
        Purpose::Isolation => {
            let (v4, v6) = futures::join!(
                eventually(clock, || cloud.revoke_all_egress(id, "0.0.0.0/0")),
                eventually(clock, || cloud.revoke_all_egress(id, "::/0"))
            );
            v4.and(v6)
        }
        Purpose::Untrack => {
            let rules = untrack_rules();
            let calls = rules.iter().map(|rule| eventually(clock, move || cloud.authorize_rule(id, rule)));
            join_all(calls).await.into_iter().collect()
        }
    }
}

/// What was just made, or just seen, and is not found will be: EC2's reads lag its writes.
fn changed(answer: PortResult<()>, detail: String) -> Outcome {
    match answer {
        Ok(()) => Outcome::Changed(detail.into()),
        Err(error) if error.kind == ErrorKind::NotFound => failed_for_now(&error),
        Err(error) => failed(&error),
    }
}

/// Isolation groups of the instance's VPCs with a stray rule that hold an interface which belongs to no active
/// containment. Costs calls only where a stray rule was seen; what cannot be read counts as shared, so that nothing
/// foreign is changed and the cut goes on with a group of its own.
pub(crate) async fn shared_groups(
    ledger: &dyn Ledger,
    cloud: &dyn Interfaces,
    instance: &Instance,
    interfaces: &[Interface],
    groups: &[SecurityGroup],
) -> BTreeSet<GroupId> {
    let vpcs: BTreeSet<_> = interfaces.iter().map(|interface| &interface.vpc).collect();
    let suspects = groups.iter().filter(|group| {
        !group.rules.is_empty() && vpcs.contains(&group.vpc) && group.is_ours(Purpose::Isolation, &instance.account)
    });
    let checks = suspects.map(|group| async move {
        let attached = cloud.describe_network_interfaces(InterfacesOf::Group(&group.id)).await;
        (!all_contained(ledger, instance, attached).await).then(|| group.id.clone())
    });
    join_all(checks).await.into_iter().flatten().collect()
}

async fn all_contained(ledger: &dyn Ledger, instance: &Instance, attached: Result<Vec<Attached>, CloudError>) -> bool {
    let Ok(attached) = attached else { return false };
    let mut owners: BTreeSet<Option<InstanceId>> =
        attached.iter().map(|eni| eni.instance.as_deref().and_then(|id| id.parse().ok())).collect();
    owners.remove(&Some(instance.id.clone()));
    let checks = owners.into_iter().map(|owner| async move {
        let Some(id) = owner else { return false };
        let key = InstanceKey { account: instance.account.clone(), region: instance.region.clone(), instance: id };
        ledger.read(&key.into()).await.is_ok_and(|records| records.active().is_some())
    });
    join_all(checks).await.into_iter().all(|contained| contained)
}

/// Groups of these VPCs that have no rule and that no interface carries, one a VPC. They are named to people, and never used:
/// whoever they belong to may give them rules.
pub(crate) async fn spare(cloud: &dyn NetworkPorts, vpcs: &BTreeSet<VpcId>) -> Vec<SecurityGroup> {
    const MOST: usize = 5;
    let mut spare = Vec::new();
    for vpc in vpcs {
        let listed = cloud.describe_groups_of_vpc(vpc).await.unwrap_or_default();
        let bare = listed.into_iter().filter(|group| group.rules.is_empty() && group.name != "default");
        for group in bare.take(MOST) {
            let used = cloud.describe_network_interfaces(InterfacesOf::Group(&group.id)).await;
            if used.is_ok_and(|used| used.is_empty()) {
                spare.push(group);
                break;
            }
        }
    }
    spare
}
