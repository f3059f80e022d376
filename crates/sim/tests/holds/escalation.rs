//! The next steps after the cut: done where they were chosen, on record before, given back by a release.

use std::sync::Arc;

use brig_core::{
    ledger::Conclusion,
    model::{PublicAddress, Timeouts},
    report::answer::{Answer, StepReport},
    settings::{Escalation, Policy},
};
use brig_sim::{Break, Fault, Sim, Victim, When, World};
use expect_test::{Expect, expect};

use crate::{
    common::{calm, deliver, is_whole},
    release::{difference, expected_after, killed_anywhere, release},
};

/// A public instance: one address is elastic, one was assigned.
fn public() -> (World, Victim) {
    let (mut world, victim) = World::plain();
    let web = world.groups.keys().next().cloned().expect("a group");
    world.interface(&victim.id, "vpc-1", &[&web], "10.0.0.3");
    let addresses = [("198.51.100.7", None), ("203.0.113.9", Some(("eipalloc-1".to_owned(), "eipassoc-1".to_owned())))];
    let own = world.interfaces.values_mut().filter(|eni| eni.instance.as_ref() == Some(&victim.id));
    for (eni, (address, elastic)) in own.zip(addresses) {
        let address = address.parse().expect("an address");
        eni.shown.public.push(PublicAddress { address, private: None, assigned: elastic.is_none(), elastic });
    }
    (world, victim)
}

fn with(world: &World, escalate: &[Escalation]) -> Arc<Sim> {
    Sim::with(world.clone(), 1, Policy { escalate: escalate.to_vec(), ..Policy::default() })
}

fn steps(answer: &Answer) -> String {
    let next = answer.steps.iter().filter(|step| {
        step.resource.contains("connectionTracking")
            || step.resource.contains("PublicIp")
            || step.step.name().contains("address")
    });
    let line = |step: &StepReport| format!("{} {} {} - {}\n", step.outcome, step.step, step.resource, step.detail);
    next.map(line).collect::<Vec<_>>().concat()
}

fn check(escalate: &[Escalation], expected: &Expect) {
    let (world, victim) = public();
    let sim = with(&world, escalate);
    let answer = sim.contain(&victim.id, "r").expect("an answer");
    assert_eq!(answer.outcome, Conclusion::Contained, "{answer:#?}");
    let contained = sim.world();
    let back = release(&sim, &victim);
    assert_eq!(back.outcome, Conclusion::Released, "{back:#?}");
    let lost = difference(&sim, &expected_after(&world, &contained)).unwrap_or_default();
    expected.assert_eq(&format!("{}released:\n{}lost:\n{lost}\n", steps(&answer), steps(&back)));
}

#[test]
fn timeouts_are_shortened_and_given_back() {
    check(
        &[Escalation::Timeouts],
        &expect![[r#"
            changed shorten_idle_timeouts eni-00000002/connectionTracking - TCP was not set; AWS does not say whether this applies to connections it already tracks
            changed shorten_idle_timeouts eni-00000006/connectionTracking - TCP was not set; AWS does not say whether this applies to connections it already tracks
            released:
            changed restore_idle_timeouts eni-00000002/connectionTracking - idle timeouts: TCP 60 s, UDP stream 60 s, UDP 30 s -> TCP 432000 s, UDP stream 180 s, UDP 30 s
            changed restore_idle_timeouts eni-00000006/connectionTracking - idle timeouts: TCP 60 s, UDP stream 60 s, UDP 30 s -> TCP 432000 s, UDP stream 180 s, UDP 30 s
            lost:

        "#]],
    );
}

#[test]
fn an_elastic_address_is_taken_off_and_given_back() {
    check(
        &[Escalation::PublicAddress],
        &expect![[r#"
            changed disassociate_address eipalloc-1 - 203.0.113.9; AWS may assign the interface an address of its own instead
            released:
            changed associate_address eipalloc-1 - elastic address: none -> 203.0.113.9 (eipalloc-1)
            lost:

        "#]],
    );
}

#[test]
fn an_assigned_address_does_not_come_back() {
    check(
        &[Escalation::AnyPublicAddress],
        &expect![[r#"
            changed unassign_public_address eni-00000002/associatePublicIpAddress - 198.51.100.7, which does not come back
            changed disassociate_address eipalloc-1 - 203.0.113.9; AWS may assign the interface an address of its own instead
            released:
            changed associate_address eipalloc-1 - elastic address: none -> 203.0.113.9 (eipalloc-1)
            lost:
              + eni-00000002 of Some("i-00000000000000001") in {"web"} idle Some(432000) public {}
              - eni-00000002 of Some("i-00000000000000001") in {"web"} idle Some(432000) public {"198.51.100.7"}
        "#]],
    );
}

#[test]
fn a_type_that_takes_no_timeouts_costs_nothing_else() {
    let (mut world, victim) = public();
    world.takes_timeouts = false;
    let sim = with(&world, &[Escalation::Timeouts]);
    let answer = sim.contain(&victim.id, "r").expect("an answer");
    assert_eq!(answer.outcome, Conclusion::Contained, "{answer:#?}");
    assert!(steps(&answer).lines().all(|line| line.starts_with("skipped ")), "{}", steps(&answer));
    let calls = sim.calls().len();
    let again = sim.contain(&victim.id, "r2").expect("an answer");
    assert_eq!(again.outcome, Conclusion::AlreadyContained, "{again:#?}");
    let writes =
        sim.calls().iter().skip(calls).filter(|call| call.operation == "ModifyNetworkInterfaceAttribute").count();
    assert_eq!(writes, 0, "what AWS refused is not tried again");
}

#[test]
fn timeouts_of_its_own_come_back_as_they_were() {
    let (mut world, victim) = World::plain();
    for eni in world.interfaces.values_mut() {
        eni.shown.timeouts = Timeouts { tcp_established: Some(600), ..Timeouts::default() };
    }
    let sim = calm(&world, &victim);
    assert_eq!(release(&sim, &victim).outcome, Conclusion::Released);
    let own = sim.world();
    let own = own.interfaces.values().find(|eni| eni.instance.as_ref() == Some(&victim.id)).expect("an interface");
    let all = Timeouts { tcp_established: Some(600), udp_stream: Some(180), udp: Some(30) };
    assert_eq!(own.shown.timeouts, all);
}

#[test]
fn an_address_that_is_in_other_hands_stays_there() {
    let (world, victim) = public();
    let sim = with(&world, &[Escalation::PublicAddress]);
    sim.contain(&victim.id, "r").expect("an answer");
    sim.change(|world| world.addresses.clear());
    let back = release(&sim, &victim);
    assert!(steps(&back).contains("missing associate_address eipalloc-1"), "{}", steps(&back));
}

#[test]
fn the_next_steps_come_after_the_cut() {
    let (world, victim) = public();
    let sim = with(&world, &[Escalation::Timeouts, Escalation::AnyPublicAddress]);
    let answer = sim.contain(&victim.id, "r").expect("an answer");
    let quick = calm(&world, &victim).contain(&victim.id, "again").expect("an answer");
    assert!(answer.timings_ms.isolated.is_some_and(|at| at < 1000), "{:?}", answer.timings_ms);
    assert_eq!(quick.outcome, Conclusion::AlreadyContained);
    // Denied, they leave the cut as it is.
    let sim = with(&world, &[Escalation::PublicAddress]);
    sim.breaks(Break::Always("DisassociateAddress", Fault::Denied));
    let answer = sim.contain(&victim.id, "r").expect("an answer");
    assert_eq!(answer.outcome, Conclusion::Contained, "{answer:#?}");
    assert!(steps(&answer).contains("failed disassociate_address eipalloc-1"), "{}", steps(&answer));
}

#[test]
fn an_elastic_address_is_not_lost_with_an_answer() {
    let (world, victim) = public();
    let calm = with(&world, &[Escalation::PublicAddress]);
    calm.contain(&victim.id, "r").expect("an answer");
    let calls = calm.calls();
    let call = calls.iter().position(|call| call.operation == "DisassociateAddress").expect("the call");
    // NotFound is what a client's own second try is told.
    for fault in [Fault::Timeout, Fault::ServerError, Fault::NotFound] {
        for when in [When::Before, When::After] {
            if (fault, when) == (Fault::NotFound, When::Before) {
                continue;
            }
            let sim = with(&world, &[Escalation::PublicAddress]);
            sim.breaks(Break::Once(call, fault, when));
            let answer = deliver(&sim, &victim, "r").expect("an answer");
            assert!(is_whole(&answer), "{fault:?} {when:?}: {answer:#?}");
            sim.heal();
            let contained = sim.world();
            let back = release(&sim, &victim);
            assert_eq!(back.outcome, Conclusion::Released, "{back:#?}");
            assert_eq!(difference(&sim, &expected_after(&world, &contained)), None, "{fault:?} {when:?}");
        }
    }
}

#[test]
fn killed_at_every_await_point_the_next_steps_are_taken_and_given_back() {
    let (world, victim) = public();
    killed_anywhere(&world, &victim, |world| with(world, &[Escalation::Timeouts, Escalation::PublicAddress]));
}
