//! Somebody with the same credentials acts while Brig contains the user: at every call, with and without the service control
//! policy of `infra/scp.json`. What is left, and how long, is the table of SECURITY.md.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    sync::{Arc, Mutex},
    time::Duration,
};

use brig_core::{
    decide::Asks,
    ledger::Conclusion,
    model::{Credential, CredentialKind, ids::UserName, timestamp::Timestamp},
};
use brig_sim::{Call, DENY_ALL, Sim, World};
use expect_test::expect;

use super::users::{calm, deliver, is_dead, seeds};

/// What somebody with the user's credentials does once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Deed {
    CreateAccessKey,
    DetachUserPolicy,
    DeleteBoundary,
    Reactivate,
    CreateUser,
    CreateRole,
    AssumeRole,
}

impl Deed {
    const ALL: [Self; 7] = [
        Self::CreateAccessKey,
        Self::DetachUserPolicy,
        Self::DeleteBoundary,
        Self::Reactivate,
        Self::CreateUser,
        Self::CreateRole,
        Self::AssumeRole,
    ];

    /// The call that undoes it.
    const fn undone_by(self) -> Option<&'static str> {
        match self {
            Self::CreateAccessKey | Self::Reactivate => Some("UpdateAccessKey"),
            Self::DetachUserPolicy => Some("AttachUserPolicy"),
            Self::DeleteBoundary => Some("PutUserPermissionsBoundary"),
            Self::CreateUser | Self::CreateRole | Self::AssumeRole => None,
        }
    }
}

/// Whether `UsersDoNotChangeIam` applies to the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Scp {
    Attached,
    None,
}

impl Scp {
    /// It keeps users from changing IAM. A role is assumed through STS, and workloads need that.
    fn lets(self, deed: Deed) -> bool {
        self == Self::None || deed == Deed::AssumeRole
    }
}

/// What is not the user's own, and lives on: users, roles, sessions of roles.
type Others = Arc<Mutex<BTreeSet<Deed>>>;

/// Does it, as far as the user is let: IAM lets it until it shows the denial.
fn act(world: &mut World, user: &UserName, deed: Deed, others: &Others) {
    let Some(of) = world.users.get_mut(user) else { return };
    match deed {
        Deed::CreateAccessKey => of.credentials.push(Credential {
            kind: CredentialKind::AccessKey,
            id: format!("AKIAATTACKER{:08}", of.credentials.len()),
            active: true,
            created: Some(Timestamp::from_millis(1_790_000_100_000)),
        }),
        Deed::DetachUserPolicy => {
            of.attached.remove(DENY_ALL);
        }
        Deed::DeleteBoundary => of.boundary = None,
        Deed::Reactivate => of.credentials.iter_mut().for_each(|credential| credential.active = true),
        Deed::CreateUser | Deed::CreateRole | Deed::AssumeRole => {
            others.lock().expect("a lock").insert(deed);
        }
    }
}

/// What a deed came to, over every call at which it was done.
#[derive(Debug, Default)]
struct Came {
    /// The longest time until it was undone within the same invocation, in milliseconds.
    longest: i64,
    /// It came after the last look, and the next verification undid it.
    by_verification: bool,
    /// It is not the user's own, and is there at the end.
    left: bool,
}

impl std::fmt::Display for Came {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.left {
            return f.write_str("left");
        }
        match (self.longest, self.by_verification) {
            (0, false) => f.write_str("nothing"),
            (longest, verification) => {
                write!(f, "undone within {} s", (longest + 999) / 1000)?;
                if verification { f.write_str(", later by the next verification") } else { Ok(()) }
            }
        }
    }
}

/// Everything of the containment is there, not only enough to shut the user out.
fn is_whole(world: &World, user: &UserName) -> bool {
    let denied = world.users.get(user).expect("the user");
    let (boundary, attached) = (denied.boundary.as_deref() == Some(DENY_ALL), denied.attached.contains(DENY_ALL));
    boundary && attached && is_dead(world, user)
}

fn came(deed: Deed, scp: Scp, lag: u64) -> Came {
    let (_, world, user, principal) = calm();
    let start = || {
        let sim = Sim::new(world.clone(), 1);
        sim.lag(lag);
        sim
    };
    let alone = start();
    deliver(&alone, &principal, "r").expect("an answer");
    println!("{} runs", alone.calls().len());
    let mut came = Came::default();
    for at in 0..alone.calls().len() {
        let sim = start();
        let others = Others::default();
        if scp.lets(deed) {
            let (who, theirs) = (user.clone(), Arc::clone(&others));
            // The worst case: IAM shows the adversary no denial yet, whenever it acts.
            sim.happens(at, move |world| act(world, &who, deed, &theirs));
        }
        let answer = deliver(&sim, &principal, "r").expect("an answer");
        assert_eq!(sim.violations(), Vec::<String>::new(), "{deed:?} at {at}");
        let heard = sim.messages().iter().any(|message| message.body.contains("SOMEBODY ACTED"));
        assert_eq!(heard, !answer.verdict.alerts.is_empty(), "{deed:?} at {at}: {:?}", sim.told());
        let calls = sim.calls();
        let done = calls.get(at).map_or(0, |call| call.at);
        let undoes = |call: &&Call| Some(call.operation) == deed.undone_by();
        came.left |= !others.lock().expect("a lock").is_empty();
        if !is_whole(&sim.world(), &user) {
            came.by_verification = true;
            sim.wait(Duration::from_mins(5));
            let verified = sim.verify_principal(&principal, Asks::Machine, "v").expect("an answer");
            assert!(is_whole(&sim.world(), &user), "{deed:?} at {at}: {answer:#?} then {verified:#?}");
        } else if scp.lets(deed)
            && let Some(call) = calls.iter().skip(at + 1).find(undoes)
        {
            came.longest = came.longest.max(call.at - done);
        }
    }
    came
}

#[test]
fn what_an_adversary_leaves_who_acts_at_any_call_with_and_without_the_scp() {
    let mut table = String::new();
    for deed in Deed::ALL {
        let rows = [(Scp::Attached, 0), (Scp::None, 0), (Scp::None, 10_000)];
        let [with, without, late] = rows.map(|(scp, lag)| came(deed, scp, lag));
        writeln!(table, "{deed:?}: {with} | {without} | reads up to 10 s late: {late}").expect("a string");
    }
    expect![[r#"
        CreateAccessKey: nothing | undone within 41 s, later by the next verification | reads up to 10 s late: undone within 41 s, later by the next verification
        DetachUserPolicy: nothing | undone within 6 s, later by the next verification | reads up to 10 s late: undone within 15 s, later by the next verification
        DeleteBoundary: nothing | undone within 6 s, later by the next verification | reads up to 10 s late: undone within 16 s, later by the next verification
        Reactivate: nothing | undone within 6 s, later by the next verification | reads up to 10 s late: undone within 16 s, later by the next verification
        CreateUser: nothing | left | reads up to 10 s late: left
        CreateRole: nothing | left | reads up to 10 s late: left
        AssumeRole: left | left | reads up to 10 s late: left
    "#]].assert_eq(&table);
}

/// Acts at every call for as long as IAM may take to show it the denial.
#[test]
fn an_adversary_who_does_everything_at_every_call_of_the_first_ten_seconds_is_shut_out_at_the_end() {
    for seed in seeds(40) {
        let (whole, world, user, principal) = calm();
        let denied = whole.calls().iter().find(|call| call.writes).expect("a change").at;
        let within = whole.calls().iter().filter(|call| call.at <= denied + 10_000).count();
        let sim = Sim::new(world.clone(), seed);
        sim.lag(5_000);
        for at in 0..within {
            let (who, others) = (user.clone(), Others::default());
            sim.happens(at, move |world| Deed::ALL.into_iter().for_each(|deed| act(world, &who, deed, &others)));
        }
        let answer = deliver(&sim, &principal, "r").expect("an answer");
        let claims = answer.outcome == Conclusion::Contained;
        assert!(!claims || is_dead(&sim.world(), &user), "seed {seed}: it claims what is not: {answer:#?}");
        sim.wait(Duration::from_mins(5));
        let verified = sim.verify_principal(&principal, Asks::Machine, "v").expect("an answer");
        assert!(is_dead(&sim.world(), &user), "seed {seed}: {answer:#?} then {verified:#?}");
        assert_eq!(sim.violations(), Vec::<String>::new(), "seed {seed}");
    }
}
