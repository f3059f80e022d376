//! What the function that investigates answers about evidence.

use serde::Deserialize;

/// The answer of `investigate`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Investigated {
    pub bundle: Bundle,
    pub bucket: Option<String>,
}

/// How a part stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Sealed,
    SealedBefore,
    Unfinished,
    #[serde(other)]
    Unknown,
}

/// What was taken.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Bundle {
    pub case: String,
    pub part: String,
    pub standing: Standing,
    pub objects: usize,
    pub written: usize,
    pub missing: Vec<Missing>,
    pub head: Option<String>,
    pub signed_by: Option<String>,
    pub retained_until: String,
    pub gaps: Vec<String>,
}

/// What could not be had.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Missing {
    pub name: String,
    pub why: String,
}

/// The answer of `custody`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Custody {
    pub target: String,
    pub bucket: String,
    pub cases: Vec<Case>,
}

/// A containment's evidence.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Case {
    pub containment_id: String,
    pub url: String,
    pub parts: Vec<Part>,
    pub asked: Vec<Ask>,
    #[serde(default)]
    pub unreadable: usize,
}

/// A part of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Part {
    #[serde(rename = "part")]
    pub name: String,
    pub opened: String,
    pub by: String,
    pub retain_until: String,
    pub objects: usize,
    pub manifest_sha256: Option<String>,
    pub sealed_at: Option<String>,
}

/// Somebody asked.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Ask {
    pub part: String,
    pub at: String,
    pub by: String,
    pub result: String,
}
