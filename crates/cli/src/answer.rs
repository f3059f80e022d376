//! What the functions answer, as far as people are shown it. Fields that are not known here are ignored, so that an older
//! command reads a newer function; a word that is not known is `Unknown`, never taken for a good one.

mod entry;
pub mod evidence;
mod ready;
mod status;
mod story;

use brig_core::model::text::one_line;
pub use entry::*;
pub use ready::*;
use serde::de::DeserializeOwned;
use serde_json::Value;
pub use status::*;
pub use story::*;

use crate::fault::Fault;

/// An answer as it came, and as a value whose texts are safe to show.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The bytes of the answer, for `--json`.
    pub raw: String,
    value: Value,
}

impl Reply {
    /// Reads the payload of an answer.
    ///
    /// # Errors
    /// It is not JSON.
    pub fn read(raw: &[u8]) -> Result<Self, Fault> {
        let raw = String::from_utf8_lossy(raw).into_owned();
        let mut value = serde_json::from_str(&raw).map_err(|error| Fault::Unreadable(error.to_string()))?;
        tame(&mut value);
        Ok(Self { raw, value })
    }

    /// The answer as a typed value.
    ///
    /// # Errors
    /// It has another shape: the deployed function is of another version.
    pub fn typed<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        T::deserialize(&self.value).map_err(|error| Fault::Unreadable(error.to_string()))
    }

    /// The answer, untyped, with texts that are safe to show.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The same answer with another list of this name: several pages as one.
    #[must_use]
    pub fn with_list(mut self, name: &str, items: Vec<Value>) -> Self {
        if let Some(map) = self.value.as_object_mut() {
            map.insert(name.to_owned(), Value::Array(items));
            map.insert("next".to_owned(), Value::Null);
        }
        Self { raw: self.value.to_string(), value: self.value }
    }

    /// The list of this name in a page, untyped.
    #[must_use]
    pub fn list(&self, name: &str) -> Vec<Value> {
        self.value.get(name).and_then(Value::as_array).cloned().unwrap_or_default()
    }
}

/// Characters of one text: an answer has none that is longer, and a terminal has no use for it.
const LONGEST: usize = 4000;

/// Tags, names and AWS's messages come from outside: a control or bidirectional character in one would move the cursor or
/// reorder the line in somebody's terminal.
fn tame(value: &mut Value) {
    match value {
        Value::String(text) => *text = one_line(text, LONGEST),
        Value::Array(items) => items.iter_mut().for_each(tame),
        Value::Object(map) => map.values_mut().for_each(tame),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
