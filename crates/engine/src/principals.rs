//! Containing an IAM user, or the sessions of a role: the same promises as for an instance, by other means. Deny everything first, then turn each
//! credential off, read back at once and again while IAM's reads may lag, and give back exactly what was changed.

mod arrive;
mod attempt;
mod contain;
mod release;
mod tell;
mod verify;

pub use verify::PrincipalStanding;

use std::sync::Arc;

use brig_core::{
    decide::Decided,
    lanes::holder::Terms,
    ledger::{Conclusion, Records},
    model::{Holder, KeyUse, Principal, ids::TargetKey},
    report::principal::{PrincipalAnswer, Timings},
    trigger::Finding,
};

use crate::{
    engine::{Engine, Invocation, Occasion},
    ports::{Cloud, CloudError},
    rulebook::InForce,
};

/// One finding about a principal in one invocation.
#[derive(Clone, Copy)]
pub(crate) struct UserCase<'a> {
    pub(crate) finding: &'a Finding<Principal>,
    pub(crate) occasion: Occasion<'a>,
    pub(crate) invocation: &'a Invocation,
}

/// The user or the role, found and looked at.
pub(crate) struct UserScene {
    pub(crate) cloud: Arc<dyn Cloud>,
    pub(crate) key: TargetKey,
    pub(crate) seen: Holder,
    /// It was contained, and somebody has deleted it since.
    pub(crate) gone: bool,
    /// How the key that was named was last used.
    pub(crate) used: Option<KeyUse>,
    pub(crate) records: Records,
    pub(crate) in_force: Arc<InForce>,
    pub(crate) terms: Terms,
    pub(crate) timings: Timings,
}

/// Why no user could be looked at.
pub(crate) enum UserStop {
    /// What the finding alone, or the principal, settles.
    Decided(Decided),
    /// A read failed.
    Failed(CloudError),
}

impl Engine {
    /// An answer for a finding about which nothing was done.
    pub(crate) fn nothing_about(&self, case: UserCase<'_>, decided: Decided, outcome: Conclusion) -> PrincipalAnswer {
        let timings_ms = Timings { done: Some(self.elapsed(case.invocation)), ..Timings::default() };
        PrincipalAnswer {
            timings_ms,
            at: Some(self.clock.now()),
            ..PrincipalAnswer::nothing_done(case.finding, None, decided, outcome)
        }
    }

    /// The same where the user or the role is known.
    pub(crate) fn nothing_of(
        &self,
        case: UserCase<'_>,
        key: &TargetKey,
        decided: Decided,
        outcome: Conclusion,
    ) -> PrincipalAnswer {
        let timings_ms = Timings { done: Some(self.elapsed(case.invocation)), ..Timings::default() };
        PrincipalAnswer {
            account: key.account().clone(),
            timings_ms,
            at: Some(self.clock.now()),
            ..PrincipalAnswer::nothing_done(case.finding, Some(key), decided, outcome)
        }
    }
}
