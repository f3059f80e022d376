//! The identity lane's effects. Plans come from `brig_core::plan::identity`.

use std::sync::atomic::{AtomicBool, Ordering};

use brig_core::{
    deny_policy,
    ids::{InstanceId, arn_name},
    ledger::{Shared, StepRecord},
    plan::{Plan, identity},
    policy::RoleDeny,
    step::{Failure, Lane, Outcome, Step},
    survey::{Gap, IdentityLook, Instance, Role, RoleLook},
    verdict::Truth,
};
use futures::future::join_all;

use crate::{
    ports::{Answer, Cloud, ErrorKind, Ledger},
    work::{LaneReport, Work, failed, failed_for_now, gap, merge},
};

/// What the gap is called where the association could not be read.
pub(crate) const ASSOCIATION: &str = "the profile's association";

pub(crate) async fn run(work: &Work<'_>, cloud: &dyn Cloud) -> LaneReport {
    let mut report = LaneReport::default();
    let known = roles_of(&work.recorded(Lane::Identity));
    let forensic = work.policy.forensic_profile(&work.instance.account);
    let forensic = forensic.as_deref();
    let own = work.instance.profile.clone().filter(|profile| Some(profile.as_str()) != forensic);
    let profile = own.or_else(|| recorded_profile(work));
    let instance = Instance { profile, ..work.instance.clone() };
    let seen = look(work.ledger, cloud, &instance, &known).await;
    let plan = identity::plan(&seen, &work.instance, work.policy.role_deny, forensic);
    report.note_all(&plan);
    // Both are writes to the ledger before any effect: the set must hold the instance before a policy is rendered from it.
    let (intent, joined) = futures::join!(work.intend(&plan), join_sets(work, &plan));
    let intent = intent.and(joined);
    let refused = AtomicBool::new(false);
    let (mut done, siblings) = futures::join!(
        work.run_if(&intent, &plan, |step| effect(work, cloud, step, &refused)),
        sharing(work, cloud, &seen)
    );
    if refused.load(Ordering::Relaxed) {
        let plan = identity::plan_without_profile(&work.instance);
        done.extend(work.run(&plan, |step| effect(work, cloud, step, &refused)).await);
    }
    for note in siblings {
        report.note(note);
    }
    let (recorded, (after, instance)) = futures::join!(work.finish(&done), read_back(work, cloud, &seen, forensic));
    report.look_again |= !recorded || after.gaps.iter().any(|gap| gap.retryable);
    merge(&mut report.done, done);
    report.facts = identity::facts(&after, &instance, forensic);
    let holds = report.facts.iter().any(|fact| fact.what == identity::FORENSIC);
    if holds && work.policy.forensic_access.is_none() && work.instance.state.has_flows() {
        let way = "its profile is the responders', and yet no flow to Systems Manager can start: BRIG_FORENSIC_ACCESS opens that way";
        report.note(way.to_owned());
    }
    if report.done.iter().all(|done| !matches!(done.outcome, Outcome::Failed(_) | Outcome::Skipped(_))) {
        report.look_again |= brig_core::verdict::not_yet_visible(&mut report.facts);
    }
    if report
        .done
        .iter()
        .any(|done| matches!((&done.step, &done.outcome), (Step::DenyRole { .. }, Outcome::Changed(_))))
    {
        report.note(
            "IAM is eventually consistent: AWS promises no time by which the denial bites, minutes are possible"
                .to_owned(),
        );
    }
    let complete = after.gaps.is_empty();
    work.recap(Lane::Identity, &mut report, complete);
    report
}

/// Reads what the plan needs: the profile's association, the roles behind it, their policies and sets.
pub(crate) async fn look(ledger: &dyn Ledger, cloud: &dyn Cloud, instance: &Instance, known: &[Role]) -> IdentityLook {
    let mut seen = IdentityLook::default();
    let profile = async {
        match &instance.profile {
            Some(arn) => cloud.get_instance_profile(arn_name(arn)).await.map(|profile| profile.role),
            None => Ok(None),
        }
    };
    let (associations, role) = futures::join!(cloud.describe_profile_associations(Some(&instance.id)), profile);
    match associations {
        // A disassociated one may be listed for a while beside its successor.
        Ok(mut found) => {
            found.sort_by_key(|association| !association.state.starts_with("associat"));
            seen.association = found.into_iter().find(|association| association.state != "disassociated");
        }
        Err(error) => seen.gaps.push(gap(ASSOCIATION, &error)),
    }
    let mut roles = known.to_vec();
    match role {
        Ok(Some(role)) if !roles.contains(&role) => roles.push(role),
        Ok(_) => {}
        // IAM may not show a profile yet that EC2 already uses; and credentials outlive a profile that was deleted.
        Err(error) if error.kind == ErrorKind::NotFound => {
            let gap = gap("the role of the instance profile", &error);
            seen.gaps.push(Gap { retryable: true, ..gap });
        }
        Err(error) => seen.gaps.push(gap("the role of the instance profile", &error)),
    }
    let looks = roles.into_iter().map(|role| async move {
        let shared = Shared::role(&role.arn);
        let (policy, set) =
            futures::join!(cloud.get_role_policy(&role.name, deny_policy::NAME), ledger.members(&shared));
        let mut gaps = Vec::new();
        // A policy that cannot be read can still be put, and a role that is known must be denied all the same.
        let unread = policy.is_err();
        let policy = policy.unwrap_or_else(|error| {
            gaps.push(gap(format!("the policy of the role {}", role.name), &error));
            None
        });
        let denied = set.map_or_else(
            |error| {
                gaps.push(gap(format!("the ledger's set of the role {}", role.name), &error));
                Vec::new()
            },
            |set| set.members,
        );
        (RoleLook { role, policy, unread, denied }, gaps)
    });
    for (look, gaps) in join_all(looks).await {
        seen.roles.push(look);
        seen.gaps.extend(gaps);
    }
    seen
}

/// Roles that earlier attempts recorded: once the profile is gone, only the ledger knows them.
pub(crate) fn roles_of(records: &[StepRecord]) -> Vec<Role> {
    let role = |record: &StepRecord| {
        let Step::DenyRole { role, role_arn, .. } = &record.step else { return None };
        Some(Role { name: role.clone(), arn: role_arn.clone() })
    };
    records.iter().filter_map(role).collect()
}

/// The profile that an earlier attempt took away: where that attempt could not read its role, this one can.
fn recorded_profile(work: &Work<'_>) -> Option<String> {
    work.recorded(Lane::Identity).into_iter().find_map(|record| {
        let (Step::DisassociateProfile { was, .. } | Step::ReplaceProfile { was, .. }) = record.step else {
            return None;
        };
        Some(was)
    })
}

async fn join_sets(work: &Work<'_>, plan: &Plan) -> Answer<()> {
    let joins = plan.todo().filter_map(|step| {
        let Step::DenyRole { role_arn, instance_arn, .. } = step else { return None };
        Some(async move { work.ledger.join(&Shared::role(role_arn), instance_arn).await })
    });
    join_all(joins).await.into_iter().try_for_each(|answer| answer.map(|_| ()))
}

#[expect(clippy::wildcard_enum_match_arm, reason = "a lane runs the steps of its own plan only")]
async fn effect(work: &Work<'_>, cloud: &dyn Cloud, step: Step, refused: &AtomicBool) -> Outcome {
    match &step {
        Step::DenyRole { role, role_arn, reach, .. } => deny_role(work, cloud, role, role_arn, *reach).await,
        Step::DisassociateProfile { association, was } => match cloud.disassociate_profile(association).await {
            Ok(()) => Outcome::Changed(format!("was {}", arn_name(was))),
            // It was there at the look: an earlier try whose answer was lost took it away.
            Err(error) if error.kind == ErrorKind::NotFound => {
                Outcome::Changed(format!("was {}; gone when asked again", arn_name(was)))
            }
            Err(error) => failed(&error),
        },
        Step::ReplaceProfile { association, was, with } => {
            replace_profile(cloud, association, was, with, refused).await
        }
        Step::RequireTokens { was } => match cloud.restore_metadata_options(work.id(), &identity::guarded()).await {
            Ok(()) => Outcome::Changed(format!("was {}, tokens {}", was.endpoint, was.tokens)),
            Err(error) => failed(&error),
        },
        Step::DisableMetadata { was } => match cloud.disable_metadata_endpoint(work.id()).await {
            Ok(()) => Outcome::Changed(format!("was {}, tokens {}", was.endpoint, was.tokens)),
            Err(error) => failed(&error),
        },
        _ => Outcome::Skipped("no step of the identity lane".to_owned()),
    }
}

/// Where the responders' profile cannot be had, the instance's own is taken away all the same.
async fn replace_profile(cloud: &dyn Cloud, association: &str, was: &str, with: &str, refused: &AtomicBool) -> Outcome {
    let why = match cloud.replace_profile(association, with).await {
        Ok(()) => return Outcome::Changed(format!("{} in the place of {}", arn_name(with), arn_name(was))),
        // The association has a successor; where it is the profile that is not there, it never will be.
        Err(error) if error.kind == ErrorKind::NotFound && error.code.contains("Association") => {
            return failed_for_now(&error);
        }
        Err(error) if error.is_retryable() => return failed(&error),
        Err(error) => error,
    };
    refused.store(true, Ordering::Relaxed);
    match cloud.disassociate_profile(association).await {
        Err(error) if error.kind != ErrorKind::NotFound => failed(&error),
        Ok(()) | Err(_) => Outcome::Changed(format!(
            "was {}; taken away, since {} could not be put in its place: {why}",
            arn_name(was),
            arn_name(with)
        )),
    }
}

/// Renders the policy whole from the ledger's set, puts it, and puts it again while the set moves meanwhile: two
/// containments of one role at once must both end in the policy.
async fn deny_role(work: &Work<'_>, cloud: &dyn Cloud, role: &str, role_arn: &str, reach: RoleDeny) -> Outcome {
    let shared = Shared::role(role_arn);
    let mut set = match work.ledger.members(&shared).await {
        Ok(set) => set,
        Err(error) => return failed(&error),
    };
    for _ in 0..10 {
        let document = deny_policy::render(&set.members, reach);
        match cloud.put_role_policy(role, deny_policy::NAME, &document).await {
            Ok(()) => {}
            Err(error) if error.kind == ErrorKind::NotFound => {
                return Outcome::Missing("the role is gone, and its credentials with it".to_owned());
            }
            Err(error) if error.code == "LimitExceeded" => {
                return Outcome::Failed(Failure {
                    error: format!(
                        "{error}; a role's inline policies may have {} characters in all: remove others, or use BRIG_ROLE_DENY=role",
                        deny_policy::LONGEST
                    ),
                    retryable: false,
                });
            }
            Err(error) => return failed(&error),
        }
        let now = match work.ledger.members(&shared).await {
            Ok(now) => now,
            Err(error) => return failed(&error),
        };
        if now.version == set.version {
            let who = match reach {
                RoleDeny::Instance => format!("denies {} contained instance(s) of the role", set.members.len()),
                RoleDeny::Role => "denies every session of the role".to_owned(),
            };
            return Outcome::Changed(who);
        }
        set = now;
    }
    Outcome::Failed(Failure { error: "the role's set kept changing while it was put".to_owned(), retryable: true })
}

async fn read_back(
    work: &Work<'_>,
    cloud: &dyn Cloud,
    before: &IdentityLook,
    forensic: Option<&str>,
) -> (IdentityLook, Instance) {
    let roles: Vec<Role> = before.roles.iter().map(|look| look.role.clone()).collect();
    let mut pauses = [200, 400, 800, 1600].into_iter();
    loop {
        let bare = Instance { profile: None, ..work.instance.clone() };
        let (mut seen, instance) = futures::join!(
            look(work.ledger, cloud, &bare, &roles),
            work.within("DescribeInstances", cloud.describe_instance(work.id()))
        );
        // A role that could not be read before is as unknown now.
        for gap in &before.gaps {
            if !seen.gaps.iter().any(|other| other.what == gap.what) {
                seen.gaps.push(gap.clone());
            }
        }
        let instance = match instance {
            Ok(Some(instance)) => instance,
            Ok(None) => work.instance.clone(),
            Err(error) => {
                seen.gaps.push(gap("the metadata options", &error));
                work.instance.clone()
            }
        };
        let settled = identity::facts(&seen, &instance, forensic).iter().all(|fact| fact.truth != Truth::No);
        match pauses.next() {
            Some(pause) if !settled && work.left().as_secs() > 5 => {
                work.clock.sleep(std::time::Duration::from_millis(pause)).await;
            }
            _ => return (seen, instance),
        }
    }
}

/// Who else uses the roles, by every profile that holds them. Beside the effect, since only the report needs it.
async fn sharing(work: &Work<'_>, cloud: &dyn Cloud, seen: &IdentityLook) -> Vec<String> {
    let mut notes = Vec::new();
    for RoleLook { role, .. } in &seen.roles {
        let (profiles, associations) = futures::join!(
            work.within("ListInstanceProfilesForRole", cloud.list_instance_profiles_for_role(&role.name)),
            work.within("DescribeIamInstanceProfileAssociations", cloud.describe_profile_associations(None))
        );
        match (profiles, associations) {
            (Ok(profiles), Ok(associations)) => {
                let siblings: Vec<InstanceId> = associations
                    .iter()
                    .filter(|other| profiles.contains(&other.profile) && other.instance != work.id().as_str())
                    .filter_map(|other| other.instance.parse().ok())
                    .collect();
                notes.extend(identity::sharing(&role.name, &siblings, work.policy.role_deny));
            }
            (Err(error), _) | (_, Err(error)) => {
                let gap = gap(format!("who else uses the role {}", role.name), &error);
                notes.push(format!("{} could not be read: {}", gap.what, gap.error));
            }
        }
    }
    notes
}
