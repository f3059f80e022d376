//! Out of the Auto Scaling group and the load balancers: each lifecycle state, each kind of target group, at AWS's rates.

use std::{sync::Arc, time::Duration};

use brig_core::{
    ledger::Conclusion,
    model::InstanceState,
    report::{answer::Answer, fact::Truth},
    step::OutcomeKind,
};
use brig_sim::{Sim, TargetGroup, World};
use expect_test::expect;

use crate::{
    common::{calm, deliver, is_whole},
    release::release,
};

#[test]
fn hundreds_of_targets_are_handled() {
    let (mut world, victim) = World::production();
    for number in 0..300 {
        let targets: Vec<(&str, i32)> = vec![(victim.id.as_str(), 80), (victim.sibling.as_str(), 80)];
        world.target_group(&format!("more-{number}"), "vpc-1", "instance", &targets);
    }
    let sim = Sim::new(world, 1);
    let answer = deliver(&sim, &victim, "r").expect("an answer");
    assert_eq!(answer.outcome, Conclusion::Contained, "{}", answer.verdict.summary);
    let held = |group: &brig_sim::TargetGroup| {
        group.targets.iter().any(|target| target.id == victim.id.as_str() && target.state != "draining")
    };
    assert!(!sim.world().target_groups.values().any(held));
    assert_eq!(sim.violations(), Vec::<String>::new());
}

const VICTIM: &str = "i-00000000000000001";

/// Contained where there are so many target groups in addition to its own, of which each hundredth holds it, at AWS's rates.
fn in_groups(groups: usize, time: Duration) -> (Arc<Sim>, Answer) {
    let (mut world, victim) = World::production();
    for number in 0..groups {
        let held = if number % 100 == 99 { victim.id.as_str() } else { "i-0aaaaaaaaaaaaaaaa" };
        let targets: Vec<(&str, i32)> = vec![(held, 80), (victim.sibling.as_str(), 80)];
        world.target_group(&format!("more-{number}"), "vpc-1", "instance", &targets);
    }
    let sim = Sim::new(world, 1);
    sim.throttles();
    let answer = sim.contain_within(&victim.id, "r", time).expect("an answer");
    (sim, answer)
}

/// When calls of an operation were made, in milliseconds since the first call of all.
fn times(sim: &Sim, operation: &str) -> Vec<i64> {
    let calls = sim.calls();
    let began = calls.first().map_or(0, |call| call.at);
    calls.iter().filter(|call| call.operation == operation).map(|call| call.at - began).collect()
}

#[test]
fn six_hundred_target_groups_are_covered_and_delay_nothing() {
    let minutes = Duration::from_mins(2);
    let (calm, _) = in_groups(0, minutes);
    let (sim, answer) = in_groups(600, minutes);
    assert!(is_whole(&answer), "{answer:#?}");
    let held =
        |group: &TargetGroup| group.targets.iter().any(|target| target.id == VICTIM && target.state != "draining");
    assert_eq!(sim.world().target_groups.values().filter(|group| held(group)).count(), 0, "it is in none");
    for operation in ["ModifyNetworkInterfaceAttribute", "DetachInstances", "CreateSnapshots"] {
        let (few, many) = (times(&calm, operation)[0], times(&sim, operation)[0]);
        assert!(many <= few + 350, "{operation} after {many} ms instead of {few} ms");
    }
    let told = times(&sim, "Publish")[0];
    assert!(told < 30_000, "people were told after {told} ms");
}

#[test]
fn a_search_that_is_not_over_says_how_far_it_came() {
    let (_, answer) = in_groups(600, Duration::from_secs(40));
    assert_eq!(
        (answer.verdict.truths.network, answer.verdict.truths.fleet),
        (Truth::Yes, Truth::Unknown),
        "{answer:#?}"
    );
    let step = |step: &str| answer.steps.iter().find(|report| report.step.name() == step).map(|report| report.outcome);
    assert_eq!(step("detach_instances"), Some(OutcomeKind::Changed));
    let note = answer.notes.iter().find(|note| note.to_string().contains("target groups")).expect("a note");
    expect!["298 of 603 target groups could not be read (they were not looked at yet)"].assert_eq(&note.to_string());
    // Its group's own come first.
    let mut own = answer.steps.iter().filter(|report| report.step.name() == "deregister_targets");
    assert!(own.next().is_some_and(|report| report.resource.contains("web")), "{:#?}", answer.steps);
}

#[test]
fn no_controller_ends_what_is_contained_in_one_go() {
    let (mut world, victim) = World::production();
    for group in world.scaling.values_mut() {
        // The strictest check that AWS offers takes two failures five seconds apart.
        group.patience = Some(10_000);
    }
    for number in 0..100 {
        world.target_group(&format!("more-{number}"), "vpc-1", "instance", &[(victim.sibling.as_str(), 80)]);
    }
    // Quick, slow, and at AWS's own rates.
    for (least, most, throttles) in [(50, 150, false), (400, 700, false), (50, 150, true)] {
        let sim = Sim::new(world.clone(), 1);
        sim.latency(least, most);
        if throttles {
            sim.throttles();
        }
        let answer = sim.contain(&victim.id, "r").expect("an answer");
        assert_eq!(answer.outcome, Conclusion::Contained, "{}", answer.verdict.summary);
        let cut = times(&sim, "ModifyNetworkInterfaceAttribute")[0];
        let detached = times(&sim, "DetachInstances")[0];
        // Long before the first failed check could count, and never after all else is over.
        assert!(detached - cut < 5_000, "detached {} ms after the cut", detached - cut);
        sim.wait(Duration::from_mins(10));
        sim.contain(&victim.id, "later").expect("an answer");
        assert_eq!(sim.world().instances.get(&victim.id).expect("it").shown.state, InstanceState::Running);
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "most of it is what is said")]
fn each_lifecycle_state_ends_in_a_verdict_that_says_what_its_group_may_still_do() {
    let told = |state: &str| {
        let (mut world, victim) = World::production();
        let group = world.scaling.get_mut("group").expect("a group");
        group.members.insert(victim.id.clone(), state.to_owned());
        group.hooks.insert("drain".to_owned(), 0);
        let sim = Sim::new(world, 1);
        let answer = deliver(&sim, &victim, "r").expect("an answer");
        assert_eq!(sim.violations(), Vec::<String>::new(), "{state}");
        let group = sim.world().scaling["group"].clone();
        let here = group.members.get(&victim.id).map_or("out", String::as_str).to_owned();
        let beats = if group.hooks["drain"] > 0 { "held" } else { "-" };
        let end = format!(
            "{state}: {}, fleet {}, {here}, {beats}",
            answer.outcome.word(),
            answer.verdict.truths.fleet.word()
        );
        let step = answer.steps.iter().find(|step| step.step.name() == "detach_instances");
        let step = step.map(|step| format!("\n  {}: {}", step.outcome, step.detail)).unwrap_or_default();
        let notes = answer
            .notes
            .iter()
            .filter(|note| note.to_string().contains("group") && !note.to_string().contains("security group"));
        let notes: Vec<String> = notes.map(|note| format!("\n  {note}")).collect();
        let said = answer.verdict.summary.to_string();
        let summary = said.split([';', ',']).next().unwrap_or_default();
        format!("{end}{step}{}\n  {summary}", notes.concat())
    };
    let states = [
        "Pending",
        "Pending:Wait",
        "Pending:Proceed",
        "InService",
        "EnteringStandby",
        "Standby",
        "Terminating",
        "Terminating:Wait",
        "Terminating:Proceed",
        "Terminating:Retained",
        "Terminated",
        "Warmed:Pending",
        "Warmed:Running",
        "Warmed:Stopped",
        "Warmed:Terminating",
        "Detaching",
        "Detached",
    ];
    expect![[r#"
        Pending: partial, fleet partial, Pending, -
          failed: Pending is a state that AWS does not detach from; it is tried again
          not true: it is in no Auto Scaling group
          group may launch a replacement from the same template, with the same hole
          i-00000000000000001 (web-1) in 123456789012/us-east-1 is only PARTLY contained: it is NOT fully out of its Auto Scaling group and load balancers
        Pending:Wait: partial, fleet partial, Pending:Wait, -
          failed: Pending:Wait is a state that AWS does not detach from; it is tried again
          not true: it is in no Auto Scaling group
          group may launch a replacement from the same template, with the same hole
          it waits in a lifecycle hook of group and can be detached only once it is InService: aws autoscaling complete-lifecycle-action --lifecycle-action-result CONTINUE ends the wait
          i-00000000000000001 (web-1) in 123456789012/us-east-1 is only PARTLY contained: it is NOT fully out of its Auto Scaling group and load balancers
        Pending:Proceed: partial, fleet partial, Pending:Proceed, -
          failed: Pending:Proceed is a state that AWS does not detach from; it is tried again
          not true: it is in no Auto Scaling group
          group may launch a replacement from the same template, with the same hole
          i-00000000000000001 (web-1) in 123456789012/us-east-1 is only PARTLY contained: it is NOT fully out of its Auto Scaling group and load balancers
        InService: contained, fleet yes, out, -
          changed: was InService; the group keeps its desired capacity and may launch a replacement
          group may launch a replacement from the same template, with the same hole
          i-00000000000000001 (web-1) in 123456789012/us-east-1 is contained: new connections are blocked
        EnteringStandby: partial, fleet partial, EnteringStandby, -
          failed: EnteringStandby is a state that AWS does not detach from; it is tried again
          not true: it is in no Auto Scaling group
          group may launch a replacement from the same template, with the same hole
          i-00000000000000001 (web-1) in 123456789012/us-east-1 is only PARTLY contained: it is NOT fully out of its Auto Scaling group and load balancers
        Standby: contained, fleet yes, out, -
          changed: was Standby; the group keeps its desired capacity and may launch a replacement
          group may launch a replacement from the same template, with the same hole
          i-00000000000000001 (web-1) in 123456789012/us-east-1 is contained: new connections are blocked
        Terminating: partial, fleet partial, Terminating, -
          skipped: Terminating: its group is terminating it, and AWS no longer detaches it
          not true: it is in no Auto Scaling group
          group may launch a replacement from the same template, with the same hole
          i-00000000000000001 (web-1) in 123456789012/us-east-1 is only PARTLY contained: it is NOT fully out of its Auto Scaling group and load balancers
        Terminating:Wait: partial, fleet partial, Terminating:Wait, held
          skipped: Terminating:Wait: its group is terminating it, and AWS no longer detaches it
          not true: it is in no Auto Scaling group
          group may launch a replacement from the same template, with the same hole
          group is terminating it; a lifecycle hook holds it, and each attempt asks for another heartbeat: AWS allows 48 hours or 100 heartbeats in all, whichever is less. Only an instance lifecycle policy of the group that retains it stops the termination itself; aws autoscaling record-lifecycle-action-heartbeat prolongs it further
          i-00000000000000001 (web-1) in 123456789012/us-east-1 is only PARTLY contained: it is NOT fully out of its Auto Scaling group and load balancers
        Terminating:Proceed: partial, fleet partial, Terminating:Proceed, -
          skipped: Terminating:Proceed: its group is terminating it, and AWS no longer detaches it
          not true: it is in no Auto Scaling group
          group may launch a replacement from the same template, with the same hole
          i-00000000000000001 (web-1) in 123456789012/us-east-1 is only PARTLY contained: it is NOT fully out of its Auto Scaling group and load balancers
        Terminating:Retained: contained, fleet yes, out, -
          changed: was Terminating:Retained; it no longer counted in the desired capacity of its group
          group may launch a replacement from the same template, with the same hole
          i-00000000000000001 (web-1) in 123456789012/us-east-1 is contained: new connections are blocked
        Terminated: partial, fleet partial, Terminated, -
          skipped: Terminated: its group is terminating it, and AWS no longer detaches it
          not true: it is in no Auto Scaling group
          group may launch a replacement from the same template, with the same hole
          i-00000000000000001 (web-1) in 123456789012/us-east-1 is only PARTLY contained: it is NOT fully out of its Auto Scaling group and load balancers
        Warmed:Pending: partial, fleet partial, Warmed:Pending, -
          skipped: Warmed:Pending: AWS detaches no instance from a warm pool; its group may still use or terminate it
          not true: it is in no Auto Scaling group
          it is in the warm pool of group, from which AWS detaches nothing: the group may put it into service, stop or terminate it; aws autoscaling suspend-processes --auto-scaling-group-name group --scaling-processes Launch Terminate may keep it where it is, which AWS does not promise, and stops all scaling of the group
          i-00000000000000001 (web-1) in 123456789012/us-east-1 is only PARTLY contained: it is NOT fully out of its Auto Scaling group and load balancers
        Warmed:Running: partial, fleet partial, Warmed:Running, -
          skipped: Warmed:Running: AWS detaches no instance from a warm pool; its group may still use or terminate it
          not true: it is in no Auto Scaling group
          it is in the warm pool of group, from which AWS detaches nothing: the group may put it into service, stop or terminate it; aws autoscaling suspend-processes --auto-scaling-group-name group --scaling-processes Launch Terminate may keep it where it is, which AWS does not promise, and stops all scaling of the group
          i-00000000000000001 (web-1) in 123456789012/us-east-1 is only PARTLY contained: it is NOT fully out of its Auto Scaling group and load balancers
        Warmed:Stopped: partial, fleet partial, Warmed:Stopped, -
          skipped: Warmed:Stopped: AWS detaches no instance from a warm pool; its group may still use or terminate it
          not true: it is in no Auto Scaling group
          it is in the warm pool of group, from which AWS detaches nothing: the group may put it into service, stop or terminate it; aws autoscaling suspend-processes --auto-scaling-group-name group --scaling-processes Launch Terminate may keep it where it is, which AWS does not promise, and stops all scaling of the group
          i-00000000000000001 (web-1) in 123456789012/us-east-1 is only PARTLY contained: it is NOT fully out of its Auto Scaling group and load balancers
        Warmed:Terminating: partial, fleet partial, Warmed:Terminating, -
          skipped: Warmed:Terminating: AWS detaches no instance from a warm pool; its group may still use or terminate it
          not true: it is in no Auto Scaling group
          it is in the warm pool of group, from which AWS detaches nothing: the group may put it into service, stop or terminate it; aws autoscaling suspend-processes --auto-scaling-group-name group --scaling-processes Launch Terminate may keep it where it is, which AWS does not promise, and stops all scaling of the group
          i-00000000000000001 (web-1) in 123456789012/us-east-1 is only PARTLY contained: it is NOT fully out of its Auto Scaling group and load balancers
        Detaching: contained, fleet yes, Detaching, -
          already_done: Detaching
          group may launch a replacement from the same template, with the same hole
          i-00000000000000001 (web-1) in 123456789012/us-east-1 is contained: new connections are blocked
        Detached: contained, fleet yes, Detached, -
          already_done: Detached
          group may launch a replacement from the same template, with the same hole
          i-00000000000000001 (web-1) in 123456789012/us-east-1 is contained: new connections are blocked"#]]
    .assert_eq(&states.map(told).join("\n"));
}

#[test]
fn what_is_not_in_service_yet_is_detached_once_it_is() {
    for (first, then) in
        [("Pending:Wait", "InService"), ("EnteringStandby", "Standby"), ("Terminating:Wait", "Terminating:Retained")]
    {
        let (mut world, victim) = World::production();
        let group = world.scaling.get_mut("group").expect("a group");
        group.members.insert(victim.id.clone(), first.to_owned());
        let sim = Sim::new(world, 1);
        let answer = deliver(&sim, &victim, "r").expect("an answer");
        assert_eq!(answer.outcome, Conclusion::Partial, "{first}: {answer:#?}");
        sim.change(|world| {
            let group = world.scaling.get_mut("group").expect("a group");
            group.members.insert(victim.id.clone(), then.to_owned());
        });
        let answer = deliver(&sim, &victim, "again").expect("an answer");
        assert!(is_whole(&answer), "{then}: {answer:#?}");
        assert!(!sim.world().scaling["group"].members.contains_key(&victim.id), "{then}");
    }
}

#[test]
fn a_group_that_launches_nothing_is_said_to_be_one_less() {
    let (mut world, victim) = World::production();
    world.scaling.get_mut("group").expect("a group").suspended.push("Launch".to_owned());
    let sim = calm(&world, &victim);
    assert_eq!(sim.world().scaling["group"].members.len(), 1, "no replacement came");
    let answer = sim.contain(&victim.id, "again").expect("an answer");
    assert_eq!(answer.outcome, Conclusion::AlreadyContained, "{answer:#?}");
    let sim = Sim::new(world, 1);
    let answer = sim.contain(&victim.id, "r").expect("an answer");
    expect!["the process Launch of group is suspended: no replacement comes, its capacity is one less"].assert_eq(
        &answer.notes.iter().map(ToString::to_string).find(|note| note.contains("suspended")).expect("a note"),
    );
}

#[test]
fn what_holds_no_instance_is_not_asked() {
    let (world, victim) = World::production();
    let asked = |kinds: &[&str]| {
        let mut world = world.clone();
        for kind in kinds {
            let targets = [(victim.id.as_str(), 80), (victim.sibling.as_str(), 80)];
            world.target_group(&format!("of-{kind}"), "vpc-1", kind, &targets);
        }
        times(&calm(&world, &victim), "DescribeTargetHealth").len()
    };
    assert_eq!(asked(&["lambda", "alb"]), asked(&[]));
    assert!(asked(&["instance"]) > asked(&[]));
}

#[test]
fn what_is_on_its_way_to_standby_is_protected_until_it_is_detached_or_released() {
    let (mut world, victim) = World::production();
    world.scaling.get_mut("group").expect("a group").members.insert(victim.id.clone(), "EnteringStandby".to_owned());
    let sim = Sim::new(world.clone(), 1);
    let answer = sim.contain(&victim.id, "r").expect("an answer");
    assert_eq!(answer.outcome, Conclusion::Partial, "{answer:#?}");
    assert!(sim.world().scaling["group"].protected.contains(&victim.id));
    // Released before it could be detached, the group has it as before.
    let back = release(&sim, &victim);
    assert_eq!(back.outcome, Conclusion::Released, "{back:#?}");
    assert!(sim.world().scaling["group"].protected.is_empty(), "{back:#?}");
    assert!(sim.world().scaling["group"].members.contains_key(&victim.id));

    let sim = Sim::new(world, 1);
    sim.contain(&victim.id, "r").expect("an answer");
    sim.change(|world| {
        world.scaling.get_mut("group").expect("a group").members.insert(victim.id.clone(), "Standby".to_owned());
    });
    let answer = deliver(&sim, &victim, "again").expect("an answer");
    assert!(is_whole(&answer), "{answer:#?}");
    let back = release(&sim, &victim);
    assert_eq!(back.outcome, Conclusion::Released, "{back:#?}");
}
