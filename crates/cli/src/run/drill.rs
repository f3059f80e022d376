//! `drill`: the whole way on a harmless instance, with what is true after each step. It uses the same requests as the
//! commands do; there is no rehearsal mode that could differ from the real thing.

use std::time::Duration;

use serde_json::json;

use super::{
    Desk, about,
    change::{act, planned, release_request},
    with_reason,
};
use crate::{
    answer::{Answer, Outcome},
    args,
    ask::{Consent, agrees},
    exit::Exit,
    fault::Fault,
    invoke::Duty,
    target::Place,
};

const REASON: &str = "drill";
/// The function gives its lease up a moment after it has answered.
const BUSY_TRIES: u32 = 10;
const BUSY_WAIT: Duration = Duration::from_secs(2);

/// Plan, contain, verify, release.
pub async fn drill(desk: &Desk, args: &args::Drill) -> Result<Exit, Fault> {
    let consent = Consent::of(args.yes);
    consent.can_be_had("drill")?;
    let place = desk.find(&args.instance).await?;

    // Before anything is cut off: may the caller give it back at all?
    desk.caller.ask(Duty::Release, &json!({"action": "status"})).await?;
    desk.say("1 of 4: the plan\n\n");
    let exit = planned(desk, Duty::Contain, &about(&place, json!({"action": "plan"}))).await?;
    if exit != Exit::Wanted {
        return Ok(exit);
    }
    let question = format!("Really cut {} off now, and give it back afterwards?", place.typed());
    if consent == Consent::Wanted && !agrees(&question)? {
        desk.say("Nothing was changed.\n");
        return Ok(Exit::Refused);
    }
    desk.say("\n2 of 4: contain\n\n");
    let request = with_reason(about(&place, json!({})), Some(REASON));
    let contained = act(desk, Duty::Contain, "Containing", &place, request).await?;
    let mut worst = Exit::of_answer(&contained);
    if worst == Exit::Refused || !touched(&contained) {
        return Ok(worst);
    }
    desk.say("\n3 of 4: verify\n\n");
    worst = worst.max(again(desk, Duty::Contain, "Reading everything back", &place, Part::Verify).await?);
    desk.say("\n4 of 4: release\n\n");
    worst = worst.max(again(desk, Duty::Release, "Giving back", &place, Part::Release).await?);
    desk.say(if worst == Exit::Wanted {
        "\nThe drill went through: contained, verified, given back.\n"
    } else {
        "\nThe drill did not go through as wanted: see the step above that is not wholly true.\n"
    });
    Ok(worst)
}

#[derive(Clone, Copy)]
enum Part {
    Verify,
    Release,
}

/// Whether anything can have been changed, so that there is something to give back.
fn touched(answer: &Answer) -> bool {
    answer
        .containments
        .iter()
        .any(|entry| !matches!(entry.outcome, Outcome::Observed | Outcome::Asked | Outcome::Ignored))
}

/// Asks again while another invocation, the one before say, is at it.
async fn again(desk: &Desk, duty: Duty, what: &str, place: &Place, part: Part) -> Result<Exit, Fault> {
    let request = match part {
        Part::Verify => about(place, json!({"action": "verify"})),
        Part::Release => with_reason(release_request(place, false), Some(REASON)),
    };
    let mut tries = 1;
    loop {
        let answer = act(desk, duty, what, place, request.clone()).await?;
        let busy = answer.containments.iter().any(|entry| entry.outcome == Outcome::InProgress);
        if !busy || tries >= BUSY_TRIES {
            return Ok(Exit::of_answer(&answer));
        }
        tries += 1;
        tokio::time::sleep(BUSY_WAIT).await;
    }
}
