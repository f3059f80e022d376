//! Tags the instance with its containment; release takes the tags away.

use serde::{Deserialize, Serialize};

use super::{Describe, Undo, gone};
use crate::{
    model::{
        Instance,
        ids::ContainmentId,
        tags::{CONTAINMENT_TAG, STATE_TAG},
    },
    step::{
        Lane, Outcome, Plan, Reversal,
        change::{Change, Value, change},
        done,
        undo::{Look, ReleaseScope},
    },
};

/// Tags the instance with its containment; release takes the tags away.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TagInstance;

impl TagInstance {
    pub(crate) fn plan(instance: &Instance, containment: &ContainmentId, plan: &mut Plan) {
        if !instance.state.is_over() {
            let outcome = if Self::is_on(instance, containment) { done("tagged") } else { Outcome::Planned };
            plan.add(Self.into(), outcome);
        }
    }

    pub(crate) fn is_on(instance: &Instance, containment: &ContainmentId) -> bool {
        instance.tags.get(CONTAINMENT_TAG).is_some_and(|id| id == containment.as_str())
    }
}

impl Describe for TagInstance {
    const LANE: Lane = Lane::Evidence;
    const NAME: &'static str = "tag_instance";
    const OPERATION: &'static str = "CreateTags";
    const KEY_WORD: &'static str = "create_tags";
    const IAM_ACTIONS: &'static [&'static str] = &["ec2:CreateTags"];

    fn resource(&self, instance: &str) -> String {
        instance.to_owned()
    }

    fn change(&self) -> Change {
        let tags = vec![CONTAINMENT_TAG.to_owned(), STATE_TAG.to_owned()];
        change("tags", Value::Nothing, Value::List(tags))
    }
}

impl Undo for TagInstance {
    fn reverse(&self, look: &Look<'_>, _: ReleaseScope, _: &mut Plan) -> Option<(Reversal, Outcome)> {
        let instance = look.instance;
        let ended = instance.state.is_ending();
        let tag = instance.tags.get(CONTAINMENT_TAG);
        let outcome = match tag {
            _ if ended => gone("the instance is gone"),
            Some(_) => Outcome::Planned,
            None => done("without Brig's tags"),
        };
        Some((Reversal::DeleteTags(DeleteTags), outcome))
    }
}

/// Brig's tags go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeleteTags;

impl Describe for DeleteTags {
    const LANE: Lane = Lane::Evidence;
    const NAME: &'static str = "delete_tags";
    const OPERATION: &'static str = "DeleteTags";
    const IAM_ACTIONS: &'static [&'static str] = &["ec2:DeleteTags"];

    fn resource(&self, instance: &str) -> String {
        instance.to_owned()
    }

    fn change(&self) -> Change {
        let tags = vec![CONTAINMENT_TAG.to_owned(), STATE_TAG.to_owned()];
        change("tags", Value::List(tags), Value::Nothing)
    }
}
