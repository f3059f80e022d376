//! The role's inline policies: that of contained instances, in which two containments at once must both end, and that of
//! its earlier sessions.

use brig_core::{
    model::{
        Undenied,
        deny_policy::{self, Form, RoleDeny},
    },
    step::{AllowRole, AllowRoleSessions, DenyRole, DenyRoleSessions, Failure, Outcome},
};

use super::{Credentials, Effect, Principals, Release, outcome};
use crate::{
    denial::{Denial, Put},
    ports::ErrorKind,
    work::failed,
};

impl<'r> Effect<'r> for DenyRole {
    type Room = Credentials<'r>;

    async fn run(&self, room: Credentials<'r>) -> Outcome {
        let Credentials { work, cloud, refused } = room;
        let Self { role, role_arn, instance_arn, reach, .. } = self;
        let denial = Denial { role, role_arn, instance_arn, reach: *reach };
        match denial.deny(work, cloud).await {
            Ok(Put::Done { form: Form::Role, .. }) if denial.reach == RoleDeny::Instance => Outcome::Changed(
                "denies every session of the role: its policy has no room to name the contained instances".into(),
            ),
            Ok(Put::Done { form: Form::Role, .. }) => Outcome::Changed("denies every session of the role".into()),
            Ok(Put::Done { form: Form::Arns | Form::Ids, members }) => {
                Outcome::Changed(format!("denies {members} contained instance(s) of the role").into())
            }
            Ok(Put::Full(error)) => {
                refused.role(denial.role_arn, Undenied::PolicyFull { role: denial.role.to_owned() });
                let said = error.map_or_else(String::new, |error| format!("{error}; "));
                let error = format!(
                    "{said}the role has no room to name this instance too: all inline policies of a role have {} characters together. Those denied before stay denied. Remove other inline policies of the role, or set BRIG_ROLE_DENY_OVERFLOW=role, which denies every user of the role",
                    deny_policy::LONGEST
                );
                Outcome::Failed(Failure::lasting(error))
            }
            Ok(Put::NoRole) => Outcome::Missing("the role is gone, and its credentials with it".into()),
            Ok(Put::Restless) => restless(),
            Err(error) => {
                if !error.is_retryable() {
                    refused.role(denial.role_arn, denial.refused(&error));
                }
                failed(&error)
            }
        }
    }
}

impl<'r> Effect<'r> for AllowRole {
    type Room = Release<'r>;

    async fn run(&self, room: Release<'r>) -> Outcome {
        let Release { work, lanes } = room;
        let Self { role, role_arn, instance_arn, reach, was, foreign } = self;
        let denial = Denial { role, role_arn, instance_arn, reach: *reach };
        match denial.allow(work, lanes.credentials.as_ref(), was.as_deref(), *foreign).await {
            Ok(Put::Done { .. }) if *foreign => {
                Outcome::Changed("the policy now belongs to someone else and stays".into())
            }
            Ok(Put::Done { members: 0, .. }) => Outcome::Changed("the denial is gone".into()),
            Ok(Put::Done { members, .. }) => {
                Outcome::Changed(format!("{members} other contained instance(s) stay denied").into())
            }
            Ok(Put::NoRole) => Outcome::Missing("the role is gone".into()),
            Ok(Put::Full(error)) => {
                let said = error.map_or_else(String::new, |error| format!("{error}; "));
                let error = format!(
                    "{said}every session of the role stays denied: its policy has no room to name the instances that are still contained"
                );
                Outcome::Failed(Failure::lasting(error))
            }
            Ok(Put::Restless) => restless(),
            Err(error) => failed(&error),
        }
    }
}

fn restless() -> Outcome {
    Outcome::Failed(Failure::passing("the role's set kept changing while it was put"))
}

impl<'r> Effect<'r> for DenyRoleSessions {
    type Room = Principals<'r>;

    async fn run(&self, cloud: Self::Room) -> Outcome {
        let role = self.role.as_str();
        // Between the plan and now a later finding may have denied more, or somebody written another policy.
        match cloud.get_role_policy(role, deny_policy::SESSIONS).await {
            Ok(Some(now)) => match deny_policy::sessions_denied_before(&now) {
                Some(denied) if denied >= self.before => {
                    return Outcome::AlreadyDone("the role denies those sessions".into());
                }
                None if self.was.as_ref() != Some(&now) => {
                    return Outcome::Failed(Failure::passing(
                        "somebody wrote a policy of that name meanwhile; the next attempt records it first",
                    ));
                }
                Some(_) | None => {}
            },
            Ok(None) => {}
            Err(error) => return failed(&error),
        }
        let document = deny_policy::render_sessions(self.before);
        match cloud.put_role_policy(role, deny_policy::SESSIONS, &document).await {
            Err(error) if error.kind == ErrorKind::LimitReached => Outcome::Failed(Failure::lasting(format!(
                "the role's inline policies have no room for another one ({} characters together), so its sessions go on: {error}",
                deny_policy::LONGEST
            ))),
            answer => outcome(answer, "the role is gone"),
        }
    }
}

impl<'r> Effect<'r> for AllowRoleSessions {
    type Room = Principals<'r>;

    async fn run(&self, cloud: Self::Room) -> Outcome {
        let role = self.role.as_str();
        // Between the plan and now somebody may have written another one: that stays.
        match cloud.get_role_policy(role, deny_policy::SESSIONS).await {
            Ok(now) if now == self.was => return Outcome::AlreadyDone("the policy is as it was".into()),
            Ok(Some(now)) if deny_policy::sessions_denied_before(&now).is_none() => {
                return Outcome::Missing("the policy is another one by now, which is left alone".into());
            }
            Ok(_) => {}
            Err(error) => return failed(&error),
        }
        let answer = match &self.was {
            Some(was) => cloud.put_role_policy(role, deny_policy::SESSIONS, was).await,
            None => cloud.delete_role_policy(role, deny_policy::SESSIONS).await,
        };
        outcome(answer, "the role is gone")
    }
}
