//! `brig`: a command for people. It invokes the deployed functions as `aws lambda invoke` does, with the caller's own
//! credentials, and shows what they answer. It decides nothing about a containment: what is true, what would be done and
//! what to do next come from the functions.

mod answer;
mod args;
mod ask;
mod exit;
mod fault;
mod invoke;
mod progress;
mod run;
mod target;
mod terminal;
mod view;

use std::process::ExitCode;

use clap::Parser;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    // A wrong argument ends here, with clap's message and the exit code 2.
    let args = args::Args::parse();
    match run::run(&args).await {
        Ok(exit) => exit.into(),
        Err(fault) => {
            let report = view::fault::render(&fault, &terminal::look_of_stderr(&args));
            eprint!("{report}");
            fault.exit().into()
        }
    }
}
