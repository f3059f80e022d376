use expect_test::{Expect, expect};

use super::*;
use crate::{
    model::{InstanceState, timestamp::Timestamp},
    step::{Failure, ShortenTimeouts},
    testing::{instance, interface, public},
};

struct World {
    instance: Instance,
    interfaces: Vec<Interface>,
    recorded: Vec<StepRecord>,
}

fn world() -> World {
    let mut own = interface("eni-a", "vpc-1", &["sg-web"]);
    own.public.push(public("198.51.100.7"));
    let mut elastic = interface("eni-b", "vpc-1", &["sg-web"]);
    elastic.public.push(PublicAddress {
        assigned: false,
        elastic: Some(("eipalloc-1".to_owned(), "eipassoc-1".to_owned())),
        ..public("203.0.113.9")
    });
    World { instance: instance(), interfaces: vec![own, elastic], recorded: Vec::new() }
}

fn check(world: &World, escalate: &[Escalation], expected: &Expect) {
    let look = Look { instance: &world.instance, interfaces: &world.interfaces, recorded: &world.recorded };
    expected.assert_eq(&plan(&look, escalate).to_string());
}

#[test]
fn each_is_done_where_it_was_chosen() {
    check(&world(), &[], &expect![[""]]);
    check(
        &world(),
        &[Escalation::Timeouts],
        &expect![[r#"
            planned      shorten_idle_timeouts eni-a/connectionTracking
            planned      shorten_idle_timeouts eni-b/connectionTracking
        "#]],
    );
    check(
        &world(),
        &[Escalation::PublicAddress],
        &expect![[r#"
        planned      disassociate_address eipalloc-1
        note: the public address 198.51.100.7 of eni-a was assigned by AWS and would not come back: it stays; "public-address!" in BRIG_ESCALATE gives it up
    "#]],
    );
    check(
        &world(),
        &[Escalation::AnyPublicAddress],
        &expect![[r#"
            planned      unassign_public_address eni-a/associatePublicIpAddress
            planned      disassociate_address eipalloc-1
        "#]],
    );
}

#[test]
fn a_stopped_instance_has_no_timeout_to_shorten() {
    let mut world = world();
    world.instance.state = InstanceState::Stopped;
    check(&world, &[Escalation::Timeouts], &expect![[""]]);
}

#[test]
fn what_is_settled_is_not_tried_again() {
    let mut world = world();
    for (interface, outcome) in world.interfaces.iter().zip([
        Outcome::Changed("TCP was not set".into()),
        Outcome::Skipped("AWS does not take it here: UnsupportedOperation".into()),
    ]) {
        let step = Step::ShortenTimeouts(ShortenTimeouts { eni: interface.id.clone(), was: Timeouts::default() });
        let key = step.key(world.instance.id.as_str());
        let record = StepRecord::intended(key, step, Timestamp::from_millis(0));
        world.recorded.push(StepRecord { outcome: Some(outcome), ..record });
    }
    check(
        &world,
        &[Escalation::Timeouts],
        &expect![[r#"
            already_done shorten_idle_timeouts eni-a/connectionTracking - TCP was not set
            skipped      shorten_idle_timeouts eni-b/connectionTracking - AWS does not take it here: UnsupportedOperation
        "#]],
    );
    for record in &mut world.recorded {
        record.outcome = Some(Outcome::Failed(Failure::passing("throttled".to_owned())));
    }
    check(
        &world,
        &[Escalation::Timeouts],
        &expect![[r#"
            planned      shorten_idle_timeouts eni-a/connectionTracking
            planned      shorten_idle_timeouts eni-b/connectionTracking
        "#]],
    );
}

#[test]
fn an_elastic_address_waits_for_the_look_that_shows_it() {
    let mut world = world();
    for interface in &mut world.interfaces {
        for public in &mut interface.public {
            public.elastic = None;
        }
    }
    check(
        &world,
        &[Escalation::PublicAddress],
        &expect![[r#"
        note: the public address 198.51.100.7 of eni-a was assigned by AWS and would not come back: it stays; "public-address!" in BRIG_ESCALATE gives it up
    "#]],
    );
}
