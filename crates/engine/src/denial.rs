//! The policy of a role that several containments share: rendered whole from the ledger's set, put, and put again while the
//! set moves meanwhile. One call replaces it at one moment; a policy that IAM refuses leaves the one before in force, so
//! that nobody who was denied is ever let go on the way.

use brig_core::{
    ledger::{MemberSet, Shared},
    model::{
        Undenied,
        deny_policy::{self, Form, RoleDeny, RoleOverflow},
    },
};

use crate::{
    ports::{CloudError, ErrorKind, Iam, PortResult},
    stable::{Written, write_until_stable},
    work::Work,
};

/// The role whose policy is written.
#[derive(Clone, Copy)]
pub(crate) struct Denial<'a> {
    pub(crate) role: &'a str,
    pub(crate) role_arn: &'a str,
    pub(crate) instance_arn: &'a str,
    pub(crate) reach: RoleDeny,
}

/// What became of a policy.
pub(crate) enum Put {
    /// It denies all of the set's members.
    Done { form: Form, members: usize },
    /// The role has no room for it; what IAM said, where it was asked.
    Full(Option<CloudError>),
    /// The role is not there.
    NoRole,
    /// The set kept changing.
    Restless,
}

impl Denial<'_> {
    fn shared(&self) -> Shared {
        Shared::role(self.role_arn)
    }

    /// Denies the set's members. An instance that finds no room leaves the set again: it then holds exactly whom the policy
    /// denies, and the next release is written from it.
    pub(crate) async fn deny(&self, work: &Work<'_>, cloud: &dyn Iam) -> PortResult<Put> {
        let set = work.ledger.members(&self.shared()).await?;
        let put = async |set: &MemberSet| self.put(cloud, set, work.policy.role_overflow).await;
        match write_until_stable(set, put, async |put| self.set_after(work, put).await).await? {
            Written::Stands(Put::Full(error)) => {
                work.ledger.leave(&self.shared(), self.instance_arn).await?;
                Ok(Put::Full(error))
            }
            Written::Stands(put) => Ok(put),
            Written::Restless => Ok(Put::Restless),
        }
    }

    /// The set again; none where the role is not there.
    async fn set_after(&self, work: &Work<'_>, put: &Put) -> PortResult<Option<MemberSet>> {
        match put {
            Put::NoRole => Ok(None),
            Put::Done { .. } | Put::Full(_) | Put::Restless => work.ledger.members(&self.shared()).await.map(Some),
        }
    }

    /// Takes the instance out of the set, and writes what is left of it: with the last member the policy goes, or `was`,
    /// which it replaced, is put back. Nothing is written where the policy is somebody else's now.
    pub(crate) async fn allow(
        &self,
        work: &Work<'_>,
        cloud: &dyn Iam,
        was: Option<&str>,
        foreign: bool,
    ) -> PortResult<Put> {
        let set = work.ledger.leave(&self.shared(), self.instance_arn).await?;
        if foreign {
            return Ok(Put::Done { form: Form::Arns, members: set.members.len() });
        }
        let write = async |set: &MemberSet| match (set.members.is_empty(), was) {
            (true, None) => emptied(cloud.delete_role_policy(self.role, deny_policy::NAME).await),
            (true, Some(was)) => emptied(cloud.put_role_policy(self.role, deny_policy::NAME, was).await),
            (false, _) => match self.put(cloud, set, work.policy.role_overflow).await? {
                Put::Full(_) => self.put_less(cloud, set).await,
                put @ (Put::Done { .. } | Put::NoRole | Put::Restless) => Ok(put),
            },
        };
        match write_until_stable(set, write, async |put| self.set_after(work, put).await).await? {
            Written::Stands(put) => Ok(put),
            Written::Restless => Ok(Put::Restless),
        }
    }

    /// Puts the plainest policy that the role has room for.
    async fn put(&self, cloud: &dyn Iam, set: &MemberSet, overflow: RoleOverflow) -> PortResult<Put> {
        let mut full = None;
        for (form, document) in deny_policy::forms(&set.members, self.reach, overflow) {
            match cloud.put_role_policy(self.role, deny_policy::NAME, &document).await {
                Ok(()) => return Ok(Put::Done { form, members: set.members.len() }),
                Err(error) if error.kind == ErrorKind::NotFound => return Ok(Put::NoRole),
                Err(error) if error.kind == ErrorKind::LimitReached => full = Some(error),
                Err(error) => return Err(error),
            }
        }
        Ok(Put::Full(full))
    }

    /// Of a set that holds more than the policy ever had room for, those whom the policy denies stay denied; it shrinks.
    async fn put_less(&self, cloud: &dyn Iam, set: &MemberSet) -> PortResult<Put> {
        let policy = cloud.get_role_policy(self.role, deny_policy::NAME).await?.unwrap_or_default();
        let denied = set.members.iter().filter(|arn| deny_policy::denies(&policy, arn)).cloned().collect();
        self.put(cloud, &MemberSet { members: denied, ..set.clone() }, RoleOverflow::Fail).await
    }

    /// Why a refusal leaves the role's sessions alive.
    pub(crate) fn refused(&self, error: &CloudError) -> Undenied {
        let role = self.role.to_owned();
        let lacks_a_grant = error.denial().is_some_and(brig_core::step::Denial::is_missing_grant);
        if lacks_a_grant { Undenied::NotAllowed { role } } else { Undenied::Refused { role } }
    }
}

fn emptied(answer: PortResult<()>) -> PortResult<Put> {
    match answer {
        Ok(()) => Ok(Put::Done { form: Form::Arns, members: 0 }),
        Err(error) if error.kind == ErrorKind::NotFound => Ok(Put::NoRole),
        Err(error) => Err(error),
    }
}
