//! A step: one change to one resource, with what it replaces, so that going back needs no guess; and what running it
//! found. Steps are written to the ledger as they are here, before their effect.

mod change;
mod denial;
mod kind;
mod kinds;
mod lane;
mod note;
mod outcome;
mod plan;
pub mod undo;

pub use change::{Change, Switch, Value};
pub use denial::{Denial, PolicyKind};
pub use kind::Kind;
pub use kinds::*;
pub use lane::{Lane, PerLane};
pub use note::{Denied, FleetKind, Note};
pub use outcome::{Detail, Failure, Mark, Outcome, OutcomeKind};
pub use plan::{Plan, Planned};

pub(crate) use kinds::{Quota, plan_deactivation, plan_denial};
pub(crate) use plan::{done, skipped};
use serde::{Deserialize, Serialize};

use crate::{
    model::{
        Holder, Purpose,
        ids::{GroupId, VpcId},
    },
    step::undo::{Look, ReleaseScope},
};

/// A group of ours that exists, or one that an earlier step of the same plan creates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRef {
    pub vpc: VpcId,
    /// What it is for.
    pub purpose: Purpose,
    pub name: String,
    /// Its id, where it exists.
    pub id: Option<GroupId>,
}

macro_rules! step {
    ($($kind:ident)*) => {
        /// One change. `was` is what the change replaces: none where that is unknown (a containment taken over by force).
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, strum::EnumDiscriminants)]
        #[serde(tag = "kind", rename_all = "snake_case")]
        #[strum_discriminants(name(StepKind), derive(strum::EnumIter), doc = "A kind of step, without its resource.", allow(missing_docs))]
        #[expect(missing_docs, reason = "each kind says in its own file what it is")]
        pub enum Step {
            $($kind($kind),)*
            /// Takes a step of containment back.
            GiveBack(Reversal),
        }

        $(impl From<$kind> for Step {
            fn from(step: $kind) -> Self {
                Self::$kind(step)
            }
        })*

        impl Step {
            /// The lane that the step runs in.
            #[must_use]
            pub fn lane(&self) -> Lane {
                match self {
                    $(Self::$kind(_) => $kind::LANE,)*
                    Self::GiveBack(back) => back.lane(),
                }
            }

            /// What the step changes. `instance` is the resource of every step that names no other.
            #[must_use]
            pub fn resource(&self, instance: &str) -> String {
                match self {
                    $(Self::$kind(step) => step.resource(instance),)*
                    Self::GiveBack(back) => back.resource(instance),
                }
            }

            fn key_parts(&self) -> Option<Vec<String>> {
                match self {
                    $(Self::$kind(step) => step.key_parts(),)*
                    Self::GiveBack(_) => None,
                }
            }

            /// What the step replaces, and what it puts there. Policy texts are not shown.
            #[must_use]
            pub fn change(&self) -> Change {
                match self {
                    $(Self::$kind(step) => step.change(),)*
                    Self::GiveBack(back) => back.change(),
                }
            }

            /// Whether it takes a rule of Brig's own groups away that lets any address of the internet in or out.
            #[must_use]
            pub fn closes_to_the_world(&self) -> bool {
                match self {
                    $(Self::$kind(step) => step.closes_to_the_world(),)*
                    Self::GiveBack(_) => false,
                }
            }

            /// Whether it is added to the cut after it: by a setting, or by somebody who asks for a stop. One that is new is
            /// no repair.
            #[must_use]
            pub fn is_escalation(&self) -> bool {
                match self {
                    $(Self::$kind(_) => $kind::IS_FOLLOW_UP,)*
                    Self::GiveBack(_) => false,
                }
            }

            /// Whether it denies, by itself, everything that a user's credentials, or a role's sessions, sign.
            #[must_use]
            pub fn denies_holder(&self) -> bool {
                match self {
                    $(Self::$kind(_) => $kind::DENIES_HOLDER,)*
                    Self::GiveBack(_) => false,
                }
            }

            /// What gives it back, and how that stands by a look of now; none where nothing does.
            pub(crate) fn reverse(
                &self,
                look: &Look<'_>,
                whole: ReleaseScope,
                plan: &mut Plan,
            ) -> Option<(Reversal, Outcome)> {
                match self {
                    $(Self::$kind(step) => step.reverse(look, whole, plan),)*
                    Self::GiveBack(_) => None,
                }
            }
        }

        impl Step {
            /// What gives a step on a user or a role back, and how that stands by a look of now; none where nothing does.
            pub(crate) fn reverse_of_holder(&self, holder: &Holder, plan: &mut Plan) -> Option<(Reversal, Outcome)> {
                match self {
                    $(Self::$kind(step) => step.reverse_of_holder(holder, plan),)*
                    Self::GiveBack(_) => None,
                }
            }
        }

        impl StepKind {
            /// The IAM actions that a step of this kind needs; a step of a release has those of its reversal.
            #[must_use]
            pub fn iam_actions(self) -> &'static [&'static str] {
                match self {
                    $(Self::$kind => $kind::IAM_ACTIONS,)*
                    Self::GiveBack => &[],
                }
            }

            fn name(self) -> &'static str {
                match self {
                    $(Self::$kind => $kind::NAME,)*
                    Self::GiveBack => "give_back",
                }
            }

            fn operation(self) -> &'static str {
                match self {
                    $(Self::$kind => $kind::OPERATION,)*
                    // Its reversal has its own.
                    Self::GiveBack => "",
                }
            }

            fn key_word(self) -> &'static str {
                match self {
                    $(Self::$kind => $kind::KEY_WORD,)*
                    Self::GiveBack => self.name(),
                }
            }
        }
    };
}
crate::for_each_step!(step);

macro_rules! reversal {
    ($($variant:ident($kind:ident))*) => {
        /// One thing that is given back: a step of a release, the reverse of one of containment.
        #[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, strum::EnumDiscriminants)]
        #[serde(tag = "back", rename_all = "snake_case")]
        #[strum_discriminants(
            name(ReversalKind),
            derive(strum::EnumIter),
            doc = "A kind of reversal, without its resource.",
            allow(missing_docs)
        )]
        #[expect(missing_docs, reason = "each kind says in its own file what it is")]
        pub enum Reversal {
            $($variant($kind),)*
        }

        $(impl From<$kind> for Reversal {
            fn from(back: $kind) -> Self {
                Self::$variant(back)
            }
        })*

        impl Reversal {
            /// The lane that the step belongs to.
            #[must_use]
            pub fn lane(&self) -> Lane {
                match self {
                    $(Self::$variant(_) => $kind::LANE,)*
                }
            }

            /// What the step changes.
            #[must_use]
            pub fn resource(&self, instance: &str) -> String {
                match self {
                    $(Self::$variant(back) => back.resource(instance),)*
                }
            }

            /// What the step replaces, and what it puts there.
            #[must_use]
            pub fn change(&self) -> Change {
                match self {
                    $(Self::$variant(back) => back.change(),)*
                }
            }
        }

        impl ReversalKind {
            /// The IAM actions that a step of this kind needs.
            #[must_use]
            pub fn iam_actions(self) -> &'static [&'static str] {
                match self {
                    $(Self::$variant => $kind::IAM_ACTIONS,)*
                }
            }

            fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $kind::NAME,)*
                }
            }

            fn operation(self) -> &'static str {
                match self {
                    $(Self::$variant => $kind::OPERATION,)*
                }
            }

            fn key_word(self) -> &'static str {
                match self {
                    $(Self::$variant => $kind::KEY_WORD,)*
                }
            }
        }
    };
}
crate::for_each_reversal!(reversal);

impl Step {
    /// The step's name within its containment: the same step planned again has the same key, and the ledger keeps what
    /// the first plan of it replaced.
    #[must_use]
    pub fn key(&self, instance: &str) -> String {
        let base = format!("{}/{}/{}", self.lane().key_word(), self.kind().key_word(), self.resource(instance));
        if matches!(self, Self::GiveBack(_)) {
            return if base.len() < 900 {
                format!("release/{base}")
            } else {
                format!("release/{}/{:016x}", self.kind().key_word(), fnv1a(&base))
            };
        }
        let Some(mut parts) = self.key_parts() else { return base };
        parts.sort_unstable();
        format!("{base}#{:016x}", fnv1a(&parts.join(",")))
    }

    /// The IAM actions that the step's calls need, its own comparing reads included.
    #[must_use]
    pub fn iam_actions(&self) -> &'static [&'static str] {
        if let Self::GiveBack(back) = self {
            return ReversalKind::from(back).iam_actions();
        }
        StepKind::from(self).iam_actions()
    }
}

/// A short name for a list (FNV-1a, 64 bit): the ledger's keys have at most 1,024 bytes.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod every;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_the_same_after_a_round_through_the_ledger() {
        let step = Step::Isolate(Isolate {
            eni: "eni-1".into(),
            was: Some(vec!["sg-1".into()]),
            isolation: GroupRef {
                vpc: "vpc-1".into(),
                purpose: Purpose::Isolation,
                name: "brig-isolation".to_owned(),
                id: None,
            },
        });
        let text = serde_json::to_string(&step).expect("serialises");
        assert_eq!(serde_json::from_str::<Step>(&text).expect("reads back"), step);
        assert_eq!(step.key("i-1"), "network/isolate/eni-1");
    }

    #[test]
    fn a_list_is_in_the_key_though_it_is_empty() {
        let none = Step::KeepVolumes(KeepVolumes { was: Vec::new() });
        assert_eq!(none.key("i-1"), "evidence/modify_instance_attribute/i-1/blockDeviceMapping#cbf29ce484222325");
    }
}
