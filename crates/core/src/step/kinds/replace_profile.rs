//! Puts the responders' instance profile in the place of the instance's own.

use serde::{Deserialize, Serialize};

use super::{Describe, Undo, disassociate_profile::profile};
use crate::{
    model::Association,
    step::{
        Lane, Outcome, Plan, Reversal,
        change::{Change, change, word},
        done,
        undo::{Look, ReleaseScope},
    },
};

/// Puts the responders' instance profile in the place of the instance's own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplaceProfile {
    /// The association's id.
    pub association: String,
    /// The profile's ARN.
    pub was: String,
    /// The ARN of the responders' profile.
    pub with: String,
}

impl ReplaceProfile {
    /// `with` is the ARN of the responders' profile.
    pub(crate) fn plan(association: &Association, with: &str, plan: &mut Plan) {
        let outcome = if association.profile == with { done("the forensic profile") } else { Outcome::Planned };
        let (was, with) = (association.profile.clone(), with.to_owned());
        plan.add(Self { association: association.id.clone(), was, with }.into(), outcome);
    }
}

impl Describe for ReplaceProfile {
    const LANE: Lane = Lane::Credentials;
    const NAME: &'static str = "replace_profile";
    const OPERATION: &'static str = "ReplaceIamInstanceProfileAssociation";
    // The profile of an instance where the responders' cannot be had is taken away.
    const IAM_ACTIONS: &'static [&'static str] =
        &["ec2:DisassociateIamInstanceProfile", "ec2:ReplaceIamInstanceProfileAssociation", "iam:PassRole"];

    fn resource(&self, instance: &str) -> String {
        instance.to_owned()
    }

    fn change(&self) -> Change {
        let Self { was, with, .. } = self;
        change("instance profile", word(was), word(with))
    }
}

impl Undo for ReplaceProfile {
    fn reverse(&self, look: &Look<'_>, _: ReleaseScope, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        let Self { was, with, .. } = self;
        Some(profile(was, Some(with), look))
    }
}

/// The instance gets its profile in the place of the responders'.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreProfile {
    /// The association now.
    pub association: String,
    /// The profile's ARN.
    pub profile: String,
}

impl Describe for RestoreProfile {
    const LANE: Lane = Lane::Credentials;
    const NAME: &'static str = "restore_profile";
    const OPERATION: &'static str = "ReplaceIamInstanceProfileAssociation";
    const KEY_WORD: &'static str = "replace_iam_instance_profile_association";
    const IAM_ACTIONS: &'static [&'static str] = &[
        "ec2:AssociateIamInstanceProfile",
        "ec2:DisassociateIamInstanceProfile",
        "ec2:ReplaceIamInstanceProfileAssociation",
        "iam:PassRole",
    ];

    fn resource(&self, instance: &str) -> String {
        instance.to_owned()
    }

    fn change(&self) -> Change {
        let Self { profile, .. } = self;
        change("instance profile", word("the responders'"), word(profile))
    }
}
