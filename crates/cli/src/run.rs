//! The commands: which function is asked for what, and how the answer is shown.

mod change;
mod drill;
mod evidence;
mod look;
mod report;
mod trace;

use clap::CommandFactory;
use serde_json::{Map, Value, json};

use crate::{
    answer::{Match, Matches, Reply},
    args::{Args, Command, Evidence, Shell},
    exit::Exit,
    fault::Fault,
    invoke::Caller,
    progress::while_waiting,
    target::{Place, Target, What},
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
    if let Command::Trace(wanted) = &args.command
        && !wanted.files.is_empty()
    {
        return trace::of_files(wanted, &terminal::look_of_stdout(args), args.global.json);
    }
    if let Command::Evidence(Evidence::Verify(wanted)) = &args.command {
        return evidence::verify(wanted, &args.global, &terminal::look_of_stdout(args)).await;
    }
    let desk = Desk {
        caller: Caller::open(&args.global).await?,
        look: terminal::look_of_stdout(args),
        json: args.global.json,
    };
    let ended = match &args.command {
        Command::Status => look::status(&desk).await,
        Command::Show(show) => look::show(&desk, show).await,
        Command::Report(args) => report::report(&desk, args).await,
        Command::Questions => look::questions(&desk).await,
        Command::Decide(decide) => change::decide(&desk, decide).await,
        Command::Plan(plan) => look::plan(&desk, plan).await,
        Command::Contain(contain) => change::contain(&desk, contain).await,
        Command::Verify(verify) => change::verify(&desk, verify).await,
        Command::Release(release) => change::release(&desk, release).await,
        Command::Ready(ready) => look::ready(&desk, ready).await,
        Command::Watch(watch) => look::watch(&desk, watch).await,
        Command::Drill(drill) => drill::drill(&desk, drill).await,
        Command::Trace(wanted) => trace::of_function(&desk, wanted).await,
        Command::Investigate(wanted) => evidence::investigate(&desk, wanted).await,
        Command::Evidence(Evidence::Show(wanted)) => evidence::show(&desk, wanted).await,
        Command::Evidence(Evidence::Verify(_)) | Command::Completions { .. } => Ok(Exit::Wanted),
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

    /// Prints what is not an answer: to standard error where the answer is for machines.
    fn say(&self, text: &str) {
        if self.json {
            eprint!("{text}");
        } else {
            print!("{text}");
        }
    }

    /// Finds the instance that was named. An address or a name is looked up by the function, which may see instances
    /// that the caller may not.
    async fn find(&self, text: &str) -> Result<Place, Fault> {
        let (request, what) = match Target::parse(text)? {
            Target::Known(place) => return Ok(place),
            Target::Address(address) => {
                (json!({"action": "find", "address": address}), format!("the address {address}"))
            }
            Target::Name(name) => (json!({"action": "find", "name": name}), format!("the Name tag {name:?}")),
        };
        let matches: Matches = while_waiting("Looking it up", self.caller.read(&request)).await?.typed()?;
        match matches.instances.as_slice() {
            [] => Err(Fault::Input(format!(
                "no instance has {what} now, in the account and Region of Brig's functions; elsewhere, name it as account/region/id"
            ))),
            [only] => {
                let id = only.instance_id.parse().map_err(|_| Fault::Unreadable("the instance's id".to_owned()))?;
                Ok(Place {
                    what: What::Instance(id),
                    account: only.account.parse().ok(),
                    region: only.region.parse().ok(),
                })
            }
            several => Err(Fault::Several { what, found: several.iter().map(known).collect(), more: matches.more }),
        }
    }
}

/// An instance as the command takes it, and what tells it from others.
fn known(found: &Match) -> (String, String) {
    let typed = format!("{}/{}/{}", found.account, found.region, found.instance_id);
    let name = found.name.clone().unwrap_or_default();
    let launched = found.launched.as_ref().map(|at| format!("launched {at}")).unwrap_or_default();
    let addresses = found.addresses.join(" ");
    let parts = [name, found.state.clone(), addresses, launched];
    (typed, parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join(", "))
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
