//! What the terminal is like: its width, and whether it shows colour.

use std::{io::IsTerminal, time::SystemTime};

use brig_core::model::timestamp::Timestamp;

use crate::{
    args::Args,
    view::{Colour, Look},
};

/// Where there is no terminal to ask.
const USUAL_WIDTH: u16 = 80;
/// Longer lines are hard to read.
const WIDEST: u16 = 120;
const NARROWEST: u16 = 40;

/// How to write to standard output.
#[must_use]
pub fn look_of_stdout(args: &Args) -> Look {
    let width = terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| width.0);
    look(args, width, std::io::stdout().is_terminal())
}

/// How to write to standard error.
#[must_use]
pub fn look_of_stderr(args: &Args) -> Look {
    let width = terminal_size::terminal_size_of(std::io::stderr()).map(|(width, _)| width.0);
    look(args, width, std::io::stderr().is_terminal())
}

fn look(args: &Args, width: Option<u16>, terminal: bool) -> Look {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    let dumb = set("TERM").is_some_and(|term| term == "dumb");
    let colour = if terminal && set("NO_COLOR").is_none() && !dumb { Colour::Yes } else { Colour::No };
    Look { width: width.unwrap_or(USUAL_WIDTH).clamp(NARROWEST, WIDEST), colour, brig: args.global.typed() }
}

/// The time, for ages.
#[expect(clippy::disallowed_methods, reason = "an age on a screen is counted from the real time")]
#[must_use]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
