//! Security groups: Brig's own, and the rules that forensic access gets.

use brig_core::step::{
    AuthorizeForensicAccess, AuthorizeSecurityGroupRules, CreateSecurityGroup, Outcome, RevokeSecurityGroupRules,
};
use futures::future::join_all;

use super::{Access, Effect, Network};
use crate::{
    ports::{ErrorKind, PortResult},
    work::failed,
};

impl<'r> Effect<'r> for CreateSecurityGroup {
    type Room = Network<'r>;

    async fn run(&self, room: Network<'r>) -> Outcome {
        room.create_group(&self.group).await
    }
}

impl<'r> Effect<'r> for RevokeSecurityGroupRules {
    type Room = Network<'r>;

    async fn run(&self, room: Network<'r>) -> Outcome {
        room.revoke_rules(&self.group).await
    }
}

impl<'r> Effect<'r> for AuthorizeSecurityGroupRules {
    type Room = Network<'r>;

    async fn run(&self, room: Network<'r>) -> Outcome {
        room.authorize_group(&self.group).await
    }
}

impl<'r> Effect<'r> for AuthorizeForensicAccess {
    type Room = Access<'r>;

    async fn run(&self, room: Access<'r>) -> Outcome {
        let Self { group, rules } = self;
        let Some(id) = &group.id else { return Outcome::Skipped("its group is not known".into()) };
        let calls = rules.iter().map(|rule| room.authorize_rule(id, rule));
        match join_all(calls).await.into_iter().collect::<PortResult<Vec<()>>>() {
            Ok(_) => Outcome::Changed(format!("{} rule(s), the only ones of {id}", rules.len()).into()),
            // The group holds as many rules as AWS allows: what is open stays open, and the cut is as it was.
            Err(error) if error.kind == ErrorKind::LimitReached => Outcome::Skipped(error.to_string().into()),
            Err(error) => failed(&error),
        }
    }
}
