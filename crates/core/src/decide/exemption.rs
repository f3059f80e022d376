//! The tag that exempts an instance.

use std::collections::BTreeMap;

use crate::{model::Instance, settings::Policy};

/// How far an instance is exempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strength {
    /// A person may contain it by force.
    UnlessForced,
    /// Nobody may, until the tag is changed.
    Never,
}

/// An instance's exemption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exemption<'a> {
    /// The tag's key.
    pub tag: &'a str,
    /// Its value, as somebody wrote it.
    pub value: &'a str,
    /// How far it goes.
    pub strength: Strength,
}

/// The exemption that an instance carries.
#[must_use]
pub fn exemption<'a>(instance: &'a Instance, policy: &'a Policy) -> Option<Exemption<'a>> {
    by_tags(&instance.tags, policy)
}

/// The exemption that tags make.
#[must_use]
pub fn by_tags<'a>(tags: &'a BTreeMap<String, String>, policy: &'a Policy) -> Option<Exemption<'a>> {
    let value = tags.get(&policy.exempt_tag).filter(|value| value.as_str() != "false")?;
    let strength = if value == "never" { Strength::Never } else { Strength::UnlessForced };
    Some(Exemption { tag: &policy.exempt_tag, value, strength })
}
