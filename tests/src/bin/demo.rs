//! The demo: a production-looking account in which the template is deployed; an abuse report is put on the event bus, and
//! the rule, the queue and the function do the rest.

use std::{collections::BTreeSet, path::Path, process::ExitCode, time::Duration};

use brig_tests::{
    account::{Account, endpoint},
    seed::Production,
    stack::Stack,
    state::State,
};
use serde_json::{Value, json};

/// The endpoint takes the queue's messages every second or so.
const PATIENCE: Duration = Duration::from_mins(1);

#[tokio::main]
async fn main() -> ExitCode {
    let Some(stack) = Stack::deployed() else {
        eprintln!("The demo needs the endpoints and the deployed template: run it with `make demo`.");
        return ExitCode::from(2);
    };
    let account = Account::open().await;
    println!("infra/template.yaml is deployed (moto and ministack on loopback): {}.", stack.output("ContainFunction"));
    println!("Seeding a production-looking account ...");
    let office = stack.office(&account).await;
    let world = account.production().await;
    let before = account.state(&world.victim).await;
    let sibling = account.state(&world.sibling).await;

    println!("Putting an abuse report about {} (web-1) on the event bus ...", world.victim);
    let report = json!({"instance_ids": [world.victim], "subject": "port scans from this address"});
    account.put_event("brig.abuse", "Abuse Report", &report).await;
    let arrived = account.awaited_messages(&office, PATIENCE).await;
    let told: Vec<Value> = arrived
        .iter()
        .filter_map(|message| message.get("Message")?.as_str())
        .filter_map(|text| serde_json::from_str(text).ok())
        .collect();
    let Some(entry) = told.first().cloned() else {
        eprintln!(
            "No message arrived within {} s: the rule, the queue, the function or the topic did not do its part; the function's log says which.",
            PATIENCE.as_secs()
        );
        return ExitCode::FAILURE;
    };

    let after = account.state(&world.victim).await;
    side_by_side(&before, &after);
    evidence(&account, &world, &entry).await;
    let members = account.members(&world.group).await;
    let unharmed = if account.state(&world.sibling).await == sibling { "unchanged" } else { "CHANGED" };
    println!(
        "Its sibling {} (web-2) is {unharmed}; its Auto Scaling group has {} instances again.",
        world.sibling,
        members.len()
    );

    println!("\nTIMELINE, in milliseconds since the function was invoked");
    for (point, label) in [
        ("look", "the first look was complete"),
        ("claim", "the plan of the cut and all that it replaces were on record"),
        ("isolated", "every interface was isolated: new connections are blocked, except through DNS"),
        ("done", "every lane had read back what became true"),
    ] {
        let value = entry.pointer(&format!("/timings_ms/{point}")).and_then(Value::as_u64);
        println!("  {:>6}  {label}", value.map_or_else(|| "-".to_owned(), |value| value.to_string()));
    }

    if let Some(window) = entry.pointer("/timings_ms/untrack_window").and_then(Value::as_u64) {
        println!(
            "  Each interface was open for {window} ms in between, so that AWS forgets connections that were open."
        );
    }

    println!("\nTHE MESSAGE, as the mail has it\n");
    match mail(&world.victim).await {
        Some(text) => println!("{text}"),
        None => println!(
            "  No mail was written. Machines got: {}",
            arrived.first().map_or_else(String::new, Value::to_string)
        ),
    }
    page(&world.victim).await;
    ExitCode::SUCCESS
}

/// The mail about the instance, which the endpoint writes as a text file.
async fn mail(instance: &str) -> Option<String> {
    let folder = endpoint("MAIL_FOLDER")?;
    for _ in 0..50 {
        let files = std::fs::read_dir(&folder).ok()?.flatten();
        let texts = files.filter_map(|file| std::fs::read_to_string(file.path()).ok());
        if let Some(text) = texts.into_iter().find(|text| text.contains(instance)) {
            return Some(text);
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    None
}

/// The incident page, as a person writes it.
async fn page(instance: &str) {
    let Ok(demo) = std::env::current_exe() else { return };
    let Some(target) = demo.parent().and_then(Path::parent) else { return };
    let file = target.join("incident.html");
    let mut brig = tokio::process::Command::new(demo.with_file_name("brig"));
    let ran = brig.args(["report", instance, "--html"]).arg(&file).output().await;
    match ran {
        Ok(output) if output.status.success() => {
            println!("\nTHE INCIDENT PAGE, to open in a browser\n  {}", file.display());
        }
        Ok(output) => println!("\nNo incident page: {}", String::from_utf8_lossy(&output.stderr)),
        Err(error) => println!("\nNo incident page: {error}"),
    }
}

fn side_by_side(before: &State, after: &State) {
    println!("\n{:<26} {:<44} AFTER", "", "BEFORE");
    for (label, old, new) in rows(before).into_iter().zip(rows(after)).map(|((label, old), (_, new))| (label, old, new))
    {
        let lines = old.len().max(new.len());
        for line in 0..lines {
            let cell = |list: &[String]| list.get(line).cloned().unwrap_or_default();
            let label = if line == 0 { label.as_str() } else { "" };
            println!("{label:<26} {:<44} {}", cell(&old), cell(&new));
        }
    }
    println!();
}

fn rows(state: &State) -> Vec<(String, Vec<String>)> {
    let join = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(", ");
    let or_none = |list: Vec<String>| if list.is_empty() { vec!["none".to_owned()] } else { list };
    let name = |arn: &String| arn.rsplit('/').next().unwrap_or_default().to_owned();
    let mut rows: Vec<(String, Vec<String>)> =
        state.interfaces.iter().map(|(eni, groups)| (eni.clone(), vec![join(groups)])).collect();
    let on = |flag: bool| if flag { "on" } else { "off" };
    let deleted: Vec<String> = state
        .volumes
        .iter()
        .map(|(device, deleted)| format!("{device} {}", if *deleted { "deleted with it" } else { "outlives it" }))
        .collect();
    rows.push(("instance profile".to_owned(), or_none(state.profile.iter().map(name).collect())));
    rows.push(("metadata service".to_owned(), vec![state.metadata.clone()]));
    rows.push(("Auto Scaling group".to_owned(), or_none(state.group.iter().cloned().collect())));
    rows.push(("target groups".to_owned(), or_none(state.targets.iter().cloned().collect())));
    rows.push(("classic load balancers".to_owned(), or_none(state.classic.iter().cloned().collect())));
    rows.push(("termination protection".to_owned(), vec![on(state.protection.0).to_owned()]));
    rows.push(("stop protection".to_owned(), vec![on(state.protection.1).to_owned()]));
    rows.push(("shutdown from inside".to_owned(), vec![state.shutdown.clone()]));
    rows.push(("volumes".to_owned(), deleted));
    rows.push(("tags".to_owned(), or_none(state.tags.iter().map(|(key, value)| format!("{key}={value}")).collect())));
    rows
}

async fn evidence(account: &Account, world: &Production, entry: &Value) {
    let containment = entry.get("containment_id").and_then(Value::as_str).unwrap_or_default();
    let snapshots = account.snapshots(containment).await;
    let locked = snapshots.iter().filter(|(_, _, locked)| *locked).count();
    println!("{} snapshots were taken at one point in time, {locked} of them locked.", snapshots.len());
    let policy = account.policy(&world.identity.role, "brig-deny").await.unwrap_or_default();
    println!("The role {} has the inline policy brig-deny:\n  {policy}", world.identity.role);
}
