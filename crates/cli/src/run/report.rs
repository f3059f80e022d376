//! `report`: the incident page, from what is on record and, unless told otherwise, from a look at how it stands now.

use std::{fs, io, path::Path};

use brig_core::report::page::{Now, Page, Sources};
use serde_json::{Value, json};

use super::{Desk, about};
use crate::{
    answer::{OnRecord, State, Story},
    args,
    exit::Exit,
    fault::Fault,
    invoke::Duty,
    progress::while_waiting,
    target::Place,
    terminal,
};

/// `report`.
pub async fn report(desk: &Desk, args: &args::Report) -> Result<Exit, Fault> {
    let place = desk.find(&args.instance).await?;
    let request = about(&place, json!({"action": "show"}));
    let record = while_waiting("Reading what is on record", desk.caller.read(&request)).await?;
    let story: Story = record.typed()?;
    let as_of = terminal::now();
    let active = story.containment.as_ref().is_some_and(is_active);
    let seen = if active && !args.record_only { Some(look(desk, &place).await) } else { None };
    let why = seen.as_ref().and_then(|seen| seen.as_ref().err()).map(ToString::to_string).unwrap_or_default();
    let now = match &seen {
        None => Now::NotLooked,
        Some(Ok(status)) => Now::Looked { status, at: terminal::now() },
        Some(Err(_)) => Now::Unseen { why: &why },
    };
    let custody = if story.containment.is_some() { custody(desk, &place).await } else { None };
    let sources = Sources { show: record.value(), now, custody: custody.as_ref(), as_of, brig: &desk.look.brig };
    let page = Page::of(&sources).map_err(|error| Fault::Unreadable(error.to_string()))?;
    if let Some(file) = &args.html {
        write(file, &page.html())?;
    }
    match (&args.md, &args.html) {
        (Some(Some(file)), _) => write(file, &page.markdown())?,
        (None, Some(_)) => {}
        (Some(None), _) | (None, None) => desk.show(&record, &page.markdown()),
    }
    let files = [args.html.as_deref(), args.md.as_ref().and_then(Option::as_deref)];
    for file in files.into_iter().flatten() {
        eprintln!("Written: {}", file.display());
    }
    // The page was asked for, and is there, whatever it says.
    Ok(if story.containment.is_some() { Exit::Wanted } else { Exit::Refused })
}

/// How it stands now, as `status` sees it, which changes nothing. A page of the record alone is better than none.
async fn look(desk: &Desk, place: &Place) -> Result<Value, Fault> {
    let request = about(place, json!({"action": "status"}));
    let reply = while_waiting("Looking at how it stands now", desk.caller.read(&request)).await?;
    Ok(reply.value().clone())
}

/// The chain of custody of its evidence. A page without it is better than none: the function may be of an older version, keep no
/// evidence, or not be the caller's to invoke.
async fn custody(desk: &Desk, place: &Place) -> Option<Value> {
    let request = about(place, json!({"action": "custody"}));
    let asked = desk.caller.ask(Duty::Investigate, &request);
    Some(while_waiting("Reading the chain of custody", asked).await.ok()?.value().clone())
}

fn is_active(record: &OnRecord) -> bool {
    match record.state {
        State::Open | State::Closed | State::Releasing => true,
        State::Withdrawn | State::Released | State::Unknown => false,
    }
}

fn write(file: &Path, text: &str) -> Result<(), Fault> {
    let failed = |error: io::Error| Fault::File { file: file.display().to_string(), why: error.to_string() };
    fs::write(file, text).map_err(failed)
}
