//! `trace`: what somebody's credentials did, by what the function that looks back answers, or from records in files.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

use brig_core::model::timestamp::Timestamp;
use brig_trace::{Root, Trace, Tracer, records};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Desk;
use crate::{
    args,
    exit::Exit,
    fault::Fault,
    invoke::Duty,
    progress::while_waiting,
    terminal,
    view::{Look, trace},
};

/// `trace`: asks the function that looks back.
pub async fn of_function(desk: &Desk, args: &args::Trace) -> Result<Exit, Fault> {
    let root: Root = args.what.parse().map_err(|error: brig_trace::RootError| Fault::Input(error.to_string()))?;
    let (key, value, of_arn) = match &root {
        Root::Instance(id) => ("instance_id", id, None),
        Root::Key(key) => ("access_key_id", key, None),
        Root::User(named) => ("user", &named.name, named.account.clone()),
        Root::Role(named) => ("role", &named.name, named.account.clone()),
    };
    let mut request = json!({"action": "trace", "hours": args.hours});
    for (key, value) in [
        (key, Some(value.clone())),
        ("account", args.account.as_ref().map(ToString::to_string).or(of_arn)),
        ("cut", args.cut.map(|cut| cut.to_string())),
    ] {
        if let (Some(map), Some(value)) = (request.as_object_mut(), value) {
            map.insert(key.to_owned(), Value::from(value));
        }
    }
    let asked = desk.caller.ask(Duty::Investigate, &request);
    let reply = while_waiting("Looking back through CloudTrail, two look-ups a second", asked).await?;
    let answered: Answered = reply.typed()?;
    let window = format!(
        "\nLooked back to {} in {} Regions, by CloudTrail's management events.\n",
        answered.since,
        answered.regions.len()
    );
    desk.show(&reply, &(trace::render(&answered.trace, &desk.look) + &window));
    Ok(exit(&answered.trace))
}

/// What the function answers, as far as people are shown it.
#[derive(Debug, Deserialize)]
struct Answered {
    trace: Trace,
    /// From when on records were looked up, RFC 3339.
    since: String,
    regions: Vec<String>,
}

/// `trace --files`: reads the files twice, and keeps none of them in memory. It asks AWS nothing.
pub fn of_files(args: &args::Trace, look: &Look, json: bool) -> Result<Exit, Fault> {
    let root: Root = args.what.parse().map_err(|error: brig_trace::RootError| Fault::Input(error.to_string()))?;
    let trace = traced(root, &args.files, args.cut, terminal::now())?;
    if json {
        println!("{}", serde_json::to_string(&trace).unwrap_or_default());
    } else {
        print!("{}", trace::render(&trace, look));
    }
    Ok(exit(&trace))
}

fn traced(root: Root, paths: &[PathBuf], cut: Option<Timestamp>, now: Timestamp) -> Result<Trace, Fault> {
    let (mut files, mut gaps) = (Vec::new(), Vec::new());
    for path in paths {
        // What a person names is there, or the person is mistaken; below it a link may lead nowhere.
        if let Err(error) = fs::metadata(path) {
            return Err(Fault::Input(format!("--files: {} could not be read: {error}", path.display())));
        }
        collect(path, &mut files, &mut gaps);
    }
    files.sort();
    files.dedup();
    if files.is_empty() && gaps.is_empty() {
        return Err(Fault::Input("--files: there is no file in it".to_owned()));
    }
    let mut tracer = Tracer::new(root);
    let mut counts = Vec::new();
    for file in &files {
        let tally = read(file, |record| tracer.index(&record));
        // What cannot be read to its end the first time is one gap, not two.
        counts.push(tally.as_ref().ok().map(|tally| tally.records));
        gaps.extend(gap_of(file, tally));
    }
    tracer.settle();
    for (file, first) in files.iter().zip(counts) {
        let again = read(file, |record| tracer.take(&record));
        let (Some(first), name) = (first, file.display()) else { continue };
        match again {
            Ok(tally) if tally.records == first => {}
            Ok(tally) => gaps.push(format!(
                "{name}: {first} records the first time and {} the second: files are read twice, and a pipe cannot be",
                tally.records
            )),
            Err(error) => gaps.push(format!("{name}: the second time {error}")),
        }
    }
    gaps.sort();
    Ok(tracer.finish(cut, now, gaps))
}

/// Success only where every credential is dead, and the record shows that nothing came after.
fn exit(trace: &Trace) -> Exit {
    // Of a name that was mistyped nothing is on record either.
    let seen = trace.credentials.iter().any(|one| one.uses.first.is_some());
    let dead = seen && trace.summary.dead == trace.summary.credentials;
    if dead && matches!(trace.over, brig_trace::Over::Proven { .. }) { Exit::Wanted } else { Exit::Partial }
}

fn read(file: &Path, take: impl FnMut(brig_trace::Record)) -> Result<brig_trace::Tally, brig_trace::ReadError> {
    records(File::open(file)?, take)
}

/// What of a file is no record, or could not be read.
fn gap_of(file: &Path, tally: Result<brig_trace::Tally, brig_trace::ReadError>) -> Option<String> {
    let name = file.display();
    match tally {
        Ok(tally) if tally.unreadable > 0 => Some(format!(
            "{name}: {} that are no records (the first: {})",
            tally.unreadable,
            tally.first.unwrap_or_default()
        )),
        Ok(tally) if tally.strange > 0 => {
            Some(format!("{name}: it is JSON, and not a form that CloudTrail's records are written in"))
        }
        Ok(_) => None,
        Err(error) => Some(format!("{name}: {error}; what came before was read")),
    }
}

/// Every file below a path, and what below it could not be read.
fn collect(path: &Path, files: &mut Vec<PathBuf>, gaps: &mut Vec<String>) {
    let mut failed = |error: std::io::Error| gaps.push(format!("{}: it could not be read: {error}", path.display()));
    let entries = match fs::metadata(path) {
        Ok(about) if about.is_dir() => fs::read_dir(path),
        Ok(_) => return files.push(path.to_owned()),
        Err(error) => return failed(error),
    };
    let entries: Vec<_> = match entries {
        Ok(entries) => entries.collect(),
        Err(error) => return failed(error),
    };
    for entry in entries {
        match entry {
            Ok(entry) => {
                let below = entry.path();
                let is_records = below
                    .extension()
                    .is_some_and(|end| ["json", "gz", "jsonl", "ndjson"].iter().any(|known| end == *known));
                if below.is_dir() || is_records {
                    collect(&below, files, gaps);
                }
            }
            Err(error) => gaps.push(format!("{}: it could not be read: {error}", path.display())),
        }
    }
}

#[cfg(test)]
mod tests {
    use brig_trace::Over;

    use super::*;

    const KEY: &str = "AKIALEAKEDLEAKED0000";

    #[test]
    fn what_the_function_answers_is_read_as_it_writes_it() {
        let trace =
            Trace::of(KEY.parse().expect("a key"), &[], None, Timestamp::from_millis(0), vec!["a gap".to_owned()]);
        let answer = json!({"trace": trace, "account": "123456789012", "regions": ["us-east-1"],
            "since": "2026-01-02T03:04:05Z", "records": 0, "lookups": 1});
        let read: Answered = serde_json::from_value(answer).expect("an answer");
        assert_eq!((read.trace, read.regions.len()), (trace, 1));
        assert_eq!(read.since, "2026-01-02T03:04:05Z");
    }

    /// Traces a folder of files, each a name and what is in it.
    fn trace(name: &str, files: &[(&str, &str)], cut: &str) -> Trace {
        let folder = std::env::temp_dir().join(format!("brig-trace-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        for (file, text) in files {
            fs::write(folder.join(file), text).expect("a file");
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink("/nowhere/at/all", folder.join("link.json")).expect("a link");
        let at = |text: &str| Timestamp::parse(text).expect("a time");
        let trace = traced(
            KEY.parse().expect("a key"),
            std::slice::from_ref(&folder),
            Some(at(cut)),
            at("2026-01-03T00:00:00Z"),
        );
        fs::remove_dir_all(&folder).expect("it is there");
        trace.expect("a trace")
    }

    #[test]
    #[cfg(unix)]
    fn what_leads_nowhere_and_what_is_no_form_of_records_is_a_gap_and_ends_nothing() {
        let record = json!({"eventID": "e1", "eventName": "CreateUser", "eventSource": "iam.amazonaws.com",
            "eventTime": "2026-01-02T03:04:05Z", "awsRegion": "us-east-1", "requestParameters": {"userName": "eve"},
            "userIdentity": {"type": "IAMUser", "userName": "alice", "accessKeyId": KEY}});
        let files = [
            ("a.json", json!({"Records": [record]}).to_string()),
            ("b.json", json!({"hits": {"hits": []}}).to_string()),
            ("c.json", json!({"Records": []}).to_string()),
        ];
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let trace = trace("gaps", &files, "2026-01-02T03:04:05Z");
        assert_eq!(trace.deeds.len(), 1);
        let [form, link] = trace.gaps.as_slice() else { panic!("two gaps: {:?}", trace.gaps) };
        assert!(
            form.contains("b.json: it is JSON") && link.contains("link.json: it could not be read"),
            "{form} {link}"
        );
        assert!(matches!(trace.over, Over::Unread { gaps: 2, .. }), "{:?}", trace.over);
    }

    #[test]
    fn a_path_that_is_not_there_is_a_mistake_of_the_input() {
        let missing = traced(KEY.parse().expect("a key"), &[PathBuf::from("/nowhere/at/all")], None, terminal::now());
        assert!(
            matches!(missing, Err(Fault::Input(why)) if why.starts_with("--files: /nowhere/at/all could not be read"))
        );
    }
}
