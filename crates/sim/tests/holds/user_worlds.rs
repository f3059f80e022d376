//! Users of every shape: contained, then released, each is as it was before; and releases that meet findings and each other.

use std::{sync::Arc, time::Duration};

use brig_core::{
    ledger::Conclusion,
    model::{Credential, CredentialKind, Principal, ids::UserName, timestamp::Timestamp},
};
use brig_sim::{DENY_ALL, Sim, World};
use proptest::prelude::*;

use super::users::{calm, deliver, is_dead, keys, seeds};

/// A user's shape.
#[derive(Debug, Clone)]
struct Shape {
    boundary: Option<bool>,
    attached: usize,
    denied_before: bool,
    console: bool,
    /// Kind, and whether it is active.
    credentials: Vec<(usize, bool)>,
    groups: usize,
    latency: u64,
    lag: u64,
}

const KINDS: [(CredentialKind, &str); 4] = [
    (CredentialKind::AccessKey, "AKIA"),
    (CredentialKind::ServiceSpecificCredential, "ACCA"),
    (CredentialKind::SshPublicKey, "APKA"),
    (CredentialKind::SigningCertificate, "CERT"),
];

fn shape() -> impl Strategy<Value = Shape> {
    let credentials = prop::collection::vec((0..KINDS.len(), any::<bool>()), 0..9);
    let times = (1u64..200, 0u64..8_000);
    (any::<Option<bool>>(), 0usize..11, any::<[bool; 2]>(), credentials, 0usize..3, times).prop_map(
        |(boundary, attached, [denied_before, console], credentials, groups, (latency, lag))| Shape {
            boundary,
            attached,
            denied_before,
            console,
            credentials,
            groups,
            latency,
            lag,
        },
    )
}

fn build(shape: &Shape) -> (World, UserName) {
    let (mut world, _) = World::plain();
    let user = world.user_named("alice");
    world.user_named("bob");
    let of = world.users.get_mut(&user).expect("it");
    of.boundary = shape
        .boundary
        .map(|ours| if ours { DENY_ALL.to_owned() } else { "arn:aws:iam::123456789012:policy/developers".to_owned() });
    of.attached = (0..shape.attached).map(|number| format!("arn:aws:iam::aws:policy/p{number}")).collect();
    if shape.denied_before && of.attached.len() < 10 {
        of.attached.insert(DENY_ALL.to_owned());
    }
    of.console = shape.console;
    of.groups = (0..shape.groups).map(|number| format!("group-{number}")).collect();
    let credential = |(number, (kind, active)): (usize, &(usize, bool))| {
        let (kind, prefix) = *KINDS.get(*kind)?;
        let created = Timestamp::parse("2026-01-01T00:00:00Z");
        Some(Credential { kind, id: format!("{prefix}{number:016}"), active: *active, created })
    };
    of.credentials = shape.credentials.iter().enumerate().filter_map(credential).collect();
    (world, user)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn contained_and_released_every_user_is_as_it_was(shape in shape()) {
        let (world, user) = build(&shape);
        let principal = Principal::User(user.clone());
        let sim = Sim::new(world.clone(), 1);
        sim.latency(1, shape.latency);
        sim.lag(shape.lag);
        let answer = deliver(&sim, &principal, "r").expect("an answer");
        prop_assert_eq!(answer.outcome, Conclusion::Contained, "{:#?}", &answer);
        prop_assert!(is_dead(&sim.world(), &user));
        prop_assert!(answer.verdict.alerts.is_empty(), "{:#?}", &answer.verdict);
        sim.wait(Duration::from_secs(30));
        let released = sim.release_principal(&principal, "release").expect("an answer");
        prop_assert_eq!(released.outcome, Conclusion::Released, "{:#?}", &released);
        prop_assert_eq!(sim.world().users, world.users);
        prop_assert_eq!(sim.violations(), Vec::<String>::new());
    }
}

/// What meets a release.
#[derive(Debug, Clone, Copy)]
enum Other {
    Release,
    Finding,
    KilledRelease,
}

#[test]
fn a_release_that_meets_another_process_anywhere_gives_everything_back_in_the_end() {
    for other in [Other::Release, Other::Finding, Other::KilledRelease] {
        for seed in seeds(60) {
            let (_, world, user, principal) = calm();
            let second = keys(&world, &user).get(1).expect("a second key").clone();
            let second = Principal::AccessKey { id: second.parse().expect("a key"), user: None };
            let sim = Sim::new(world.clone(), seed);
            deliver(&sim, &principal, "r").expect("an answer");
            sim.latency(5, 200);
            if matches!(other, Other::KilledRelease) {
                sim.kill_at(sim.points() + usize::try_from(seed).unwrap_or_default());
            }
            let meets = async {
                match other {
                    Other::Release | Other::KilledRelease => sim.giving_back(1, &principal, "two").await,
                    Other::Finding => sim.containing(1, &second, "two").await,
                }
            };
            let both = async { futures::join!(sim.giving_back(0, &principal, "one"), meets) };
            let ended = sim.run(both).expect("it ends");
            assert_eq!(sim.violations(), Vec::<String>::new(), "{other:?} {seed}");
            for process in [0, 1] {
                sim.revive(process);
            }
            sim.wait(Duration::from_mins(3));
            let last = settled(&sim, &principal);
            assert_eq!(sim.world().users, world.users, "{other:?} {seed}: {ended:#?} then {last:?}");
            assert_eq!(sim.violations(), Vec::<String>::new(), "{other:?} {seed}");
        }
    }
}

/// Releases until it is released.
fn settled(sim: &Arc<Sim>, principal: &Principal) -> Conclusion {
    let mut last = Conclusion::Failed;
    for number in 0..3 {
        let answer = sim.release_principal(principal, &format!("last-{number}")).expect("an answer");
        last = answer.outcome;
        if last == Conclusion::Released {
            break;
        }
        sim.wait(Duration::from_mins(3));
    }
    last
}
