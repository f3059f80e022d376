//! Forensic access through the isolation groups. What it is comes from `brig_core::followups::forensic_access`.

use std::collections::BTreeMap;

use brig_core::{
    followups::forensic_access::{self, AccessLook, SERVICES},
    model::{
        Instance, Interface, Rule, SecurityGroup,
        gap::{Gap, Subject},
        ids::{AccountId, EniId, GroupId},
        vpcs_of,
    },
    report::paths::Path,
    settings::ForensicAccess,
    step::Note,
};

use crate::{
    effects::{self, Room},
    ports::{InterfacesOf, NetworkPorts, PortResult, SecurityGroups},
    work::{LaneReport, Work, gap},
};

/// What of the isolation groups' rules is forensic access.
#[derive(Debug, Clone, Default)]
pub(crate) struct Access {
    /// What it is, once that was looked up, or why it could not be.
    look: Option<Result<AccessLook, Gap>>,
    aside: BTreeMap<GroupId, Vec<Rule>>,
}

impl Access {
    /// Before it is looked up, which the cut does not wait for: by its shape.
    pub(crate) fn by_shape(
        setting: Option<&ForensicAccess>,
        groups: &mut [SecurityGroup],
        account: &AccountId,
    ) -> Self {
        let aside = match setting {
            Some(setting) => forensic_access::set_aside(groups, account, |_, rule| setting.may_be(rule)),
            None => BTreeMap::new(),
        };
        Self { look: None, aside }
    }

    /// By what it is.
    pub(crate) fn exact(
        setting: Option<&ForensicAccess>,
        look: Option<PortResult<AccessLook>>,
        groups: &mut [SecurityGroup],
        account: &AccountId,
    ) -> Self {
        let (Some(setting), Some(look)) = (setting, look) else { return Self::default() };
        match look {
            Ok(look) => {
                let aside =
                    forensic_access::set_aside(groups, account, |vpc, rule| look.rules(setting, vpc).contains(rule));
                Self { look: Some(Ok(look)), aside }
            }
            Err(error) => {
                let gap = gap(Subject::ForensicAccess, &error);
                Self { look: Some(Err(gap)), ..Self::by_shape(Some(setting), groups, account) }
            }
        }
    }

    /// Whether a rule of a group stays when its strays are revoked.
    pub(crate) fn keeps(&self, group: &GroupId, rule: &Rule) -> bool {
        self.aside.get(group).is_some_and(|aside| aside.contains(rule))
    }

    /// Why it is not known what of a group's rules is forensic access, where it has any that may be.
    pub(crate) fn doubt(&self, group: &GroupId) -> Option<&Gap> {
        let Some(Err(gap)) = &self.look else { return None };
        self.aside.get(group).filter(|aside| !aside.is_empty()).map(|_| gap)
    }

    /// What it lets through; where that is not known, what may be it.
    pub(crate) fn rules(&self, setting: Option<&ForensicAccess>, interfaces: &[Interface]) -> Vec<Rule> {
        match (setting, &self.look) {
            (Some(setting), Some(Ok(look))) => {
                interfaces.iter().flat_map(|interface| look.rules(setting, &interface.vpc)).collect()
            }
            _ => self.aside.values().flatten().cloned().collect(),
        }
    }

    /// The paths that it is.
    pub(crate) fn paths(
        &self,
        setting: Option<&ForensicAccess>,
        interfaces: &[Interface],
        instance: &Instance,
    ) -> Vec<Path> {
        let (Some(setting), Some(Ok(look)), true) = (setting, &self.look, instance.state.has_flows()) else {
            return Vec::new();
        };
        let rules = vpcs_of(interfaces).into_iter().map(|vpc| (look.rules(setting, &vpc), vpc));
        rules
            .filter(|(rules, _)| !rules.is_empty())
            .map(|(rules, vpc)| brig_core::report::paths::forensic_access::path(&vpc, &rules))
            .collect()
    }
}

/// Looks it up, where the settings have it.
pub(crate) async fn look(work: &Work<'_>, cloud: &dyn NetworkPorts) -> Option<PortResult<AccessLook>> {
    Some(read(work, cloud, work.policy.forensic_access.as_ref()?).await)
}

async fn read(work: &Work<'_>, cloud: &dyn NetworkPorts, setting: &ForensicAccess) -> PortResult<AccessLook> {
    let vpcs = vpcs_of(&work.instance.interfaces);
    let named = async {
        match setting {
            ForensicAccess::Group(name) => {
                work.within("DescribeSecurityGroups", cloud.describe_groups_named(name)).await
            }
            ForensicAccess::Ranges(_) => Ok(Vec::new()),
        }
    };
    let endpoints = async {
        let endpoints = cloud.describe_service_endpoints(&vpcs, &SERVICES);
        let endpoints = work.within("DescribeVpcEndpoints", endpoints).await?;
        let all: Vec<EniId> = endpoints.into_iter().flat_map(|(_, interfaces)| interfaces).collect();
        if all.is_empty() {
            return Ok(Vec::new());
        }
        work.within("DescribeNetworkInterfaces", cloud.describe_network_interfaces(InterfacesOf::Ids(&all))).await
    };
    let (groups, endpoints) = futures::join!(named, endpoints);
    let mut look = AccessLook { groups: groups?, endpoints: BTreeMap::new() };
    for endpoint in endpoints? {
        look.endpoints.entry(endpoint.interface.vpc).or_default().extend(endpoint.interface.addresses);
    }
    Ok(look)
}

/// Opens what the groups of isolated interfaces lack of it.
pub(crate) async fn run(
    work: &Work<'_>,
    cloud: &dyn SecurityGroups,
    access: &Access,
    interfaces: &[Interface],
    groups: &[SecurityGroup],
) -> LaneReport {
    let mut report = LaneReport::default();
    let (Some(setting), Some(look)) = (&work.policy.forensic_access, &access.look) else { return report };
    let look = match look {
        Ok(look) => look,
        Err(gap) => {
            report.note(Note::ForensicAccessUnread(gap.clone()));
            report.look_again = gap.retryable;
            return report;
        }
    };
    let plan = forensic_access::plan(setting, look, interfaces, groups, &access.aside);
    report.note_all(&plan);
    report.done = work.run(&plan, |step| async move { effects::run(&step, Room::Access(cloud)).await }).await;
    report.look_again = !work.finish(&report.done).await;
    report
}
