//! What kinds of steps there are, and what each is called: in reports, in AWS's API, and in the ledger's keys.

use std::fmt;

use serde::{Serialize, Serializer};

use super::{Lane, ReversalKind, Step, StepKind};

/// A kind of step, of a containment or of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// One of a containment.
    Contain(StepKind),
    /// One of a release.
    Release(ReversalKind),
}

impl Kind {
    /// The kind's name in reports. No other kind has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Contain(kind) => kind.name(),
            Self::Release(kind) => kind.name(),
        }
    }

    /// The API operation that makes the change, as CloudTrail names it; the first one, where a step needs several.
    #[must_use]
    pub fn operation(self) -> &'static str {
        match self {
            Self::Contain(kind) => kind.operation(),
            Self::Release(kind) => kind.operation(),
        }
    }

    /// Its word in the ledger's keys. Records of every version are found by it, so it never changes; the resource in the key
    /// tells kinds apart that share one.
    #[must_use]
    pub fn key_word(self) -> &'static str {
        match self {
            Self::Contain(kind) => kind.key_word(),
            Self::Release(kind) => kind.key_word(),
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Step {
    /// What kind of step it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        if let Self::GiveBack(back) = self { Kind::Release(back.into()) } else { Kind::Contain(self.into()) }
    }

    /// The step's name in reports.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.kind().name()
    }
}

impl Lane {
    /// The lane's word in the ledger's keys, which never changes.
    #[must_use]
    pub fn key_word(self) -> &'static str {
        match self {
            Self::Credentials => "identity",
            Self::Network | Self::Fleet | Self::Evidence => self.name(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use strum::IntoEnumIterator;

    use super::*;

    fn all() -> Vec<Kind> {
        let steps = StepKind::iter().filter(|kind| *kind != StepKind::GiveBack).map(Kind::Contain);
        steps.chain(ReversalKind::iter().map(Kind::Release)).collect()
    }

    #[test]
    fn no_two_kinds_share_a_name() {
        let names: BTreeSet<&str> = all().into_iter().map(Kind::name).collect();
        assert_eq!(names.len(), all().len());
    }

    #[test]
    fn each_operation_is_one_that_the_step_has_a_permission_for() {
        for kind in all() {
            let actions = match kind {
                Kind::Contain(kind) => kind.iam_actions(),
                Kind::Release(kind) => kind.iam_actions(),
            };
            let allowed = actions.iter().any(|action| action.split(':').nth(1) == Some(kind.operation()));
            assert!(allowed, "{}: {} is not among {actions:?}", kind.name(), kind.operation());
        }
    }

    /// Records that an older version wrote are found by these words: this list only grows.
    #[test]
    fn the_words_in_the_ledgers_keys_stay() {
        let words: Vec<String> = all()
            .into_iter()
            .filter(|kind| kind.name() != kind.key_word())
            .map(|kind| format!("{} {}", kind.name(), kind.key_word()))
            .collect();
        expect_test::expect![[r"
            shorten_idle_timeouts modify_network_interface_attribute
            unassign_public_address modify_network_interface_attribute
            enable_scale_in_protection set_instance_protection
            enable_termination_protection modify_instance_attribute
            enable_stop_protection modify_instance_attribute
            stop_on_shutdown modify_instance_attribute
            disable_auto_recovery modify_instance_maintenance_options
            keep_volumes modify_instance_attribute
            tag_snapshot create_tags
            tag_instance create_tags
            restore_groups modify_network_interface_attribute
            restore_idle_timeouts modify_network_interface_attribute
            associate_profile associate_iam_instance_profile
            restore_profile replace_iam_instance_profile_association
            restore_metadata modify_instance_metadata_options
            disable_scale_in_protection set_instance_protection
            disable_termination_protection modify_instance_attribute
            disable_stop_protection modify_instance_attribute
            restore_shutdown_behavior modify_instance_attribute
            restore_auto_recovery modify_instance_maintenance_options
            restore_volumes modify_instance_attribute"]]
        .assert_eq(&words.join("\n"));
        assert_eq!(Lane::Credentials.key_word(), "identity");
    }
}
