//! `make invoke`: seeds an account, runs the function behind `cargo lambda watch`, and invokes it with an event's file.
#![expect(clippy::expect_used, reason = "a tool for people stops with the reason")]

use std::{
    process::{ExitCode, Stdio},
    time::Duration,
};

use brig_tests::{account::Account, function::bootstrap};
use tokio::{net::TcpStream, process::Command};

const PLACEHOLDER: &str = "i-0123456789abcdef0";

#[tokio::main]
async fn main() -> ExitCode {
    // Before anything is started: who mistypes a file's name reads a sentence, and at once.
    let event = match event() {
        Ok(event) => event,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    let account = Account::open().await;
    let office = account.office().await;
    let world = account.production().await;
    let event = event.replace(PLACEHOLDER, &world.victim);
    println!("Seeded an account; {PLACEHOLDER} in the event stands for its instance {}.", world.victim);

    let port = free_port();
    let mut service = Command::new("cargo")
        .args(["lambda", "watch", "--only-lambda-apis", "--invoke-address", "127.0.0.1", "--invoke-port"])
        .arg(port.to_string())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("cargo lambda starts");
    while TcpStream::connect(("127.0.0.1", port)).await.is_err() {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // `_` is the name that `cargo lambda` gives to a function that it does not start itself.
    let mut function = Command::new(bootstrap())
        .env("AWS_LAMBDA_RUNTIME_API", format!("http://127.0.0.1:{port}/.rt"))
        .env("AWS_LAMBDA_FUNCTION_NAME", "_")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "/aws/lambda/bootstrap")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "local")
        .envs(office.settings())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("the function starts");
    let mut invoke = Command::new("cargo")
        .args(["lambda", "invoke", "--invoke-address", "127.0.0.1", "--invoke-port"])
        .arg(port.to_string())
        .args(["--output-format", "json", "--data-ascii", &event])
        .kill_on_drop(true)
        .spawn()
        .expect("cargo lambda invokes");
    let status = tokio::select! {
        status = invoke.wait() => status.expect("it ends"),
        ended = function.wait() => {
            eprintln!("The function ended early: {ended:?}");
            return ExitCode::FAILURE;
        }
    };
    for message in account.messages(&office).await {
        println!("Told: {}", message.get("Subject").and_then(serde_json::Value::as_str).unwrap_or_default());
    }
    let _ = function.kill().await;
    let _ = service.kill().await;
    status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// The event to invoke with, or what is wrong with what was asked for.
fn event() -> Result<String, String> {
    let Some(file) = std::env::args().nth(1) else {
        return Err("Name the event's file: make invoke EVENT=events/manual.json".to_owned());
    };
    let text = std::fs::read_to_string(&file).map_err(|error| {
        format!("{file} cannot be read: {error}. The events are in events/: make invoke EVENT=events/manual.json")
    })?;
    match serde_json::from_str::<serde_json::Value>(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(format!("{file} is not JSON: {error}.")),
    }
}

fn free_port() -> u16 {
    let probe = std::net::TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    probe.local_addr().expect("an address").port()
}
