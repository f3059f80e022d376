//! The fresh survey that a release is planned from.

use std::collections::{BTreeMap, BTreeSet};

use brig_core::{
    ledger::Named,
    model::{
        CredentialsLook, EvidenceLook, Instance, Membership, SecurityGroup, Target, Timeouts,
        gap::{Gap, Subject},
        network_acl::{Denial, NetworkAcl},
    },
    release::Look,
    step::{DenyInNetworkAcl, DeregisterTargets, Isolate, Lane, Step},
    trigger::Finding,
};
use futures::{StreamExt, stream};

use crate::{
    engine::Lanes,
    followups::network_acl,
    lanes::{credentials, evidence},
    ports::{AclsOf, ErrorKind, InterfacesOf, PortResult},
    work::{Work, gap},
};

/// Calls at once: the buckets of load balancing are small.
const AT_ONCE: usize = 8;

pub(super) struct Seen {
    pub(super) instance: Instance,
    pub(super) gaps: Vec<Gap>,
    groups: Option<Vec<SecurityGroup>>,
    credentials: CredentialsLook,
    association_unread: bool,
    membership: Result<Option<Membership>, Unread>,
    targets: BTreeMap<String, Option<Vec<Target>>>,
    acls: Option<Vec<NetworkAcl>>,
    denials: BTreeMap<String, Vec<Denial>>,
    classic: Option<Vec<String>>,
    evidence: EvidenceLook,
    defaults: Timeouts,
}

/// It could not be read; the gap says why.
struct Unread;

impl Seen {
    pub(super) fn look(&self, starts: usize) -> Look<'_> {
        Look {
            instance: &self.instance,
            groups: self.groups.as_deref(),
            association: (!self.association_unread).then_some(self.credentials.association.as_ref()),
            roles: &self.credentials.roles,
            membership: self.membership.as_ref().ok().map(Option::as_ref),
            targets: &self.targets,
            acls: self.acls.as_deref(),
            denials: &self.denials,
            classic: self.classic.as_deref(),
            evidence: &self.evidence,
            defaults: self.defaults,
            starts,
            gaps: &self.gaps,
        }
    }
}

/// An instance that AWS does not know any more: there is nothing to give back but what lies outside it.
pub(super) fn gone(finding: &Finding) -> Instance {
    Instance::gone(finding.target.clone(), finding.account.clone(), finding.region.clone())
}

pub(super) async fn look(work: &Work<'_>, lanes: &Lanes) -> Seen {
    let recorded = |lane: Lane| work.recorded(lane).into_iter().map(|record| record.step);
    let roles = credentials::roles_of(&work.recorded(Lane::Credentials));
    let target_groups: BTreeSet<String> = recorded(Lane::Fleet)
        .filter_map(|step| {
            if let Step::DeregisterTargets(DeregisterTargets { group, .. }) = step { Some(group) } else { None }
        })
        .collect();
    let balanced = recorded(Lane::Fleet).any(|step| matches!(step, Step::DeregisterInstancesFromLoadBalancer { .. }));
    let acls: BTreeSet<String> = recorded(Lane::Network)
        .filter_map(
            |step| if let Step::DenyInNetworkAcl(DenyInNetworkAcl { acl, .. }) = step { Some(acl) } else { None },
        )
        .collect();
    let acls: Vec<String> = acls.into_iter().collect();
    let shortened = recorded(Lane::Network).any(|step| matches!(step, Step::ShortenTimeouts { .. }));
    let grouped = recorded(Lane::Fleet).any(|step| matches!(step, Step::DetachInstances { .. }));

    let bare = Instance { profile: None, ..work.instance.clone() };
    let nothing = Named::default();
    let fleet = lanes.fleet.as_ref();
    let healths = stream::iter(target_groups)
        .map(|group| async move {
            let health = fleet.describe_target_health(&group).await;
            (group, health)
        })
        .buffered(AT_ONCE)
        .collect::<Vec<_>>();
    let defaults = async {
        if !shortened {
            return Timeouts::default();
        }
        let kind = &work.instance.instance_type;
        lanes.evidence.describe_default_timeouts(kind).await.unwrap_or_default()
    };
    let denials = async {
        if acls.is_empty() {
            return (Ok(Vec::new()), Ok(BTreeMap::new()));
        }
        futures::join!(
            lanes.network.describe_network_acls(AclsOf::Ids(&acls)),
            network_acl::denials(work.ledger, &work.instance, acls.iter().map(String::as_str))
        )
    };
    let (instance, groups, mut credentials, membership, classic, healths, evidence, defaults, (acls, denials)) = futures::join!(
        lanes.network.describe_instance(work.id()),
        lanes.network.describe_brig_groups(),
        credentials::look(work.ledger, lanes.credentials.as_ref(), &bare, &roles, &nothing),
        async { if grouped { fleet.describe_auto_scaling_instance(work.id()).await } else { Ok(None) } },
        async { if balanced { fleet.describe_classic_balancers_of(work.id()).await } else { Ok(Vec::new()) } },
        healths,
        evidence::look(lanes.evidence.as_ref(), &work.instance, None),
        defaults,
        denials
    );
    let mut gaps = std::mem::take(&mut credentials.gaps);
    let association_unread = gaps.iter().any(|gap| gap.what == Subject::Association);
    let mut targets = BTreeMap::new();
    for (group, health) in healths {
        match health {
            Ok(held) => drop(targets.insert(group, Some(held))),
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) => {
                gaps.push(gap(Subject::Targets(group.clone()), &error));
                targets.insert(group, None);
            }
        }
    }
    let instance = match instance {
        Ok(Some(instance)) => with_branches(work, lanes, instance, &mut gaps).await,
        Ok(None) => gone(work.finding),
        Err(error) => {
            gaps.push(gap(Subject::Instance, &error));
            work.instance.clone()
        }
    };
    // Attributes of an instance that is gone cannot be read, which is no gap.
    gaps.extend(evidence.gaps.iter().filter(|_| !instance.state.is_ending()).cloned());
    let denials = or_gap(denials, Subject::AclSets, &mut gaps).unwrap_or_default();
    Seen {
        acls: or_gap(acls, Subject::NetworkAcls, &mut gaps),
        denials,
        groups: or_gap(groups, Subject::BrigGroups, &mut gaps),
        membership: or_gap(membership, Subject::Membership, &mut gaps).ok_or(Unread),
        classic: or_gap(classic, Subject::ClassicBalancers, &mut gaps),
        instance,
        credentials,
        association_unread,
        targets,
        evidence,
        defaults,
        gaps,
    }
}

/// Interfaces of pods are isolated with their node and are not among the instance's own.
async fn with_branches(work: &Work<'_>, lanes: &Lanes, mut instance: Instance, gaps: &mut Vec<Gap>) -> Instance {
    for record in work.recorded(Lane::Network) {
        let Step::Isolate(Isolate { eni, .. }) = &record.step else { continue };
        if instance.interfaces.iter().any(|interface| interface.id == *eni) {
            continue;
        }
        match lanes.network.describe_network_interfaces(InterfacesOf::Ids(std::slice::from_ref(eni))).await {
            Ok(found) => {
                let branch = found.into_iter().map(|found| found.interface).find(|one| one.kind == "branch");
                instance.interfaces.extend(branch);
            }
            Err(error) if error.kind == ErrorKind::NotFound => {}
            Err(error) => gaps.push(gap(Subject::Interface(eni.clone()), &error)),
        }
    }
    instance
}

fn or_gap<T>(answer: PortResult<T>, what: Subject, gaps: &mut Vec<Gap>) -> Option<T> {
    match answer {
        Ok(read) => Some(read),
        Err(error) => {
            gaps.push(gap(what, &error));
            None
        }
    }
}
