//! What became true, judged from what was read back and from nothing else.

use std::fmt;

use serde::Serialize;

use crate::{
    model::{Uncut, Undenied, Unpreserved, text::Sentence},
    report::{
        fact::{Fact, Promise, Truth},
        paths::Path,
        proof::Proof,
    },
    step::{Lane, PerLane},
};

mod text;

/// The verdict of a containment, lane by lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// How far each lane's promise holds.
    #[serde(flatten)]
    pub truths: PerLane<Truth>,
    /// All of it in one sentence, which begins with the instance, or with what cannot wait.
    pub summary: Sentence,
    /// What people read of each lane; empty where nothing was looked at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lanes: Vec<LaneLine>,
    /// What cannot wait: an interface that was open, traffic after the cut. The summary begins with it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<Sentence>,
    /// What is left of each path to and from the instance; empty where nothing was cut.
    pub paths: Vec<Path>,
    /// What flow logs say of the time after the cut; only a verification asks them.
    pub proof: Option<Proof>,
    /// Interfaces that could not be cut.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub uncut: Vec<Uncut>,
    /// Roles whose sessions live on.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub undenied: Vec<Undenied>,
    /// Volumes that no snapshot preserves.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unpreserved: Vec<Unpreserved>,
    /// An interface was seen in an untrack group.
    #[serde(skip)]
    pub open: bool,
}

/// One lane in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LaneLine {
    pub lane: Lane,
    /// How far its promise holds.
    pub truth: Truth,
    /// What holds, or what does not and why.
    pub text: Sentence,
}

impl Verdict {
    /// A verdict of what each lane's truth is, and a summary.
    #[must_use]
    pub fn of(truths: PerLane<Truth>, summary: impl Into<Sentence>) -> Self {
        Self {
            truths,
            summary: summary.into(),
            lanes: Vec::new(),
            alerts: Vec::new(),
            paths: Vec::new(),
            proof: None,
            uncut: Vec::new(),
            undenied: Vec::new(),
            unpreserved: Vec::new(),
            open: false,
        }
    }

    /// Nothing was looked at, since nothing was done.
    #[must_use]
    pub fn untouched(summary: impl Into<Sentence>) -> Self {
        Self::of(PerLane::of(|_| Truth::Unknown), summary)
    }

    /// Judges from each lane's facts. `subject` names the instance. What is said of the network follows the weakest path.
    #[must_use]
    pub fn judge(subject: &str, facts: &LaneFacts, paths: Vec<Path>) -> Self {
        let truths = PerLane::of(|lane| Truth::of(facts.of(lane)));
        let all = || Lane::ALL.into_iter().flat_map(|lane| facts.of(lane));
        Self {
            lanes: text::lines(facts, &paths),
            uncut: all().filter_map(Fact::uncut).cloned().collect(),
            undenied: all().filter_map(Fact::undenied).cloned().collect(),
            unpreserved: all().filter_map(Fact::unpreserved).cloned().collect(),
            open: all().any(Fact::is_open),
            ..Self::of(truths, text::summary(subject, facts, &paths))
        }
        .with_paths(paths)
    }

    fn with_paths(self, paths: Vec<Path>) -> Self {
        Self { paths, ..self }
    }

    /// Puts what cannot wait before everything else.
    pub fn alert(&mut self, alert: impl Into<Sentence>) {
        let alert = alert.into();
        self.summary = Sentence::new(format_args!("{alert}. {}", self.summary));
        self.alerts.insert(0, alert);
    }

    /// Flow logs show traffic after the cut: it stands before everything else, and in the network's line.
    pub fn contradict(&mut self, said: impl Into<Sentence>) {
        self.alert(said);
        if let Some(line) = self.lanes.iter_mut().find(|line| line.lane == Lane::Network) {
            line.text = "isolated, but flow logs show accepted traffic (see ALERT)".into();
        }
    }

    /// Ends the summary with one more sentence.
    pub fn add(&mut self, sentence: impl fmt::Display) {
        self.summary = Sentence::new(format_args!("{}{sentence}", self.summary));
    }

    /// Whether every lane is wholly true.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.truths.to_array().into_iter().all(|truth| truth == Truth::Yes)
    }
}

/// The facts that each lane read back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LaneFacts {
    /// Each lane's.
    pub lanes: PerLane<Vec<Fact>>,
    /// What it was in before.
    pub left: Left,
}

/// What the instance was taken out of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Left {
    /// An Auto Scaling group.
    pub scaling_group: bool,
    /// Load balancers.
    pub balancers: bool,
}

impl LaneFacts {
    /// One lane's facts.
    #[must_use]
    pub fn of(&self, lane: Lane) -> &[Fact] {
        self.lanes.get(lane)
    }

    /// All facts that do not hold, or are unknown, for a person.
    #[must_use]
    pub fn broken(&self) -> Vec<Sentence> {
        Lane::ALL.into_iter().flat_map(|lane| self.of(lane)).filter_map(Fact::complaint).collect()
    }

    fn has(&self, promise: &Promise) -> bool {
        self.lanes.credentials.iter().any(|fact| fact.what == *promise)
    }
}

/// What has to come first and does not hold: a copy of its disks, a way out of a group that would replace what is stopped.
#[must_use]
pub fn unready(facts: &LaneFacts) -> Option<String> {
    let lacks = [
        ("its evidence is not preserved", &facts.lanes.evidence),
        ("it is not out of its Auto Scaling group and load balancers", &facts.lanes.fleet),
    ];
    let (why, facts) = lacks.into_iter().find(|(_, facts)| Truth::of(facts) != Truth::Yes)?;
    let broken = facts.iter().find(|fact| fact.truth != Truth::Yes);
    Some(broken.map_or_else(|| why.to_owned(), |fact| format!("{why} (this does not hold: {})", fact.what)))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::report::fact::Cause;

    fn isolated(truth: Truth) -> Fact {
        Fact { truth, ..Fact::holding(Promise::Isolated("eni-1".into())) }
    }

    fn facts(network: &[Truth]) -> LaneFacts {
        let yes = || vec![Fact::holding(Promise::Exists)];
        LaneFacts {
            lanes: PerLane {
                network: network.iter().map(|truth| isolated(*truth)).collect(),
                credentials: yes(),
                fleet: yes(),
                evidence: yes(),
            },
            left: Left { scaling_group: true, balancers: true },
        }
    }

    #[test]
    fn it_is_said_to_have_left_only_what_it_was_in() {
        for (scaling_group, balancers, sentence) in [
            (true, false, "it is out of its Auto Scaling group, its"),
            (false, true, "it is out of its load balancers, its"),
            (false, false, "it is in no Auto Scaling group and behind no load balancer, its"),
        ] {
            let facts = LaneFacts { left: Left { scaling_group, balancers }, ..facts(&[Truth::Yes]) };
            let summary = Verdict::judge("i-1", &facts, Vec::new()).summary;
            assert!(summary.to_string().contains(sentence), "{summary}");
        }
    }

    #[test]
    fn where_there_was_no_role_nothing_is_said_to_be_denied() {
        let mut bare = facts(&[Truth::Yes]);
        bare.lanes.credentials.push(Fact::holding(Promise::NoRole));
        let verdict = Verdict::judge("i-1", &bare, Vec::new());
        assert_eq!(verdict.truths.credentials, Truth::Yes);
        expect!["i-1 is contained: new connections are blocked, it has no instance profile, so there was nothing to deny, it is out of its Auto Scaling group and load balancers, its volumes are kept and snapshots have started."].assert_eq(&verdict.summary.to_string());
    }

    #[test]
    fn only_what_was_seen_is_claimed() {
        let summary = |network: &[Truth]| Verdict::judge("i-1", &facts(network), Vec::new()).summary;
        expect!["i-1 is contained: new connections are blocked, its credentials are denied, it is out of its Auto Scaling group and load balancers, its volumes are kept and snapshots have started."]
            .assert_eq(&summary(&[Truth::Yes]).to_string());
        expect!["i-1 is only PARTLY contained: new connections are NOT fully blocked; but its credentials are denied, it is out of its Auto Scaling group and load balancers, its volumes are kept and snapshots have started."]
            .assert_eq(&summary(&[Truth::Yes, Truth::No]).to_string());
        expect!["i-1 is only PARTLY contained: new connections are NOT confirmed to be blocked; but its credentials are denied, it is out of its Auto Scaling group and load balancers, its volumes are kept and snapshots have started."]
            .assert_eq(&summary(&[Truth::Yes, Truth::Unknown]).to_string());
    }

    #[test]
    fn sessions_that_live_on_come_first_and_are_named() {
        let mut facts = facts(&[Truth::No]);
        let role = Undenied::NoSuchRole { role: "web".to_owned() };
        facts
            .lanes
            .credentials
            .push(Fact::broken(Promise::RoleDenies("web".to_owned()), Cause::Undenied(role.clone())));
        let verdict = Verdict::judge("i-1", &facts, Vec::new());
        assert_eq!((verdict.truths.credentials, verdict.undenied.as_slice()), (Truth::Partial, [role].as_slice()));
        expect!["i-1 is only PARTLY contained: its credentials are NOT fully denied (sessions of the role web are NOT denied: IAM knows no role of that name in the instance's account), new connections are NOT blocked; but it is out of its Auto Scaling group and load balancers, its volumes are kept and snapshots have started."].assert_eq(&verdict.summary.to_string());
    }

    #[test]
    fn an_open_interface_leads() {
        let mut facts = facts(&[]);
        facts.lanes.network.push(Fact::broken(Promise::Isolated("eni-1".into()), Cause::Open));
        let summary = Verdict::judge("i-1", &facts, Vec::new()).summary;
        assert!(
            summary.to_string().starts_with("i-1 is only PARTLY contained: AN INTERFACE IS OPEN TO THE WORLD"),
            "{summary}"
        );
    }

    #[test]
    fn truths_add_up() {
        let of = |truths: &[Truth]| {
            let facts: Vec<Fact> = truths.iter().map(|truth| isolated(*truth)).collect();
            Truth::of(&facts)
        };
        assert_eq!(of(&[]), Truth::Unknown);
        assert_eq!(of(&[Truth::Yes, Truth::Yes]), Truth::Yes);
        assert_eq!(of(&[Truth::No]), Truth::No);
        assert_eq!(of(&[Truth::Yes, Truth::No, Truth::Unknown]), Truth::Partial);
        assert_eq!(of(&[Truth::No, Truth::Unknown]), Truth::Partial);
        assert_eq!(of(&[Truth::Yes, Truth::Unknown]), Truth::Unknown);
    }
}
