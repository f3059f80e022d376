//! What somebody's credentials reached, by CloudTrail's newest records.

use std::{collections::BTreeMap, fmt};

use crate::model::ids::Region;

/// So many calls, and so many resources of one, are named.
const MOST: usize = 12;
const MOST_RESOURCES: usize = 4;

/// One call that CloudTrail has on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Called {
    /// The operation, `RunInstances`.
    pub call: String,
    /// The ids or ARNs that the record names.
    pub resources: Vec<String>,
    /// It only reads.
    pub read_only: bool,
}

/// What the newest records of one Region show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reached {
    region: Region,
    /// Calls that change something, with what they name.
    changes: BTreeMap<String, (usize, Vec<String>)>,
    reads: usize,
}

impl Reached {
    #[must_use]
    pub fn of(region: Region, calls: impl Iterator<Item = Called>) -> Self {
        let mut reached = Self { region, changes: BTreeMap::new(), reads: 0 };
        for Called { call, resources, read_only } in calls {
            if read_only {
                reached.reads += 1;
                continue;
            }
            let (count, known) = reached.changes.entry(call).or_default();
            *count += 1;
            for resource in resources {
                if !known.contains(&resource) {
                    known.push(resource);
                }
            }
        }
        reached
    }
}

impl fmt::Display for Reached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let region = &self.region;
        if self.changes.is_empty() && self.reads == 0 {
            return write!(f, "none in {region}");
        }
        let one = |(call, (count, resources)): (&String, &(usize, Vec<String>))| {
            let times = if *count == 1 { String::new() } else { format!(" {count} times") };
            let shown = resources.iter().take(MOST_RESOURCES).cloned().collect::<Vec<_>>().join(", ");
            let more = resources.len().saturating_sub(MOST_RESOURCES);
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            let on = if shown.is_empty() { String::new() } else { format!(" ({shown}{more})") };
            format!("{call}{times}{on}")
        };
        let mut parts: Vec<String> = self.changes.iter().take(MOST).map(one).collect();
        let more = self.changes.len().saturating_sub(MOST);
        if more > 0 {
            parts.push(format!("{more} other operations that change something"));
        }
        if self.reads > 0 {
            parts.push(format!("{} that only read", self.reads));
        }
        write!(f, "in {region} {}", parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_named_with_their_resources_and_reads_are_counted() {
        let call = |call: &str, resources: &[&str], read_only| Called {
            call: call.to_owned(),
            resources: resources.iter().map(|one| (*one).to_owned()).collect(),
            read_only,
        };
        let calls = [
            call("RunInstances", &["i-1", "i-2"], false),
            call("RunInstances", &["i-3"], false),
            call("CreateUser", &["mallory"], false),
            call("ListBuckets", &[], true),
        ];
        let region: Region = "us-east-1".parse().expect("a Region");
        let reached = Reached::of(region.clone(), calls.into_iter());
        assert_eq!(
            reached.to_string(),
            "in us-east-1 CreateUser (mallory), RunInstances 2 times (i-1, i-2, i-3), 1 that only read"
        );
        assert_eq!(Reached::of(region, std::iter::empty()).to_string(), "none in us-east-1");
    }
}
