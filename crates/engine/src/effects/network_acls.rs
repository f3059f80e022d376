//! Network ACLs: remote addresses denied and allowed again. Several containments may share a rule.

use std::collections::BTreeSet;

use brig_core::{
    ledger::MemberSet,
    model::network_acl::Denial,
    step::{AllowInNetworkAcl, DenyInNetworkAcl, Failure, Mark, Outcome},
};
use futures::future::join_all;

use super::{Acls, Effect, Release};
use crate::{
    followups::network_acl::{set_of, shares},
    ports::{AclsOf, ErrorKind, NetworkAcls, PortResult},
    stable::{Written, write_until_stable},
    work::{failed, failed_for_now},
};

impl<'r> Effect<'r> for DenyInNetworkAcl {
    type Room = Acls<'r>;

    async fn run(&self, room: Acls<'r>) -> Outcome {
        let Acls { work, cloud } = room;
        let (acl, share) = (self.acl.as_str(), self.share());
        let outcome = made(make(cloud, acl, &share).await, &share);
        if matches!(outcome, Outcome::Missing(_) | Outcome::Skipped(_) | Outcome::Failed(_)) && !outcome.is_left_over()
        {
            let _ = work.ledger.leave(&set_of(work, acl), &share.to_string()).await;
        }
        outcome
    }
}

impl<'r> Effect<'r> for AllowInNetworkAcl {
    type Room = Release<'r>;

    async fn run(&self, room: Release<'r>) -> Outcome {
        let Release { work, lanes } = room;
        let (acl, share, cloud) = (self.acl.as_str(), self.share(), lanes.network.as_ref());
        let shared = set_of(work, acl);
        let others = |set: &MemberSet| -> BTreeSet<Denial> {
            shares(&set.members).into_iter().filter(|other| other.address == share.address && *other != share).collect()
        };
        let mut left = false;
        let write = async |seen: &BTreeSet<Denial>| match settle(cloud, acl, &share, seen).await {
            Ok(()) => Ok(Rules::Settled { others: seen.len() }),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Rules::AclGone),
            Err(error) => Err(error),
        };
        let read = async |rules: &Rules| {
            let set = if left {
                work.ledger.members(&shared).await?
            } else {
                work.ledger.leave(&shared, &share.to_string()).await?
            };
            left = true;
            Ok(match rules {
                Rules::Settled { .. } => Some(others(&set)),
                Rules::AclGone => None,
            })
        };
        let written = match work.ledger.members(&shared).await {
            Ok(set) => write_until_stable(others(&set), write, read).await,
            Err(error) => Err(error),
        };
        match written {
            Ok(Written::Stands(Rules::Settled { others: 0 })) => Outcome::Changed("the rules are gone".into()),
            Ok(Written::Stands(Rules::Settled { others })) => {
                Outcome::Changed(format!("{others} other containment(s) still deny it").into())
            }
            Ok(Written::Stands(Rules::AclGone)) => Outcome::Missing("the network ACL is gone".into()),
            Ok(Written::Restless) => Outcome::Failed(Failure::passing("who shares the rules kept changing".to_owned())),
            Err(error) => failed(&error),
        }
    }
}

fn made(answers: [PortResult<()>; 2], share: &Denial) -> Outcome {
    let [ingress, egress] = answers;
    match (ingress, egress) {
        (Ok(()), Ok(())) => Outcome::Changed(format!("both ways, rules {} and {}", share.ingress, share.egress).into()),
        (Err(error), _) | (_, Err(error)) if error.kind == ErrorKind::NotFound => {
            Outcome::Missing("the network ACL is gone".into())
        }
        // Somebody took the number meanwhile: the next plan has another one.
        (Err(error), _) | (_, Err(error)) if error.kind == ErrorKind::Duplicate => failed_for_now(&error),
        (Err(error), _) | (_, Err(error)) if error.is_retryable() => failed(&error),
        // Said as it stands, which trying again does not change.
        (Ok(()), Err(error)) => Outcome::AlreadyDone(
            format!(
                "denied ONE WAY ONLY: what comes in (rule {}); what goes out is NOT denied: {error}",
                share.ingress
            )
            .into(),
        )
        .marked(Mark::OneWay),
        (Err(error), Ok(())) => Outcome::AlreadyDone(
            format!("denied ONE WAY ONLY: what goes out (rule {}); what comes in is NOT denied: {error}", share.egress)
                .into(),
        )
        .marked(Mark::OneWay),
        (Err(error), Err(_)) if error.code == "NetworkAclEntryLimitExceeded" => {
            Outcome::Skipped(format!("the network ACL has no room: {error}").into())
        }
        (Err(error), Err(_)) => failed(&error),
    }
}

/// Makes a share's rules. One that is there already is success, another one at its number is `Duplicate`.
async fn make(cloud: &dyn NetworkAcls, acl: &str, share: &Denial) -> [PortResult<()>; 2] {
    let [ingress, egress] = share.entries();
    let (a, b) =
        futures::join!(cloud.create_network_acl_entry(acl, &ingress), cloud.create_network_acl_entry(acl, &egress));
    let taken = |answer: &PortResult<()>| answer.as_ref().is_err_and(|error| error.kind == ErrorKind::Duplicate);
    if !taken(&a) && !taken(&b) {
        return [a, b];
    }
    let ids = [acl.to_owned()];
    let now = match cloud.describe_network_acls(AclsOf::Ids(&ids)).await {
        Ok(now) => now,
        Err(error) => return [Err(error.clone()), Err(error)],
    };
    let judge = |answer: PortResult<()>, entry| match answer {
        Err(error) if error.kind == ErrorKind::Duplicate && !now.iter().any(|acl| acl.has(entry)) => Err(error),
        Err(error) if error.kind != ErrorKind::Duplicate => Err(error),
        Ok(()) | Err(_) => Ok(()),
    };
    [judge(a, &ingress), judge(b, &egress)]
}

/// Makes the two rules what those who share them want.
async fn settle(cloud: &dyn NetworkAcls, acl: &str, share: &Denial, others: &BTreeSet<Denial>) -> PortResult<()> {
    let ids = [acl.to_owned()];
    let now = cloud.describe_network_acls(AclsOf::Ids(&ids)).await?;
    let changes = share.entries().map(|entry| {
        let there = now.iter().any(|acl| acl.has(&entry));
        let wanted = others.iter().any(|other| other.entries().contains(&entry));
        async move {
            match (there, wanted) {
                (true, false) => cloud.delete_network_acl_entry(acl, entry.number, entry.egress).await,
                (false, true) => match cloud.create_network_acl_entry(acl, &entry).await {
                    Err(error) if error.kind == ErrorKind::Duplicate => Ok(()),
                    answer => answer,
                },
                (true, true) | (false, false) => Ok(()),
            }
        }
    });
    join_all(changes).await.into_iter().collect()
}

/// What became of a share's rules.
enum Rules {
    /// They are what these many others want.
    Settled {
        others: usize,
    },
    AclGone,
}
