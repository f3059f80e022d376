//! `make bench`: what the function costs in serial round trips, time, memory and bytes. Prints, and asserts nothing.
#![expect(clippy::expect_used, reason = "a benchmark that cannot run stops with the reason")]

use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

use brig_tests::{
    account::{Account, endpoint, unique},
    events::finding,
    function::{Function, Invoke, first_poll, median},
    proxy::{Call, Proxy},
    seed::Launch,
};
use serde_json::Value;

const DELAY: Duration = Duration::from_millis(50);
const MOTO: [&str; 6] =
    ["EC2", "AUTO_SCALING", "ELASTIC_LOAD_BALANCING", "ELASTIC_LOAD_BALANCING_V2", "ROUTE53RESOLVER", "VPC_LATTICE"];
const STARTS: usize = 15;
const CLAIM: &str = "TransactWriteItems";
const MOVE: &str = "ModifyNetworkInterfaceAttribute";
const DENIAL: &str = "PutUserPermissionsBoundary";
/// The calls that the cut waits for, and no other lane makes before it.
const CUT: [&str; 8] = [
    "DescribeSecurityGroups",
    CLAIM,
    "CreateSecurityGroup",
    "RevokeSecurityGroupEgress",
    "AuthorizeSecurityGroupIngress",
    "AuthorizeSecurityGroupEgress",
    "DescribeSecurityGroupRules",
    MOVE,
];

/// The binary that is measured: the release build, in the folder that the first argument names.
fn bootstrap() -> PathBuf {
    PathBuf::from(std::env::args().nth(1).expect("the folder of the release build")).join("bootstrap")
}

#[tokio::main]
async fn main() {
    let account = Account::open().await;
    println!("Round trips, with {} ms added to every AWS call", DELAY.as_millis());
    round_trips(&account).await;
    println!("\nStart of the process to its first poll, median of {STARTS}");
    start(&account).await;
    let size = std::fs::metadata(bootstrap()).map_or(0, |file| file.len());
    println!("\nThe binary has {} kB", size / 1000);
}

async fn round_trips(account: &Account) {
    let office = account.office().await;
    let world = account.production().await;
    let slow_ec2 = Proxy::start(&endpoint("AWS_ENDPOINT_URL_EC2").expect("an endpoint"), DELAY).await;
    let slow = Proxy::start(&endpoint("AWS_ENDPOINT_URL").expect("an endpoint"), DELAY).await;
    let names: Vec<String> = MOTO.iter().map(|service| format!("AWS_ENDPOINT_URL_{service}")).collect();
    let mut settings = office.settings();
    settings.push(("AWS_ENDPOINT_URL", &slow.url));
    settings.extend(names.iter().map(|name| (name.as_str(), slow_ec2.url.as_str())));
    let function = Function::start_binary(&bootstrap(), &settings).await;
    function.ready().await;
    let second =
        account.launch(&world.network, "later", Launch { profile: Some(&world.identity), ..Launch::default() }).await;
    account.register(&world.web_targets, &[(&second, 80)]).await;

    for (label, instance) in [("first use of a VPC", &world.victim), ("the groups exist", &second)] {
        let began = Instant::now();
        let response = function.invoke(&finding(instance)).await.expect("a response");
        let took = began.elapsed();
        let calls: Vec<Call> =
            slow.calls().into_iter().chain(slow_ec2.calls()).filter(|call| call.began >= began).collect();
        let timing = |name: &str| {
            response.pointer(&format!("/containments/0/timings_ms/{name}")).and_then(Value::as_u64).unwrap_or(0)
        };
        let window = Duration::from_millis(timing("untrack_window"));
        println!("  {label}: {outcome}, {} calls", calls.len(), outcome = text(&response, "outcome"));
        // The first transaction is the claim; those after it are other lanes' records, for which the cut does not wait.
        let claim = calls.iter().filter(|call| call.operation == CLAIM).map(|call| call.began).min();
        let waits = |call: &&Call| {
            CUT.contains(&call.operation.as_str()) && (call.operation != CLAIM || Some(call.began) == claim)
        };
        let cut: Vec<Call> = calls.iter().filter(waits).cloned().collect();
        let mut moves: Vec<Instant> = cut.iter().filter(|call| call.operation == MOVE).map(|call| call.ended).collect();
        moves.sort_unstable();
        // Each interface is moved three times (isolated, untracked, isolated), and its timeouts are set after that.
        let each = moves.len() / 4;
        let first = moves.get(each.saturating_sub(1)).copied();
        let last = moves.get((each * 3).saturating_sub(1)).copied();
        for (what, until, without) in [
            ("every interface isolated for the first time", first, Duration::ZERO),
            ("every interface isolated for the last time", last, window),
        ] {
            let Some(until) = until else { continue };
            let spent = until.duration_since(began).saturating_sub(without).as_millis();
            println!("    {what}: {} serial round trips, {spent} ms without the window", serial(&cut, until));
        }
        let whole = took.saturating_sub(window).as_millis();
        println!(
            "    the whole containment: {whole} ms without the window, the time of at most {} round trips",
            whole / DELAY.as_millis()
        );
        println!("    the cut, call by call (ms since the event):");
        let since = |moment: Instant| moment.duration_since(began).as_millis();
        for call in &cut {
            println!("      {:>5} to {:>5}  {}", since(call.began), since(call.ended), call.operation);
        }
    }
    denial(account, &function, &slow).await;
    println!("  peak memory {:.1} MiB", peak(function.pid().await));
}

/// A user's key: from the event to the denial. The later looks, up to a minute after it, are cut short.
async fn denial(account: &Account, function: &Function, slow: &Proxy) {
    let name = unique("leaked");
    account.iam.create_user().user_name(&name).send().await.expect("a user");
    let made = account.iam.create_access_key().user_name(&name).send().await.expect("a key");
    let key = made.access_key().expect("it").access_key_id().to_owned();
    let began = Instant::now();
    let how = Invoke { timeout: Duration::from_secs(14), ..Invoke::default() };
    let response = function.invoke_as(&serde_json::json!({ "access_key_id": key }), how).await.expect("a response");
    let calls: Vec<Call> = slow.calls().into_iter().filter(|call| call.began >= began).collect();
    println!("  a user's key: {outcome}, {} calls", calls.len(), outcome = text(&response, "outcome"));
    let Some(put) = calls.iter().find(|call| call.operation == DENIAL) else { return };
    let spent = put.ended.duration_since(began).as_millis();
    println!("    everything denied: {} serial round trips, {spent} ms", serial(&calls, put.ended));
}

/// The longest chain of calls of which each began after the one before it had ended: greedy by end.
fn serial(calls: &[Call], until: Instant) -> usize {
    let mut done: Vec<&Call> = calls.iter().filter(|call| call.ended <= until).collect();
    done.sort_by_key(|call| call.ended);
    let mut chain = 0;
    let mut free: Option<Instant> = None;
    for call in done {
        if free.is_none_or(|free| call.began >= free) {
            chain += 1;
            free = Some(call.ended);
        }
    }
    chain
}

async fn start(account: &Account) {
    let office = account.office().await;
    // The warm-up goes to a port where nobody answers: what is measured is the function, not the endpoint.
    let mut settings = office.settings();
    settings.push(("AWS_ENDPOINT_URL", "http://127.0.0.1:9"));
    let names: Vec<String> = MOTO.iter().map(|service| format!("AWS_ENDPOINT_URL_{service}")).collect();
    settings.extend(names.iter().map(|name| (name.as_str(), "http://127.0.0.1:9")));
    let empty = bootstrap().with_file_name("empty");
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..STARTS {
        theirs.push(first_poll(&empty, &[]).await);
        ours.push(first_poll(&bootstrap(), &settings).await);
    }
    let (ours, theirs) = (median(&mut ours), median(&mut theirs));
    println!("  empty lambda_runtime program {theirs:.1} ms, Brig {ours:.1} ms: {:.1} times", ours / theirs);
}

fn text(response: &Value, name: &str) -> String {
    let value = response.pointer(&format!("/containments/0/{name}")).and_then(Value::as_str);
    value.unwrap_or("?").to_owned()
}

/// The process's highest resident memory, in MiB.
fn peak(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    let kib: f64 = line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).unwrap_or_default();
    kib / 1024.0
}
