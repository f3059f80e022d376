//! Commands that change nothing.

use std::time::Duration;

use serde_json::json;

use super::{Desk, about};
use crate::{
    answer::{Answer, CheckState, Questions, Ready, Reply, Status, Story},
    args,
    exit::Exit,
    fault::Fault,
    invoke::Duty,
    progress::while_waiting,
    terminal, view,
};

/// `status`.
pub async fn status(desk: &Desk) -> Result<Exit, Fault> {
    let (reply, status) = while_waiting("Looking at what is contained", whole_status(desk)).await?;
    desk.show(&reply, &view::status::render(&status, &[], &desk.look));
    Ok(Exit::of_status(&status))
}

/// Every page as one answer.
async fn whole_status(desk: &Desk) -> Result<(Reply, Status), Fault> {
    let first = desk.caller.read(&json!({"action": "status"})).await?;
    let mut status: Status = first.typed()?;
    let Some(mut next) = status.next.take() else { return Ok((first, status)) };
    let mut raw = first.list("active");
    loop {
        let more = desk.caller.read(&json!({"action": "status", "next": next})).await?;
        let page: Status = more.typed()?;
        status.active.extend(page.active);
        status.unreadable.extend(page.unreadable);
        raw.extend(more.list("active"));
        match page.next {
            Some(from) => next = from,
            None => return Ok((first.with_list("active", raw), status)),
        }
    }
}

/// `show`.
pub async fn show(desk: &Desk, args: &args::Show) -> Result<Exit, Fault> {
    let place = desk.find(&args.instance).await?;
    let request = about(&place, json!({"action": "show"}));
    let reply = while_waiting("Reading what is on record", desk.caller.read(&request)).await?;
    let story: Story = reply.typed()?;
    desk.show(&reply, &view::show::render(&story, &desk.look));
    Ok(story.containment.as_ref().map_or(Exit::Refused, Exit::of_record))
}

/// `questions`.
pub async fn questions(desk: &Desk) -> Result<Exit, Fault> {
    let (reply, questions) = while_waiting("Looking at what waits", every_question(desk)).await?;
    desk.show(&reply, &view::questions::render(&questions, terminal::now(), &desk.look));
    Ok(if questions.questions.is_empty() { Exit::Wanted } else { Exit::Partial })
}

/// Every page as one answer.
async fn every_question(desk: &Desk) -> Result<(Reply, Questions), Fault> {
    let first = desk.caller.read(&json!({"action": "questions"})).await?;
    let mut questions: Questions = first.typed()?;
    let Some(mut next) = questions.next.take() else { return Ok((first, questions)) };
    let mut raw = first.list("questions");
    loop {
        let more = desk.caller.read(&json!({"action": "questions", "next": next})).await?;
        let page: Questions = more.typed()?;
        questions.questions.extend(page.questions);
        raw.extend(more.list("questions"));
        match page.next {
            Some(from) => next = from,
            None => return Ok((first.with_list("questions", raw), questions)),
        }
    }
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
    let (reply, mut before) = whole_status(desk).await?;
    desk.show(&reply, &view::status::render(&before, &[], &desk.look));
    loop {
        let looked = tokio::select! {
            _ = tokio::signal::ctrl_c() => return Ok(Exit::Wanted),
            looked = async {
                tokio::time::sleep(Duration::from_secs(args.every)).await;
                whole_status(desk).await
            } => looked,
        };
        match looked {
            Ok((reply, now)) => {
                let changed = view::status::changed(&before.active, &now.active);
                let fewer = now.active.len() < before.active.len();
                if !changed.is_empty() || fewer || now.questions.len() != before.questions.len() {
                    desk.show(&reply, &format!("\n{}", view::status::render(&now, &changed, &desk.look)));
                }
                before = now;
            }
            Err(fault) => eprint!("{}", view::fault::render(&fault, &desk.look)),
        }
    }
}
