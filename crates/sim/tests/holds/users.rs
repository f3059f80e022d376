//! Containing an IAM user: every call broken in every way, killed at every point, races, releases.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use brig_core::{
    decide::Asks,
    ledger::Conclusion,
    model::{CredentialKind, Principal, ids::UserName},
    report::principal::PrincipalAnswer,
};
use brig_sim::{Break, DENY_ALL, Fault, Sim, When, World};

const ATTEMPTS: usize = 3;

pub fn world() -> (World, UserName) {
    let (mut world, _) = World::plain();
    let user = world.user_named("alice");
    world.user_named("bob");
    (world, user)
}

pub fn keys(world: &World, user: &UserName) -> Vec<String> {
    let of = world.users.get(user).expect("the user").credentials.iter();
    of.filter(|credential| credential.kind == CredentialKind::AccessKey).map(|key| key.id.clone()).collect()
}

pub fn key(world: &World, user: &UserName) -> Principal {
    Principal::AccessKey { id: keys(world, user).first().expect("a key").parse().expect("a key"), user: None }
}

/// Delivers an event as Lambda does: again a minute later, with the same request id, while it fails.
pub fn deliver(sim: &Arc<Sim>, principal: &Principal, request: &str) -> Option<PrincipalAnswer> {
    let mut last = None;
    for _ in 0..ATTEMPTS {
        sim.revive(0);
        last = match principal {
            // Nobody but a person, or a rule, has a role's sessions denied.
            Principal::Session { .. } => sim.order_principal(principal, request),
            Principal::AccessKey { .. } | Principal::User(_) | Principal::Root { .. } => {
                sim.contain_principal(principal, request)
            }
        };
        if last.as_ref().is_some_and(|answer| !answer.left_over) {
            break;
        }
        sim.wait(Duration::from_mins(1));
    }
    last
}

/// Seeds to run with: one of them, where `BRIG_SEED` says which to run again.
pub fn seeds(most: u64) -> std::ops::Range<u64> {
    match std::env::var("BRIG_SEED").ok().and_then(|seed| seed.parse().ok()) {
        Some(seed) => seed..seed + 1,
        None => 0..std::env::var("BRIG_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(most).min(most),
    }
}

pub fn calm() -> (Arc<Sim>, World, UserName, Principal) {
    let (world, user) = world();
    let principal = key(&world, &user);
    let sim = Sim::new(world.clone(), 1);
    let answer = deliver(&sim, &principal, "r").expect("an answer");
    assert_eq!(answer.outcome, Conclusion::Contained, "{answer:#?}");
    assert_eq!(sim.violations(), Vec::<String>::new());
    (sim, world, user, principal)
}

pub fn is_dead(world: &World, user: &UserName) -> bool {
    let user = world.users.get(user).expect("the user");
    !user.may_act() && user.credentials.iter().all(|credential| !credential.active)
}

#[test]
fn a_key_leads_to_its_user_who_is_denied_and_whose_credentials_are_all_turned_off() {
    let (sim, before, user, principal) = calm();
    let world = sim.world();
    assert!(is_dead(&world, &user));
    assert_eq!(world.users[&user].boundary.as_deref(), Some(DENY_ALL));
    assert!(world.users[&user].attached.contains(DENY_ALL));
    assert!(world.users[&user].console, "a password cannot be given back, and stays");
    let bob: UserName = "bob".parse().expect("a name");
    assert_eq!(world.users[&bob], before.users[&bob], "nobody else is touched");
    assert_eq!(sim.told().len(), 1, "{:?}", sim.told());
    let again = sim.contain_principal(&principal, "again").expect("an answer");
    assert_eq!(again.outcome, Conclusion::AlreadyContained, "{again:#?}");
    assert_eq!(sim.told().len(), 1);
}

#[test]
fn the_denial_takes_four_round_trips_from_a_key() {
    let (sim, ..) = calm();
    let calls = sim.calls();
    let put = calls.iter().position(|call| call.operation == "PutUserPermissionsBoundary").expect("it was put");
    // Calls that begin at the same moment are one round trip.
    let trips: BTreeSet<i64> = calls.iter().take(put + 1).map(|call| call.at).collect();
    assert!(trips.len() <= 4, "{trips:?}: {:?}", calls.iter().take(put + 1).collect::<Vec<_>>());
}

#[test]
fn a_release_gives_back_exactly_what_was_changed() {
    let (sim, before, _, principal) = calm();
    let answer = sim.release_principal(&principal, "release").expect("an answer");
    assert_eq!(answer.outcome, Conclusion::Released, "{answer:#?}");
    assert_eq!(sim.world().users, before.users);
    assert_eq!(sim.violations(), Vec::<String>::new());
    let again = sim.release_principal(&principal, "again").expect("an answer");
    assert_eq!(again.outcome, Conclusion::Released);
}

#[test]
fn a_former_boundary_and_a_denial_that_others_attached_are_as_before_after_a_release() {
    let (mut world, user) = world();
    let of = world.users.get_mut(&user).expect("it");
    of.boundary = Some("arn:aws:iam::123456789012:policy/developers".to_owned());
    of.attached.insert(DENY_ALL.to_owned());
    let principal = key(&world, &user);
    let sim = Sim::new(world.clone(), 1);
    deliver(&sim, &principal, "r").expect("an answer");
    assert!(is_dead(&sim.world(), &user));
    let answer = sim.release_principal(&principal, "release").expect("an answer");
    assert_eq!(answer.outcome, Conclusion::Released, "{answer:#?}");
    assert_eq!(sim.world().users, world.users);
}

#[test]
fn what_somebody_changed_since_is_left_alone_by_a_release() {
    let (sim, _, user, principal) = calm();
    let other = "arn:aws:iam::123456789012:policy/investigated".to_owned();
    let deleted = keys(&sim.world(), &user)[1].clone();
    sim.change(|world| {
        let of = world.users.get_mut(&user).expect("it");
        of.boundary = Some(other.clone());
        of.credentials.retain(|credential| credential.id != deleted);
    });
    let answer = sim.release_principal(&principal, "release").expect("an answer");
    assert_eq!(answer.outcome, Conclusion::Released, "{answer:#?}");
    assert_eq!(sim.world().users[&user].boundary, Some(other));
    assert!(!sim.world().users[&user].attached.contains(DENY_ALL));
}

#[test]
fn a_user_without_room_for_another_policy_is_denied_by_its_boundary() {
    let (mut world, user) = world();
    let of = world.users.get_mut(&user).expect("it");
    of.attached = (0..10).map(|number| format!("arn:aws:iam::aws:policy/p{number}")).collect();
    let principal = key(&world, &user);
    let sim = Sim::new(world.clone(), 1);
    let answer = deliver(&sim, &principal, "r").expect("an answer");
    assert_eq!(answer.outcome, Conclusion::Contained, "{answer:#?}");
    assert!(is_dead(&sim.world(), &user));
    let before = sim.calls().len();
    let verified = sim.verify_principal(&principal, Asks::Machine, "v").expect("an answer");
    assert_eq!(verified.outcome, Conclusion::Verified, "{verified:#?}");
    let calls = sim.calls();
    let again = calls.iter().skip(before).find(|call| call.operation == "AttachUserPolicy");
    assert!(again.is_none(), "what IAM had no room for is tried again: {again:?}");
    let (engine, invocation) = (sim.engine(0), sim.invocation("status", Duration::from_mins(2)));
    let page = sim.run(engine.status(None, None, &invocation)).expect("an end").expect("a page");
    assert_eq!(page.principals.iter().map(|one| (one.drift, one.never_done)).collect::<Vec<_>>(), [(0, 0)]);
    sim.release_principal(&principal, "release").expect("an answer");
    assert_eq!(sim.world().users, world.users);
}

#[test]
fn a_user_named_in_another_case_is_the_same_user() {
    let (world, user) = world();
    let key = key(&world, &user);
    let sim = Sim::new(world.clone(), 1);
    let shouted = Principal::User("ALICE".parse().expect("a name"));
    let answer = deliver(&sim, &shouted, "r").expect("an answer");
    assert_eq!((answer.outcome, answer.user.as_ref()), (Conclusion::Contained, Some(&user)), "{answer:#?}");
    let again = sim.contain_principal(&key, "again").expect("an answer");
    assert_eq!(again.outcome, Conclusion::AlreadyContained, "{again:#?}");
    let released = sim.release_principal(&shouted, "release").expect("an answer");
    assert_eq!(released.outcome, Conclusion::Released, "{released:#?}");
    assert_eq!(sim.world().users, world.users);
}

#[test]
fn a_key_that_was_off_before_and_is_turned_on_meanwhile_is_off_after_a_release() {
    let (mut world, user) = world();
    let of = world.users.get_mut(&user).expect("it");
    let old = of.credentials.get_mut(1).expect("a second key");
    old.active = false;
    let old = old.id.clone();
    let principal = key(&world, &user);
    let sim = Sim::new(world.clone(), 1);
    deliver(&sim, &principal, "r").expect("an answer");
    sim.wait(Duration::from_mins(5));
    let turn_on = |world: &mut World| {
        let of = world.users.get_mut(&user).expect("it");
        of.credentials
            .iter_mut()
            .filter(|credential| credential.id == old)
            .for_each(|credential| credential.active = true);
    };
    sim.change(turn_on);
    let verified = sim.verify_principal(&principal, Asks::Machine, "v").expect("an answer");
    assert_eq!(verified.outcome, Conclusion::Repaired, "{verified:#?}");
    assert!(verified.steps.iter().any(|step| step.resource == old), "{verified:#?}");
    assert!(is_dead(&sim.world(), &user));
    let released = sim.release_principal(&principal, "release").expect("an answer");
    assert_eq!(released.outcome, Conclusion::Released, "{released:#?}");
    assert_eq!(sim.world().users, world.users, "the old key is off, as it was");
}

#[test]
fn nobody_is_contained_by_a_name_that_another_account_may_have_too() {
    let (mut world, user) = world();
    world.foreign_keys.insert("AKIAFOREIGNFOREIGN00".to_owned(), "999988887777".to_owned());
    let foreign = Principal::AccessKey { id: "AKIAFOREIGNFOREIGN00".parse().expect("a key"), user: Some(user) };
    for fault in [Fault::Throttled, Fault::Denied, Fault::ServerError] {
        let sim = Sim::new(world.clone(), 1);
        sim.breaks(Break::Always("GetAccessKeyInfo", fault));
        let answer = sim.contain_principal(&foreign, "r").expect("an answer");
        assert_eq!(sim.world().users, world.users, "{fault:?}: {answer:#?}");
        assert!(matches!(answer.outcome, Conclusion::Refused | Conclusion::Failed), "{fault:?}: {answer:#?}");
    }
}

#[test]
fn a_user_that_iam_no_longer_shows_is_not_called_contained() {
    let (sim, _, user, principal) = calm();
    sim.change(|world| {
        let renamed = world.users.remove(&user).expect("it");
        world.users.insert("bobby".parse().expect("a name"), renamed);
    });
    let by_name = Principal::User(user);
    let verified = sim.verify_principal(&by_name, Asks::Machine, "v").expect("an answer");
    assert_eq!(verified.outcome, Conclusion::Partial, "{verified:#?}");
    assert!(verified.verdict.summary.to_string().contains("deleted, or renamed"), "{verified:#?}");
    drop(principal);
}

#[test]
fn what_is_no_users_is_a_question_and_changes_nothing() {
    let (mut world, _) = world();
    world.root_keys.insert("AKIAROOTROOTROOTROOT".to_owned());
    let root = Principal::AccessKey { id: "AKIAROOTROOTROOTROOT".parse().expect("a key"), user: None };
    let sim = Sim::new(world.clone(), 1);
    let answer = sim.contain_principal(&root, "r").expect("an answer");
    assert_eq!(answer.outcome, Conclusion::Asked, "{answer:#?}");
    assert!(answer.reason.to_string().contains("ROOT USER"), "{}", answer.reason);
    assert_eq!(sim.world().users, world.users);
    assert_eq!(sim.told().len(), 1);
    assert!(sim.messages()[0].body.contains("Sign in as the root user"), "{:?}", sim.messages());
    let unknown = Principal::AccessKey { id: "AKIAUNKNOWNUNKNOWN00".parse().expect("a key"), user: None };
    let answer = sim.contain_principal(&unknown, "r2").expect("an answer");
    assert_eq!(answer.outcome, Conclusion::Asked, "{answer:#?}");
    assert!(answer.reason.to_string().contains("ROOT USER"), "{}", answer.reason);
}

#[test]
fn every_call_broken_in_every_way_ends_in_the_same_state() {
    let (whole, world, user, principal) = calm();
    let calls = whole.calls().len();
    let mut runs = 0;
    for at in 0..calls {
        for fault in Fault::ALL {
            for when in [When::Before, When::After] {
                if when == When::After && !matches!(fault, Fault::Timeout | Fault::ServerError) {
                    continue;
                }
                let sim = Sim::new(world.clone(), 1);
                sim.breaks(Break::Once(at, fault, when));
                let answer = deliver(&sim, &principal, "r");
                let broken = &whole.calls()[at];
                let place = format!("call {at} ({}) {fault:?} {when:?}", broken.operation);
                assert_eq!(sim.violations(), Vec::<String>::new(), "{place}");
                let answer = answer.unwrap_or_else(|| panic!("{place}: no answer"));
                let dead = is_dead(&sim.world(), &user);
                // What is denied or invalid once may cost a step: then it says so.
                if matches!(fault, Fault::Throttled | Fault::ServerError | Fault::Timeout) {
                    assert!(dead, "{place}: {answer:#?}");
                }
                let claims = matches!(
                    answer.outcome,
                    Conclusion::Contained | Conclusion::AlreadyContained | Conclusion::Repaired
                );
                assert!(!claims || dead, "{place}: it claims what is not: {answer:#?}");
                sim.heal();
                sim.wait(Duration::from_mins(5));
                let verified = sim.verify_principal(&principal, Asks::Person, "v").expect("an answer");
                if sim.world().users[&user].boundary.is_some() {
                    assert!(is_dead(&sim.world(), &user), "{place}: {verified:#?}");
                }
                runs += 1;
            }
        }
    }
    println!("{runs} runs");
    assert!(runs > 100);
}

#[test]
fn a_process_killed_at_every_point_and_retried_ends_in_the_same_state() {
    let (whole, world, user, principal) = calm();
    println!("{} runs", whole.points());
    for point in 0..whole.points() {
        let sim = Sim::new(world.clone(), 1);
        sim.kill_at(point);
        let answer = deliver(&sim, &principal, "r").unwrap_or_else(|| panic!("{point}: no answer"));
        assert_eq!(sim.violations(), Vec::<String>::new(), "{point}");
        assert!(is_dead(&sim.world(), &user), "{point}: {answer:#?}");
        let released = sim.release_principal(&principal, "release").expect("an answer");
        assert_eq!(released.outcome, Conclusion::Released, "{point}: {released:#?}");
        assert_eq!(sim.world().users, world.users, "{point}");
    }
}

#[test]
fn a_release_killed_at_every_point_and_repeated_gives_everything_back() {
    let (whole, world, _, principal) = calm();
    let first = whole.points();
    whole.release_principal(&principal, "release").expect("an answer");
    println!("{} runs", whole.points() - first);
    for point in first..whole.points() {
        let (sim, ..) = calm();
        sim.kill_at(point);
        let mut answer = sim.release_principal(&principal, "release");
        if answer.is_none() {
            sim.revive(0);
            sim.wait(Duration::from_mins(3));
            answer = sim.release_principal(&principal, "release-2");
        }
        let answer = answer.unwrap_or_else(|| panic!("{point}: no answer"));
        assert_eq!(answer.outcome, Conclusion::Released, "{point}: {answer:#?}");
        assert_eq!(sim.world().users, world.users, "{point}");
        assert_eq!(sim.violations(), Vec::<String>::new(), "{point}");
    }
}

#[test]
fn two_findings_for_two_keys_of_one_user_at_once_are_one_containment() {
    for seed in seeds(40) {
        let (world, user) = world();
        let [first, second] =
            [0, 1].map(|at| Principal::AccessKey { id: keys(&world, &user)[at].parse().expect("a key"), user: None });
        let sim = Sim::new(world.clone(), seed);
        sim.latency(5, 200);
        let both = async { futures::join!(sim.containing(0, &first, "one"), sim.containing(1, &second, "two")) };
        let (one, two) = sim.run(both).expect("it ends");
        let left = [one, two].into_iter().flatten().any(|answer| answer.left_over);
        if left {
            sim.wait(Duration::from_mins(3));
            deliver(&sim, &second, "two");
        }
        assert!(is_dead(&sim.world(), &user), "seed {seed}");
        assert_eq!(sim.violations(), Vec::<String>::new(), "seed {seed}");
        let answer = sim.release_principal(&first, "release").expect("an answer");
        assert_eq!(answer.outcome, Conclusion::Released, "seed {seed}: {answer:#?}");
        assert_eq!(sim.world().users, world.users, "seed {seed}");
    }
}

#[test]
fn late_reads_are_not_taken_for_somebodys_doing() {
    for seed in seeds(40) {
        let (world, user) = world();
        let principal = key(&world, &user);
        let sim = Sim::new(world.clone(), seed);
        sim.lag(10_000);
        let answer = deliver(&sim, &principal, "r").expect("an answer");
        assert!(is_dead(&sim.world(), &user), "seed {seed}");
        assert!(answer.verdict.alerts.is_empty(), "seed {seed}: {answer:#?}");
        assert_eq!(sim.violations(), Vec::<String>::new(), "seed {seed}");
    }
}
