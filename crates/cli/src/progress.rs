//! Something to look at while a call runs: on a terminal, on standard error, one line that goes away. What it shows of each
//! lane is what the ledger has on record, asked during the call; a look that fails costs nothing else.

use std::{
    future::Future,
    io::{self, IsTerminal, Write},
    sync::Mutex,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    answer::{Found, State, Story},
    invoke::{Caller, Duty},
    target::Place,
    view::words,
};

const DRAW_EVERY: Duration = Duration::from_millis(500);
const LOOK_EVERY: Duration = Duration::from_millis(1500);

/// Awaits `call`; meanwhile shows `what` and the seconds.
pub async fn while_waiting<T>(what: &str, call: impl Future<Output = T>) -> T {
    drawn(what, call, &Mutex::new(String::new())).await
}

/// Awaits `call`, which works on an instance; meanwhile shows how far each lane is.
pub async fn while_working<T>(
    caller: &Caller,
    duty: Duty,
    place: &Place,
    what: &str,
    call: impl Future<Output = T>,
) -> T {
    if !io::stderr().is_terminal() {
        return call.await;
    }
    let lanes = Mutex::new(String::new());
    let looking = async {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let mut request = place.keys();
            request.insert("action".to_owned(), json!("show"));
            let Ok(reply) = caller.ask(duty, &Value::Object(request)).await else { continue };
            let Ok(story) = reply.typed::<Story>() else { continue };
            if let Ok(mut lanes) = lanes.lock() {
                *lanes = tally(&story);
            }
        }
    };
    tokio::select! {
        answer = drawn(what, call, &lanes) => answer,
        never = looking => never,
    }
}

async fn drawn<T>(what: &str, call: impl Future<Output = T>, lanes: &Mutex<String>) -> T {
    if !io::stderr().is_terminal() {
        return call.await;
    }
    let began = Instant::now();
    let mut call = std::pin::pin!(call);
    loop {
        tokio::select! {
            answer = &mut call => {
                draw("");
                return answer;
            }
            () = tokio::time::sleep(DRAW_EVERY) => {
                let lanes = lanes.lock().map(|lanes| lanes.clone()).unwrap_or_default();
                draw(&format!("{what} ... {} s{lanes}", began.elapsed().as_secs()));
            }
        }
    }
}

/// How many steps of each lane have ended, while somebody works on it; an older containment is none of this call's.
fn tally(story: &Story) -> String {
    let releases = match story.containment.as_ref().map(|record| record.state) {
        Some(State::Open) => false,
        Some(State::Releasing) => true,
        Some(State::Closed | State::Withdrawn | State::Released | State::Unknown) | None => return String::new(),
    };
    let lanes = ["network", "credentials", "fleet", "evidence"].into_iter().filter_map(|lane| {
        let of = || story.steps.iter().filter(|step| step.release == releases && words::lane(&step.step) == lane);
        let ended = of().filter(|step| step.step.outcome != Found::Planned).count();
        let all = of().count();
        (all > 0).then(|| format!("  {lane} {ended}/{all}"))
    });
    lanes.collect()
}

fn draw(line: &str) {
    let mut stderr = io::stderr();
    // A line that wraps could not be taken back.
    let width = terminal_size::terminal_size_of(&stderr).map_or(usize::MAX, |(width, _)| usize::from(width.0));
    let line: String = line.chars().take(width.saturating_sub(1)).collect();
    // A terminal that cannot be written to costs the line, not the call.
    let _ = write!(stderr, "\r\u{1b}[2K{line}");
    let _ = stderr.flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn story(state: &str) -> Story {
        let step = |lane: &str, outcome: &str, release: bool| {
            json!({"lane": lane, "step": "s", "resource": "r",
            "outcome": outcome, "detail": "", "release": release, "recorded_at": "", "repairs": []})
        };
        let value = json!({"account": "123456789012", "region": "us-east-1", "instance_id": "i-0123456789abcdef0",
            "containment": {"containment_id": "c", "state": state, "claimed_at": ""},
            "steps": [step("network", "changed", false), step("network", "planned", false),
                step("credentials", "failed", false), step("network", "planned", true)]});
        serde_json::from_value(value).expect("a story")
    }

    #[test]
    fn each_lane_is_counted_while_somebody_works_on_it_and_only_then() {
        assert_eq!(tally(&story("open")), "  network 1/2  credentials 1/1");
        assert_eq!(tally(&story("releasing")), "  network 0/1");
        assert_eq!(tally(&story("released")), "");
    }
}
