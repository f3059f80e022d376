//! Commands that change something: contain, verify (which repairs), release.

use serde_json::{Value, json};

use super::{Desk, about, with_flags, with_reason};
use crate::{
    answer::Answer,
    args::{self, YesNo},
    ask::{Consent, agrees},
    exit::Exit,
    fault::Fault,
    invoke::Duty,
    progress::{while_waiting, while_working},
    target::Place,
    view,
};

/// `contain`.
pub async fn contain(desk: &Desk, args: &args::Contain) -> Result<Exit, Fault> {
    let consent = Consent::of(args.yes || !(args.force || args.stop));
    consent.can_be_had(if args.force { "contain --force" } else { "contain --stop" })?;
    let place = desk.find(&args.instance).await?;
    let flags = [("force", args.force), ("stop", args.stop)];
    if consent == Consent::Wanted {
        let request = with_flags(about(&place, json!({"action": "plan"})), &flags);
        let exit = planned(desk, Duty::Contain, &request).await?;
        if exit == Exit::Refused {
            return Ok(exit);
        }
        if !agrees(&format!("Contain {}?", place.typed()))? {
            return Ok(declined(desk));
        }
    }
    let request = with_reason(with_flags(about(&place, json!({})), &flags), args.reason.as_deref());
    Ok(Exit::of_answer(&act(desk, Duty::Contain, "Containing", &place, request).await?))
}

/// `verify`.
pub async fn verify(desk: &Desk, args: &args::Verify) -> Result<Exit, Fault> {
    const WHAT: &str = "Reading everything back";
    if let Some(instance) = &args.instance {
        let place = desk.find(instance).await?;
        let request = about(&place, json!({"action": "verify"}));
        return Ok(Exit::of_answer(&act(desk, Duty::Contain, WHAT, &place, request).await?));
    }
    let reply = while_waiting(WHAT, desk.caller.ask(Duty::Contain, &json!({"action": "verify"}))).await?;
    let answer: Answer = reply.typed()?;
    desk.show(&reply, &view::outcome::render(&answer, &desk.look));
    Ok(Exit::of_answer(&answer))
}

/// `release`.
pub async fn release(desk: &Desk, args: &args::Release) -> Result<Exit, Fault> {
    let consent = Consent::of(args.yes);
    consent.can_be_had("release")?;
    let place = desk.find(&args.instance).await?;
    if consent == Consent::Wanted {
        let request = about(&place, json!({"action": "plan", "for": "release"}));
        let exit = planned(desk, Duty::Release, &with_flags(request, &[("rejoin", args.rejoin)])).await?;
        if exit == Exit::Refused {
            return Ok(exit);
        }
        if !agrees(&format!("Release {}?", place.typed()))? {
            return Ok(declined(desk));
        }
    }
    let request = with_reason(release_request(&place, args.rejoin), args.reason.as_deref());
    Ok(Exit::of_answer(&act(desk, Duty::Release, "Giving back", &place, request).await?))
}

/// `decide`.
pub async fn decide(desk: &Desk, args: &args::Decide) -> Result<Exit, Fault> {
    let answer = match args.answer {
        YesNo::Yes => "yes",
        YesNo::No => "no",
    };
    let request = json!({"action": "decide", "question": args.question, "answer": answer});
    let request = with_reason(request, args.reason.as_deref());
    let reply = while_waiting("Deciding", desk.caller.ask(Duty::Contain, &request)).await?;
    let decided: Answer = reply.typed()?;
    let text = if decided.containments.is_empty() && decided.ignored.is_none() {
        format!("Question {} is answered with {answer}, on record. Nothing was changed.\n", args.question)
    } else {
        view::outcome::render(&decided, &desk.look)
    };
    desk.show(&reply, &text);
    Ok(Exit::of_answer(&decided))
}

/// A request for a release.
pub fn release_request(place: &Place, rejoin: bool) -> Value {
    with_flags(about(place, json!({"action": "release"})), &[("rejoin", rejoin)])
}

/// Shows a plan before somebody is asked.
pub async fn planned(desk: &Desk, duty: Duty, request: &Value) -> Result<Exit, Fault> {
    let reply = while_waiting("Planning", desk.caller.ask(duty, request)).await?;
    let answer: Answer = reply.typed()?;
    desk.say(&view::plan::render(&answer, &desk.look));
    Ok(Exit::of_answer(&answer))
}

/// Sends a request that changes something and shows what became true.
pub async fn act(desk: &Desk, duty: Duty, what: &str, place: &Place, request: Value) -> Result<Answer, Fault> {
    let request = claimed(desk, request).await;
    let call = desk.caller.ask(duty, &request);
    let reply = while_working(&desk.caller, duty, place, what, call).await?;
    let answer: Answer = reply.typed()?;
    desk.show(&reply, &view::outcome::render(&answer, &desk.look));
    Ok(answer)
}

/// Adds who is calling. It is a claim, and recorded as one; where STS does not say it, it is left out.
async fn claimed(desk: &Desk, mut request: Value) -> Value {
    if let (Some(arn), Some(map)) = (desk.caller.who().await, request.as_object_mut()) {
        map.insert("invoked_by".to_owned(), json!(arn));
    }
    request
}

fn declined(desk: &Desk) -> Exit {
    desk.say("Nothing was changed.\n");
    Exit::Refused
}
