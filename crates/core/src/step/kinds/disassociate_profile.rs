//! Takes the instance profile off the instance.

use serde::{Deserialize, Serialize};

use super::{Describe, RestoreProfile, Undo, gone, unread};
use crate::{
    model::Association,
    step::{
        Lane, Outcome, Plan, Reversal,
        change::{Change, Value, change, word},
        done,
        undo::{Look, ReleaseScope},
    },
};

/// Takes the instance profile off the instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisassociateProfile {
    /// The association's id.
    pub association: String,
    /// The profile's ARN.
    pub was: String,
}

impl DisassociateProfile {
    pub(crate) fn plan(association: &Association, plan: &mut Plan) {
        let leaves = association.state.starts_with("disassociat");
        let outcome = if leaves { done(&association.state) } else { Outcome::Planned };
        plan.add(Self { association: association.id.clone(), was: association.profile.clone() }.into(), outcome);
    }
}

impl Describe for DisassociateProfile {
    const LANE: Lane = Lane::Credentials;
    const NAME: &'static str = "disassociate_profile";
    const OPERATION: &'static str = "DisassociateIamInstanceProfile";
    const IAM_ACTIONS: &'static [&'static str] = &["ec2:DisassociateIamInstanceProfile"];

    fn resource(&self, _: &str) -> String {
        self.was.clone()
    }

    fn change(&self) -> Change {
        let Self { was, .. } = self;
        change("instance profile", word(was), Value::Nothing)
    }
}

impl Undo for DisassociateProfile {
    fn reverse(&self, look: &Look<'_>, _: ReleaseScope, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        let Self { was, .. } = self;
        Some(profile(was, None, look))
    }
}

/// The instance gets its profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AssociateProfile {
    /// The profile's ARN.
    pub profile: String,
}

impl Describe for AssociateProfile {
    const LANE: Lane = Lane::Credentials;
    const NAME: &'static str = "associate_profile";
    const OPERATION: &'static str = "AssociateIamInstanceProfile";
    const KEY_WORD: &'static str = "associate_iam_instance_profile";
    const IAM_ACTIONS: &'static [&'static str] = &["ec2:AssociateIamInstanceProfile", "iam:PassRole"];

    fn resource(&self, instance: &str) -> String {
        instance.to_owned()
    }

    fn change(&self) -> Change {
        let Self { profile } = self;
        change("instance profile", Value::Nothing, word(profile))
    }
}

/// Its own profile again: in the place of the responders', or where none is any more.
pub(super) fn profile(was: &str, with: Option<&str>, look: &Look<'_>) -> (Reversal, Outcome) {
    let back = Reversal::AssociateProfile(AssociateProfile { profile: was.to_owned() });
    match look.association.map(|now| now.filter(|now| now.state.starts_with("associat"))) {
        _ if look.instance.state.is_ending() => (back, gone("the instance is gone")),
        None => (back, unread()),
        Some(Some(now)) if Some(now.profile.as_str()) == with => (
            Reversal::ReplaceProfile(RestoreProfile { association: now.id.clone(), profile: was.to_owned() }),
            Outcome::Planned,
        ),
        Some(Some(now)) if now.profile == was => (back, done("associated")),
        Some(Some(now)) => (back, gone(&format!("it has the profile {} now, which is left alone", now.profile))),
        Some(None) => (back, Outcome::Planned),
    }
}
