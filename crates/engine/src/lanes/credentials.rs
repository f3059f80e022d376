//! The credentials lane's effects. Plans come from `brig_core::lanes::credentials`.

use std::{
    collections::BTreeMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use brig_core::{
    lanes::credentials,
    ledger::{Named, Shared, StepRecord},
    model::{
        CredentialsLook, Instance, Role, RoleLook, Undenied, Unresolved,
        deny_policy::{self, RoleDeny},
        gap::{Gap, Subject},
        ids::{Arn, InstanceId, arn_name},
        text::Sentence,
    },
    report::fact::{self, Promise, Truth},
    step::{Denied, DenyRole, DisassociateProfile, Lane, Note, Outcome, Plan, ReplaceProfile, Step},
};
use futures::future::join_all;

use crate::{
    effects::{self, Room},
    ports::{CloudError, CredentialsPorts, ErrorKind, Iam, Ledger, PortResult},
    stable::{self, PAUSES, Shown},
    work::{LaneReport, Work, gap, merge},
};

pub(crate) async fn run(work: &Work<'_>, cloud: &dyn CredentialsPorts) -> LaneReport {
    let mut report = LaneReport::default();
    let known = roles_of(&work.recorded(Lane::Credentials));
    let forensic = work.policy.forensic_profile(&work.instance.account);
    let forensic = forensic.as_deref();
    let own = work.instance.profile.clone().filter(|profile| Some(profile.as_str()) != forensic);
    let profile = own.or_else(|| recorded_profile(work));
    let instance = Instance { profile, ..work.instance.clone() };
    let named = without(work.named.clone(), forensic);
    let mut seen = look(work.ledger, cloud, &instance, &known, &named).await;
    if work.should_look_twice(&seen.gaps) {
        seen = look(work.ledger, cloud, &instance, &known, &named).await;
    }
    seen.metadata_waived = credentials::metadata_waived(&work.recorded(Lane::Credentials));
    let plan = credentials::plan(&seen, &work.instance, work.policy.role_deny, forensic);
    report.note_all(&plan);
    // Both are writes to the ledger before any effect: the set must hold the instance before a policy is rendered from it.
    let (intent, joined) = futures::join!(work.intend(&plan), join_sets(work, &plan));
    let intent = intent.and(joined);
    let refused = Refused::default();
    let room = Room::Credentials(effects::Credentials { work, cloud, refused: &refused });
    let (mut done, siblings) = futures::join!(
        work.run_if(&intent, &plan, |step| async move { effects::run(&step, room).await }),
        siblings(work, cloud, &seen)
    );
    seen.refused = refused.roles();
    if refused.profile.load(Ordering::Relaxed) {
        let plan = credentials::plan_without_profile(&work.instance);
        done.extend(work.run(&plan, |step| async move { effects::run(&step, room).await }).await);
    }
    seen.metadata_waived = seen.metadata_waived.or_else(|| refused.metadata());
    let (recorded, (after, instance)) = futures::join!(work.finish(&done), read_back(work, cloud, &seen, forensic));
    for note in shared(work, &after, siblings) {
        report.note(note);
    }
    report.look_again |= !recorded || after.gaps.iter().any(|gap| gap.retryable);
    report.look_again |= after.unresolved.iter().any(|unresolved| unresolved.retryable);
    merge(&mut report.done, done);
    report.facts = fact::credentials::facts(&after, &instance, forensic);
    let holds = report.facts.iter().any(|fact| fact.what == Promise::ForensicProfile);
    if holds && work.policy.forensic_access.is_none() && work.instance.state.has_flows() {
        report.note(Note::NoSessionStarts);
    }
    if report.done.iter().all(|done| !matches!(done.outcome, Outcome::Failed(_) | Outcome::Skipped(_))) {
        report.look_again |= brig_core::report::fact::not_yet_visible(&mut report.facts);
    }
    if report.done.iter().any(|done| matches!((&done.step, &done.outcome), (Step::DenyRole(_), Outcome::Changed(_)))) {
        report.note(Note::DenialTakesTime);
        report.note(Note::NotCovered);
    }
    let complete = after.gaps.is_empty();
    work.recap(Lane::Credentials, &mut report, complete);
    report
}

/// What was refused on the way, and what hangs on it.
#[derive(Default)]
pub(crate) struct Refused {
    /// The responders' profile could not be had.
    pub(crate) profile: AtomicBool,
    /// Why AWS does not take the metadata options.
    pub(crate) metadata: Mutex<Option<Sentence>>,
    /// Roles (ARNs) whose policy could not be written, for good.
    roles: Mutex<BTreeMap<String, Undenied>>,
}

impl Refused {
    fn metadata(&self) -> Option<Sentence> {
        self.metadata.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn role(&self, arn: &str, why: Undenied) {
        self.roles.lock().unwrap_or_else(PoisonError::into_inner).insert(arn.to_owned(), why);
    }

    fn roles(&self) -> BTreeMap<String, Undenied> {
        self.roles.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A role that is known already, and whom its denial on record hits.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    role: Role,
    reach: Option<RoleDeny>,
}

/// What findings named, without the responders' own profile.
pub(crate) fn without(mut named: Named, forensic: Option<&str>) -> Named {
    named.profiles.retain(|profile| Some(profile.as_str()) != forensic);
    named
}

/// Reads what the plan needs: the profile's association, the roles behind it and those that findings named, their policies
/// and sets.
pub(crate) async fn look(
    ledger: &dyn Ledger,
    cloud: &dyn CredentialsPorts,
    instance: &Instance,
    known: &[Known],
    named: &Named,
) -> CredentialsLook {
    let mut seen = CredentialsLook::default();
    let profile = async {
        match &instance.profile {
            Some(arn) => cloud.get_instance_profile(arn_name(arn)).await.map(|profile| Some(profile.role)),
            None => Ok(None),
        }
    };
    let (associations, role, found) = futures::join!(
        cloud.describe_profile_associations(Some(&instance.id)),
        profile,
        found(cloud, instance, known, named)
    );
    match associations {
        // A disassociated one may be listed for a while together with its successor.
        Ok(mut found) => {
            found.sort_by_key(|association| !association.state.starts_with("associat"));
            seen.association = found.into_iter().find(|association| association.state != "disassociated");
        }
        Err(error) => seen.gaps.push(gap(Subject::Association, &error)),
    }
    let mut roles = known.to_vec();
    match role {
        Ok(Some(Some(role))) => add(&mut roles, Known { role, reach: None }),
        Ok(Some(None)) => seen.empty_profiles.extend(instance.profile.clone()),
        Ok(None) => {}
        // IAM may not show a profile yet that EC2 already uses; and credentials outlive a profile that was deleted.
        Err(error) if error.kind == ErrorKind::NotFound => {
            let gap = gap(Subject::ProfileRole, &error);
            seen.gaps.push(Gap { retryable: true, ..gap });
        }
        Err(error) => seen.gaps.push(gap(Subject::ProfileRole, &error)),
    }
    for found in found {
        match found {
            Found::Role(role) => add(&mut roles, Known { role, reach: Some(RoleDeny::Instance) }),
            Found::Empty(profile) => seen.empty_profiles.push(profile),
            // The finding names the role itself, which was found: that its profile is gone by now is a note, and nothing is missing.
            Found::Gone(profile, _) if roles.iter().any(|known| named.roles.contains(&known.role.name)) => {
                seen.empty_profiles.push(profile);
            }
            Found::Gone(_, unresolved) | Found::Not(unresolved) => seen.unresolved.push(unresolved),
        }
    }
    let looks = roles.into_iter().map(|Known { role, reach }| async move {
        let shared = Shared::role(&role.arn);
        let (policy, set) =
            futures::join!(cloud.get_role_policy(&role.name, deny_policy::NAME), ledger.members(&shared));
        let mut gaps = Vec::new();
        // A policy that cannot be read can still be put, and a role that is known must be denied all the same.
        let unread = policy.is_err();
        let policy = policy.unwrap_or_else(|error| {
            gaps.push(gap(Subject::RolePolicy(role.name.clone()), &error));
            None
        });
        let denied = set.map_or_else(
            |error| {
                gaps.push(gap(Subject::RoleSet(role.name.clone()), &error));
                Vec::new()
            },
            |set| set.members,
        );
        (RoleLook { role, policy, unread, denied, reach }, gaps)
    });
    for (look, gaps) in join_all(looks).await {
        seen.roles.push(look);
        seen.gaps.extend(gaps);
    }
    seen
}

/// One role once: what is known of it first stays.
fn add(roles: &mut Vec<Known>, more: Known) {
    if roles.iter().all(|known| known.role.arn != more.role.arn) {
        roles.push(more);
    }
}

/// What IAM says of something that a finding named.
enum Found {
    Role(Role),
    /// The profile holds no role.
    Empty(String),
    /// IAM knows no such profile.
    Gone(String, Unresolved),
    Not(Unresolved),
}

/// Looks up the roles and profiles that findings named and that are not known otherwise. A role is asked for by its name:
/// its ARN has a path that no finding shows.
async fn found(cloud: &dyn Iam, instance: &Instance, known: &[Known], named: &Named) -> Vec<Found> {
    let unresolved = |what: Undenied, error: &CloudError| Unresolved {
        what,
        error: Sentence::new(crate::work::failure(error)),
        retryable: error.is_retryable(),
    };
    let roles = named.roles.iter().filter(|name| known.iter().all(|known| known.role.name != **name));
    let roles = join_all(roles.map(|name| async move {
        match cloud.get_role(name).await.map(|seen| seen.map(|seen| seen.role)) {
            Ok(Some(role)) => Found::Role(role),
            Ok(None) => {
                let error = "GetRole knows none".into();
                let what = Undenied::NoSuchRole { role: name.clone() };
                Found::Not(Unresolved { what, error, retryable: false })
            }
            Err(error) => Found::Not(unresolved(Undenied::RoleUnread { role: name.clone() }, &error)),
        }
    }));
    let here = |arn: &str| Arn::parse(arn).is_some_and(|arn| arn.account == instance.account.as_str());
    let profiles = named.profiles.iter().filter(|arn| here(arn) && instance.profile.as_ref() != Some(*arn)).map(
        |arn| async move {
            match cloud.get_instance_profile(arn_name(arn)).await {
                Ok(profile) => profile.role.map_or_else(|| Found::Empty(arn.clone()), Found::Role),
                Err(error) => {
                    let unresolved = unresolved(Undenied::ProfileUnread { profile: arn.clone() }, &error);
                    if error.kind == ErrorKind::NotFound {
                        Found::Gone(arn.clone(), unresolved)
                    } else {
                        Found::Not(unresolved)
                    }
                }
            }
        },
    );
    let (roles, profiles) = futures::join!(roles, join_all(profiles));
    roles.into_iter().chain(profiles).collect()
}

/// Roles that earlier attempts recorded: once the profile is gone, only the ledger knows them.
pub(crate) fn roles_of(records: &[StepRecord]) -> Vec<Known> {
    let role = |record: &StepRecord| {
        let Step::DenyRole(DenyRole { role, role_arn, reach, .. }) = &record.step else { return None };
        Some(Known { role: Role { name: role.clone(), arn: role_arn.clone() }, reach: Some(*reach) })
    };
    records.iter().filter_map(role).collect()
}

/// The profile that an earlier attempt took away: where that attempt could not read its role, this one can.
fn recorded_profile(work: &Work<'_>) -> Option<String> {
    work.recorded(Lane::Credentials).into_iter().find_map(|record| {
        let (Step::DisassociateProfile(DisassociateProfile { was, .. })
        | Step::ReplaceProfile(ReplaceProfile { was, .. })) = record.step
        else {
            return None;
        };
        Some(was)
    })
}

async fn join_sets(work: &Work<'_>, plan: &Plan) -> PortResult<()> {
    let joins = plan.todo().filter_map(|step| {
        let Step::DenyRole(DenyRole { role_arn, instance_arn, .. }) = step else { return None };
        Some(async move { work.ledger.join(&Shared::role(role_arn), instance_arn).await })
    });
    join_all(joins).await.into_iter().try_for_each(|answer| answer.map(|_| ()))
}

async fn read_back(
    work: &Work<'_>,
    cloud: &dyn CredentialsPorts,
    before: &CredentialsLook,
    forensic: Option<&str>,
) -> (CredentialsLook, Instance) {
    let roles: Vec<Known> =
        before.roles.iter().map(|look| Known { role: look.role.clone(), reach: look.reach }).collect();
    let nothing = Named::default();
    stable::read_back(work, &PAUSES, async || {
        let bare = Instance { profile: None, ..work.instance.clone() };
        let (mut seen, instance) = futures::join!(
            look(work.ledger, cloud, &bare, &roles, &nothing),
            work.within("DescribeInstances", cloud.describe_instance(work.id()))
        );
        seen.empty_profiles.clone_from(&before.empty_profiles);
        seen.unresolved.clone_from(&before.unresolved);
        seen.refused.clone_from(&before.refused);
        seen.metadata_waived.clone_from(&before.metadata_waived);
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
                seen.gaps.push(gap(Subject::MetadataOptions, &error));
                work.instance.clone()
            }
        };
        let settled = fact::credentials::facts(&seen, &instance, forensic).iter().all(|fact| fact.truth != Truth::No);
        Shown::when(settled, (seen, instance))
    })
    .await
}

/// Other instances with one of a role's profiles, by the role's ARN.
type Siblings = BTreeMap<String, Result<Vec<InstanceId>, Gap>>;

/// Who else uses the roles, by every profile that holds them. During the effect, since only the report needs it.
async fn siblings(work: &Work<'_>, cloud: &dyn CredentialsPorts, seen: &CredentialsLook) -> Siblings {
    let mut found = Siblings::new();
    for RoleLook { role, .. } in &seen.roles {
        let (profiles, associations) = futures::join!(
            work.within("ListInstanceProfilesForRole", cloud.list_instance_profiles_for_role(&role.name)),
            work.within("DescribeIamInstanceProfileAssociations", cloud.describe_profile_associations(None))
        );
        let siblings = match (profiles, associations) {
            (Ok(profiles), Ok(associations)) => Ok(associations
                .iter()
                .filter(|other| profiles.contains(&other.profile) && other.instance != work.id().as_str())
                .filter_map(|other| other.instance.parse().ok())
                .collect()),
            (Err(error), _) | (_, Err(error)) => Err(gap(Subject::RoleUsers(role.name.clone()), &error)),
        };
        found.insert(role.arn.clone(), siblings);
    }
    found
}

/// What the denials do to others, by the policies as they were read back.
fn shared(work: &Work<'_>, after: &CredentialsLook, mut siblings: Siblings) -> Vec<Note> {
    let of = |look: &RoleLook| match siblings.remove(&look.role.arn)? {
        Ok(siblings) => {
            let reach = look.reach.unwrap_or(work.policy.role_deny);
            let denied = Denied::seen(look.policy.as_deref(), reach);
            credentials::sharing(&look.role.name, siblings, denied)
        }
        Err(gap) => Some(Note::Gap(gap)),
    };
    after.roles.iter().filter_map(of).collect()
}
