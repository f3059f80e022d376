//! Whether the account is ready for the bad day: everything is read at once, changes are tried without effect, and Brig's
//! groups are made where that was asked for.

use brig_core::{
    iam::{
        power::Read,
        readiness::{Line, Look, Seen, State, Unseen, judge},
    },
    ledger::Channel,
    model::{
        Purpose, SecurityGroup,
        ids::{AccountId, InstanceId, Region, VpcId},
        timestamp::Timestamp,
    },
    report::message,
    settings::Mode,
    step::GroupRef,
    trigger::Readiness,
};
use futures::{
    FutureExt,
    future::{BoxFuture, join_all},
};
use serde::Serialize;

use crate::{
    engine::{Engine, Invocation},
    lanes::network::groups,
    ports::{
        Attribute, Clock, Cloud, CloudError, DryRun, ErrorKind, InterfacesOf, Lookup, PortResult, SecurityGroups, View,
    },
};

/// A name that nothing has: what is asked about it is answered "not found" where asking is allowed. It begins unlike Brig's
/// own roles, on which the templates deny everything; with `RolePath=/` they have no path to be told by.
const NOTHING: &str = "nothing-has-this-name";
/// How the session in a member account is named.
const SESSION: &str = "brig-readiness";
/// How far back events are looked for: CloudTrail keeps 90 days, and a moment is enough to see whether looking is allowed.
const LOOK_BACK_MS: i64 = 3600 * 1000;

/// The answer to `readiness`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ready {
    /// How many lines are `missing`.
    pub missing: usize,
    /// How many are `unknown`.
    pub unknown: usize,
    /// What was made: groups, by VPC.
    pub prepared: Vec<String>,
    /// The checks.
    pub lines: Vec<Line>,
}

fn unseen(error: &CloudError) -> Unseen {
    Unseen { denial: error.denial(), error: error.to_string() }
}

fn seen<T>(answer: PortResult<T>) -> Seen<T> {
    answer.map_err(|error| unseen(&error))
}

/// That something is not there was said by somebody who was let in.
fn allowed<T>(answer: PortResult<T>) -> Seen<()> {
    match answer {
        Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
        answer => seen(answer.map(|_| ())),
    }
}

impl Engine {
    /// Looks at the function's own account and Region.
    pub async fn readiness(
        &self,
        asked: &Readiness,
        region: &Region,
        invocation: &Invocation,
    ) -> Result<Ready, String> {
        if asked.prepare && self.policy.mode == Mode::Observe {
            return Err("prepare: BRIG_MODE=observe changes nothing".to_owned());
        }
        let own = &invocation.own;
        let cloud = self.clouds.open(own, region, View::Reads, SESSION).await.map_err(|error| error.to_string())?;
        let cloud = cloud.as_ref();
        let clock = self.clock.as_ref();
        let mut prepared = Vec::new();
        let mut failed = Vec::new();
        if asked.prepare {
            let (vpcs, groups) = futures::join!(cloud.describe_vpcs(), cloud.describe_brig_groups());
            if let (Ok(vpcs), Ok(groups)) = (vpcs, groups) {
                for made in
                    join_all(bare(&vpcs, &groups, own).map(|(vpc, purpose)| make(cloud, clock, own, vpc, purpose)))
                        .await
                {
                    match made {
                        Ok(made) => prepared.push(made),
                        Err(error) => failed.push(error),
                    }
                }
            }
        }
        let look = self.look_ready(cloud, asked, region, invocation).await;
        let mut lines = judge(&look, own);
        lines.extend(failed.into_iter().map(|detail| Line {
            check: "prepare".to_owned(),
            state: State::Missing,
            detail,
            todo: "look at the error, and ask again".to_owned(),
        }));
        let count = |state| lines.iter().filter(|line| line.state == state).count();
        Ok(Ready { missing: count(State::Missing), unknown: count(State::Unknown), prepared, lines })
    }

    async fn look_ready(&self, cloud: &dyn Cloud, asked: &Readiness, region: &Region, invocation: &Invocation) -> Look {
        let own = &invocation.own;
        let published = async {
            if !asked.notify {
                return None;
            }
            let trial = message::trial(&invocation.function);
            let chat = async {
                match trial.for_chat() {
                    Some(trial) => self.publish_by(Channel::Chat, &trial, invocation).await,
                    None => Ok(()),
                }
            };
            let (people, chat) = futures::join!(self.publish(&trial, invocation), chat);
            let named = |error: CloudError| CloudError {
                message: format!("the chat channel's topic: {}", error.message),
                ..error
            };
            Some(seen(people.and(chat.map_err(named))))
        };
        let now = self.clock.now();
        let ledger = async {
            self.ledger.try_write(now).await?;
            self.ledger.active(None).await.map(|_| ())
        };
        let members = asked.accounts.iter().map(|account| async move {
            let opened = self.clouds.open(account, region, View::Reads, SESSION).await;
            let answer = match opened {
                Ok(member) => member.describe_vpcs().await.map(|_| ()).map_err(|error| error.to_string()),
                Err(unreachable) => Err(unreachable.to_string()),
            };
            (account.clone(), answer)
        });
        let (ledger, topic, published, members) =
            futures::join!(ledger, self.notifier.topic(), published, join_all(members));
        let (vpcs, groups, detectors, trails, flow_logs, default_tokens, without_tokens) = futures::join!(
            cloud.describe_vpcs(),
            cloud.describe_brig_groups(),
            cloud.get_detectors(),
            cloud.describe_trails(),
            cloud.describe_flow_logs(),
            cloud.get_metadata_default_tokens(),
            cloud.count_instances_without_tokens()
        );
        let (vpcs, groups) = (seen(vpcs), seen(groups));
        let changes = changes(
            cloud,
            asked.instance.as_ref(),
            vpcs.as_deref().unwrap_or_default(),
            groups.as_deref().unwrap_or_default(),
            own,
        );
        let (reads, changes) = futures::join!(
            reads(cloud, asked.instance.as_ref(), Timestamp::from_millis(now.millis() - LOOK_BACK_MS)),
            changes
        );
        Look {
            reads,
            changes,
            ledger: seen(ledger),
            topic: seen(topic),
            published,
            vpcs,
            groups,
            detectors: seen(detectors),
            trails: seen(trails),
            flow_logs: seen(flow_logs.map(|logs| logs.into_iter().map(|log| log.resource).collect())),
            default_tokens: seen(default_tokens),
            without_tokens: seen(without_tokens),
            members,
        }
    }
}

/// The calls of a containment that look, each once, about nothing.
async fn reads(cloud: &dyn Cloud, instance: Option<&InstanceId>, since: Timestamp) -> Vec<(Read, Seen<()>)> {
    let nobody: Option<InstanceId> = "i-00000000000000000".parse().ok();
    let mut tries: Vec<(Read, BoxFuture<'_, Seen<()>>)> = vec![
        (
            Read::DescribeNetworkInterfaces,
            cloud.describe_network_interfaces(InterfacesOf::Address([0, 0, 0, 0].into())).map(allowed).boxed(),
        ),
        (Read::DescribeIamInstanceProfileAssociations, cloud.describe_profile_associations(None).map(allowed).boxed()),
        (Read::DescribeSnapshots, cloud.describe_snapshots_tagged("brig:containment", NOTHING).map(allowed).boxed()),
        (Read::GetInstanceProfile, cloud.get_instance_profile(NOTHING).map(allowed).boxed()),
        (Read::ListInstanceProfilesForRole, cloud.list_instance_profiles_for_role(NOTHING).map(allowed).boxed()),
        (Read::GetRolePolicy, cloud.get_role_policy(NOTHING, NOTHING).map(allowed).boxed()),
        (Read::DescribeAutoScalingGroups, cloud.describe_auto_scaling_group(NOTHING).map(allowed).boxed()),
        (Read::DescribeTargetGroups, cloud.describe_target_groups().map(allowed).boxed()),
        (Read::LookupEvents, cloud.lookup_events(Lookup::Resource(NOTHING), since).map(allowed).boxed()),
    ];
    if let Some(instance) = instance.or(nobody.as_ref()) {
        tries.push((Read::DescribeInstances, cloud.describe_instance(instance).map(allowed).boxed()));
        tries.push((
            Read::DescribeAutoScalingInstances,
            cloud.describe_auto_scaling_instance(instance).map(allowed).boxed(),
        ));
        tries.push((Read::DescribeLoadBalancers, cloud.describe_classic_balancers_of(instance).map(allowed).boxed()));
    }
    if let Some(instance) = instance {
        let read = cloud.describe_instance_attribute(instance, Attribute::DisableApiTermination);
        tries.push((Read::DescribeInstanceAttribute, read.map(allowed).boxed()));
    }
    join_all(tries.into_iter().map(|(read, answer)| async move { (read, answer.await) })).await
}

/// The changes that EC2 lets be tried.
async fn changes(
    cloud: &dyn Cloud,
    instance: Option<&InstanceId>,
    vpcs: &[VpcId],
    groups: &[SecurityGroup],
    own: &AccountId,
) -> Vec<(&'static str, Option<Seen<()>>)> {
    let mut tries: Vec<DryRun> = vpcs.first().cloned().map(DryRun::CreateSecurityGroup).into_iter().collect();
    let mut untried = vec!["ec2:DisassociateIamInstanceProfile"];
    let seen_now = match instance {
        Some(instance) => cloud.describe_instance(instance).await.ok().flatten(),
        None => None,
    };
    match &seen_now {
        Some(instance) => {
            let endpoint = instance.metadata.endpoint.clone();
            tries.push(DryRun::ModifyInstanceMetadataOptions(instance.id.clone(), endpoint));
            tries.push(DryRun::ModifyInstanceAttribute(instance.id.clone()));
            tries.push(DryRun::CreateSnapshots(instance.id.clone()));
            tries.push(DryRun::CreateTags(instance.id.clone()));
        }
        None => untried.extend([
            "ec2:ModifyInstanceMetadataOptions",
            "ec2:ModifyInstanceAttribute",
            "ec2:CreateSnapshots",
            "ec2:CreateTags",
        ]),
    }
    let fits = seen_now.as_ref().and_then(|instance| {
        instance.interfaces.iter().find_map(|interface| {
            let ours = |group: &&SecurityGroup| group.vpc == interface.vpc && group.is_ours(Purpose::Isolation, own);
            Some((interface.id.clone(), groups.iter().find(ours)?.id.clone()))
        })
    });
    match fits {
        Some((eni, group)) => tries.push(DryRun::ModifyNetworkInterfaceAttribute(eni, group)),
        None => untried.push("ec2:ModifyNetworkInterfaceAttribute"),
    }
    let tried =
        tries.iter().map(|change| async move { (change.iam_action(), Some(seen(cloud.dry_run(change).await))) });
    let mut tried = join_all(tried).await;
    tried.extend(untried.into_iter().map(|action| (action, None)));
    tried
}

/// The groups that lack.
fn bare<'a>(
    vpcs: &'a [VpcId],
    groups: &'a [SecurityGroup],
    own: &'a AccountId,
) -> impl Iterator<Item = (&'a VpcId, Purpose)> {
    let lacks =
        move |vpc: &VpcId, purpose| !groups.iter().any(|group| group.vpc == *vpc && group.is_ours(purpose, own));
    vpcs.iter()
        .flat_map(|vpc| [(vpc, Purpose::Isolation), (vpc, Purpose::Untrack)])
        .filter(move |(vpc, purpose)| lacks(vpc, *purpose))
}

/// Makes a group with its rules. A containment that makes the same one meanwhile does no harm: it is then found.
async fn make(
    cloud: &dyn SecurityGroups,
    clock: &dyn Clock,
    own: &AccountId,
    vpc: &VpcId,
    purpose: Purpose,
) -> Result<String, String> {
    let name = purpose.group_name();
    let why = |error: String| format!("{name} of {vpc}: {error}");
    let group = GroupRef { id: None, vpc: vpc.clone(), name: name.to_owned(), purpose };
    let (id, _) = groups::create(cloud, clock, own, &group).await.map_err(|not| why(not.failure.to_string()))?;
    groups::rule(cloud, clock, purpose, &id).await.map_err(|error| why(error.to_string()))?;
    Ok(format!("{vpc}/{name} is {id}"))
}
