//! What the chain of custody has on record of a case: who asked, what was opened, each object with its hash before it is written,
//! and what could not be had.

use brig_evidence::{Case, Part, Prints, Written};
use serde::{Deserialize, Serialize};

/// How far a part is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// Somebody takes it, or died at it.
    Open,
    /// Its manifest was written and sealed.
    Sealed {
        /// SHA-256 of the manifest.
        head: String,
        at: String,
    },
}

/// A part that was opened. Times are RFC 3339, UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRecord {
    pub part: String,
    pub opened: String,
    /// The ARN of the session that takes it.
    pub by: String,
    /// The manifest of the part before.
    pub before: Option<String>,
    /// Until when its objects are kept.
    pub retain_until: String,
    pub progress: Progress,
}

/// How far an object is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectState {
    /// It is about to be written.
    Intended,
    Written(Written),
}

/// An object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectRecord {
    pub part: String,
    pub name: String,
    pub prints: Prints,
    pub source: String,
    pub requests: Vec<String>,
    pub taken: String,
    /// Its text, where it cannot be made again: the seal's.
    pub text: Option<String>,
    pub state: ObjectState,
}

/// Something that was to be taken, and is done with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskRecord {
    pub part: String,
    pub name: String,
    /// Why it could not be had.
    pub missing: Option<String>,
}

/// Somebody asked for evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    pub part: String,
    pub at: String,
    /// Who: a message of the topic, or who invoked.
    pub by: String,
    /// The invocation.
    pub request: String,
    /// What came of it.
    pub result: String,
}

/// A record of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    Part(PartRecord),
    Object(ObjectRecord),
    Task(TaskRecord),
    Ask(Ask),
}

impl Record {
    /// Its key below the target's.
    #[must_use]
    pub fn sk(&self, case: &Case) -> String {
        let containment = &case.containment;
        match self {
            Self::Part(part) => format!("{containment}/{}", part.part),
            Self::Object(object) => format!("{containment}/{}/{}", object.part, object.name),
            Self::Task(task) => format!("{containment}/{}#task/{}", task.part, task.name),
            Self::Ask(ask) => format!("{containment}/{}#ask/{}/{}", ask.part, ask.at, ask.request),
        }
    }

    /// Its JSON.
    #[must_use]
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The prefix of a case's records.
#[must_use]
pub fn prefix(case: &Case) -> String {
    format!("{}/", case.containment)
}

/// What is on record of a case, and how many records could not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OnRecord {
    pub parts: Vec<PartRecord>,
    pub objects: Vec<ObjectRecord>,
    pub tasks: Vec<TaskRecord>,
    pub asks: Vec<Ask>,
    pub unreadable: usize,
}

impl OnRecord {
    /// Reads records.
    #[must_use]
    pub fn read(records: &[(String, String)]) -> Self {
        let mut read = Self::default();
        for (_, text) in records {
            match serde_json::from_str(text) {
                Ok(Record::Part(part)) => read.parts.push(part),
                Ok(Record::Object(object)) => read.objects.push(object),
                Ok(Record::Task(task)) => read.tasks.push(task),
                Ok(Record::Ask(ask)) => read.asks.push(ask),
                Err(_) => read.unreadable += 1,
            }
        }
        read
    }

    /// A part.
    #[must_use]
    pub fn part(&self, part: &Part) -> Option<&PartRecord> {
        self.parts.iter().find(|known| known.part == part.to_string())
    }

    /// The manifest that was sealed last, of another part.
    #[must_use]
    pub fn last_head(&self, part: &Part) -> Option<String> {
        let sealed = self.parts.iter().filter(|known| known.part != part.to_string());
        let heads = sealed.filter_map(|known| match &known.progress {
            Progress::Sealed { head, at } => Some((at, head)),
            Progress::Open => None,
        });
        heads.max().map(|(_, head)| head.clone())
    }
}
