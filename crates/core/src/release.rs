//! Going back: from the ledger's records and a fresh survey to the steps that give everything back. Only what this
//! containment changed is given back, and only where it is still as the containment left it; what changed hands since is
//! left alone and reported.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    acl::{Denial, NetworkAcl},
    deny_policy,
    fact::{Cause, Fact, Promise},
    gap::Gap,
    ids::{EniId, GroupId, VolumeId},
    ledger::StepRecord,
    plan::{Plan, Planned, credentials::guarded, done, fleet::may_be, skipped},
    policy::CONTAINMENT_TAG,
    step::{Failure, Lane, Outcome, Step},
    survey::{
        Association, EvidenceLook, Instance, InstanceState, Membership, MetadataOptions, RoleLook, SecurityGroup,
        Target, Timeouts,
    },
    text::Sentence,
};

mod reversal;
pub use reversal::{Reversal, ReversalKind};

/// What a release is planned from. An outer `None` is what could not be read: it is neither given back nor taken for gone.
#[derive(Debug, Clone)]
pub struct Look<'a> {
    /// The instance; one that is gone is shown as terminated, without interfaces and volumes.
    pub instance: &'a Instance,
    /// Brig's groups.
    pub groups: Option<&'a [SecurityGroup]>,
    /// The profile that is associated now.
    pub association: Option<Option<&'a Association>>,
    /// The recorded roles as they are now.
    pub roles: &'a [RoleLook],
    /// The instance's Auto Scaling group now.
    pub membership: Option<Option<&'a Membership>>,
    /// Every target that each recorded target group has now; a group that is gone is not in it.
    pub targets: &'a BTreeMap<String, Option<Vec<Target>>>,
    /// Classic load balancers that hold the instance now.
    pub classic: Option<&'a [String]>,
    /// The recorded network ACLs as they are now; one that is gone is not in it.
    pub acls: Option<&'a [NetworkAcl]>,
    /// The ledger's shares in their rules, by ACL; one that could not be read is not in it.
    pub denials: &'a BTreeMap<String, Vec<Denial>>,
    /// Protections as they are now.
    pub evidence: &'a EvidenceLook,
    /// The idle timeouts of the instance's type, where they could be read.
    pub defaults: Timeouts,
    /// How often it was started in this release.
    pub starts: usize,
    /// What could not be read.
    pub gaps: &'a [Gap],
}

/// Plans the release. `rejoin` attaches the instance to its Auto Scaling group again.
#[must_use]
pub fn plan(records: &[StepRecord], look: &Look<'_>, rejoin: bool) -> Plan {
    let mut plan = Plan::default();
    let mut records: Vec<&StepRecord> = records.iter().filter(|record| record.may_have_happened()).collect();
    records.sort_by_key(|record| record.recorded_at.millis());
    let guards = records.iter().any(|record| matches!(record.step, Step::RequireTokens { .. }));
    let whole = ReleaseScope { rejoin, guards };
    let mut given = BTreeSet::new();
    for record in records {
        // Of two records about one thing the older one has what was there first.
        let Some((back, outcome)) = reverse(record, look, whole, &mut plan) else { continue };
        let step = Step::GiveBack(back);
        if given.insert(step.key(look.instance.id.as_str())) {
            plan.add(step, outcome);
        }
    }
    // Groups and balancers take an instance that runs, and AWS replaces the profile of no other.
    let waits =
        |step: &Step| step.lane() == Lane::Fleet || matches!(step, Step::GiveBack(Reversal::ReplaceProfile { .. }));
    let starts = |planned: &Planned| {
        matches!(planned.step, Step::GiveBack(Reversal::StartInstance)) && planned.outcome == Outcome::Planned
    };
    if plan.steps.iter().any(starts) {
        plan.steps.retain(|planned| !waits(&planned.step));
    }
    plan
}

/// How often an instance is started that stops again, or does not show yet that it starts.
const MOST_STARTS: usize = 4;

fn stops_again(instance: &Instance) -> Outcome {
    let reason = instance.state_reason.as_deref().unwrap_or("none given");
    let error = format!(
        "it was started several times and is stopped (EC2's state reason: {reason}); where a key of your own encrypts its volumes, the releasing role needs kms:CreateGrant in that key's policy"
    );
    Outcome::Failed(Failure::new(error, false))
}

fn gone(what: &str) -> Outcome {
    Outcome::Missing(what.into())
}

fn unread() -> Outcome {
    Outcome::Failed(Failure::new("how it is now could not be read".to_owned(), true))
}

/// What of the whole release a record's reversal depends on.
#[derive(Clone, Copy)]
struct ReleaseScope {
    /// It goes back into its Auto Scaling group.
    rejoin: bool,
    /// The containment made the metadata service require tokens.
    guards: bool,
}

fn reverse(record: &StepRecord, look: &Look<'_>, whole: ReleaseScope, plan: &mut Plan) -> Option<(Reversal, Outcome)> {
    let instance = look.instance;
    let ended = instance.state.is_ending();
    Some(match &record.step {
        Step::Isolate { eni, was, .. } => groups(eni, was.as_deref(), look),
        Step::ShortenTimeouts { eni, was } => timeouts(eni, *was, look),
        Step::DisassociateAddress { .. } => address(&record.step, look)?,
        Step::DenyInNetworkAcl { .. } => denial(&record.step, look)?,
        Step::UnassignPublicAddress { eni, address } => {
            plan.note(format!(
                "{eni} had the public address {address}, which AWS had assigned and does not give back; aws ec2 modify-network-interface-attribute --associate-public-ip-address asks for another one"
            ));
            return None;
        }
        Step::DenyRole { .. } => role(&record.step, look, plan)?,
        Step::DisassociateProfile { was, .. } => profile(was, None, look),
        Step::ReplaceProfile { was, with, .. } => profile(was, Some(with), look),
        Step::RequireTokens { was } | Step::DisableMetadata { was } => {
            (Reversal::RestoreMetadata { options: was.clone() }, metadata(was, instance, whole.guards))
        }
        Step::DetachInstances { group, .. } => {
            let outcome = match look.membership {
                _ if ended => gone("the instance is gone"),
                None if whole.rejoin => unread(),
                Some(Some(now)) if now.group == *group => done("a member"),
                Some(Some(now)) => gone(&format!("it is in the group {} now", now.group)),
                Some(None) if whole.rejoin => Outcome::Planned,
                None | Some(None) => {
                    plan.note(format!(
                        "it stays out of {group}, which replaced it; \"rejoin\": true attaches it and raises the desired capacity by one"
                    ));
                    return None;
                }
            };
            (Reversal::AttachInstances { group: group.clone() }, outcome)
        }
        Step::ProtectFromScaleIn { group } => scale_in(group, look),
        Step::DeregisterTargets { group, was } => return targets(group, was, look, plan),
        Step::DeregisterInstancesFromLoadBalancer { balancer } => {
            let outcome = match look.classic.map(|held| held.contains(balancer)) {
                _ if ended => gone("the instance is gone"),
                None => unread(),
                Some(true) => done("registered"),
                Some(false) => Outcome::Planned,
            };
            (Reversal::RegisterInstancesWithLoadBalancer { balancer: balancer.clone() }, outcome)
        }
        Step::ProtectTermination { was: false } => {
            (Reversal::UnprotectTermination, flag(look.evidence.termination_protection, ended))
        }
        Step::ProtectStop { was: false } => (Reversal::UnprotectStop, flag(look.evidence.stop_protection, ended)),
        Step::StopOnShutdown { was } => {
            let outcome = setting(look.evidence.shutdown_behavior.as_deref(), was, "stop", ended);
            (Reversal::RestoreShutdown { behavior: was.clone() }, outcome)
        }
        Step::DisableAutoRecovery { was } => {
            let outcome = setting(instance.auto_recovery.as_deref(), was, "disabled", ended);
            (Reversal::RestoreAutoRecovery { setting: was.clone() }, outcome)
        }
        Step::StopInstance { .. } => {
            let outcome = match instance.state {
                InstanceState::ShuttingDown | InstanceState::Terminated => gone("the instance is gone"),
                InstanceState::Running => {
                    done("it runs; if it was stopped, a public address that AWS had assigned is another one now")
                }
                InstanceState::Stopped if look.starts >= MOST_STARTS => stops_again(instance),
                InstanceState::Stopped | InstanceState::Stopping | InstanceState::Pending | InstanceState::Unknown => {
                    Outcome::Planned
                }
            };
            (Reversal::StartInstance, outcome)
        }
        Step::KeepVolumes { was } => volumes(was, look),
        Step::TagInstance => {
            let tag = instance.tags.get(CONTAINMENT_TAG);
            let outcome = match tag {
                _ if ended => gone("the instance is gone"),
                Some(_) => Outcome::Planned,
                None => done("without Brig's tags"),
            };
            (Reversal::DeleteTags, outcome)
        }
        Step::ProtectTermination { was: true }
        | Step::ProtectStop { was: true }
        | Step::CreateSecurityGroup { .. }
        | Step::RevokeSecurityGroupRules { .. }
        | Step::AuthorizeSecurityGroupRules { .. }
        | Step::AuthorizeForensicAccess { .. }
        | Step::Untrack { .. }
        | Step::RecordLifecycleActionHeartbeat { .. }
        | Step::CreateSnapshots { .. }
        | Step::CreateSnapshot { .. }
        | Step::SnapshotMemory
        | Step::LockSnapshot { .. }
        | Step::TagSnapshot { .. }
        | Step::GiveBack(_) => return None,
    })
}

/// The instance leaves its role's set, and the policy where that is still Brig's.
fn role(step: &Step, look: &Look<'_>, plan: &mut Plan) -> Option<(Reversal, Outcome)> {
    let Step::DenyRole { role, role_arn, instance_arn, reach, was } = step else { return None };
    let seen = look.roles.iter().find(|seen| seen.role.arn == *role_arn);
    let policy = seen.and_then(|seen| seen.policy.as_deref());
    let ours = policy.is_some_and(deny_policy::is_ours);
    let in_set = seen.is_some_and(|seen| seen.denied.contains(instance_arn));
    // A denial of the whole role names nobody: it goes with the last contained instance, and until then it is the others'.
    let whole = policy.is_some_and(deny_policy::denies_role);
    let others = seen.map_or(0, |seen| seen.denied.iter().filter(|arn| *arn != instance_arn).count());
    let named = || policy.is_some_and(|policy| deny_policy::denies(policy, instance_arn));
    let in_policy = ours && if whole { others == 0 } else { named() };
    if whole && others > 0 {
        plan.note(format!(
            "the role {role} denies every session, this instance's too, while {others} other instance(s) of it stay contained"
        ));
    }
    if policy.is_some() && !ours {
        plan.note(format!(
            "the role {role} has a policy {} that Brig did not write: it is left alone",
            deny_policy::NAME
        ));
    }
    let back = Reversal::AllowRole {
        role: role.clone(),
        role_arn: role_arn.clone(),
        instance_arn: instance_arn.clone(),
        reach: *reach,
        was: was.clone(),
        foreign: policy.is_some() && !ours,
    };
    let outcome = match seen {
        None => unread(),
        Some(seen) if seen.unread => unread(),
        Some(_) if in_set || in_policy => Outcome::Planned,
        Some(_) => done("the role does not deny it"),
    };
    Some((back, outcome))
}

fn groups(eni: &EniId, was: Option<&[GroupId]>, look: &Look<'_>) -> (Reversal, Outcome) {
    let back = Reversal::RestoreGroups { eni: eni.clone(), groups: was.unwrap_or_default().to_vec() };
    let Some(interface) = look.instance.interfaces.iter().find(|interface| interface.id == *eni) else {
        return (back, gone("the interface is no longer attached to the instance"));
    };
    let Some(groups) = look.groups else { return (back, unread()) };
    let ours = |id: &GroupId| groups.iter().any(|group| group.id == *id && group.is_brigs(&look.instance.account));
    let kept = !interface.groups.is_empty() && interface.groups.iter().all(ours);
    let outcome = match was {
        Some(was) if same(&interface.groups, was) => done("its own groups"),
        Some(_) if kept => Outcome::Planned,
        None if kept => skipped("its former groups are not known: it stays isolated until someone sets them"),
        Some(_) | None => gone("it carries other groups now, which are left alone"),
    };
    (back, outcome)
}

fn timeouts(eni: &EniId, was: Timeouts, look: &Look<'_>) -> (Reversal, Outcome) {
    let timeouts = was.or(look.defaults).or(Timeouts::USUAL);
    let back = Reversal::RestoreTimeouts { eni: eni.clone(), timeouts };
    let interface = look.instance.interfaces.iter().find(|interface| interface.id == *eni);
    let outcome = match interface.map(|interface| interface.timeouts) {
        None => gone("the interface is no longer attached to the instance"),
        Some(now) if now == was || now == timeouts => done("its own timeouts"),
        Some(now) if now == Timeouts::LEAST => Outcome::Planned,
        Some(_) => gone("it has other timeouts now, which are left alone"),
    };
    (back, outcome)
}

fn address(step: &Step, look: &Look<'_>) -> Option<(Reversal, Outcome)> {
    let Step::DisassociateAddress { eni, address, private, allocation, .. } = step else { return None };
    let back = Reversal::AssociateAddress {
        eni: eni.clone(),
        address: *address,
        private: *private,
        allocation: allocation.clone(),
    };
    let interface = look.instance.interfaces.iter().find(|interface| interface.id == *eni);
    let outcome = match interface {
        None => gone("the interface is no longer attached to the instance"),
        Some(interface) if interface.public.iter().any(|public| public.address == *address) => done("associated"),
        Some(interface) if interface.public.iter().any(|public| !public.assigned && public.private == *private) => {
            gone("another elastic address is there now, which is left alone")
        }
        Some(_) => Outcome::Planned,
    };
    Some((back, outcome))
}

/// The containment's share in the rules of a network ACL: it is left where the ledger has it, and the rules go with the
/// last share.
fn denial(step: &Step, look: &Look<'_>) -> Option<(Reversal, Outcome)> {
    let Step::DenyInNetworkAcl { acl, address, ingress, egress, instance_arn, .. } = step else { return None };
    let (address, ingress, egress) = (*address, *ingress, *egress);
    let back =
        Reversal::AllowInNetworkAcl { acl: acl.clone(), address, ingress, egress, instance_arn: instance_arn.clone() };
    let share = Denial { instance: instance_arn.clone(), address, ingress, egress };
    let (Some(acls), Some(shares)) = (look.acls, look.denials.get(acl)) else { return Some((back, unread())) };
    let seen = acls.iter().find(|seen| seen.id == *acl);
    let orphaned = share.entries().iter().any(|entry| {
        seen.is_some_and(|seen| seen.has(entry)) && !shares.iter().any(|other| other.entries().contains(entry))
    });
    let outcome = match seen {
        _ if shares.contains(&share) || orphaned => Outcome::Planned,
        None => gone("the network ACL is gone"),
        Some(_) if shares.iter().any(|other| other.address == address) => done("other containments deny it still"),
        Some(_) => done("no rule of Brig denies it"),
    };
    Some((back, outcome))
}

fn scale_in(group: &str, look: &Look<'_>) -> (Reversal, Outcome) {
    let outcome = match look.membership {
        _ if look.instance.state.is_ending() => gone("the instance is gone"),
        None => unread(),
        Some(Some(now)) if now.group == *group && now.protected => Outcome::Planned,
        Some(Some(now)) if now.group == *group => done("not protected"),
        Some(_) => gone("it is no longer in the group, and its protection ended with that"),
    };
    (Reversal::UnprotectFromScaleIn { group: group.to_owned() }, outcome)
}

fn same(a: &[GroupId], b: &[GroupId]) -> bool {
    a.iter().collect::<BTreeSet<_>>() == b.iter().collect::<BTreeSet<_>>()
}

fn metadata(was: &MetadataOptions, instance: &Instance, guards: bool) -> Outcome {
    let now = &instance.metadata;
    let same = |options: &MetadataOptions| {
        now.endpoint == options.endpoint && now.tokens == options.tokens && now.hop_limit == options.hop_limit
    };
    match () {
        () if instance.state.is_ending() => gone("the instance is gone"),
        () if same(was) => done(&was.endpoint),
        () if guards && same(&guarded()) => Outcome::Planned,
        // Where the containment only turned it off, the rest is not for it to give back.
        () if now.endpoint == was.endpoint && !guards => done(&was.endpoint),
        () if now.endpoint == "disabled" => Outcome::Planned,
        () => {
            let (endpoint, tokens) = (&now.endpoint, &now.tokens);
            let hops = now.hop_limit.map_or_else(|| "unknown".to_owned(), |hops| hops.to_string());
            gone(&format!(
                "the metadata service is {endpoint} now, with tokens {tokens} and hop limit {hops}, which is left alone"
            ))
        }
    }
}

/// Its own profile again: in the place of the responders', or where none is any more.
fn profile(was: &str, with: Option<&str>, look: &Look<'_>) -> (Reversal, Outcome) {
    let back = Reversal::AssociateProfile { profile: was.to_owned() };
    match look.association.map(|now| now.filter(|now| now.state.starts_with("associat"))) {
        _ if look.instance.state.is_ending() => (back, gone("the instance is gone")),
        None => (back, unread()),
        Some(Some(now)) if Some(now.profile.as_str()) == with => {
            (Reversal::ReplaceProfile { association: now.id.clone(), profile: was.to_owned() }, Outcome::Planned)
        }
        Some(Some(now)) if now.profile == was => (back, done("associated")),
        Some(Some(now)) => (back, gone(&format!("it has the profile {} now, which is left alone", now.profile))),
        Some(None) => (back, Outcome::Planned),
    }
}

fn targets(group: &str, was: &[Target], look: &Look<'_>, plan: &mut Plan) -> Option<(Reversal, Outcome)> {
    for target in was.iter().filter(|target| target.state == "draining") {
        plan.note(format!(
            "{} was draining in {group} when it was first seen there: it is not registered again; if it belongs there, register it",
            target.id
        ));
    }
    let (own, lost): (Vec<&Target>, Vec<&Target>) = was
        .iter()
        .filter(|target| target.state != "draining")
        .partition(|target| look.instance.interfaces.is_empty() || may_be(target, look.instance));
    for target in lost {
        plan.note(format!("{} of {group} is an address that the instance no longer has: it is left alone", target.id));
    }
    if own.is_empty() {
        return None;
    }
    let back =
        Reversal::RegisterTargets { group: group.to_owned(), targets: own.iter().map(|t| (*t).clone()).collect() };
    let outcome = match look.targets.get(group) {
        _ if look.instance.state.is_ending() => gone("the instance is gone"),
        None => gone("the target group is gone"),
        Some(None) => unread(),
        Some(Some(now)) => {
            let held = |own: &&Target| {
                now.iter().any(|now| now.id == own.id && now.port == own.port && now.state != "draining")
            };
            if own.iter().all(held) { done("registered") } else { Outcome::Planned }
        }
    };
    Some((back, outcome))
}

/// A setting that the containment turned to `ours`.
fn setting(now: Option<&str>, was: &str, ours: &str, ended: bool) -> Outcome {
    match now {
        _ if ended => gone("the instance is gone"),
        Some(now) if now == was => done(was),
        Some(now) if now == ours => Outcome::Planned,
        Some(now) => gone(&format!("it is {now} now, which is left alone")),
        None => unread(),
    }
}

fn flag(now: Option<bool>, ended: bool) -> Outcome {
    match now {
        _ if ended => gone("the instance is gone"),
        Some(false) => done("off"),
        Some(true) => Outcome::Planned,
        None => unread(),
    }
}

fn volumes(was: &[(String, VolumeId)], look: &Look<'_>) -> (Reversal, Outcome) {
    let attached: Vec<(String, bool)> = was
        .iter()
        .filter_map(|(device, id)| {
            let volume = look.instance.volumes.iter().find(|volume| volume.id == *id && volume.device == *device)?;
            Some((device.clone(), volume.delete_on_termination))
        })
        .collect();
    let outcome = if look.instance.state.is_ending() {
        gone("the instance is gone")
    } else if attached.is_empty() {
        gone("none of the volumes is still attached")
    } else if attached.iter().all(|(_, delete)| *delete) {
        done("deleted with the instance")
    } else {
        Outcome::Planned
    };
    (Reversal::RestoreVolumes { devices: attached.into_iter().map(|(device, _)| device).collect() }, outcome)
}

/// What a later plan shows of the release: what it would still do is not given back; what it cannot do stays as it is.
#[must_use]
pub fn facts(plan: &Plan, gaps: &[Gap], instance: &str) -> Vec<(Lane, Fact)> {
    let mut facts = Vec::new();
    for planned in &plan.steps {
        let step = &planned.step;
        let what = Promise::GivenBack(step.kind(), step.resource(instance));
        let fact = match &planned.outcome {
            Outcome::AlreadyDone(_) | Outcome::Changed(_) => Fact::holding(what),
            Outcome::Missing(why) => Fact { why: Some(Cause::Found(why.words.clone())), ..Fact::holding(what) },
            Outcome::Planned => Fact::broken(what, Cause::NotYetGivenBack),
            Outcome::Skipped(why) => Fact::broken(what, Cause::Found(why.words.clone())),
            Outcome::Failed(failure) => Fact::broken(what, Cause::Found(Sentence::new(failure))),
        };
        facts.push((step.lane(), fact));
    }
    facts.extend(gaps.iter().map(|gap| (Lane::Evidence, Fact::unread(gap))));
    facts
}
