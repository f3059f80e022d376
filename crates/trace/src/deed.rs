//! What a call made, changed or took, and how that is undone by hand.

mod ec2;
mod iam;
mod rules;
mod services;
mod table;
mod undone;

use std::collections::BTreeSet;

use brig_core::model::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

pub(crate) use table::{Draft, classify};
pub(crate) use undone::{Undone, placed};

use crate::CredentialId;

/// What sort of thing a call did.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, strum::Display, strum::EnumIter,
)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum DeedKind {
    /// A user was made.
    User,
    /// A key, password, SSH key, certificate or MFA device of a user.
    Credential,
    /// A role was made.
    Role,
    /// Who may assume a role.
    Trust,
    /// A policy, or its attachment, or the membership of a group.
    Policy,
    /// An identity provider, a trust anchor, or a role that was tried: another way in.
    WayIn,
    /// A function, its code, its layers, or who may invoke it.
    Function,
    Instance,
    /// A command or a login on a machine.
    Command,
    /// A rule of a security group or a network ACL, a route, a gateway.
    Network,
    /// A snapshot, an image, a database or a key that other accounts may use.
    Share,
    /// A bucket's policy, ACL, or its block of public access.
    Bucket,
    /// A trail, a detector, a recorder, flow logs or DNS logs were stopped or changed.
    Detection,
    /// A secret, a parameter, a password or an object was read.
    Taken,
    /// A model was opened or used, at the account's cost.
    Model,
    /// Something was deleted.
    Deletion,
    /// Another change.
    Other,
}

impl DeedKind {
    /// What people call it.
    #[must_use]
    pub fn noun(self) -> &'static str {
        match self {
            Self::User => "users",
            Self::Credential => "credentials of users",
            Self::Role => "roles",
            Self::Trust => "who may assume roles",
            Self::Policy => "policies and groups",
            Self::WayIn => "other ways in",
            Self::Function => "functions",
            Self::Instance => "instances",
            Self::Command => "commands and logins on machines",
            Self::Network => "network rules",
            Self::Share => "shared with others",
            Self::Bucket => "buckets",
            Self::Detection => "detection and logs",
            Self::Taken => "read: secrets, passwords, objects",
            Self::Model => "models",
            Self::Deletion => "deleted",
            Self::Other => "other changes",
        }
    }
}

/// Whether it happened.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum DeedState {
    Done,
    /// AWS refused it: an attempt is no deed.
    Attempt {
        error: String,
    },
    /// It only asked whether it would be allowed.
    DryRun,
}

/// Whether what it made or changed is still there.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "now", rename_all = "snake_case")]
pub enum Presence {
    /// It was seen.
    There { seen: String },
    /// It was seen not to be, or a record shows that it was undone: which one.
    Gone { seen: String },
    /// Nobody looked, or nobody could.
    Unknown { why: String },
    /// What was read or done once cannot be there.
    Over,
}

/// One thing that a credential of the graph did, or tried. Repetitions are one deed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deed {
    pub kind: DeedKind,
    /// The operation.
    pub call: String,
    pub service: String,
    pub region: String,
    pub account: Option<String>,
    /// What it is about: names, ids, ARNs.
    pub what: Vec<String>,
    /// How many more it is about.
    #[serde(default)]
    pub others: usize,
    /// What people should know of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    pub state: DeedState,
    /// Who did it.
    pub by: CredentialId,
    pub first: Timestamp,
    pub last: Timestamp,
    pub times: usize,
    /// `eventID` of each, the first ones.
    pub events: BTreeSet<String>,
    /// Nobody else had called in this Region, by the records.
    pub unusual_region: bool,
    pub presence: Presence,
    /// The command by which a person undoes it, whole and as it is to be pasted; none where there is nothing to undo, where no one
    /// command does, or where names in it would be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<String>,
    /// What it is known by, so that later calls are known to undo it.
    #[serde(skip, default)]
    pub(crate) things: Vec<String>,
}
