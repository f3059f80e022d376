//! The commands: which function is asked for what, and how the answer is shown.

mod change;
mod drill;
mod look;

use clap::CommandFactory;
use serde_json::{Map, Value, json};

use crate::{
    answer::Reply,
    args::{Args, Command, Shell},
    exit::Exit,
    fault::Fault,
    invoke::Caller,
    target::{Place, Target},
    terminal,
    view::Look,
};

/// Runs the command.
///
/// # Errors
/// There is no answer to show.
pub async fn run(args: &Args) -> Result<Exit, Fault> {
    if let Command::Completions { shell } = &args.command {
        return Ok(completions(*shell));
    }
    let desk = Desk {
        caller: Caller::open(&args.global).await?,
        look: terminal::look_of_stdout(args),
        json: args.global.json,
    };
    let ended = match &args.command {
        Command::Status => look::status(&desk).await,
        Command::Plan(plan) => look::plan(&desk, plan).await,
        Command::Contain(contain) => change::contain(&desk, contain).await,
        Command::Verify(verify) => change::verify(&desk, verify).await,
        Command::Release(release) => change::release(&desk, release).await,
        Command::Ready(ready) => look::ready(&desk, ready).await,
        Command::Watch(watch) => look::watch(&desk, watch).await,
        Command::Drill(drill) => drill::drill(&desk, drill).await,
        Command::Completions { .. } => Ok(Exit::Wanted),
    };
    if let (Err(Fault::Function { raw, .. }), true) = (&ended, desk.json) {
        println!("{raw}");
    }
    ended
}

/// What every command works with.
struct Desk {
    caller: Caller,
    look: Look,
    json: bool,
}

impl Desk {
    /// Prints an answer: as it came, or as `text`.
    fn show(&self, reply: &Reply, text: &str) {
        if self.json {
            println!("{}", reply.raw.trim_end());
        } else {
            print!("{text}");
        }
    }

    /// Prints what is no answer: beside the answer where that is for machines.
    fn say(&self, text: &str) {
        if self.json {
            eprint!("{text}");
        } else {
            print!("{text}");
        }
    }

    /// Finds the instance that was named.
    #[expect(clippy::unused_async, reason = "an address or a name is looked up by the function")]
    async fn find(&self, text: &str) -> Result<Place, Fault> {
        match Target::parse(text)? {
            Target::Instance(place) => Ok(place),
            Target::Address(_) | Target::Name(_) => {
                Err(Fault::Input(format!("{text:?} is no instance id, ARN or account/region/id")))
            }
        }
    }
}

/// A request about one instance.
fn about(place: &Place, keys: Value) -> Value {
    let mut request = place.keys();
    if let Value::Object(more) = keys {
        request.extend(more);
    }
    Value::Object(request)
}

/// Adds a text where there is one.
fn with_reason(mut request: Value, reason: Option<&str>) -> Value {
    if let (Some(map), Some(reason)) = (request.as_object_mut(), reason) {
        map.insert("reason".to_owned(), json!(reason));
    }
    request
}

/// Adds flags that are set.
fn with_flags(mut request: Value, flags: &[(&str, bool)]) -> Value {
    let set: Map<String, Value> =
        flags.iter().filter(|(_, set)| *set).map(|(name, _)| ((*name).to_owned(), Value::Bool(true))).collect();
    if let Some(map) = request.as_object_mut() {
        map.extend(set);
    }
    request
}

fn completions(shell: Shell) -> Exit {
    let shell = match shell {
        Shell::Bash => clap_complete::Shell::Bash,
        Shell::Zsh => clap_complete::Shell::Zsh,
        Shell::Fish => clap_complete::Shell::Fish,
    };
    clap_complete::generate(shell, &mut Args::command(), "brig", &mut std::io::stdout());
    Exit::Wanted
}
