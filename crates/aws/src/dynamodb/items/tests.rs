use brig_core::{
    model::{Purpose, ids::InstanceKey},
    step::{GroupRef, Isolate, Step},
};

use super::*;

#[test]
fn what_is_recorded_is_read_back() {
    let key = key();
    let at = Timestamp::from_millis(1_700_000_000_123);
    let now = Containment {
        containment: "c-1".into(),
        state: State::Open,
        holder: "r".to_owned(),
        lease_until: at,
        version: 3,
        claimed_at: at,
        findings: vec!["f".to_owned(), "g".to_owned()],
        reason: "why".to_owned().into(),
        outcome: Some("partial".to_owned()),
        told: None,
        released_at: Some(at),
        stop: true,
        named: brig_core::ledger::Named { roles: vec!["web".to_owned()], profiles: Vec::new() },
        last_activity: Some(at),
        concluded_at: Some(at),
        contest: Some(Contest { since: at, seen: at, notices: 2, next_at: at }),
        counted: Some(Counted {
            hour: at.hour(),
            hour_stays: true,
            group: Some(CountedInGroup { name: "web".to_owned(), at, stays: false }),
        }),
    };
    let step_record = isolate(at);
    let mut other = step_record.clone();
    other.key = "network/isolate/eni-2".to_owned();
    let steps =
        [step(&key, &"c-1".into(), &step_record).expect("item"), step(&key, &"c-0".into(), &other).expect("item")];
    let read = records(&key, Some(&current(&key, &now)), &steps).expect("records");
    assert_eq!(read.current, Some(now));
    assert_eq!(read.steps, [step_record]);
}

#[test]
fn a_report_is_read_back_as_it_was_kept() {
    for of in ReportOf::ALL {
        let at = Timestamp::from_millis(1_700_000_000_123);
        let kept = Report { of, containment: "c-1".into(), version: 7, at, answer: "{}".to_owned() };
        let item = report(&key(), &kept);
        assert_eq!(read_report(&item).expect("a report"), kept);
        let mut other = item;
        other.insert("sk".to_owned(), text("report/other"));
        assert!(read_report(&other).expect_err("no such report").message.contains("report/other"));
    }
}

fn isolate(at: Timestamp) -> StepRecord {
    StepRecord {
        key: "network/isolate/eni-1".to_owned(),
        step: Step::Isolate(Isolate {
            eni: "eni-1".into(),
            was: Some(vec!["sg-1".into()]),
            isolation: GroupRef {
                vpc: "vpc-1".into(),
                purpose: Purpose::Isolation,
                name: "brig-isolation".to_owned(),
                id: Some("sg-9".into()),
            },
        }),
        recorded_at: at,
        outcome: None,
        finished_at: None,
        first_done_at: None,
        repairs: Vec::new(),
    }
}

fn key() -> TargetKey {
    TargetKey::Instance(InstanceKey {
        account: "123456789012".parse().expect("account"),
        region: "us-east-1".parse().expect("region"),
        instance: "i-0123abcd".parse().expect("id"),
    })
}

/// An item `current` and a step, as a version of Brig wrote them that knew no later attribute.
fn old_items() -> (Item, Item) {
    let item = |texts: &[(&str, &str)]| -> Item {
        texts.iter().map(|(name, value)| ((*name).to_owned(), text(*value))).collect()
    };
    let at = "2026-01-02T03:04:05.678Z";
    let body = serde_json::to_string(&isolate(Timestamp::from_millis(0)).step).expect("JSON");
    let mut current = item(&[
        ("sk", "current"),
        ("containment_id", "i-0123abcd-20260102T030405Z"),
        ("state", "open"),
        ("holder", "r"),
        ("lease_until", at),
        ("claimed_at", at),
        ("reason", "why"),
    ]);
    current.insert("version".to_owned(), number(1));
    let step = item(&[
        ("sk", "i-0123abcd-20260102T030405Z/network/isolate/eni-1"),
        ("body", &body),
        ("recorded_at", at),
        ("outcome", "planned"),
    ]);
    (current, step)
}

#[test]
fn an_item_that_no_version_of_brig_wrote_is_an_error_and_never_no_containment() {
    let (current, step) = old_items();
    let read = |current: &Item, step: &Item| records(&key(), Some(current), std::slice::from_ref(step));
    let fine = read(&current, &step).expect("what an earlier version wrote is read");
    assert_eq!((fine.active().is_some(), fine.steps.len()), (true, 1));

    let list = |value: AttributeValue| AttributeValue::L(vec![value]);
    let huge = AttributeValue::N(u64::MAX.to_string());
    let wrong: [(&str, &str, Option<AttributeValue>); 20] = [
        ("current", "version", Some(huge)),
        ("current", "version", Some(AttributeValue::N("-1".to_owned()))),
        ("current", "version", Some(AttributeValue::N("1.5".to_owned()))),
        ("current", "version", Some(text("1"))),
        ("current", "version", None),
        ("current", "state", Some(text("gone"))),
        ("current", "state", None),
        ("current", "state", Some(text("released"))),
        ("current", "lease_until", Some(text("soon"))),
        ("current", "released_at", Some(number(5))),
        ("current", "findings", Some(text("f"))),
        ("current", "stop", Some(text("yes"))),
        ("current", "last_activity", Some(text("lately"))),
        ("current", "contest", Some(text("yes"))),
        ("step", "body", Some(text(r#"{"step":"of a later version"}"#))),
        ("step", "body", None),
        ("step", "outcome", Some(text("later"))),
        ("step", "outcome", Some(number(1))),
        ("step", "recorded_at", None),
        ("step", "repairs", Some(list(text("often")))),
    ];
    for (which, name, value) in wrong {
        let (mut now, mut record) = (current.clone(), step.clone());
        let item = if which == "current" { &mut now } else { &mut record };
        match value.clone() {
            Some(value) => item.insert(name.to_owned(), value),
            None => item.remove(name),
        };
        let error = read(&now, &record).expect_err(&format!("{which}: {name}: {value:?}"));
        assert_eq!(error.code, "BrokenRecord");
        let said = if value == Some(text("released")) { "released_at" } else { name };
        assert!(error.message.contains(said), "{error} does not name {name}");
    }
    assert!(records(&key(), None, std::slice::from_ref(&step)).is_err(), "steps, and nobody's");
    assert_eq!(records(&key(), None, &[]).expect("nothing"), Records::default());
}

#[test]
fn a_set_that_cannot_be_read_is_never_an_empty_one() {
    let set = |value: AttributeValue| -> Item {
        HashMap::from([("version".to_owned(), number(3)), ("instances".to_owned(), value)])
    };
    assert_eq!(member_set(None).expect("none"), MemberSet::default());
    let held = member_set(Some(&set(AttributeValue::Ss(vec!["i-1".to_owned()])))).expect("a set");
    assert_eq!((held.version, held.members.as_slice()), (3, ["i-1".to_owned()].as_slice()));
    member_set(Some(&set(AttributeValue::L(Vec::new())))).expect_err("a list is no set");
    member_set(Some(&HashMap::from([("version".to_owned(), text("3"))]))).expect_err("a version is a number");
    member_set(Some(&Item::new())).expect_err("every set has a version");
}

#[test]
fn the_first_answer_is_enough_only_where_the_containments_steps_end_in_it() {
    let (current, step) = old_items();
    let older: Item = HashMap::from([("sk".to_owned(), text("i-0123abcd-20250102T030405Z/network/isolate/eni-1"))]);
    let covers = |newest: &[Item], all, item: &Item| covers(&key(), newest, all, item).expect("an id");
    assert!(covers(std::slice::from_ref(&step), true, &current));
    assert!(!covers(std::slice::from_ref(&step), false, &current), "there may be more of it");
    assert!(covers(&[step.clone(), older.clone()], false, &current));
    let mut earlier = current.clone();
    earlier.insert("containment_id".to_owned(), text("i-0123abcd-20240102T030405Z"));
    assert!(!covers(&[step, older], false, &earlier), "newer containments fill the answer");
    let mut foreign = current;
    foreign.insert("containment_id".to_owned(), text("c-1"));
    assert!(!covers(&[], true, &foreign), "its steps lie elsewhere");
}
