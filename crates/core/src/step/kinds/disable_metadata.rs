//! Turns the metadata service off.

use serde::{Deserialize, Serialize};

use super::{Describe, RestoreMetadata, Undo, require_tokens::metadata};
use crate::{
    model::{CredentialsLook, Instance, MetadataOptions},
    step::{
        Lane, Outcome, Plan, Reversal,
        change::{Change, Switch, Value, change},
        done, skipped,
        undo::{Look, ReleaseScope},
    },
};

/// Turns the metadata service off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DisableMetadata {
    /// The options before.
    pub was: MetadataOptions,
}

impl DisableMetadata {
    /// What AWS does not take for this instance is not tried again by each verification.
    pub(crate) fn plan(look: &CredentialsLook, instance: &Instance, plan: &mut Plan) {
        let outcome = match &look.metadata_waived {
            _ if instance.metadata.endpoint == "disabled" => done("the metadata service is off"),
            Some(why) => skipped(why.clone()),
            None => Outcome::Planned,
        };
        plan.add(Self { was: instance.metadata.clone() }.into(), outcome);
    }
}

impl Describe for DisableMetadata {
    const LANE: Lane = Lane::Credentials;
    const NAME: &'static str = "disable_metadata";
    const OPERATION: &'static str = "ModifyInstanceMetadataOptions";
    const IAM_ACTIONS: &'static [&'static str] = &["ec2:ModifyInstanceMetadataOptions"];

    fn resource(&self, instance: &str) -> String {
        instance.to_owned()
    }

    fn change(&self) -> Change {
        let Self { was } = self;
        change("metadata service", Value::Metadata(was.clone()), Value::Switch(Switch::Off))
    }
}

impl Undo for DisableMetadata {
    fn reverse(&self, look: &Look<'_>, whole: ReleaseScope, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        let instance = look.instance;
        let Self { was } = self;
        Some((
            Reversal::RestoreMetadata(RestoreMetadata { options: was.clone() }),
            metadata(was, instance, whole.guards),
        ))
    }
}
