//! The chain of custody: what was taken as evidence, where it is, and who asked for it.

use serde::Deserialize;

use super::{Case, Listed, People, clean, short, words};
use crate::model::timestamp::Timestamp;

const MOST: usize = 20;

/// The answer of `custody`, as far as the page shows it.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Custody {
    cases: Vec<OfCase>,
    access_log: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct OfCase {
    containment_id: String,
    url: String,
    parts: Vec<Part>,
    asked: Vec<Ask>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Part {
    #[serde(rename = "part")]
    name: String,
    objects: usize,
    retain_until: String,
    manifest_sha256: Option<String>,
    sealed_at: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Ask {
    part: String,
    at: String,
    by: String,
    result: String,
}

pub(super) fn custody(case: &Case<'_>) -> Vec<People> {
    let (Some(asked), Some(record)) = (case.sources.custody, &case.record.containment) else { return Vec::new() };
    let Ok(custody) = Custody::deserialize(clean(asked)) else { return Vec::new() };
    let Some(of_case) = custody.cases.iter().find(|of| of.containment_id == record.containment_id) else {
        return vec![People {
            what: "Evidence that was written",
            who: Listed::first(1, ["none is on record".to_owned()]),
        }];
    };
    let parts = of_case.parts.iter().map(|part| {
        let sealed = match (&part.sealed_at, &part.manifest_sha256) {
            (Some(at), Some(head)) => format!("sealed {}, manifest {}", moment(at), short(head)),
            (_, _) => "not sealed".to_owned(),
        };
        let objects = words::count(part.objects, "object");
        format!(
            "{}{}/: {objects}, kept until {}; {sealed}",
            short(&of_case.url),
            short(&part.name),
            moment(&part.retain_until)
        )
    });
    let asks = of_case
        .asked
        .iter()
        .map(|ask| format!("{} {} ({}): {}", moment(&ask.at), short(&ask.by), short(&ask.part), short(&ask.result)));
    let log = custody.access_log.iter().map(|log| short(log));
    let rows = [
        People { what: "Evidence that was written", who: Listed::first(MOST, parts) },
        People {
            what: "Chain of custody: who asked for evidence, and what came of it",
            who: Listed::first(MOST, asks),
        },
        People { what: "Who read or wrote the evidence is logged in", who: Listed::first(1, log) },
    ];
    rows.into_iter().filter(|row| !row.who.shown.is_empty()).collect()
}

fn moment(text: &str) -> String {
    Timestamp::parse(text).map_or_else(|| short(text), words::moment)
}
