//! The manifest: a line for the part, then one for each object that was written and each that could not be had. Every line
//! holds what is kept of the line before, so that nothing can be taken out, put in or changed without all that follows.

use serde::{Deserialize, Serialize};

use crate::{
    case::{Case, Part},
    prints::Prints,
};

/// The form of these lines.
pub(crate) const FORM: u32 = 1;

/// What a manifest is about. Times are RFC 3339, UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The form of the lines.
    pub form: u32,
    /// `<account>/<region>/<instance>/<containment>`.
    pub case: String,
    pub part: String,
    pub opened: String,
    /// The ARN of whose session took it.
    pub by: String,
    /// The SHA-256 of the manifest of the part before, where there is one.
    pub before: Option<String>,
}

impl Header {
    /// Of a part.
    #[must_use]
    pub fn new(case: &Case, part: &Part, opened: String, by: String, before: Option<String>) -> Self {
        Self { form: FORM, case: case.prefix(), part: part.to_string(), opened, by, before }
    }
}

/// An object that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name in the part.
    pub name: String,
    pub prints: Prints,
    /// Where it is from: `ec2:DescribeInstances`.
    pub source: String,
    /// The request ids of the answers that it holds, as AWS gave them.
    pub requests: Vec<String>,
    /// When it was taken.
    pub taken: String,
    pub written: Written,
}

/// How an object was written.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    pub at: String,
    /// The request id of PutObject; none where its answer was lost.
    pub request: Option<String>,
    pub version: Option<String>,
    /// Until when S3 keeps it.
    pub retained_until: Option<String>,
}

/// What could not be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Missing {
    /// The name that it would have.
    pub name: String,
    pub why: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    Header(Header),
    Object(Entry),
    Missing(Missing),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Link {
    pub(crate) n: u64,
    pub(crate) previous: Option<Prints>,
    pub(crate) line: Line,
}

/// A manifest that is being written, or was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    pub header: Header,
    pub objects: Vec<Entry>,
    pub missing: Vec<Missing>,
}

impl Manifest {
    /// Its text: objects and what is missing each in the order of their names, so that the same is the same bytes.
    #[must_use]
    pub fn text(&self) -> String {
        let mut objects = self.objects.clone();
        objects.sort_by(|one, other| one.name.cmp(&other.name));
        let mut missing = self.missing.clone();
        missing.sort_by(|one, other| one.name.cmp(&other.name));
        let lines = [Line::Header(self.header.clone())].into_iter();
        let lines = lines.chain(objects.into_iter().map(Line::Object)).chain(missing.into_iter().map(Line::Missing));
        let mut text = String::new();
        let mut previous = None;
        for (n, line) in (0..).zip(lines) {
            let mut written = serde_json::to_string(&Link { n, previous, line }).unwrap_or_default();
            written.push('\n');
            previous = Some(Prints::of(written.as_bytes()));
            text.push_str(&written);
        }
        text
    }

    /// Reads it, and follows its chain.
    ///
    /// # Errors
    /// The first line, from 0, that is no line of a manifest or does not follow the one before, with the reason.
    pub fn read(text: &[u8]) -> Result<Self, (usize, String)> {
        let mut header = None;
        let (mut objects, mut missing) = (Vec::new(), Vec::new());
        let mut previous: Option<Prints> = None;
        for (number, bytes) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let wrong = |why: &str| (number, why.to_owned());
            let link: Link = serde_json::from_slice(bytes).map_err(|error| (number, error.to_string()))?;
            if link.n != number as u64 {
                return Err(wrong("its number is not the next one"));
            }
            if link.previous != previous {
                return Err(wrong("it does not follow the line before"));
            }
            match link.line {
                Line::Header(read) if number == 0 && read.form == FORM => header = Some(read),
                Line::Header(read) if number == 0 => {
                    return Err((number, format!("form {} is not known: use a newer brig", read.form)));
                }
                Line::Object(entry) if header.is_some() => objects.push(entry),
                Line::Missing(entry) if header.is_some() => missing.push(entry),
                Line::Header(_) | Line::Object(_) | Line::Missing(_) => {
                    return Err(wrong("a manifest has its header first, and once"));
                }
            }
            previous = Some(Prints::of(bytes));
        }
        let header = header.ok_or((0, "it is empty".to_owned()))?;
        Ok(Self { header, objects, missing })
    }
}
