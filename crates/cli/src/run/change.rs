//! Commands that change something: contain, verify (which repairs), release.

use serde_json::{Value, json};

use super::{Desk, about, with_flags, with_reason};
use crate::{
    answer::{Answer, Reply},
    args,
    ask::{Consent, agrees},
    exit::Exit,
    fault::Fault,
    invoke::Duty,
    progress::while_waiting,
    target::Place,
    view,
};

/// `contain`.
pub async fn contain(desk: &Desk, args: &args::Contain) -> Result<Exit, Fault> {
    let consent = Consent::of(args.yes || !(args.force || args.stop));
    consent.can_be_had(if args.force { "contain --force" } else { "contain --stop" })?;
    let place = desk.find(&args.instance).await?;
    if consent == Consent::Wanted {
        let request =
            with_flags(about(&place, json!({"action": "plan"})), &[("force", args.force), ("stop", args.stop)]);
        let (exit, _) = planned(desk, Duty::Contain, &request).await?;
        if exit == Exit::Refused {
            return Ok(exit);
        }
        if !agrees(&format!("Contain {}?", place.typed()))? {
            return Ok(declined(desk));
        }
    }
    let request = with_flags(about(&place, json!({})), &[("force", args.force), ("stop", args.stop)]);
    let request = with_reason(request, args.reason.as_deref());
    let (_, answer) = act(desk, Duty::Contain, "Containing", &request).await?;
    Ok(Exit::of_answer(&answer))
}

/// `verify`.
pub async fn verify(desk: &Desk, args: &args::Verify) -> Result<Exit, Fault> {
    let request = match &args.instance {
        Some(instance) => about(&desk.find(instance).await?, json!({"action": "verify"})),
        None => json!({"action": "verify"}),
    };
    let (_, answer) = act(desk, Duty::Contain, "Reading everything back", &request).await?;
    Ok(Exit::of_answer(&answer))
}

/// `release`.
pub async fn release(desk: &Desk, args: &args::Release) -> Result<Exit, Fault> {
    let consent = Consent::of(args.yes);
    consent.can_be_had("release")?;
    let place = desk.find(&args.instance).await?;
    if consent == Consent::Wanted {
        let request = about(&place, json!({"action": "plan", "for": "release"}));
        let request = with_flags(request, &[("rejoin", args.rejoin)]);
        let (exit, _) = planned(desk, Duty::Release, &request).await?;
        if exit == Exit::Refused {
            return Ok(exit);
        }
        if !agrees(&format!("Release {}?", place.typed()))? {
            return Ok(declined(desk));
        }
    }
    let request = with_reason(release_request(&place, args.rejoin), args.reason.as_deref());
    let (_, answer) = act(desk, Duty::Release, "Giving back", &request).await?;
    Ok(Exit::of_answer(&answer))
}

/// A request for a release.
pub fn release_request(place: &Place, rejoin: bool) -> Value {
    with_flags(about(place, json!({"action": "release"})), &[("rejoin", rejoin)])
}

/// Shows a plan before somebody is asked.
pub async fn planned(desk: &Desk, duty: Duty, request: &Value) -> Result<(Exit, Answer), Fault> {
    let reply = while_waiting("Planning", desk.caller.ask(duty, request)).await?;
    let answer: Answer = reply.typed()?;
    desk.say(&view::plan::render(&answer, &desk.look));
    Ok((Exit::of_answer(&answer), answer))
}

/// Sends a request that changes something and shows what became true.
pub async fn act(desk: &Desk, duty: Duty, what: &str, request: &Value) -> Result<(Reply, Answer), Fault> {
    let reply = while_waiting(what, desk.caller.ask(duty, request)).await?;
    let answer: Answer = reply.typed()?;
    desk.show(&reply, &view::outcome::render(&answer, &desk.look));
    Ok((reply, answer))
}

fn declined(desk: &Desk) -> Exit {
    desk.say("Nothing was changed.\n");
    Exit::Refused
}
