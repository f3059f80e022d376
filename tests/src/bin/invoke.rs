//! `make invoke`: seeds an account, runs the function behind `cargo lambda watch`, and invokes it with an event's file. It
//! prints what people would read; with `--json` the function's answer, and nothing else, on standard output.
#![expect(clippy::expect_used, reason = "a tool for people stops with the reason")]

use std::{
    io::stderr,
    path::Path,
    process::{ExitCode, Stdio},
    time::Duration,
};

use brig_core::model::text::{REPORT, one_line};
use brig_tests::{
    account::{Account, endpoint},
    function::bootstrap,
};
use serde_json::Value;
use tokio::{net::TcpStream, process::Command};

const PLACEHOLDER: &str = "i-0123456789abcdef0";
/// The user of the events in `events/`, and its access key.
const USER: &str = "alice";
const KEY: &str = "AKIAEXAMPLEEXAMPLE00";

#[tokio::main]
async fn main() -> ExitCode {
    // Before anything is started: who mistypes a file's name reads a sentence, and at once.
    let (event, shows) = match asked() {
        Ok(asked) => asked,
        Err(why) => {
            eprintln!("{why}");
            return ExitCode::from(2);
        }
    };
    let account = Account::open().await;
    let office = account.office().await;
    let world = account.production().await;
    let event = event.replace(PLACEHOLDER, &world.victim);
    let user = account.iam.create_user().user_name(USER);
    user.send().await.expect("a user");
    let made = account.iam.create_access_key().user_name(USER).send().await.expect("a key");
    let key = made.access_key().expect("it").access_key_id();
    let event = event.replace(KEY, key);
    let mail = account.sns.subscribe().topic_arn(&office.topic).protocol("email").endpoint("oncall@example.com");
    mail.send().await.expect("a subscription");
    eprintln!(
        "Seeded an account; {PLACEHOLDER} in the event stands for its instance {}, {KEY} for the key {key} of its user {USER}.",
        world.victim
    );

    let port = free_port();
    let mut service = Command::new("cargo")
        .args(["lambda", "watch", "--only-lambda-apis", "--invoke-address", "127.0.0.1", "--invoke-port"])
        .arg(port.to_string())
        .stdin(Stdio::null())
        .stdout(stderr())
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
        .stdout(stderr())
        .kill_on_drop(true)
        .spawn()
        .expect("the function starts");
    let invoke = Command::new("cargo")
        .args(["lambda", "invoke", "--invoke-address", "127.0.0.1", "--invoke-port"])
        .arg(port.to_string())
        .args(["--output-format", "json", "--data-ascii", &event])
        .stderr(stderr())
        .kill_on_drop(true)
        .output();
    let invoked = tokio::select! {
        invoked = invoke => invoked.expect("cargo lambda invokes"),
        ended = function.wait() => {
            eprintln!("The function ended early: {ended:?}");
            return ExitCode::FAILURE;
        }
    };
    let _ = function.kill().await;
    let _ = service.kill().await;
    let answer = String::from_utf8_lossy(&invoked.stdout);
    match shows {
        Shows::Json => print!("{answer}"),
        Shows::Text => {
            let folder = endpoint("MAIL_FOLDER").expect("MAIL_FOLDER: run it with `make invoke`");
            print!("{}", text(answer.trim(), &mails(Path::new(&folder))));
        }
    }
    invoked.status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// What is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shows {
    /// What people read.
    Text,
    /// The function's answer.
    Json,
}

/// The event to invoke with and what is to be printed, or what is wrong with what was asked for.
fn asked() -> Result<(String, Shows), String> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let shows = if arguments.iter().any(|argument| argument == "--json") { Shows::Json } else { Shows::Text };
    arguments.retain(|argument| argument != "--json");
    let Some(file) = arguments.into_iter().next() else {
        return Err("Name the event's file: make invoke EVENT=events/manual.json".to_owned());
    };
    let text = std::fs::read_to_string(&file).map_err(|error| {
        format!("{file} cannot be read: {error}. The events are in events/: make invoke EVENT=events/manual.json")
    })?;
    match serde_json::from_str::<Value>(&text) {
        Ok(_) => Ok((text, shows)),
        Err(error) => Err(format!("{file} is not JSON: {error}.")),
    }
}

/// The mails that arrived, oldest first: their names begin with a number.
fn mails(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.path()).collect();
    files.sort();
    files.iter().filter_map(|file| std::fs::read_to_string(file).ok()).collect()
}

/// What a person reads: a line for each part of the answer, and the mails. An answer without such parts is shown as it is.
fn text(answer: &str, mails: &[String]) -> String {
    // An error is said on standard error.
    if answer.is_empty() && mails.is_empty() {
        return String::new();
    }
    let parsed: Value = serde_json::from_str(answer).unwrap_or(Value::Null);
    let parts = parsed.get("containments").and_then(Value::as_array).filter(|parts| !parts.is_empty());
    let mut shown = match parts {
        Some(parts) => parts.iter().map(sentence).collect(),
        None => serde_json::to_string_pretty(&parsed).unwrap_or_else(|_| answer.to_owned()),
    };
    if mails.is_empty() {
        shown.push_str("\nNo mail is sent for this.\n");
    }
    for mail in mails {
        shown.push_str("\n--- the mail that people get ---\n");
        shown.push_str(mail);
    }
    shown.push_str("\nThe whole answer: the same with JSON=1\n");
    shown
}

/// The outcome, and the sentence that says what is true.
fn sentence(part: &Value) -> String {
    let of = |pointer: &str| part.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
    let said = if of("/verdict/summary").is_empty() { of("/reason") } else { of("/verdict/summary") };
    format!("{}: {}\n", of("/outcome"), one_line(said, REPORT))
}

fn free_port() -> u16 {
    let probe = std::net::TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    probe.local_addr().expect("an address").port()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_person_reads_the_sentence_and_the_mail() {
        let answer = json!({"containments": [{"outcome": "contained", "reason": "r", "verdict": {"summary": "It is cut off."}},
            {"outcome": "ignored", "reason": "a sample", "verdict": {"summary": ""}}]});
        let shown = text(&answer.to_string(), &["Subject: [Brig] contained\n\nIt is cut off.\n".to_owned()]);
        assert!(shown.starts_with("contained: It is cut off.\nignored: a sample\n"), "{shown}");
        assert!(shown.contains("the mail that people get ---\nSubject: [Brig] contained\n"), "{shown}");
        assert!(!shown.contains("No mail"), "{shown}");
    }

    #[test]
    fn an_answer_without_containments_is_shown_as_it_is_and_nothing_says_null() {
        let shown = text("{\"active\":[]}", &[]);
        assert!(shown.contains("\"active\": []") && shown.contains("No mail is sent"), "{shown}");
        assert_eq!(text("", &[]), "");
    }
}
