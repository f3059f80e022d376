//! The lanes, and what there is one of for each of them.

use serde::{Deserialize, Serialize};

/// One of the four lanes that run at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// Every interface cut off.
    Network,
    /// The instance's credentials dead. Older ledgers call it `identity`.
    #[serde(alias = "identity")]
    Credentials,
    /// Out of its Auto Scaling group and load balancers.
    Fleet,
    /// Disks and the instance itself preserved.
    Evidence,
}

impl Lane {
    /// All of them, in the order that reports use.
    pub const ALL: [Self; 4] = [Self::Network, Self::Credentials, Self::Fleet, Self::Evidence];

    /// The lane's name in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Credentials => "credentials",
            Self::Fleet => "fleet",
            Self::Evidence => "evidence",
        }
    }
}

/// One for each lane. A lane that is added has a field here, and nothing compiles until it has its value everywhere: a client,
/// a report, facts, a verdict, and its sentences.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[expect(missing_docs, reason = "a field is its lane's")]
pub struct PerLane<T> {
    pub network: T,
    pub credentials: T,
    pub fleet: T,
    pub evidence: T,
}

impl<T> PerLane<T> {
    /// Makes one for each lane, in the order of reports.
    pub fn of(mut make: impl FnMut(Lane) -> T) -> Self {
        Self {
            network: make(Lane::Network),
            credentials: make(Lane::Credentials),
            fleet: make(Lane::Fleet),
            evidence: make(Lane::Evidence),
        }
    }

    /// A lane's.
    #[must_use]
    pub fn get(&self, lane: Lane) -> &T {
        match lane {
            Lane::Network => &self.network,
            Lane::Credentials => &self.credentials,
            Lane::Fleet => &self.fleet,
            Lane::Evidence => &self.evidence,
        }
    }

    /// A lane's, to change it.
    pub fn get_mut(&mut self, lane: Lane) -> &mut T {
        match lane {
            Lane::Network => &mut self.network,
            Lane::Credentials => &mut self.credentials,
            Lane::Fleet => &mut self.fleet,
            Lane::Evidence => &mut self.evidence,
        }
    }

    /// Each lane with its own, in the order of reports.
    pub fn iter(&self) -> impl Iterator<Item = (Lane, &T)> {
        let Self { network, credentials, fleet, evidence } = self;
        [(Lane::Network, network), (Lane::Credentials, credentials), (Lane::Fleet, fleet), (Lane::Evidence, evidence)]
            .into_iter()
    }

    /// The values, in the order of reports.
    pub fn to_array(self) -> [T; 4] {
        let Self { network, credentials, fleet, evidence } = self;
        [network, credentials, fleet, evidence]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_lane_has_its_own_in_the_order_of_reports() {
        let mut names = PerLane::of(Lane::name);
        assert!(names.iter().all(|(lane, name)| lane.name() == *name && names.get(lane) == name));
        assert_eq!(names.iter().map(|(lane, _)| lane).collect::<Vec<_>>(), Lane::ALL);
        *names.get_mut(Lane::Fleet) = "changed";
        assert_eq!(names.to_array(), ["network", "credentials", "changed", "evidence"]);
        let json = serde_json::to_string(&PerLane::of(Lane::name)).expect("JSON");
        let keys = r#"{"network":"network","credentials":"credentials","fleet":"fleet","evidence":"evidence"}"#;
        assert_eq!(json, keys);
    }
}
