//! Looks at the ways to and from the instance, while the cut is made. What could not be read is a gap: the verdict says so, and
//! nothing is tried again for it alone.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use brig_core::{
    ledger::StepRecord,
    model::{
        Interface,
        gap::{Gap, Subject},
        ids::{EniId, GroupId, VpcId},
        reach::ReachLook,
        text::Sentence,
        vpcs_of,
    },
    report::{
        fact::{Fact, Promise},
        paths::{self, InterfaceHistory, Path, Ways},
    },
    step::{DeregisterTargets, Detail, Isolate, Lane, Mark, Outcome, ShortenTimeouts, Step, Untrack},
};
use futures::future::join_all;

use crate::{
    engine::Lanes,
    lanes::network::untracked,
    ports::PortResult,
    work::{Work, gap},
};

/// Interfaces of AWS's services that tell of a path.
const KINDS: [&str; 4] =
    ["lambda", "network_load_balancer", "global_accelerator_managed", "ec2_instance_connect_endpoint"];
/// How long one of its calls may take: the report waits for the look.
const CALL: Duration = Duration::from_secs(5);

fn read<T: Default>(gaps: &mut Vec<Gap>, what: Subject, answer: PortResult<T>) -> T {
    answer.unwrap_or_else(|error| {
        gaps.push(gap(what, &error));
        T::default()
    })
}

/// Everything at once; the groups that the interfaces had are on record since the claim.
pub(crate) async fn look(work: &Work<'_>, lanes: &Lanes) -> ReachLook {
    let cloud = lanes.reads.as_ref();
    let most = CALL.min(work.left());
    let vpcs = vpcs_of(&work.instance.interfaces);
    let had: Vec<GroupId> = {
        let all: BTreeSet<GroupId> =
            isolated(&work.recorded(Lane::Network)).into_values().flatten().flatten().collect();
        all.into_iter().collect()
    };
    let of_vpcs = async {
        if vpcs.is_empty() {
            return (Ok(Vec::new()), Ok(Vec::new()), Ok(Vec::new()));
        }
        futures::join!(
            work.at_most(most, "DescribeRouteTables", cloud.describe_route_tables(&vpcs)),
            work.at_most(most, "DescribeVpcEndpoints", cloud.describe_vpc_endpoints(&vpcs)),
            work.at_most(most, "DescribeNetworkInterfaces", cloud.describe_interfaces_of_kinds(&vpcs, &KINDS))
        )
    };
    let groups = async { if had.is_empty() { Ok(Vec::new()) } else { cloud.describe_groups(&had).await } };
    let each = join_all(vpcs.iter().map(|vpc| async move {
        let (firewalls, networks) = futures::join!(
            work.at_most(most, "ListFirewallRuleGroupAssociations", cloud.count_dns_firewalls(vpc)),
            work.at_most(most, "ListServiceNetworkVpcAssociations", cloud.count_service_networks(vpc))
        );
        (vpc, firewalls, networks)
    }));
    let (of_vpcs, groups, each, console, defaults, targets, logs) = futures::join!(
        of_vpcs,
        work.at_most(most, "DescribeSecurityGroups", groups),
        each,
        work.at_most(most, "GetSerialConsoleAccessStatus", cloud.get_serial_console_access()),
        work.at_most(most, "DescribeInstanceTypes", cloud.describe_default_timeouts(&work.instance.instance_type)),
        work.at_most(most, "DescribeTargetGroups", lanes.target_groups.list(cloud)),
        work.at_most(most, "DescribeFlowLogs", cloud.describe_flow_logs())
    );
    let (tables, endpoints, neighbours) = of_vpcs;
    let mut gaps = Vec::new();
    let mut look = ReachLook {
        groups: read(&mut gaps, Subject::FormerGroups, groups),
        tables: read(&mut gaps, Subject::RouteTables, tables),
        endpoints: read(&mut gaps, Subject::VpcEndpoints, endpoints),
        // The console, the firewalls, timeouts and protocols have paths of their own that say so.
        serial_console: console.ok().flatten(),
        defaults: defaults.unwrap_or_default(),
        flow_logs: logs.ok(),
        protocols: targets
            .unwrap_or_default()
            .into_iter()
            .filter_map(|group| Some((group.arn, group.protocol?)))
            .collect(),
        ..ReachLook::default()
    };
    for (vpc, kind) in read(&mut gaps, Subject::ServiceInterfaces, neighbours) {
        look.neighbours.entry(vpc).or_default().insert(kind);
    }
    let account = &work.instance.account;
    let owner = |vpc: &VpcId| {
        let table = look.tables.iter().find(|table| table.vpc == *vpc)?;
        table.owner.clone().filter(|owner| owner != account.as_str())
    };
    let foreign: BTreeMap<VpcId, String> = vpcs.iter().filter_map(|vpc| Some((vpc.clone(), owner(vpc)?))).collect();
    for (vpc, owner) in &foreign {
        gaps.push(Gap {
            what: Subject::OthersIn(vpc.clone()),
            error: Sentence::new(format_args!(
                "the account {owner} shares this VPC, which shows this account only its own resources"
            )),
            retryable: false,
        });
    }
    for (vpc, firewalls, networks) in each {
        if let Some(count) = firewalls.ok().filter(|_| !foreign.contains_key(vpc)) {
            look.dns_firewalls.insert(vpc.clone(), count);
        }
        if read(&mut gaps, Subject::Lattice, networks) > 0 {
            look.lattice.insert(vpc.clone());
        }
    }
    look.gaps = gaps;
    look
}

/// Judges the paths from the look, the record, and what was seen of the cut.
pub(crate) fn paths(work: &Work<'_>, look: &ReachLook, interfaces: &[Interface], cut: &[Fact]) -> Vec<Path> {
    let records = work.recorded(Lane::Network);
    let was = isolated(&records);
    let untracked = untracked(&records);
    // A lost answer may have opened it; what was never opened is on record as skipped, or not at all.
    let may_have_been_open = |eni: &EniId| {
        records.iter().any(|record| {
            let of = matches!(&record.step, Step::Untrack(Untrack { eni: of, .. }) if of == eni);
            let surely_not = |why: &Detail| why.mark != Some(Mark::MayHaveOpened);
            of && !matches!(&record.outcome, Some(Outcome::Skipped(why)) if surely_not(why))
        })
    };
    let shortened = |eni: &EniId| {
        records.iter().find_map(|record| {
            let Step::ShortenTimeouts(ShortenTimeouts { eni: of, was }) = &record.step else { return None };
            (of == eni && matches!(record.outcome, Some(Outcome::Changed(_)))).then_some(*was)
        })
    };
    let treated = interfaces.iter().map(|interface| {
        let id = interface.id.clone();
        let fact = cut.iter().find(|fact| fact.what == Promise::Isolated(id.clone()));
        let treated = InterfaceHistory {
            was: was.get(&id).cloned().flatten(),
            untracked: untracked.contains(&id),
            may_have_been_open: may_have_been_open(&id),
            shortened: shortened(&id),
            isolated: fact.map(|fact| fact.truth),
        };
        (id, treated)
    });
    let left = work.recorded(Lane::Fleet).into_iter().filter_map(|record| {
        let Step::DeregisterTargets(DeregisterTargets { group, .. }) = record.step else { return None };
        Some(group)
    });
    paths::judge(&Ways {
        instance: &work.instance,
        interfaces,
        treated: &treated.collect(),
        left: &left.collect(),
        look,
    })
}

/// The groups that each interface had, by the record.
fn isolated(records: &[StepRecord]) -> BTreeMap<EniId, Option<Vec<GroupId>>> {
    let had = |record: &StepRecord| {
        let Step::Isolate(Isolate { eni, was, .. }) = &record.step else { return None };
        // What somebody put it back into since is not on record.
        Some((eni.clone(), was.clone().filter(|_| record.repairs.is_empty())))
    };
    records.iter().filter_map(had).collect()
}
