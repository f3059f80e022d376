use std::collections::BTreeMap;

use expect_test::{Expect, expect};

use super::*;
use crate::testing::{instance, volume};

fn look() -> EvidenceLook {
    EvidenceLook {
        termination_protection: Some(false),
        stop_protection: Some(false),
        shutdown_behavior: Some("terminate".to_owned()),
        ..EvidenceLook::default()
    }
}

fn snapshot(id: &str, volume: &str, locked: Option<bool>) -> Snapshot {
    Snapshot { id: id.into(), volume: volume.into(), state: "pending".to_owned(), tags: BTreeMap::new(), locked }
}

fn check(look: &EvidenceLook, instance: &Instance, expected: &Expect) {
    expected.assert_eq(&plan(look, instance, &"c-1".into()).to_string());
}

#[test]
fn nothing_may_end_the_instance_and_its_disks_are_kept() {
    check(
        &look(),
        &instance(),
        &expect![[r"
            planned      modify_instance_attribute instance/disableApiTermination
            planned      modify_instance_attribute instance/disableApiStop
            planned      modify_instance_attribute instance/instanceInitiatedShutdownBehavior
            planned      modify_instance_attribute instance/blockDeviceMapping
            planned      create_snapshots instance
            planned      create_tags instance
        "]],
    );
    let plan = plan(&look(), &instance(), &"c-1".into());
    assert!(
        matches!(&plan.steps[3].step, Step::KeepVolumes { was } if *was == [("/dev/xvda".to_owned(), "vol-root".into())])
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
            skipped      modify_instance_attribute instance/disableApiTermination - AWS allows no termination protection on a Spot instance
            skipped      modify_instance_attribute instance/disableApiStop - AWS allows no stop protection on a Spot instance
            skipped      modify_instance_attribute instance/instanceInitiatedShutdownBehavior - an instance-store root cannot be stopped
            skipped      create_snapshots instance - no EBS volume is attached
            planned      create_tags instance
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
            missing      create_snapshots instance - no volume is attached any more
        "]],
    );
    assert_eq!(Truth::of(&facts(&EvidenceLook::default(), &gone, &"c-1".into(), 7)), Truth::No);
}

#[test]
fn a_volume_without_a_snapshot_asks_for_another_set() {
    let mut found = look();
    found.snapshots = vec![snapshot("snap-1", "vol-root", Some(true))];
    let plan = plan(&found, &instance(), &"c-1".into());
    assert!(plan.todo().any(|step| matches!(step, Step::CreateSnapshots { .. })));
}

#[test]
fn every_snapshot_is_locked_and_says_its_device() {
    let mut found = look();
    found.snapshots = vec![snapshot("snap-1", "vol-root", None), snapshot("snap-2", "vol-data", Some(true))];
    expect![[r"
        planned      lock_snapshot snap-1
        planned      create_tags snap-1
        already_done lock_snapshot snap-2 - locked
        planned      create_tags snap-2
    "]]
    .assert_eq(&plan_locks(&found, &instance(), 7).to_string());
    expect![[r"
        skipped      lock_snapshot snap-1 - BRIG_LOCK_DAYS is 0
        planned      create_tags snap-1
        already_done lock_snapshot snap-2 - locked
        planned      create_tags snap-2
    "]]
    .assert_eq(&plan_locks(&found, &instance(), 0).to_string());
}

#[test]
fn a_second_set_is_reported() {
    let mut found = look();
    found.snapshots = vec![snapshot("snap-1", "vol-root", Some(true)), snapshot("snap-2", "vol-root", Some(true))];
    let mut one = instance();
    one.volumes = vec![volume("vol-root", "/dev/xvda", false)];
    assert!(plan_locks(&found, &one, 7).notes[0].starts_with("there are 2 snapshot sets"));
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
    assert!(planned.todo().all(|step| !matches!(step, Step::CreateSnapshots { .. })));
    let first = EvidenceLook { attempted: false, ..unread };
    let planned = plan(&first, &instance(), &"c-1".into());
    assert!(planned.todo().any(|step| matches!(step, Step::CreateSnapshots { .. })));
}
