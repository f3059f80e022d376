//! The finding's remote addresses in network ACLs. Plans come from `brig_core::plan::acl`.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    time::Duration,
};

use brig_core::{
    acl::{Denial, NetworkAcl, NeverDenied},
    ledger::{MemberSet, Shared, StepRecord},
    plan::{Plan, Planned, acl},
    policy::{Escalation, Policy},
    reach::RouteTable,
    release::Reversal,
    step::{AllowInNetworkAcl, DenyInNetworkAcl, Failure, Lane, Mark, Outcome, Step},
    survey::{Instance, Interface, vpcs_of},
};
use futures::future::join_all;
use ipnet::IpNet;

use crate::{
    ports::{AclPorts, AclsOf, Answer, CloudError, ErrorKind, Ledger, NetworkAcls},
    stable::{Written, write_until_stable},
    work::{LaneReport, Work, failed, failed_for_now},
};

/// EC2's reads lag its writes: rules without a share may be gone already.
const LEAVING: Duration = Duration::from_secs(1);

/// What it is planned from.
pub(crate) struct Seen {
    remotes: Vec<IpAddr>,
    own: BTreeSet<IpAddr>,
    subnets: BTreeSet<String>,
    acls: Vec<NetworkAcl>,
    denials: BTreeMap<String, Vec<Denial>>,
    routes: Result<Vec<RouteTable>, String>,
    published: Result<std::sync::Arc<[IpNet]>, String>,
    /// What an address is judged by may be read later. AWS's list is not waited for: a VPC may have no way to it.
    look_again: bool,
}

impl Seen {
    pub(crate) fn plan(&self, recorded: &[StepRecord], instance: &Instance, policy: &Policy) -> Plan {
        let routes = self.routes.as_ref().map(Vec::as_slice).map_err(String::as_str);
        let published = self.published.as_ref().map(AsRef::as_ref).map_err(String::as_str);
        acl::plan(&acl::Look {
            account: &instance.account,
            instance_arn: &instance.id.arn(&instance.account, &instance.region),
            subnets: &self.subnets,
            remotes: &self.remotes,
            own: &self.own,
            recorded,
            acls: &self.acls,
            denials: &self.denials,
            spared: NeverDenied { never: &policy.acl_never, routes, published },
        })
    }
}

/// Reads it, where the settings want it and there is an address to deny.
pub(crate) async fn look(
    ledger: &dyn Ledger,
    cloud: &dyn AclPorts,
    instance: &Instance,
    interfaces: &[Interface],
    remotes: &[IpAddr],
    recorded: &[StepRecord],
    policy: &Policy,
) -> Answer<Option<Seen>> {
    let denies = recorded.iter().any(|record| matches!(record.step, Step::DenyInNetworkAcl(_)));
    if !policy.escalate.contains(&Escalation::RemoteAcl) || (remotes.is_empty() && !denies) {
        return Ok(None);
    }
    let own = interfaces.iter().flat_map(|interface| {
        let public = interface.public.iter().map(|public| IpAddr::from(public.address));
        interface.addresses.iter().copied().chain(public)
    });
    let own: BTreeSet<IpAddr> = own.collect();
    let subnets: BTreeSet<String> = interfaces.iter().map(|interface| interface.subnet.clone()).collect();
    let listed: Vec<String> = subnets.iter().cloned().collect();
    let vpcs = vpcs_of(interfaces);
    let (acls, routes, published) = futures::join!(
        cloud.describe_network_acls(AclsOf::Subnets(&listed)),
        cloud.describe_route_tables(&vpcs),
        cloud.published_ranges()
    );
    let acls = acls?;
    let denials = denials(ledger, instance, acls.iter().map(|acl| acl.id.as_str())).await?;
    let why = |error: CloudError| error.to_string();
    let look_again = routes.as_ref().is_err_and(CloudError::is_retryable);
    Ok(Some(Seen {
        remotes: remotes.to_vec(),
        own,
        subnets,
        acls,
        denials,
        routes: routes.map_err(why),
        published: published.map_err(why),
        look_again,
    }))
}

/// Who shares the rules of these ACLs.
pub(crate) async fn denials(
    ledger: &dyn Ledger,
    instance: &Instance,
    acls: impl Iterator<Item = &str>,
) -> Answer<BTreeMap<String, Vec<Denial>>> {
    let reads = acls.map(|acl| async move {
        let set = ledger.members(&Shared::acl(&instance.account, &instance.region, acl)).await?;
        Ok((acl.to_owned(), shares(&set.members)))
    });
    join_all(reads).await.into_iter().collect()
}

fn shares(members: &[String]) -> Vec<Denial> {
    members.iter().filter_map(|member| member.parse().ok()).collect()
}

/// Looks, plans and runs it.
pub(crate) async fn run(work: &Work<'_>, cloud: &dyn AclPorts, interfaces: &[Interface]) -> LaneReport {
    let mut report = LaneReport::default();
    let recorded = work.recorded(Lane::Network);
    let mut planned = plan(work, cloud, interfaces, &recorded).await;
    let foreign = |planned: &Planned| planned.outcome.mark() == Some(Mark::Foreign);
    if planned.as_ref().is_ok_and(|seen| seen.as_ref().is_some_and(|(plan, _)| plan.steps.iter().any(foreign))) {
        // Or what a release has just taken away.
        work.clock.sleep(LEAVING).await;
        planned = plan(work, cloud, interfaces, &recorded).await;
    }
    let (plan, look_again) = match planned {
        Ok(Some(planned)) => planned,
        Ok(None) => return report,
        Err(error) => {
            report.note(format!("no remote address is denied in a network ACL: they could not be read ({error})"));
            report.look_again = error.is_retryable();
            return report;
        }
    };
    report.note_all(&plan);
    // The share is in the set before the rule is made: whoever takes rules away sees it.
    let (intent, joined) = futures::join!(work.intend(&plan), join(work, &plan));
    report.done = work.run_if(&intent.and(joined), &plan, |step| deny(work, cloud, step)).await;
    let halves = report.done.iter().filter(|done| done.outcome.mark() == Some(Mark::OneWay));
    let halves: Vec<String> =
        halves.map(|done| format!("{}: {}", done.step.resource(""), done.outcome.words())).collect();
    for half in halves {
        report.note(half);
    }
    report.look_again = !work.finish(&report.done).await || look_again;
    report
}

/// The plan, and whether what it was judged by may be read later.
async fn plan(
    work: &Work<'_>,
    cloud: &dyn AclPorts,
    interfaces: &[Interface],
    recorded: &[StepRecord],
) -> Answer<Option<(Plan, bool)>> {
    let remotes = &work.finding.remotes;
    let look = look(work.ledger, cloud, &work.instance, interfaces, remotes, recorded, work.policy);
    let seen = work.within("DescribeNetworkAcls", look).await?;
    Ok(seen.map(|seen| (seen.plan(recorded, &work.instance, work.policy), seen.look_again)))
}

fn share_of(step: &Step) -> Option<(&str, Denial)> {
    let Step::DenyInNetworkAcl(DenyInNetworkAcl { acl, address, ingress, egress, instance_arn, .. }) = step else {
        return None;
    };
    let instance = instance_arn.clone();
    Some((acl, Denial { instance, address: *address, ingress: *ingress, egress: *egress }))
}

fn set_of(work: &Work<'_>, acl: &str) -> Shared {
    Shared::acl(&work.instance.account, &work.instance.region, acl)
}

async fn join(work: &Work<'_>, plan: &Plan) -> Answer<()> {
    let joins = plan.todo().filter_map(share_of).map(|(acl, share)| async move {
        work.within("join", work.ledger.join(&set_of(work, acl), &share.to_string())).await.map(drop)
    });
    join_all(joins).await.into_iter().collect()
}

async fn deny(work: &Work<'_>, cloud: &dyn NetworkAcls, step: Step) -> Outcome {
    let Some((acl, share)) = share_of(&step) else { return Outcome::Skipped("no rule of a network ACL".into()) };
    let outcome = made(make(cloud, acl, &share).await, &share);
    if matches!(outcome, Outcome::Missing(_) | Outcome::Skipped(_) | Outcome::Failed(_)) && !outcome.is_left_over() {
        let _ = work.ledger.leave(&set_of(work, acl), &share.to_string()).await;
    }
    outcome
}

fn made(answers: [Answer<()>; 2], share: &Denial) -> Outcome {
    let [ingress, egress] = answers;
    match (ingress, egress) {
        (Ok(()), Ok(())) => Outcome::Changed(format!("both ways, rules {} and {}", share.ingress, share.egress).into()),
        (Err(error), _) | (_, Err(error)) if error.kind == ErrorKind::NotFound => {
            Outcome::Missing("the network ACL is gone".into())
        }
        // Somebody took the number meanwhile: the next plan has another one.
        (Err(error), _) | (_, Err(error)) if error.kind == ErrorKind::Duplicate => failed_for_now(&error),
        (Err(error), _) | (_, Err(error)) if error.is_retryable() => failed(&error),
        // Said as it stands, which trying again does not change.
        (Ok(()), Err(error)) => Outcome::AlreadyDone(
            format!(
                "denied ONE WAY ONLY: what comes in (rule {}); what goes out is NOT denied: {error}",
                share.ingress
            )
            .into(),
        )
        .marked(Mark::OneWay),
        (Err(error), Ok(())) => Outcome::AlreadyDone(
            format!("denied ONE WAY ONLY: what goes out (rule {}); what comes in is NOT denied: {error}", share.egress)
                .into(),
        )
        .marked(Mark::OneWay),
        (Err(error), Err(_)) if error.code == "NetworkAclEntryLimitExceeded" => {
            Outcome::Skipped(format!("the network ACL has no room: {error}").into())
        }
        (Err(error), Err(_)) => failed(&error),
    }
}

/// Makes a share's rules. One that is there already is success, another one at its number is `Duplicate`.
async fn make(cloud: &dyn NetworkAcls, acl: &str, share: &Denial) -> [Answer<()>; 2] {
    let [ingress, egress] = share.entries();
    let (a, b) =
        futures::join!(cloud.create_network_acl_entry(acl, &ingress), cloud.create_network_acl_entry(acl, &egress));
    let taken = |answer: &Answer<()>| answer.as_ref().is_err_and(|error| error.kind == ErrorKind::Duplicate);
    if !taken(&a) && !taken(&b) {
        return [a, b];
    }
    let ids = [acl.to_owned()];
    let now = match cloud.describe_network_acls(AclsOf::Ids(&ids)).await {
        Ok(now) => now,
        Err(error) => return [Err(error.clone()), Err(error)],
    };
    let judge = |answer: Answer<()>, entry| match answer {
        Err(error) if error.kind == ErrorKind::Duplicate && !now.iter().any(|acl| acl.has(entry)) => Err(error),
        Err(error) if error.kind != ErrorKind::Duplicate => Err(error),
        Ok(()) | Err(_) => Ok(()),
    };
    [judge(a, &ingress), judge(b, &egress)]
}

/// Leaves a share. The rules go first, where nobody else shares them: a containment that finds them there without a share
/// may take them for somebody else's. They come back where somebody came to share them meanwhile.
pub(crate) async fn allow(work: &Work<'_>, cloud: &dyn NetworkAcls, back: &Reversal) -> Outcome {
    let Reversal::AllowInNetworkAcl(AllowInNetworkAcl { acl, address, ingress, egress, instance_arn }) = back else {
        return Outcome::Skipped("no rule of a network ACL".into());
    };
    let (instance, address) = (instance_arn.clone(), *address);
    let share = Denial { instance, address, ingress: *ingress, egress: *egress };
    let shared = set_of(work, acl);
    let others = |set: &MemberSet| -> BTreeSet<Denial> {
        shares(&set.members).into_iter().filter(|other| other.address == address && *other != share).collect()
    };
    let mut left = false;
    let write = async |seen: &BTreeSet<Denial>| match settle(cloud, acl, &share, seen).await {
        Ok(()) => Ok(Rules::Settled { others: seen.len() }),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(Rules::AclGone),
        Err(error) => Err(error),
    };
    let read = async |rules: &Rules| {
        let set = if left {
            work.ledger.members(&shared).await?
        } else {
            work.ledger.leave(&shared, &share.to_string()).await?
        };
        left = true;
        Ok(match rules {
            Rules::Settled { .. } => Some(others(&set)),
            Rules::AclGone => None,
        })
    };
    let written = match work.ledger.members(&shared).await {
        Ok(set) => write_until_stable(others(&set), write, read).await,
        Err(error) => Err(error),
    };
    match written {
        Ok(Written::Stands(Rules::Settled { others: 0 })) => Outcome::Changed("the rules are gone".into()),
        Ok(Written::Stands(Rules::Settled { others })) => {
            Outcome::Changed(format!("{others} other containment(s) still deny it").into())
        }
        Ok(Written::Stands(Rules::AclGone)) => Outcome::Missing("the network ACL is gone".into()),
        Ok(Written::Restless) => Outcome::Failed(Failure::new("who shares the rules kept changing".to_owned(), true)),
        Err(error) => failed(&error),
    }
}

/// What became of a share's rules.
enum Rules {
    /// They are what these many others want.
    Settled {
        others: usize,
    },
    AclGone,
}

/// Makes the two rules what those who share them want.
async fn settle(cloud: &dyn NetworkAcls, acl: &str, share: &Denial, others: &BTreeSet<Denial>) -> Answer<()> {
    let ids = [acl.to_owned()];
    let now = cloud.describe_network_acls(AclsOf::Ids(&ids)).await?;
    let changes = share.entries().map(|entry| {
        let there = now.iter().any(|acl| acl.has(&entry));
        let wanted = others.iter().any(|other| other.entries().contains(&entry));
        async move {
            match (there, wanted) {
                (true, false) => cloud.delete_network_acl_entry(acl, entry.number, entry.egress).await,
                (false, true) => match cloud.create_network_acl_entry(acl, &entry).await {
                    Err(error) if error.kind == ErrorKind::Duplicate => Ok(()),
                    answer => answer,
                },
                (true, true) | (false, false) => Ok(()),
            }
        }
    });
    join_all(changes).await.into_iter().collect()
}
