//! Commands that change nothing.

use std::time::Duration;

use serde_json::json;

use super::{Desk, about};
use crate::{
    answer::{Answer, CheckState, Ready, Reply, Standing, Status},
    args,
    exit::Exit,
    fault::Fault,
    invoke::Duty,
    progress::while_waiting,
    view,
};

/// `status`.
pub async fn status(desk: &Desk) -> Result<Exit, Fault> {
    let (reply, active) = while_waiting("Looking at what is contained", all_active(desk)).await?;
    desk.show(&reply, &view::status::render(&active, &[], &desk.look));
    Ok(Exit::of_status(&active))
}

/// Every page as one answer.
async fn all_active(desk: &Desk) -> Result<(Reply, Vec<Standing>), Fault> {
    let first = desk.caller.read(&json!({"action": "status"})).await?;
    let page: Status = first.typed()?;
    let (mut active, mut next) = (page.active, page.next);
    if next.is_none() {
        return Ok((first, active));
    }
    let mut raw = first.active();
    while let Some(from) = next {
        let more = desk.caller.read(&json!({"action": "status", "next": from})).await?;
        let page: Status = more.typed()?;
        active.extend(page.active);
        raw.extend(more.active());
        next = page.next;
    }
    Ok((first.with_active(raw), active))
}

/// `plan`.
pub async fn plan(desk: &Desk, args: &args::Plan) -> Result<Exit, Fault> {
    let place = desk.find(&args.instance).await?;
    let (duty, what) = if args.release { (Duty::Release, "release") } else { (Duty::Contain, "contain") };
    let request = about(&place, json!({"action": "plan", "for": what}));
    let reply = while_waiting("Planning", desk.caller.ask(duty, &request)).await?;
    let answer: Answer = reply.typed()?;
    desk.show(&reply, &view::plan::render(&answer, &desk.look));
    Ok(Exit::of_answer(&answer))
}

/// `ready`.
pub async fn ready(desk: &Desk, args: &args::Ready) -> Result<Exit, Fault> {
    let mut request = json!({"action": "readiness"});
    if let Some(map) = request.as_object_mut() {
        if args.prepare {
            map.insert("prepare".to_owned(), json!(true));
        }
        if !args.accounts.is_empty() {
            map.insert("accounts".to_owned(), json!(args.accounts));
        }
        if let Some(instance) = &args.instance {
            map.insert("instance_id".to_owned(), json!(instance));
        }
    }
    let reply = while_waiting("Checking", desk.caller.ask(Duty::Contain, &request)).await?;
    let ready: Ready = reply.typed()?;
    desk.show(&reply, &view::ready::render(&ready, &desk.look));
    let missing = ready.lines.iter().any(|line| line.state == CheckState::Missing);
    Ok(if missing { Exit::Partial } else { Exit::Wanted })
}

/// `watch`: until Ctrl-C, which is a good end. A look that fails is said, and the next one is tried.
pub async fn watch(desk: &Desk, args: &args::Watch) -> Result<Exit, Fault> {
    let (reply, mut before) = all_active(desk).await?;
    desk.show(&reply, &view::status::render(&before, &[], &desk.look));
    loop {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => return Ok(Exit::Wanted),
            () = tokio::time::sleep(Duration::from_secs(args.every)) => {}
        }
        let looked = tokio::select! {
            _ = tokio::signal::ctrl_c() => return Ok(Exit::Wanted),
            looked = all_active(desk) => looked,
        };
        match looked {
            Ok((reply, active)) => {
                let changed = view::status::changed(&before, &active);
                let gone = before.len() != active.len();
                if !changed.is_empty() || gone {
                    desk.show(&reply, &format!("\n{}", view::status::render(&active, &changed, &desk.look)));
                }
                before = active;
            }
            Err(fault) => eprint!("{}", view::fault::render(&fault, &desk.look)),
        }
    }
}
