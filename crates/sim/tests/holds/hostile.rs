//! What an attacker may write into an account, into every field that AWS returns: none of it reaches people raw, in no
//! message, SMS, subject, answer or record, and it forges no line.

use std::{sync::Arc, time::Duration};

use brig_core::{
    model::{Destination, FlowLog, ids::InstanceKey, text},
    report::{answer::Answer, message::Message},
    trigger::{Finding, Force, TrailCall},
};
use brig_engine::{Drift, ports::TrailEvent};
use brig_sim::{ACCOUNT, REGION, Sim, Victim, World};
use serde_json::Value;

use crate::{common::deliver, drift::verify, release::release};

/// What is written everywhere.
const HOSTILE: [&str; 4] = [
    "x\r\nFORGED line\n\n- FORGED advice\u{1b}[31m\u{85}\u{b}",
    "x\u{202e}\u{2066}\u{200b}\u{2028}FORGED\u{2029}\u{feff}\u{ad}\u{e0041}\u{fe0f}",
    "x'; $(reboot) `reboot` \" ' \\ && reboot #",
    "LONG",
];

fn value(hostile: &str) -> String {
    if hostile == "LONG" { "w".repeat(10_000) } else { hostile.to_owned() }
}

/// The production-looking account, with the value in every name, tag, ARN and description that AWS lets somebody choose.
fn world(bad: &str) -> (World, Victim) {
    let mut world = World { takes_timeouts: true, ..World::default() };
    let named = |name: &str| format!("{name}{bad}");
    let vpc = named("vpc-1");
    let (web, second) = (world.open_group(&vpc, &named("web")), world.open_group(&vpc, &named("brig-isolation")));
    let (id, sibling) = (world.instance(1), world.instance(2));
    world.interface(&id, &vpc, &[&web, &second], "10.0.0.1");
    world.interface(&sibling, &vpc, &[&web], "10.0.0.2");
    world.volume(&id, &named("/dev/sdf"), true);
    world.profile(&id, &named("app"));
    world.profile(&sibling, &named("app"));
    let own = world.target_group(&named("web"), &vpc, "instance", &[(id.as_str(), 80), (sibling.as_str(), 80)]);
    world.target_group(&named("ip"), &vpc, "ip", &[("10.0.0.1", 443)]);
    world.target_group(&named("elsewhere"), &named("vpc-9"), "ip", &[("10.0.0.1", 443)]);
    world.classic.insert(named("classic"), [id.clone(), sibling.clone()].into());
    world.scaling_group(&named("group"), &[&id, &sibling], &[&own]);
    world.acl(&named("acl-1"), &[&format!("subnet-{vpc}")]);
    let instance = world.instances.get_mut(&id).expect("it");
    for key in [
        "Name",
        "eks:cluster-name",
        "eks:nodegroup-name",
        "karpenter.sh/nodepool",
        "aws:ec2:fleet-id",
        "aws:ec2spot:fleet-request-id",
        "AmazonECSManaged",
        "brig:state",
    ] {
        instance.shown.tags.insert(key.to_owned(), named("tag"));
    }
    instance.shown.tags.insert(format!("kubernetes.io/cluster/{bad}"), "owned".to_owned());
    instance.shown.state_reason = Some(named("reason"));
    instance.shown.instance_type = named("m5");
    instance.shown.auto_recovery = Some(named("default"));
    instance.shutdown = named("terminate");
    instance.scheduled = vec![named("instance-retirement")];
    for eni in world.interfaces.values_mut() {
        eni.shown.kind = named("interface");
        eni.shown.prefixes = vec![named("10.0.0.0/28")];
    }
    world.flow_logs = vec![FlowLog {
        resource: vpc,
        traffic: "ALL".to_owned(),
        destination: Destination::LogGroup(named("flow")),
        format: named("${version}"),
        interval: Duration::from_mins(1),
    }];
    (world, Victim { id, sibling })
}

/// The characters among it that show nothing, or change what others show.
const HIDDEN: [char; 9] =
    ['\u{202e}', '\u{2066}', '\u{200b}', '\u{2028}', '\u{2029}', '\u{feff}', '\u{ad}', '\u{e0041}', '\u{fe0f}'];

/// What of a text must not be there.
fn raw(text: &str) -> Option<String> {
    let hidden = text.chars().find(|c| *c != '\n' && (c.is_control() || HIDDEN.contains(c)));
    let hidden = hidden.map(|c| format!("{c:?}"));
    let forged = text.lines().any(|line| line.trim_start_matches(['-', ' ', '>']).starts_with("FORGED"));
    let command = text.lines().find(|line| line.contains("aws ") && !is_quoted(line));
    hidden
        .or_else(|| forged.then(|| "a forged line".to_owned()))
        .or_else(|| text.contains(&"w".repeat(5_000)).then(|| "10,000 characters".to_owned()))
        .or_else(|| command.map(|line| format!("unquoted: {line}")))
}

/// Whether a value in a command is one word of it.
fn is_quoted(line: &str) -> bool {
    let Some((_, command)) = line.split_once("aws ") else { return true };
    let ends = [" may keep it", " shows the type"].into_iter().filter_map(|end| command.find(end)).min();
    let command = &command[..ends.unwrap_or(command.len())];
    let whole = |words: Vec<String>| words.iter().any(|word| word.contains(HOSTILE[2]));
    !command.contains("reboot") || shlex::split(command).is_some_and(whole)
}

fn strings(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| strings(item, found)),
        Value::Object(map) => map.values().for_each(|item| strings(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn check_message(message: &Message) {
    assert!(message.subject.is_ascii() && message.subject.len() < 100, "{}", message.subject);
    assert_eq!(raw(&message.subject), None);
    let body: Value = serde_json::from_str(&message.body).expect("JSON");
    for (protocol, text) in body.as_object().expect("variants") {
        let text = text.as_str().expect("a text");
        match serde_json::from_str::<Value>(text) {
            Ok(entry @ Value::Object(_)) => check_json(protocol, &entry),
            Ok(_) | Err(_) => assert_eq!(raw(text), None, "{protocol}: {text}"),
        }
    }
    for (name, _, value) in &message.attributes {
        assert_eq!(raw(value), None, "{name}");
    }
}

fn check_json(what: &str, value: &Value) {
    let mut found = Vec::new();
    strings(value, &mut found);
    for text in found {
        assert_eq!(raw(&text), None, "{what}: {text}");
        assert!(!text.contains('\n'), "{what}: {text}");
    }
}

/// The answer as the function gives it.
fn check_answer(answer: &Answer) {
    let mut value = serde_json::to_value(answer).expect("JSON");
    text::clean(&mut value);
    check_json("answer", &value);
    // The log's line is of these two.
    assert_eq!(raw(&answer.reason.to_string()), None, "{}", answer.reason);
    assert_eq!(raw(&answer.verdict.summary.to_string()), None, "{}", answer.verdict.summary);
}

fn check_records(sim: &Arc<Sim>, victim: &Victim) {
    let key = InstanceKey {
        account: ACCOUNT.parse().expect("account"),
        region: REGION.parse().expect("Region"),
        instance: victim.id.clone(),
    };
    let records = sim.run(sim.engine(0).ledger.read(&key.into())).expect("an end").expect("records");
    for record in &records.steps {
        let detail = record.outcome.as_ref().map(|outcome| outcome.words().to_string()).unwrap_or_default();
        assert_eq!(raw(&detail), None, "{}: {detail}", record.key);
    }
    let reason = records.current.map(|current| current.reason).unwrap_or_default();
    assert_eq!(raw(&reason.to_string()), None, "{reason}");
}

fn touched(victim: &Victim, bad: &str) -> TrailCall {
    TrailCall {
        call: format!("ModifyNetworkInterfaceAttribute{bad}"),
        by: format!("arn:aws:sts::{ACCOUNT}:assumed-role/x/{bad}"),
        id: format!("event{bad}"),
        account: ACCOUNT.parse().expect("account"),
        region: REGION.parse().expect("Region"),
        at: None,
        source_identity: None,
        instances: vec![victim.id.clone()],
        interfaces: Vec::new(),
        groups: Vec::new(),
        addresses: Vec::new(),
        roles: Vec::new(),
        denied_roles: Vec::new(),
        users: Vec::new(),
    }
}

#[test]
fn nothing_that_aws_returns_reaches_people_raw() {
    for hostile in HOSTILE {
        let bad = value(hostile);
        let (world, victim) = world(&bad);
        let sim = Sim::new(world, 1);
        let plan = sim.run(sim.engine(0).plan(
            &finding(&victim, &bad),
            Force::No,
            &sim.invocation("plan", Duration::from_mins(2)),
        ));
        check_answer(&plan.expect("an answer"));
        check_answer(&deliver(&sim, &victim, "r").expect("an answer"));
        check_records(&sim, &victim);
        sim.change(|world| {
            let id = world.interfaces.keys().next().expect("one").to_string();
            let call = "ModifyNetworkInterfaceAttribute".to_owned();
            let event = TrailEvent { call, by: bad.clone(), ..TrailEvent::default() };
            world.trail.push((id, event));
            let web = world.groups.values().find(|(group, _)| group.name.starts_with("web")).expect("web").0.id.clone();
            for eni in world.interfaces.values_mut() {
                eni.shown.groups = vec![web.clone()];
            }
        });
        check_answer(&verify(&sim, &victim, Drift::Repair));
        let look = sim.engine(0);
        let looked = sim.run(look.touched(&touched(&victim, &bad), &sim.invocation("t", Duration::from_mins(2))));
        looked.expect("an end").entries.iter().for_each(check_answer);
        check_answer(&release(&sim, &victim));
        check_records(&sim, &victim);
        assert!(!sim.messages().is_empty());
        sim.messages().iter().for_each(check_message);
    }
}

#[test]
fn nor_does_what_stands_in_tags_that_decide() {
    for hostile in HOSTILE {
        let bad = value(hostile);
        for key in ["brig:exempt", "brig:containment"] {
            let (mut world, victim) = World::plain();
            let instance = world.instances.get_mut(&victim.id).expect("it");
            instance.shown.tags.insert(key.to_owned(), bad.clone());
            let sim = Sim::new(world, 1);
            check_answer(&sim.contain(&victim.id, "r").expect("an answer"));
            assert!(!sim.messages().is_empty(), "{key}");
            sim.messages().iter().for_each(check_message);
        }
    }
}

fn finding(victim: &Victim, bad: &str) -> Finding {
    let (account, region) = (ACCOUNT.parse().expect("account"), REGION.parse().expect("Region"));
    Finding::occasion(bad.to_owned(), bad.to_owned(), account, region, victim.id.clone())
}
