//! The metadata service answers requests with a token alone, and not beyond the instance.

use serde::{Deserialize, Serialize};

use super::{Describe, Undo, gone};
use crate::{
    model::{CredentialsLook, Instance, MetadataOptions},
    step::{
        Lane, Outcome, Plan, Reversal,
        change::{Change, Value, change, word},
        done, skipped,
        undo::{Look, ReleaseScope},
    },
};

/// The metadata service answers requests with a token alone, and not beyond the instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequireTokens {
    /// The options before.
    pub was: MetadataOptions,
}

impl RequireTokens {
    /// What AWS does not take for this instance is not tried again by each verification.
    pub(crate) fn plan(look: &CredentialsLook, instance: &Instance, plan: &mut Plan) {
        let outcome = match &look.metadata_waived {
            _ if Self::is_on(instance) => done("tokens are required, one hop away at most"),
            Some(why) => skipped(why.clone()),
            None => Outcome::Planned,
        };
        plan.add(Self { was: instance.metadata.clone() }.into(), outcome);
    }

    pub(crate) fn is_on(instance: &Instance) -> bool {
        let MetadataOptions { endpoint, tokens, hop_limit, .. } = MetadataOptions::guarded();
        let now = &instance.metadata;
        now.endpoint == endpoint && now.tokens == tokens && now.hop_limit == hop_limit
    }
}

impl Describe for RequireTokens {
    const LANE: Lane = Lane::Credentials;
    const NAME: &'static str = "require_tokens";
    const OPERATION: &'static str = "ModifyInstanceMetadataOptions";
    const IAM_ACTIONS: &'static [&'static str] = &["ec2:ModifyInstanceMetadataOptions"];

    fn resource(&self, instance: &str) -> String {
        instance.to_owned()
    }

    fn change(&self) -> Change {
        let Self { was } = self;
        change("metadata service", Value::Metadata(was.clone()), Value::Metadata(MetadataOptions::guarded()))
    }
}

impl Undo for RequireTokens {
    fn reverse(&self, look: &Look<'_>, whole: ReleaseScope, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        let instance = look.instance;
        let Self { was } = self;
        Some((
            Reversal::RestoreMetadata(RestoreMetadata { options: was.clone() }),
            metadata(was, instance, whole.guards),
        ))
    }
}

/// The metadata service answers as before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestoreMetadata {
    /// The options before.
    pub options: MetadataOptions,
}

impl Describe for RestoreMetadata {
    const LANE: Lane = Lane::Credentials;
    const NAME: &'static str = "restore_metadata";
    const OPERATION: &'static str = "ModifyInstanceMetadataOptions";
    const KEY_WORD: &'static str = "modify_instance_metadata_options";
    const IAM_ACTIONS: &'static [&'static str] = &["ec2:ModifyInstanceMetadataOptions"];

    fn resource(&self, instance: &str) -> String {
        instance.to_owned()
    }

    fn change(&self) -> Change {
        let Self { options } = self;
        change("metadata service", word("as contained"), Value::Metadata(options.clone()))
    }
}

pub(super) fn metadata(was: &MetadataOptions, instance: &Instance, guards: bool) -> Outcome {
    let now = &instance.metadata;
    let same = |options: &MetadataOptions| {
        now.endpoint == options.endpoint && now.tokens == options.tokens && now.hop_limit == options.hop_limit
    };
    match () {
        () if instance.state.is_ending() => gone("the instance is gone"),
        () if same(was) => done(&was.endpoint),
        () if guards && same(&MetadataOptions::guarded()) => Outcome::Planned,
        // Where the containment only turned it off, the rest is not for it to give back.
        () if now.endpoint == was.endpoint && !guards => done(&was.endpoint),
        () if now.endpoint == "disabled" => Outcome::Planned,
        () => {
            let (endpoint, tokens) = (&now.endpoint, &now.tokens);
            let hops = now.hop_limit.map_or_else(|| "unknown".to_owned(), |hops| hops.to_string());
            gone(&format!(
                "the metadata service is {endpoint} now, with tokens {tokens} and hop limit {hops}, which is left alone"
            ))
        }
    }
}
