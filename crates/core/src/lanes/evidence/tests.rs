use std::collections::BTreeMap;

use expect_test::{Expect, expect};

use super::*;
use crate::{
    model::InstanceState,
    report::fact::{Truth, evidence::facts},
    step::{
        CreateSnapshot, CreateSnapshots, DisableAutoRecovery, Failure, KeepVolumes, LockSnapshot, ProtectStop,
        ProtectTermination, StopOnShutdown, TagInstance, TagSnapshot,
    },
    testing::{instance, volume},
};

fn look() -> EvidenceLook {
    EvidenceLook {
        termination_protection: Some(false),
        stop_protection: Some(false),
        shutdown_behavior: Some("terminate".to_owned()),
        ..EvidenceLook::default()
    }
}

fn snapshot(id: &str, volume: &str, locked: Option<bool>) -> Snapshot {
    Snapshot {
        id: id.into(),
        volume: volume.into(),
        state: "pending".to_owned(),
        tags: BTreeMap::new(),
        locked,
        started: None,
    }
}

fn check(look: &EvidenceLook, instance: &Instance, expected: &Expect) {
    expected.assert_eq(&plan(look, instance, &"c-1".into()).to_string());
}

#[test]
fn nothing_may_end_the_instance_and_its_disks_are_kept() {
    check(
        &look(),
        &instance(),
        &expect![[r#"
            planned      enable_termination_protection instance/disableApiTermination
            planned      enable_stop_protection instance/disableApiStop
            planned      stop_on_shutdown instance/instanceInitiatedShutdownBehavior
            planned      keep_volumes instance/blockDeviceMapping
            planned      create_snapshots instance
            planned      tag_instance instance
        "#]],
    );
    let plan = plan(&look(), &instance(), &"c-1".into());
    assert!(
        matches!(&plan.steps[3].step, Step::KeepVolumes(KeepVolumes { was }) if *was == [("/dev/xvda".to_owned(), "vol-root".into())])
    );
}

#[test]
fn spot_and_instance_store_get_what_aws_allows() {
    let mut spot = instance();
    spot.spot = true;
    spot.ebs_root = false;
    spot.volumes.clear();
    check(
        &look(),
        &spot,
        &expect![[r#"
            skipped      enable_termination_protection instance/disableApiTermination - AWS allows no termination protection on a Spot instance
            skipped      enable_stop_protection instance/disableApiStop - AWS allows no stop protection on a Spot instance
            skipped      stop_on_shutdown instance/instanceInitiatedShutdownBehavior - an instance-store root cannot be stopped
            skipped      create_snapshots instance - no EBS volume is attached
            planned      tag_instance instance
            note: a Spot instance can be reclaimed by AWS, usually at two minutes' notice: the snapshots are what stays
            note: the root device is an instance store: stopping the instance loses it, and no snapshot holds it
        "#]],
    );
}

#[test]
fn a_terminated_instance_has_nothing_left_to_keep() {
    let mut gone = instance();
    gone.state = InstanceState::Terminated;
    gone.volumes.clear();
    check(
        &EvidenceLook::default(),
        &gone,
        &expect![[r"
            missing      create_snapshots instance - no volume is attached now
        "]],
    );
    assert_eq!(Truth::of(&facts(&EvidenceLook::default(), &gone, &"c-1".into(), 7)), Truth::No);
}

#[test]
fn a_volume_without_a_snapshot_is_taken_beside_the_set_that_is_there() {
    let mut found = look();
    found.snapshots = vec![snapshot("snap-1", "vol-root", Some(true))];
    let plan = plan(&found, &instance(), &"c-1".into());
    assert!(
        plan.todo().any(|step| *step == Step::CreateSnapshot(CreateSnapshot { volume: "vol-data".into() })),
        "{plan}"
    );
    assert!(plan.todo().all(|step| !matches!(step, Step::CreateSnapshots(_))), "{plan}");
}

fn hour(hour: i64) -> Timestamp {
    Timestamp::from_millis(hour * 3_600_000)
}

fn record(step: Step, outcome: Outcome, at: Timestamp) -> StepRecord {
    let key = step.key(instance().id.as_str());
    StepRecord { outcome: Some(outcome), finished_at: Some(at), ..StepRecord::intended(key, step, at) }
}

fn refused(error: &str) -> Outcome {
    Outcome::Failed(Failure::lasting(error))
}

/// What is planned about snapshots, as words.
fn snapshots(look: &EvidenceLook) -> Vec<String> {
    let plan = plan(look, &instance(), &"c-1".into());
    let about = plan.steps.iter().filter(|planned| planned.step.name().starts_with("create_snapshot"));
    about
        .map(|planned| format!("{} {} {}", planned.outcome.word(), planned.step.name(), planned.step.resource("i")))
        .collect()
}

#[test]
fn what_aws_refused_is_tried_again_after_a_day_and_said_until_then() {
    let kms = "CreateSnapshot: InvalidVolume.InvalidKmsKey: the key is disabled";
    let records = [
        record(
            Step::CreateSnapshots(CreateSnapshots { volumes: vec!["vol-root".into(), "vol-data".into()] }),
            refused("a set"),
            hour(1),
        ),
        record(Step::CreateSnapshot(CreateSnapshot { volume: "vol-data".into() }), refused(kms), hour(1)),
    ];
    let at = |now: i64, snapshots: Vec<Snapshot>| {
        let mut look = EvidenceLook { snapshots, ..look() };
        look.remember(&records, hour(now));
        look
    };
    // One was taken by itself: the other one waits for a day, whoever looks.
    let one = || vec![snapshot("snap-1", "vol-root", Some(true))];
    assert_eq!(snapshots(&at(2, one())), ["skipped create_snapshots i", "skipped create_snapshot vol-data"]);
    assert_eq!(snapshots(&at(26, one())), ["skipped create_snapshots i", "planned create_snapshot vol-data"]);
    let facts = facts(&at(2, one()), &instance(), &"c-1".into(), 0);
    let why = Unpreserved::Refused { volume: "vol-data".into(), error: kms.into() };
    assert!(facts.iter().any(|fact| fact.unpreserved() == Some(&why)), "{facts:?}");
    // None was: the set rests too, and what was not tried by itself is.
    let rests = ["skipped create_snapshots i", "planned create_snapshot vol-root", "skipped create_snapshot vol-data"];
    assert_eq!(snapshots(&at(2, Vec::new())), rests);
    assert_eq!(snapshots(&at(26, Vec::new())), ["planned create_snapshots i"]);
}

#[test]
fn a_set_that_ended_in_error_is_no_evidence_and_is_taken_again_after_a_day() {
    let failed = |volume: &str| Snapshot {
        state: "error".to_owned(),
        started: Some(hour(1)),
        ..snapshot(&format!("snap-of-{volume}"), volume, None)
    };
    let at = |now: i64, snapshots: Vec<Snapshot>| EvidenceLook { snapshots, now: Some(hour(now)), ..look() };
    let both = || vec![failed("vol-root"), failed("vol-data")];
    let rests = ["skipped create_snapshots i", "skipped create_snapshot vol-root", "skipped create_snapshot vol-data"];
    assert_eq!(snapshots(&at(2, both())), rests);
    assert_eq!(snapshots(&at(26, both())), ["planned create_snapshots i"]);
    let facts = facts(&at(2, both()), &instance(), &"c-1".into(), 0);
    let why = Unpreserved::SnapshotFailed { volume: "vol-root".into(), snapshot: "snap-of-vol-root".into() };
    assert!(facts.iter().any(|fact| fact.unpreserved() == Some(&why)), "{facts:?}");
    assert_ne!(Truth::of(&facts), Truth::Yes);
    // One of the set: the other one stands.
    let one = vec![snapshot("snap-1", "vol-root", Some(true)), failed("vol-data")];
    assert_eq!(snapshots(&at(2, one.clone())), ["already_done create_snapshots i", "skipped create_snapshot vol-data"]);
    assert_eq!(snapshots(&at(26, one)), ["already_done create_snapshots i", "planned create_snapshot vol-data"]);
}

#[test]
fn what_aws_does_not_take_for_an_instance_is_skipped_and_promised_by_nobody() {
    let unsupported = || Outcome::Skipped("AWS does not take it here".into());
    let doomed = Step::KeepVolumes(KeepVolumes { was: vec![("/dev/xvda".to_owned(), "vol-root".into())] });
    let records: Vec<StepRecord> = [
        Step::ProtectTermination(ProtectTermination { was: false }),
        Step::ProtectStop(ProtectStop { was: false }),
        Step::StopOnShutdown(StopOnShutdown { was: "terminate".to_owned() }),
        Step::DisableAutoRecovery(DisableAutoRecovery { was: "default".to_owned() }),
        doomed,
        Step::TagInstance(TagInstance),
        Step::LockSnapshot(LockSnapshot { snapshot: "snap-1".into(), days: 7 }),
        Step::TagSnapshot(TagSnapshot { snapshot: "snap-1".into(), device: "/dev/xvda".to_owned() }),
    ]
    .into_iter()
    .map(|step| record(step, unsupported(), hour(1)))
    .collect();
    let mut seen = look();
    seen.snapshots = vec![snapshot("snap-1", "vol-root", Some(false)), snapshot("snap-2", "vol-data", Some(true))];
    let mut shown = Instance { auto_recovery: Some("default".to_owned()), ..instance() };
    shown.volumes.retain(|volume| volume.id.as_str() == "vol-root");
    let before = facts(&seen, &shown, &"c-1".into(), 7);
    assert_ne!(Truth::of(&before), Truth::Yes);
    seen.remember(&records, hour(2));
    seen.snapshots.truncate(1);
    assert_eq!(plan(&seen, &shown, &"c-1".into()).todo().count(), 0);
    assert_eq!(plan_locks(&seen, &shown, 7).todo().count(), 0);
    let after = facts(&seen, &shown, &"c-1".into(), 7);
    assert_eq!(Truth::of(&after), Truth::Yes, "{after:?}");
}

#[test]
fn every_snapshot_is_locked_and_says_its_device() {
    let mut found = look();
    found.snapshots = vec![snapshot("snap-1", "vol-root", None), snapshot("snap-2", "vol-data", Some(true))];
    expect![[r#"
        planned      lock_snapshot snap-1
        planned      tag_snapshot snap-1
        already_done lock_snapshot snap-2 - locked
        planned      tag_snapshot snap-2
    "#]]
    .assert_eq(&plan_locks(&found, &instance(), 7).to_string());
    expect![[r#"
        skipped      lock_snapshot snap-1 - BRIG_LOCK_DAYS is 0
        planned      tag_snapshot snap-1
        already_done lock_snapshot snap-2 - locked
        planned      tag_snapshot snap-2
    "#]]
    .assert_eq(&plan_locks(&found, &instance(), 0).to_string());
}

#[test]
fn a_second_set_is_reported() {
    let mut found = look();
    found.snapshots = vec![snapshot("snap-1", "vol-root", Some(true)), snapshot("snap-2", "vol-root", Some(true))];
    let mut one = instance();
    one.volumes = vec![volume("vol-root", "/dev/xvda", false)];
    assert!(plan_locks(&found, &one, 7).notes[0].to_string().starts_with("there are 2 snapshot sets"));
}

#[test]
fn a_preserved_instance_plans_nothing() {
    let mut kept = instance();
    kept.tags.insert("brig:containment".to_owned(), "c-1".to_owned());
    for volume in &mut kept.volumes {
        volume.delete_on_termination = false;
    }
    let mut snapshots = vec![snapshot("snap-1", "vol-root", Some(true)), snapshot("snap-2", "vol-data", Some(true))];
    snapshots[0].tags.insert(DEVICE_TAG.to_owned(), "/dev/xvda".to_owned());
    snapshots[1].tags.insert(DEVICE_TAG.to_owned(), "/dev/sdf".to_owned());
    let look = EvidenceLook {
        termination_protection: Some(true),
        stop_protection: Some(true),
        shutdown_behavior: Some("stop".to_owned()),
        snapshots,
        ..EvidenceLook::default()
    };
    assert_eq!(plan(&look, &kept, &"c-1".into()).todo().count(), 0);
    assert_eq!(plan_locks(&look, &kept, 7).todo().count(), 0);
    assert_eq!(Truth::of(&facts(&look, &kept, &"c-1".into(), 7)), Truth::Yes);
}

#[test]
fn what_may_exist_already_is_not_taken_again_blindly() {
    let unread = EvidenceLook { snapshots_unread: true, attempted: true, ..look() };
    let planned = plan(&unread, &instance(), &"c-1".into());
    assert!(planned.todo().all(|step| !matches!(step, Step::CreateSnapshots(_))));
    let first = EvidenceLook { attempted: false, ..unread };
    let planned = plan(&first, &instance(), &"c-1".into());
    assert!(planned.todo().any(|step| matches!(step, Step::CreateSnapshots(_))));
}

#[test]
fn whoever_orders_it_has_what_was_refused_tried_again() {
    let records =
        [record(Step::CreateSnapshot(CreateSnapshot { volume: "vol-data".into() }), refused("no key"), hour(1))];
    let mut look = EvidenceLook { snapshots: vec![snapshot("snap-1", "vol-root", Some(true))], ..look() };
    look.remember(&records, hour(2));
    assert_eq!(snapshots(&look), ["already_done create_snapshots i", "skipped create_snapshot vol-data"]);
    look.rest = Some(REST_OF_AN_ORDER);
    assert_eq!(snapshots(&look), ["already_done create_snapshots i", "planned create_snapshot vol-data"]);
}
