//! The four lanes run at once, and their reports, newest attempt over older ones.

use std::{collections::BTreeSet, time::Duration};

use brig_core::{
    model::{Exposure, FlowLog, Interface, Rule, gap::Gap, reach::ReachLook, timestamp::Timestamp},
    report::{
        paths::Path,
        verdict::{LaneFacts, Left},
    },
    step::{Lane, Note, Outcome, PerLane, Step},
};

use crate::{
    engine::Lanes,
    followups::forensic_access::Access,
    lanes::{
        credentials, evidence, fleet,
        network::{Cut, NetworkLane, Seen},
    },
    links::{self, Links, Search},
    reach,
    work::{Done, LaneReport, Work, merge},
};

/// The four lanes' reports, newest attempt over older ones.
#[derive(Default)]
pub(crate) struct Reports {
    lanes: PerLane<LaneReport>,
    pub(crate) isolated_at: Option<Timestamp>,
    pub(crate) window: Option<Duration>,
    pub(crate) exposures: Vec<Exposure>,
    interfaces: Vec<Interface>,
    access: Access,
    reach: Option<ReachLook>,
    links: Option<Links>,
}

/// What one attempt's lanes said; none for a lane that had nothing left to do.
pub(crate) struct Ran {
    lanes: PerLane<Option<LaneReport>>,
    cut: Option<Cut>,
    reach: Option<ReachLook>,
    links: Option<Links>,
}

/// What an attempt still has to do and to see.
pub(crate) struct Wanted<'a> {
    pub(crate) lanes: &'a BTreeSet<Lane>,
    /// The ways to and from the instance have not been seen, or not all of them.
    pub(crate) ways: bool,
    pub(crate) search: Search,
}

pub(crate) async fn run_lanes(
    work: &Work<'_>,
    lanes: &Lanes,
    wanted: Wanted<'_>,
    seen: Option<Result<Seen, Gap>>,
) -> Ran {
    let want = |lane: Lane| wanted.lanes.contains(&lane);
    let network = async {
        if !want(Lane::Network) {
            return None;
        }
        let lane = NetworkLane::new(work, lanes.network.as_ref());
        let seen = match seen {
            Some(seen) => seen,
            None => lane.look().await,
        };
        Some(lane.run(seen).await)
    };
    let credentials = async {
        if want(Lane::Credentials) {
            Some(Box::pin(credentials::run(work, lanes.credentials.as_ref())).await)
        } else {
            None
        }
    };
    let fleet = async {
        if want(Lane::Fleet) {
            Some(Box::pin(fleet::run(work, lanes.fleet.as_ref(), &lanes.target_groups)).await)
        } else {
            None
        }
    };
    let evidence = async {
        if want(Lane::Evidence) { Some(Box::pin(evidence::run(work, lanes.evidence.as_ref())).await) } else { None }
    };
    // At the same time as the lanes: only the report waits for it.
    let reach = async { if wanted.ways { Some(reach::look(work, lanes).await) } else { None } };
    let links = async { if wanted.search == Search::Keys { Some(links::look(work, lanes).await) } else { None } };
    let (network, credentials, fleet, evidence, reach, links) =
        futures::join!(network, credentials, fleet, evidence, reach, links);
    let (network, cut) = network.map(|report| (report.lane, report.cut)).unzip();
    Ran { lanes: PerLane { network, credentials, fleet, evidence }, cut, reach, links }
}

impl Reports {
    pub(crate) fn take(&mut self, mut ran: Ran) {
        if let Some(cut) = ran.cut {
            self.isolated_at = self.isolated_at.or(cut.isolated_at);
            self.window = self.window.max(cut.window);
            for exposure in cut.exposures {
                if !self.exposures.contains(&exposure) {
                    self.exposures.push(exposure);
                }
            }
            self.interfaces = cut.interfaces;
            self.access = cut.access;
        }
        self.reach = ran.reach.or_else(|| self.reach.take());
        self.links = ran.links.or_else(|| self.links.take());
        for lane in Lane::ALL {
            if let Some(new) = ran.lanes.get_mut(lane).take() {
                self.lanes.get_mut(lane).renew(new);
            }
        }
    }

    /// The active flow logs, where the survey saw them.
    pub(crate) fn flow_logs(&self) -> Option<&[FlowLog]> {
        self.reach.as_ref()?.flow_logs.as_deref()
    }

    /// Which interfaces no flow log watches.
    pub(crate) fn unwatched(&self) -> Option<Note> {
        self.reach.as_ref()?.unwatched(&self.interfaces).map(Note::Unwatched)
    }

    /// What forensic access lets through.
    pub(crate) fn let_in(&self, work: &Work<'_>) -> Vec<Rule> {
        self.access.rules(work.policy.forensic_access.as_ref(), &self.interfaces)
    }

    /// Adds follow-up work to a lane's report.
    pub(crate) fn add(&mut self, lane: Lane, more: LaneReport) {
        self.lanes.get_mut(lane).add(more);
    }

    /// The keys that the instance shows, once they were looked for.
    pub(crate) fn links(&self) -> Option<&Links> {
        self.links.as_ref()
    }

    /// Whether the ways to and from the instance were seen, all of them.
    pub(crate) fn is_surveyed(&self) -> bool {
        self.reach.as_ref().is_some_and(|look| look.gaps.is_empty())
    }

    /// What is left of each path.
    pub(crate) fn paths(&self, work: &Work<'_>) -> Vec<Path> {
        let reach =
            self.reach.as_ref().map(|look| reach::paths(work, look, &self.interfaces, &self.lanes.network.facts));
        let access = self.access.paths(work.policy.forensic_access.as_ref(), &self.interfaces, &work.instance);
        reach.unwrap_or_default().into_iter().chain(access).collect()
    }

    /// The interfaces as they were last seen.
    pub(crate) fn interfaces(&self) -> &[Interface] {
        &self.interfaces
    }

    pub(crate) fn done(&self) -> impl Iterator<Item = &Done> {
        self.lanes.iter().flat_map(|(_, lane)| lane.done.iter())
    }

    pub(crate) fn notes(&self) -> impl Iterator<Item = Note> {
        let links = self.links.iter().flat_map(Links::notes);
        self.lanes.iter().flat_map(|(_, lane)| lane.notes.iter().cloned()).chain(links)
    }

    pub(crate) fn facts(&self) -> LaneFacts {
        LaneFacts { lanes: PerLane::of(|lane| self.lanes.get(lane).facts.clone()), left: self.left_behind() }
    }

    /// What the instance was in: what a step took it out of, or found it out of already.
    fn left_behind(&self) -> Left {
        let out = |done: &&Done| matches!(done.outcome, Outcome::Changed(_) | Outcome::AlreadyDone(_));
        let mut left = Left::default();
        for done in self.done().filter(out) {
            left.scaling_group |= matches!(done.step, Step::DetachInstances(_));
            left.balancers |=
                matches!(done.step, Step::DeregisterTargets(_) | Step::DeregisterInstancesFromLoadBalancer(_));
        }
        left
    }

    pub(crate) fn any_left_over(&self) -> bool {
        self.lanes.iter().any(|(_, lane)| lane.is_left_over())
    }

    /// The same, not counting steps of which `apart` is true.
    pub(crate) fn any_left_over_but(&self, apart: impl Fn(&Step) -> bool) -> bool {
        let left = |done: &Done| done.outcome.is_left_over() && !apart(&done.step);
        self.lanes.iter().any(|(_, lane)| lane.look_again || lane.done.iter().any(left))
    }

    pub(crate) fn left_over(&self) -> BTreeSet<Lane> {
        self.lanes.iter().filter(|(_, report)| report.is_left_over()).map(|(lane, _)| lane).collect()
    }
}

impl LaneReport {
    fn renew(&mut self, newer: Self) {
        merge(&mut self.done, newer.done);
        for note in newer.notes {
            self.note(note);
        }
        self.facts = newer.facts;
        self.look_again = newer.look_again;
    }
}
