//! What an attempt answered, as the ledger keeps it for people: all but the steps, which have records of their own, and
//! within what one item of DynamoDB can hold.

use serde_json::{Value, json};

use crate::{
    model::text,
    report::{answer::Answer, principal::PrincipalAnswer},
};

/// An item of DynamoDB has at most 400 KB
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>).
const MOST_BYTES: usize = 256 * 1024;
/// Characters of one note.
const LONGEST_NOTE: usize = 1000;

/// The answer without its steps, as JSON. Where it is too long, notes and the paths that hold best are left out, and counted in
/// `left_out`.
#[must_use]
pub fn kept(answer: &Answer) -> String {
    let mut paths: Vec<_> = answer.verdict.paths.iter().collect();
    paths.sort_by_key(|path| std::cmp::Reverse((path.new_flows, path.open_flows)));
    let mut notes: Vec<String> =
        answer.notes.iter().map(|note| text::one_line(&note.to_string(), LONGEST_NOTE)).collect();
    let (mut all, most) = (json!(answer), paths.len().max(notes.len()));
    if let Some(map) = all.as_object_mut() {
        map.remove("steps");
        map.insert("instance_name".to_owned(), json!(answer.instance_name));
    }
    let mut most = most;
    loop {
        let left_out =
            json!({"paths": paths.len().saturating_sub(most), "notes": answer.notes.len().saturating_sub(most)});
        paths_and_notes(&mut all, json!(paths.iter().take(most).collect::<Vec<_>>()), &notes, left_out);
        let written = all.to_string();
        if written.len() <= MOST_BYTES || most == 0 {
            return written;
        }
        most /= 2;
        notes.truncate(most);
    }
}

/// The same of a principal's, whose answer is short.
#[must_use]
pub fn kept_of_principal(answer: &PrincipalAnswer) -> String {
    let mut all = json!(answer);
    if let Some(map) = all.as_object_mut() {
        map.remove("steps");
    }
    text::clean(&mut all);
    let written = all.to_string();
    if written.len() <= MOST_BYTES { written } else { json!({"outcome": answer.outcome}).to_string() }
}

fn paths_and_notes(all: &mut Value, paths: Value, notes: &[String], left_out: Value) {
    if let Some(verdict) = all.get_mut("verdict").and_then(Value::as_object_mut) {
        verdict.insert("paths".to_owned(), paths);
    }
    if let Some(map) = all.as_object_mut() {
        map.insert("notes".to_owned(), json!(notes));
        map.insert("left_out".to_owned(), left_out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::step::Note;
    use crate::{
        report::paths::{NewFlows, OpenFlows, Path},
        testing::answer,
    };

    fn path(number: usize, new_flows: NewFlows) -> Path {
        Path {
            kind: "vpc",
            via: Some(format!("vpc-{number}")),
            interface: None,
            family: None,
            new_flows,
            open_flows: OpenFlows::Cut,
            at_most_idle_seconds: None,
            why: "w".repeat(200),
        }
    }

    #[test]
    fn what_fits_is_kept_whole_without_its_steps() {
        let mut answer = answer();
        answer.verdict.paths = vec![path(1, NewFlows::Blocked), path(2, NewFlows::Open)];
        answer.notes = vec![Note::OfTheEvent("a note".into())];
        let kept: Value = serde_json::from_str(&kept(&answer)).expect("JSON");
        assert_eq!(kept.get("steps"), None);
        assert_eq!(kept["verdict"]["paths"][0]["via"], "vpc-2", "the weakest first");
        assert_eq!(kept["notes"], json!(["a note"]));
        assert_eq!(kept["left_out"], json!({"paths": 0, "notes": 0}));
    }

    #[test]
    fn of_what_does_not_fit_the_weakest_paths_stay_and_the_rest_is_counted() {
        let mut answer = answer();
        answer.verdict.paths = (0..5000).map(|number| path(number, NewFlows::Blocked)).collect();
        answer.verdict.paths.push(path(9999, NewFlows::Open));
        answer.notes = (0..3000).map(|_| Note::OfTheEvent("n".repeat(5000).into())).collect();
        let written = kept(&answer);
        assert!(written.len() <= MOST_BYTES, "{}", written.len());
        let kept: Value = serde_json::from_str(&written).expect("JSON");
        assert_eq!(kept["verdict"]["paths"][0]["via"], "vpc-9999");
        let shown = kept["verdict"]["paths"].as_array().map_or(0, Vec::len);
        assert_eq!(kept["left_out"]["paths"], json!(5001 - shown));
        let notes = kept["notes"].as_array().map_or(0, Vec::len);
        assert_eq!(kept["left_out"]["notes"], json!(3000 - notes));
    }
}
