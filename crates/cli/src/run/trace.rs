//! `trace`: what somebody's credentials did, by what the function that looks back answers, or from records in files.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
};

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
    let (key, value) = match &root {
        Root::Instance(id) => ("instance_id", id),
        Root::Key(key) => ("access_key_id", key),
        Root::User(name) => ("user", name),
        Root::Role(name) => ("role", name),
    };
    let mut request = json!({"action": "trace", "hours": args.hours});
    for (key, value) in [
        (key, Some(value.clone())),
        ("account", args.account.as_ref().map(ToString::to_string)),
        ("cut", args.cut.map(|cut| cut.to_string())),
    ] {
        if let (Some(map), Some(value)) = (request.as_object_mut(), value) {
            map.insert(key.to_owned(), Value::from(value));
        }
    }
    let asked = desk.caller.ask(Duty::Investigate, &request);
    let reply = while_waiting("Looking back through CloudTrail, two look-ups a second", asked).await?;
    let answered: Answered = reply.typed()?;
    desk.show(&reply, &trace::render(&answered.trace, &desk.look));
    Ok(exit(&answered.trace))
}

/// What the function answers, as far as people are shown it.
#[derive(Debug, Deserialize)]
struct Answered {
    trace: Trace,
}

/// `trace --files`: reads the files twice, and keeps none of them in memory. It asks AWS nothing.
pub fn of_files(args: &args::Trace, look: &Look, json: bool) -> Result<Exit, Fault> {
    let root: Root = args.what.parse().map_err(|error: brig_trace::RootError| Fault::Input(error.to_string()))?;
    let mut files = Vec::new();
    for path in &args.files {
        collect(path, &mut files)?;
    }
    files.sort();
    files.dedup();
    if files.is_empty() {
        return Err(Fault::Input("--files: there is no file in it".to_owned()));
    }
    let mut tracer = Tracer::new(root);
    let mut gaps = Vec::new();
    for file in &files {
        let name = file.display();
        match read(file, |record| tracer.index(&record)) {
            Ok(tally) if tally.records == 0 && tally.unreadable == 0 => {}
            Ok(tally) if tally.unreadable == 0 => {}
            Ok(tally) => gaps.push(format!(
                "{name}: {} that are no records (the first: {})",
                tally.unreadable,
                tally.first.unwrap_or_default()
            )),
            Err(error) => gaps.push(format!("{name}: {error}; what came before was read")),
        }
    }
    tracer.settle();
    for file in &files {
        // What cannot be read to its end is a gap already.
        let _ = read(file, |record| tracer.take(&record));
    }
    let trace = tracer.finish(args.cut, terminal::now(), gaps);
    if json {
        println!("{}", serde_json::to_string(&trace).unwrap_or_default());
    } else {
        print!("{}", trace::render(&trace, look));
    }
    Ok(exit(&trace))
}

/// Success only where every credential is dead, and the record shows that nothing came after.
fn exit(trace: &Trace) -> Exit {
    let dead = trace.summary.dead == trace.summary.credentials && trace.summary.credentials > 0;
    if dead && matches!(trace.over, brig_trace::Over::Proven { .. }) { Exit::Wanted } else { Exit::Partial }
}

fn read(file: &Path, take: impl FnMut(brig_trace::Record)) -> Result<brig_trace::Tally, brig_trace::ReadError> {
    records(File::open(file)?, take)
}

/// Every file below a path, in the order of their names.
fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), Fault> {
    let failed = |error: std::io::Error| Fault::File { file: path.display().to_string(), why: error.to_string() };
    let is_folder = fs::metadata(path).map_err(failed)?.is_dir();
    if !is_folder {
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in fs::read_dir(path).map_err(failed)? {
        let below = entry.map_err(failed)?.path();
        let is_records =
            below.extension().is_some_and(|end| ["json", "gz", "jsonl", "ndjson"].iter().any(|known| end == *known));
        if below.is_dir() || is_records {
            collect(&below, files)?;
        }
    }
    Ok(())
}
