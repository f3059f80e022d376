//! Reading a JSON document whose every error names the field's path and the value found there.

use serde_json::{Map, Value};

use crate::{
    model::{text, timestamp::Timestamp},
    trigger::{ParseError, Unread},
};

/// A value and the path that led to it. A key that is absent reads as JSON null.
#[derive(Clone)]
pub(crate) struct Field<'a> {
    path: String,
    value: &'a Value,
}

impl<'a> Field<'a> {
    pub(crate) fn root(value: &'a Value) -> Self {
        Self { path: String::new(), value }
    }

    /// The member `name`, or the same in `PascalCase` or `camelCase`: AWS's APIs, its events and who passes them on write
    /// the first letter differently.
    pub(crate) fn get(&self, name: &str) -> Field<'a> {
        let found = match self.value {
            Value::Object(map) => map.get(name).or_else(|| map.get(&recased(name))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
        };
        let path = if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        Field { path, value: found.unwrap_or(&Value::Null) }
    }

    pub(crate) fn value(&self) -> &'a Value {
        self.value
    }

    /// The members of a list; none where the field is no list.
    pub(crate) fn items(&self) -> Vec<Field<'a>> {
        let items = self.value.as_array().map(Vec::as_slice).unwrap_or_default();
        items.iter().enumerate().map(|(at, value)| Field { path: format!("{}[{at}]", self.path), value }).collect()
    }

    /// The members of a list, or the one that stands where a list of one should.
    pub(crate) fn entries(&self) -> Vec<Field<'a>> {
        if self.value.is_object() { vec![self.clone()] } else { self.items() }
    }

    pub(crate) fn is_absent(&self) -> bool {
        self.value.is_null()
    }

    pub(crate) fn object(&self) -> Option<&'a Map<String, Value>> {
        self.value.as_object()
    }

    /// A text, or none where the field is absent; any other type is an error.
    pub(crate) fn text(&self) -> Result<Option<&'a str>, ParseError> {
        match self.value {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text)),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => Err(self.wrong("a text")),
        }
    }

    pub(crate) fn required_text(&self) -> Result<&'a str, ParseError> {
        self.text()?.ok_or_else(|| self.wrong("a text"))
    }

    pub(crate) fn flag(&self) -> Result<Option<bool>, ParseError> {
        match self.value {
            Value::Null => Ok(None),
            Value::Bool(flag) => Ok(Some(*flag)),
            Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                Err(self.wrong("true or false"))
            }
        }
    }

    pub(crate) fn number(&self) -> Result<Option<f64>, ParseError> {
        match self.value {
            Value::Null => Ok(None),
            Value::Number(number) => Ok(number.as_f64()),
            Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => Err(self.wrong("a number")),
        }
    }

    /// Reads an identifier; its own error says what it should look like.
    pub(crate) fn parse<T: std::str::FromStr<Err = crate::model::ids::InvalidId>>(&self) -> Result<T, ParseError> {
        self.required_text()?.parse().map_err(|why: crate::model::ids::InvalidId| self.wrong(why.expected))
    }

    /// A point in time, as any source writes it; none where it is no time.
    pub(crate) fn time(&self) -> Option<Timestamp> {
        Timestamp::read(self.value)
    }

    /// The path that led here.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn wrong(&self, expected: &str) -> ParseError {
        let (field, value) = (self.path.clone(), shown(self.value));
        ParseError::Unread(Unread { field, value, expected: expected.to_owned() })
    }
}

/// A value as an error message shows it: short, and never a whole document.
pub(crate) fn shown(value: &Value) -> String {
    match value {
        Value::Null => "missing or null".to_owned(),
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(map) => format!("an object of {} keys", map.len()),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::String(text) => {
            format!("\"{}\"", text::one_line(text, 60))
        }
    }
}

/// The name with its first letter in the other case.
fn recased(name: &str) -> String {
    let mut chars = name.chars();
    let other = |first: char| {
        if first.is_ascii_uppercase() { first.to_ascii_lowercase() } else { first.to_ascii_uppercase() }
    };
    chars.next().map(|first| other(first).to_string() + chars.as_str()).unwrap_or_default()
}
