//! The words of a verdict: the summary, and a line for each lane.

use super::{LaneFacts, LaneLine, Left, Truth};
use crate::{
    model::text::Sentence,
    report::{
        fact::{Fact, Promise},
        paths::{self, Path},
    },
    step::Lane,
};

/// What a lane promised, in words: as a clause of the summary where it holds and where it does not.
struct Clause {
    holds: String,
    not: &'static str,
}

fn clause(lane: Lane, facts: &LaneFacts, paths: &[Path]) -> Clause {
    match lane {
        Lane::Network => Clause {
            holds: if paths.is_empty() { "new connections are blocked".to_owned() } else { paths::sentence(paths) },
            not: "new connections are NOT blocked",
        },
        Lane::Credentials => {
            let holds = if facts.has(&Promise::NoRole) {
                "it has no instance profile, so there was nothing to deny"
            } else if facts.has(&Promise::ForensicProfile) {
                "its own credentials are denied, and it holds the responders'"
            } else {
                "its credentials are denied"
            };
            Clause { holds: holds.to_owned(), not: "its credentials are NOT denied" }
        }
        Lane::Fleet => Clause {
            holds: facts.left.sentence().to_owned(),
            not: "it is NOT out of its Auto Scaling group and load balancers",
        },
        Lane::Evidence => Clause {
            holds: "its volumes are kept and snapshots have started".to_owned(),
            not: "its evidence is NOT preserved",
        },
    }
}

/// Everything in one sentence; what does not hold stands first.
pub(super) fn summary(subject: &str, facts: &LaneFacts, paths: &[Path]) -> Sentence {
    let truth = |lane: Lane| Truth::of(facts.of(lane));
    let holds: Vec<String> = Lane::ALL
        .into_iter()
        .filter(|lane| truth(*lane) == Truth::Yes)
        .map(|lane| clause(lane, facts, paths).holds)
        .collect();
    let mut failing: Vec<Lane> = Lane::ALL.into_iter().filter(|lane| truth(*lane) != Truth::Yes).collect();
    // An open interface first, then what could not be cut, then credentials that live on: all are in use while somebody
    // reads this.
    failing.sort_by_key(|lane| {
        let any = |of: fn(&Fact) -> bool| facts.of(*lane).iter().any(of);
        (!any(Fact::is_open), !any(|fact| fact.uncut().is_some()), !any(|fact| fact.undenied().is_some()))
    });
    let fails: Vec<String> = failing
        .into_iter()
        .map(|lane| {
            let how = match truth(lane) {
                Truth::Partial => "NOT fully",
                Truth::Unknown => "NOT confirmed to be",
                Truth::Yes | Truth::No => "NOT",
            };
            let not = clause(lane, facts, paths).not.replace("NOT", how);
            let said: Vec<String> = facts.of(lane).iter().filter_map(pressing).collect();
            match (facts.of(lane).iter().any(Fact::is_open), said.is_empty()) {
                (true, _) => format!("AN INTERFACE IS OPEN TO THE WORLD ({not})"),
                (false, true) => not,
                (false, false) => format!("{not} ({})", said.join("; ")),
            }
        })
        .collect();
    Sentence::new(match (holds.is_empty(), fails.is_empty()) {
        (_, true) => format!("{subject} is contained: {}.", holds.join(", ")),
        (true, false) => format!("{subject} is NOT contained: {}.", fails.join(", ")),
        (false, false) => {
            format!("{subject} is only PARTLY contained: {}; but {}.", fails.join(", "), holds.join(", "))
        }
    })
}

/// What the summary says of a fact that does not hold, where it is one that cannot wait.
fn pressing(fact: &Fact) -> Option<String> {
    let role = fact.undenied().map(crate::model::Undenied::sentence);
    let volume = || fact.unpreserved().map(crate::model::Unpreserved::sentence);
    let interface = || fact.uncut().map(crate::model::Uncut::sentence);
    role.or_else(volume).or_else(interface)
}

/// A line for each lane that was looked at.
pub(super) fn lines(facts: &LaneFacts, paths: &[Path]) -> Vec<LaneLine> {
    let line = |lane: Lane| {
        let truth = Truth::of(facts.of(lane));
        let text = match (truth, lane) {
            (Truth::Yes, Lane::Network) => Sentence::new(paths::line(paths)),
            (Truth::Yes, Lane::Credentials) => Sentence::from(if facts.has(&Promise::NoRole) {
                "nothing to deny: it has no instance profile"
            } else if facts.has(&Promise::ForensicProfile) {
                "denied; it holds the responders' credentials"
            } else {
                "denied, and no new ones are handed out"
            }),
            (Truth::Yes, Lane::Fleet) => Sentence::from(facts.left.line()),
            (Truth::Yes, Lane::Evidence) => Sentence::from("volumes kept, snapshots started"),
            (Truth::Partial | Truth::No | Truth::Unknown, _) => why(facts.of(lane)),
        };
        LaneLine { lane, truth, text }
    };
    Lane::ALL.into_iter().map(line).collect()
}

/// So many of a lane's facts stand in its line.
const NAMED: usize = 2;

/// Why a lane's promise does not hold: the facts that do not, the surest first.
fn why(facts: &[Fact]) -> Sentence {
    let mut broken: Vec<&Fact> = facts.iter().filter(|fact| fact.truth != Truth::Yes).collect();
    broken.sort_by_key(|fact| (!fact.is_open(), fact.truth == Truth::Unknown));
    let more = broken.len().saturating_sub(NAMED);
    let mut said: Vec<String> = broken.iter().take(NAMED).map(|fact| short(fact)).collect();
    if more > 0 {
        said.push(format!("{more} more below"));
    }
    if said.is_empty() { Sentence::from("nothing could be read") } else { Sentence::new(said.join("; ")) }
}

fn short(fact: &Fact) -> String {
    pressing(fact).or_else(|| fact.complaint().map(Into::into)).unwrap_or_default()
}

impl Left {
    fn line(self) -> &'static str {
        match (self.scaling_group, self.balancers) {
            (true, true) => "out of its Auto Scaling group and load balancers",
            (true, false) => "out of its Auto Scaling group; it was behind no load balancer",
            (false, true) => "out of its load balancers; it was in no Auto Scaling group",
            (false, false) => "it was in no Auto Scaling group and behind no load balancer",
        }
    }

    fn sentence(self) -> &'static str {
        match (self.scaling_group, self.balancers) {
            (true, true) => "it is out of its Auto Scaling group and load balancers",
            (true, false) => "it is out of its Auto Scaling group",
            (false, true) => "it is out of its load balancers",
            (false, false) => "it is in no Auto Scaling group and behind no load balancer",
        }
    }
}
