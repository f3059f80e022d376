//! What became true, told from what was read back and from nothing else.

use serde::{Deserialize, Serialize};

use crate::{
    paths::{self, Path},
    proof::Proof,
    survey::{Gap, Uncut, Undenied, Unpreserved},
    text,
};

/// How an interface in an untrack group is called, in facts and in messages.
pub const OPEN: &str = "OPEN TO THE WORLD";

/// How far something is true.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Truth {
    /// Every fact was seen to hold.
    Yes,
    /// Some hold, some do not.
    Partial,
    /// None holds.
    No,
    /// It could not be seen.
    Unknown,
}

impl Truth {
    /// The truth of several facts together. No fact at all means that nothing was looked at.
    #[must_use]
    pub fn of(facts: &[Fact]) -> Self {
        let count = |truth: Self| facts.iter().filter(|fact| fact.truth == truth).count();
        let (yes, no, unknown) = (count(Self::Yes), count(Self::No), count(Self::Unknown));
        match (yes, no, unknown) {
            (0, 0, _) => Self::Unknown,
            (_, 0, 0) => Self::Yes,
            (0, _, 0) => Self::No,
            (_, 0, _) => Self::Unknown,
            _ => Self::Partial,
        }
    }

    /// The word in reports.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::Partial => "partial",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }
}

/// One thing that containment promises, and whether it was seen to hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The promise, `eni-1 isolated`.
    pub what: String,
    /// Whether it holds; never [`Truth::Partial`].
    pub truth: Truth,
    /// What was seen instead.
    pub why: String,
    /// What of it the summary and later decisions depend on.
    pub mark: Option<Mark>,
}

/// What a fact means beyond whether it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    /// There was no role to deny.
    NoRole,
    /// It holds the responders' credentials, which whoever is root on it can read.
    Forensic,
    /// Sessions of a role live on.
    Undenied(Undenied),
    /// A volume has no snapshot.
    Unpreserved(Unpreserved),
    /// An interface could not be cut.
    Uncut(Uncut),
}

impl Fact {
    /// A fact that holds.
    #[must_use]
    pub fn holding(what: &str) -> Self {
        Self::new(what, Truth::Yes, "")
    }

    pub(crate) fn new(what: impl Into<String>, truth: Truth, why: impl Into<String>) -> Self {
        Self { what: what.into(), truth, why: why.into(), mark: None }
    }

    pub(crate) fn seen(what: impl Into<String>, holds: bool) -> Self {
        Self::new(what, if holds { Truth::Yes } else { Truth::No }, "")
    }

    pub(crate) fn marked(self, mark: Mark) -> Self {
        Self { mark: Some(mark), ..self }
    }

    /// A fact that could not be read.
    #[must_use]
    pub fn unread(gap: &Gap) -> Self {
        Self::new(gap.what.clone(), Truth::Unknown, gap.error.clone())
    }
}

impl Fact {
    fn undenied(&self) -> Option<&Undenied> {
        match &self.mark {
            Some(Mark::Undenied(role)) => Some(role),
            Some(Mark::NoRole | Mark::Forensic | Mark::Unpreserved(_) | Mark::Uncut(_)) | None => None,
        }
    }

    fn unpreserved(&self) -> Option<&Unpreserved> {
        match &self.mark {
            Some(Mark::Unpreserved(volume)) => Some(volume),
            Some(Mark::NoRole | Mark::Forensic | Mark::Undenied(_) | Mark::Uncut(_)) | None => None,
        }
    }

    /// The interface that could not be cut.
    #[must_use]
    pub fn uncut(&self) -> Option<&Uncut> {
        match &self.mark {
            Some(Mark::Uncut(interface)) => Some(interface),
            Some(Mark::NoRole | Mark::Forensic | Mark::Undenied(_) | Mark::Unpreserved(_)) | None => None,
        }
    }

    /// What the summary says of it, where it does not hold.
    fn said(&self) -> Option<String> {
        match self.mark.as_ref()? {
            Mark::NoRole | Mark::Forensic => None,
            Mark::Undenied(role) => Some(role.sentence()),
            Mark::Unpreserved(volume) => Some(volume.sentence()),
            Mark::Uncut(interface) => Some(interface.sentence()),
        }
    }
}

fn is_open(fact: &Fact) -> bool {
    fact.truth == Truth::No && fact.why == OPEN
}

/// What AWS accepted and does not show yet is unknown, rather than untrue. Says whether there is any such fact.
pub fn not_yet_visible(facts: &mut [Fact]) -> bool {
    let mut any = false;
    for fact in facts.iter_mut().filter(|fact| fact.truth == Truth::No && fact.why.is_empty()) {
        fact.truth = Truth::Unknown;
        "not yet visible".clone_into(&mut fact.why);
        any = true;
    }
    any
}

/// The verdict of a containment, lane by lane.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// No new network flow can start.
    pub network: Truth,
    /// The instance's credentials are denied and it gets no new ones.
    pub credentials: Truth,
    /// Out of its Auto Scaling group and load balancers.
    pub fleet: Truth,
    /// Instance and disks preserved.
    pub evidence: Truth,
    /// All of it in one sentence, which begins with the instance.
    pub summary: String,
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

impl Verdict {
    /// Nothing was looked at, since nothing was done.
    #[must_use]
    pub fn untouched(summary: String) -> Self {
        let unknown = Truth::Unknown;
        let summary = text::into_line(summary, text::REPORT);
        Self {
            network: unknown,
            credentials: unknown,
            fleet: unknown,
            evidence: unknown,
            summary,
            paths: Vec::new(),
            proof: None,
            uncut: Vec::new(),
            undenied: Vec::new(),
            unpreserved: Vec::new(),
            open: false,
        }
    }

    /// Judges from each lane's facts. `subject` names the instance. What is said of the network follows the weakest path.
    #[must_use]
    pub fn judge(subject: &str, facts: &LaneFacts, paths: Vec<Path>) -> Self {
        let network = Truth::of(&facts.network);
        let credentials = Truth::of(&facts.credentials);
        let fleet = Truth::of(&facts.fleet);
        let evidence = Truth::of(&facts.evidence);
        let blocked =
            if paths.is_empty() { "new network flows are blocked".to_owned() } else { paths::sentence(&paths) };
        let has = |mark: &Mark| facts.credentials.iter().any(|fact| fact.mark.as_ref() == Some(mark));
        let undenied: Vec<Undenied> = facts.credentials.iter().filter_map(Fact::undenied).cloned().collect();
        let uncut: Vec<Uncut> = facts.network.iter().filter_map(Fact::uncut).cloned().collect();
        let unpreserved: Vec<Unpreserved> = facts.evidence.iter().filter_map(Fact::unpreserved).cloned().collect();
        let denied = if has(&Mark::NoRole) {
            "it has no instance profile, so there was nothing to deny"
        } else if has(&Mark::Forensic) {
            "its own credentials are denied, and it holds the responders'"
        } else {
            "its credentials are denied"
        };
        let lanes = [
            (blocked.as_str(), "new network flows are NOT blocked", network, &facts.network),
            (denied, "its credentials are NOT cut", credentials, &facts.credentials),
            (facts.left.sentence(), "it is NOT out of its Auto Scaling group and load balancers", fleet, &facts.fleet),
            ("its volumes are kept and snapshots begun", "its evidence is NOT preserved", evidence, &facts.evidence),
        ];
        let holds: Vec<&str> = lanes.iter().filter(|lane| lane.2 == Truth::Yes).map(|lane| lane.0).collect();
        let mut failing: Vec<_> = lanes.iter().filter(|lane| lane.2 != Truth::Yes).collect();
        // An open interface first, then what could not be cut, then credentials that live on: all are in use while somebody
        // reads this.
        failing.sort_by_key(|lane| {
            let lives = lane.3.iter().any(|fact| fact.undenied().is_some());
            let uncut = lane.3.iter().any(|fact| fact.uncut().is_some());
            (!lane.3.iter().any(is_open), !uncut, !lives)
        });
        let fails: Vec<String> = failing
            .into_iter()
            .map(|(_, not, truth, facts)| {
                let open = facts.iter().any(is_open);
                let said: Vec<String> = facts.iter().filter_map(Fact::said).collect();
                let how = match truth {
                    Truth::Partial => " wholly",
                    Truth::Unknown => " for certain",
                    Truth::Yes | Truth::No => "",
                };
                let not = not.replace("NOT", &format!("NOT{how}"));
                match (open, said.is_empty()) {
                    (true, _) => format!("AN INTERFACE IS OPEN TO THE WORLD ({not})"),
                    (false, true) => not,
                    (false, false) => format!("{not} ({})", said.join("; ")),
                }
            })
            .collect();
        let summary = match (holds.is_empty(), fails.is_empty()) {
            (_, true) => format!("{subject} is contained: {}.", holds.join(", ")),
            (true, false) => format!("{subject} is NOT contained: {}.", fails.join(", ")),
            (false, false) => {
                format!("{subject} is only PARTLY contained: {}; but {}.", fails.join(", "), holds.join(", "))
            }
        };
        Self {
            network,
            credentials,
            fleet,
            evidence,
            summary: text::one_line(&summary, text::REPORT),
            paths,
            proof: None,
            uncut,
            undenied,
            unpreserved,
            open: facts.network.iter().any(is_open),
        }
    }

    /// Whether every lane is wholly true.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        [self.network, self.credentials, self.fleet, self.evidence].iter().all(|truth| *truth == Truth::Yes)
    }
}

/// The facts that each lane read back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LaneFacts {
    /// The network lane's.
    pub network: Vec<Fact>,
    /// The identity lane's.
    pub credentials: Vec<Fact>,
    /// The fleet lane's.
    pub fleet: Vec<Fact>,
    /// The evidence lane's.
    pub evidence: Vec<Fact>,
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

impl Left {
    fn sentence(self) -> &'static str {
        match (self.scaling_group, self.balancers) {
            (true, true) => "it is out of its Auto Scaling group and load balancers",
            (true, false) => "it is out of its Auto Scaling group",
            (false, true) => "it is out of its load balancers",
            (false, false) => "it is in no Auto Scaling group and behind no load balancer",
        }
    }
}

impl LaneFacts {
    /// All facts that do not hold, or are unknown, for a person.
    #[must_use]
    pub fn broken(&self) -> Vec<String> {
        [&self.network, &self.credentials, &self.fleet, &self.evidence]
            .into_iter()
            .flatten()
            .filter(|fact| fact.truth != Truth::Yes)
            .map(|fact| {
                let not = if fact.truth == Truth::Unknown { "not known" } else { "not true" };
                let why = if fact.why.is_empty() { String::new() } else { format!(" ({})", fact.why) };
                format!("{not}: {}{why}", fact.what)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn facts(network: &[Truth]) -> LaneFacts {
        let yes = || vec![Fact::seen("x", true)];
        LaneFacts {
            network: network.iter().map(|truth| Fact::new("eni-1 isolated", *truth, "")).collect(),
            credentials: yes(),
            fleet: yes(),
            evidence: yes(),
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
            assert!(summary.contains(sentence), "{summary}");
        }
    }

    #[test]
    fn where_there_was_no_role_nothing_is_said_to_be_denied() {
        let mut bare = facts(&[Truth::Yes]);
        bare.credentials.push(Fact::holding("nothing").marked(Mark::NoRole));
        let verdict = Verdict::judge("i-1", &bare, Vec::new());
        assert_eq!(verdict.credentials, Truth::Yes);
        expect!["i-1 is contained: new network flows are blocked, it has no instance profile, so there was nothing to deny, it is out of its Auto Scaling group and load balancers, its volumes are kept and snapshots begun."].assert_eq(&verdict.summary);
    }

    #[test]
    fn only_what_was_seen_is_claimed() {
        let summary = |network: &[Truth]| Verdict::judge("i-1", &facts(network), Vec::new()).summary;
        expect!["i-1 is contained: new network flows are blocked, its credentials are denied, it is out of its Auto Scaling group and load balancers, its volumes are kept and snapshots begun."]
            .assert_eq(&summary(&[Truth::Yes]));
        expect!["i-1 is only PARTLY contained: new network flows are NOT wholly blocked; but its credentials are denied, it is out of its Auto Scaling group and load balancers, its volumes are kept and snapshots begun."]
            .assert_eq(&summary(&[Truth::Yes, Truth::No]));
        expect!["i-1 is only PARTLY contained: new network flows are NOT for certain blocked; but its credentials are denied, it is out of its Auto Scaling group and load balancers, its volumes are kept and snapshots begun."]
            .assert_eq(&summary(&[Truth::Yes, Truth::Unknown]));
    }

    #[test]
    fn sessions_that_live_on_come_first_and_are_named() {
        let mut facts = facts(&[Truth::No]);
        let role = Undenied::NoSuchRole { role: "web".to_owned() };
        facts.credentials.push(Fact::new("sessions", Truth::No, "").marked(Mark::Undenied(role.clone())));
        let verdict = Verdict::judge("i-1", &facts, Vec::new());
        assert_eq!((verdict.credentials, verdict.undenied.as_slice()), (Truth::Partial, [role].as_slice()));
        expect!["i-1 is only PARTLY contained: its credentials are NOT wholly cut (sessions of the role web are NOT denied: IAM knows no role of that name in the instance's account), new network flows are NOT blocked; but it is out of its Auto Scaling group and load balancers, its volumes are kept and snapshots begun."].assert_eq(&verdict.summary);
    }

    #[test]
    fn an_open_interface_leads() {
        let mut facts = facts(&[]);
        facts.network.push(Fact::new("eni-1 isolated", Truth::No, OPEN));
        let summary = Verdict::judge("i-1", &facts, Vec::new()).summary;
        assert!(summary.starts_with("i-1 is only PARTLY contained: AN INTERFACE IS OPEN TO THE WORLD"), "{summary}");
    }

    #[test]
    fn truths_add_up() {
        let of = |truths: &[Truth]| {
            let facts: Vec<Fact> = truths.iter().map(|truth| Fact::new("", *truth, "")).collect();
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
