//! The finding's remote addresses in network ACLs. Plans come from `brig_core::followups::network_acl`.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    time::Duration,
};

use brig_core::{
    followups::network_acl,
    ledger::{Shared, StepRecord},
    model::{
        Instance, Interface,
        network_acl::{Denial, NetworkAcl, NeverDenied},
        reach::RouteTable,
        text::Sentence,
        vpcs_of,
    },
    settings::{Escalation, Policy},
    step::{Lane, Mark, Note, Plan, Planned, Step},
};
use futures::future::join_all;
use ipnet::IpNet;

use crate::{
    effects::{self, Room},
    ports::{AclPorts, AclsOf, CloudError, Ledger, PortResult},
    work::{LaneReport, Work},
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
        network_acl::plan(&network_acl::Look {
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
) -> PortResult<Option<Seen>> {
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
) -> PortResult<BTreeMap<String, Vec<Denial>>> {
    let reads = acls.map(|acl| async move {
        let set = ledger.members(&Shared::acl(&instance.account, &instance.region, acl)).await?;
        Ok((acl.to_owned(), shares(&set.members)))
    });
    join_all(reads).await.into_iter().collect()
}

pub(crate) fn shares(members: &[String]) -> Vec<Denial> {
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
            report.note(Note::AclsUnread(Sentence::new(&error)));
            report.look_again = error.is_retryable();
            return report;
        }
    };
    report.note_all(&plan);
    // The share is in the set before the rule is made: whoever takes rules away sees it.
    let (intent, joined) = futures::join!(work.intend(&plan), join(work, &plan));
    report.done = work
        .run_if(&intent.and(joined), &plan, |step| async move {
            effects::run(&step, Room::Acls(effects::Acls { work, cloud })).await
        })
        .await;
    let halves = report.done.iter().filter(|done| done.outcome.mark() == Some(Mark::OneWay));
    let halves: Vec<Note> =
        halves.map(|done| Note::OneWay { rule: done.step.resource(""), why: done.outcome.words().clone() }).collect();
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
) -> PortResult<Option<(Plan, bool)>> {
    let remotes = &work.finding.remotes;
    let look = look(work.ledger, cloud, &work.instance, interfaces, remotes, recorded, work.policy);
    let seen = work.within("DescribeNetworkAcls", look).await?;
    Ok(seen.map(|seen| (seen.plan(recorded, &work.instance, work.policy), seen.look_again)))
}

fn share_of(step: &Step) -> Option<(&str, Denial)> {
    if let Step::DenyInNetworkAcl(step) = step { Some((step.acl.as_str(), step.share())) } else { None }
}

pub(crate) fn set_of(work: &Work<'_>, acl: &str) -> Shared {
    Shared::acl(&work.instance.account, &work.instance.region, acl)
}

async fn join(work: &Work<'_>, plan: &Plan) -> PortResult<()> {
    let joins = plan.todo().filter_map(share_of).map(|(acl, share)| async move {
        work.within("join", work.ledger.join(&set_of(work, acl), &share.to_string())).await.map(drop)
    });
    join_all(joins).await.into_iter().collect()
}
