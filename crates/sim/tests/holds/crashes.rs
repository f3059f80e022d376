//! The function dies at every point at which it waits, and is started again by Lambda.

use std::time::Duration;

use brig_sim::{Sim, World};
use expect_test::expect;

use crate::common::{again, calm, changes, deliver, difference, ended, is_whole, report};

/// What every sweep compares with.
#[test]
fn a_calm_run_changes_exactly_this() {
    let (world, victim) = World::production();
    let before = world.summary();
    let sim = calm(&world, &victim);
    let after = ended(&sim);
    let world = changes(&before, &after.world);
    let evidence: Vec<String> = after
        .evidence
        .iter()
        .map(|(volume, device, locked)| format!("snapshot of {volume} device {device:?} locked {locked:?}\n"))
        .collect();
    expect![[r#"
        - i-00000000000000001 Running metadata enabled tokens optional hops Some(2) protected false/false shutdown terminate recovery Some("default") tags {"Name": "web-1", "aws:autoscaling:groupName": "group"} profile Some("arn:aws:iam::123456789012:instance-profile/app/app-profile")
        -   vol-0001a /dev/xvda delete true
        -   vol-00000008 /dev/sdg delete true
        - eni-00000004 of Some("i-00000000000000001") in {"admin", "web"} idle Some(432000) public {}
        - eni-00000005 of Some("i-00000000000000001") in {"far"} idle Some(432000) public {}
        - group wants 2 has {InstanceId("i-00000000000000001"): "InService", InstanceId("i-00000000000000002"): "InService"}
        - arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/addresses/1 ["10.0.0.1:Some(443)", "10.0.0.2:Some(443)"]
        - arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/ports/1 ["i-00000000000000001:Some(8080)", "i-00000000000000001:Some(9090)", "i-00000000000000002:Some(8080)"]
        - arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/1 ["i-00000000000000001:Some(80)", "i-00000000000000002:Some(80)"]
        - classic {InstanceId("i-00000000000000001"), InstanceId("i-00000000000000002")}
        + i-00000000000000001 Running metadata disabled tokens optional hops Some(2) protected true/true shutdown stop recovery Some("disabled") tags {"Name": "web-1", "aws:autoscaling:groupName": "group", "brig:containment": "set", "brig:state": "contained"} profile None
        +   vol-0001a /dev/xvda delete false
        +   vol-00000008 /dev/sdg delete false
        + i-000000000000003e9 Running metadata enabled tokens optional hops Some(2) protected false/false shutdown terminate recovery Some("default") tags {"Name": "web-1001"} profile None
        +   vol-1001a /dev/xvda delete true
        + eni-00000004 of Some("i-00000000000000001") in {"brig-isolation"} idle Some(60) public {}
        + eni-00000005 of Some("i-00000000000000001") in {"brig-isolation"} idle Some(60) public {}
        + vpc-1 brig-isolation []
        + vpc-1 brig-untrack ["Egress 0.0.0.0/0", "Egress ::/0", "Ingress 0.0.0.0/0", "Ingress ::/0"]
        + vpc-2 brig-isolation []
        + vpc-2 brig-untrack ["Egress 0.0.0.0/0", "Egress ::/0", "Ingress 0.0.0.0/0", "Ingress ::/0"]
        + app/brig-deny {"Statement":[{"Action":"*","Condition":{"ArnEquals":{"ec2:SourceInstanceARN":["arn:aws:ec2:us-east-1:123456789012:instance/i-00000000000000001"]}},"Effect":"Deny","Resource":"*","Sid":"BrigDeny"}],"Version":"2012-10-17"}
        + group wants 2 has {InstanceId("i-00000000000000002"): "InService", InstanceId("i-000000000000003e9"): "InService"}
        + arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/addresses/1 ["10.0.0.2:Some(443)"]
        + arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/ports/1 ["i-00000000000000002:Some(8080)"]
        + arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup/web/1 ["i-00000000000000002:Some(80)", "i-000000000000003e9:Some(80)"]
        + classic {InstanceId("i-00000000000000002")}
        snapshot of vol-00000007 device Some("/dev/sdf") locked Some(true)
        snapshot of vol-00000008 device Some("/dev/sdg") locked Some(true)
        snapshot of vol-0001a device Some("/dev/xvda") locked Some(true)
    "#]].assert_eq(&(world + &evidence.concat()));
}

#[test]
fn killed_at_every_await_point_a_retry_ends_in_the_same_state() {
    let (mut swept, mut failures) = (0, Vec::new());
    for (world, victim) in [World::production(), World::plain()] {
        let sim = calm(&world, &victim);
        let expected = ended(&sim);
        for point in 0..sim.points() {
            let sim = Sim::new(world.clone(), 1);
            sim.kill_at(point);
            let first = sim.contain(&victim.id, "r");
            assert!(first.is_none(), "point {point}: it did not die");
            let open = is_open(&sim.world());
            sim.wait(Duration::from_mins(1));
            let before = sim.calls().len();
            let answer = deliver(&sim, &victim, "r").expect("an answer");
            swept += 1;
            let at =
                || format!("killed at point {point} in {:?}", sim.calls().get(point / 2).map(|call| call.operation));
            if open {
                let calls = sim.calls();
                let next = calls.iter().skip(before).find(|call| call.writes && call.operation.starts_with("Modify"));
                let leads = answer.verdict.summary.to_string().contains("OPEN TO THE WORLD since");
                if next.is_none_or(|call| call.operation != "ModifyNetworkInterfaceAttribute") || !leads {
                    failures.push(format!("{}: not isolated first, or not said: {}", at(), answer.verdict.summary));
                }
            }
            let mut difference = difference(&sim, &expected);
            // CreateSnapshots has no token: a set whose answer was lost may be taken twice, and is reported.
            if answer.notes.iter().any(|note| note.to_string().contains("snapshot sets")) {
                difference = difference.filter(|text| text.lines().any(|line| !line.starts_with("  snapshots")));
            }
            let whole = is_whole(&answer);
            if !whole || difference.is_some() {
                let difference = difference.unwrap_or_default();
                failures.push(format!("{}: {}\n{difference}", at(), answer.verdict.summary));
            }
        }
    }
    report(swept, &failures);
}

#[test]
fn killed_twice_the_third_attempt_still_ends_well() {
    let (world, victim) = World::production();
    let sim = calm(&world, &victim);
    let expected = ended(&sim);
    let (mut swept, mut failures) = (0, Vec::new());
    for first in (0..sim.points()).step_by(7) {
        for second in (first + 1..first + 200).step_by(11) {
            let sim = Sim::new(world.clone(), 1);
            sim.kill_at(first);
            let _ = sim.contain(&victim.id, "r");
            sim.wait(Duration::from_mins(1));
            sim.revive(0);
            sim.kill_at(second);
            let answer = sim.contain(&victim.id, "r");
            sim.heal();
            sim.wait(Duration::from_mins(2));
            let answer = if again(answer.as_ref()) { deliver(&sim, &victim, "r") } else { answer };
            let answer = answer.expect("an answer");
            swept += 1;
            let mut difference = difference(&sim, &expected);
            if answer.notes.iter().any(|note| note.to_string().contains("snapshot sets")) {
                difference = difference.filter(|text| text.lines().any(|line| !line.starts_with("  snapshots")));
            }
            if let Some(difference) = difference {
                failures.push(format!("killed at {first} and {second}: {}\n{difference}", answer.verdict.summary));
            }
        }
    }
    report(swept, &failures);
}

#[test]
fn out_of_time_at_every_moment_the_retry_ends_well() {
    let (mut swept, mut failures) = (0, Vec::new());
    for (world, victim) in [World::production(), World::plain()] {
        let expected = ended(&calm(&world, &victim));
        for millis in (0..20_000).step_by(250) {
            let sim = Sim::new(world.clone(), 1);
            let time = Duration::from_millis(millis);
            let mut answer = None;
            for _ in 0..2 {
                answer = sim.contain_within(&victim.id, "r", time);
                sim.wait(Duration::from_mins(1));
            }
            swept += 1;
            if again(answer.as_ref()) {
                answer = sim.contain(&victim.id, "r");
            }
            let answer = answer.expect("an answer");
            let whole = is_whole(&answer);
            let difference = difference(&sim, &expected);
            if !whole || difference.is_some() {
                let difference = difference.unwrap_or_default();
                failures.push(format!("with {millis} ms: {}\n{difference}", answer.verdict.summary));
            }
        }
    }
    report(swept, &failures);
}

fn is_open(world: &World) -> bool {
    world.interfaces.values().any(|eni| {
        let open = |id| world.groups.get(id).is_some_and(|(group, _)| group.name.starts_with("brig-untrack"));
        eni.shown.groups.iter().any(open)
    })
}
