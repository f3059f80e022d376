//! Bytes as CloudTrail, its API, its files and other people's exports write records: a list, `{"Records": [...]}`, an answer
//! of LookupEvents, EventBridge's events, one record, or one a line; each plain or compressed. Records are handed on one by one, so
//! that a file of any size takes no more memory than its largest record.

use std::{
    cell::{Cell, RefCell},
    fmt,
    io::{BufRead, BufReader, Read},
};

use flate2::bufread::MultiGzDecoder;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::Record;

/// Why a file could not be read to its end.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("it could not be read: {0}")]
    Io(#[from] std::io::Error),
    #[error("it is not JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// What a file held.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    pub records: usize,
    /// Values that are no records, and why the first is not.
    pub unreadable: usize,
    pub first: Option<String>,
    /// Documents that are neither a record nor a list of them, which may be empty: exports of other tools have such forms.
    pub strange: usize,
}

/// Hands every record of a file on.
///
/// # Errors
/// It could not be read to its end: what came before was handed on.
pub fn records(file: impl Read, mut take: impl FnMut(Record)) -> Result<Tally, ReadError> {
    let mut file = BufReader::new(file);
    let packed = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    if packed { plain(BufReader::new(MultiGzDecoder::new(file)), &mut take) } else { plain(file, &mut take) }
}

fn plain(file: impl BufRead, take: &mut dyn FnMut(Record)) -> Result<Tally, ReadError> {
    let sink = Sink { inner: RefCell::new((Tally::default(), take)), lists: Cell::new(0) };
    // Documents one after another: one, or one a line.
    let mut documents = serde_json::Deserializer::from_reader(file);
    while documents.end().is_err() {
        let before = sink.lists.get();
        let held = sink.held();
        Document(&sink).deserialize(&mut documents)?;
        if sink.lists.get() == before && sink.held() == held {
            sink.inner.borrow_mut().0.strange += 1;
        }
    }
    Ok(sink.inner.into_inner().0)
}

struct Sink<'a> {
    inner: RefCell<(Tally, &'a mut dyn FnMut(Record))>,
    /// Lists of records, empty ones too, and what CloudTrail writes between them.
    lists: Cell<usize>,
}

impl Sink<'_> {
    fn held(&self) -> usize {
        let tally = &self.inner.borrow().0;
        tally.records + tally.unreadable
    }

    fn known(&self) {
        self.lists.set(self.lists.get() + 1);
    }

    fn take(&self, value: &Value) {
        // EventBridge wraps a record in `detail`; LookupEvents has it as a text.
        let inner = match value.get("CloudTrailEvent").or_else(|| value.get("cloudTrailEvent")) {
            Some(Value::String(text)) => serde_json::from_str(text).unwrap_or(Value::Null),
            _ => match value.get("detail").filter(|detail| detail.get("eventName").is_some()) {
                Some(detail) => detail.clone(),
                None => Value::Null,
            },
        };
        let record = if inner.is_null() { Record::read(value) } else { Record::read(&inner) };
        let (tally, take) = &mut *self.inner.borrow_mut();
        match record {
            Ok(record) => {
                tally.records += 1;
                take(record);
            }
            Err(error) => {
                tally.unreadable += 1;
                tally.first.get_or_insert_with(|| error.to_string());
            }
        }
    }
}

/// A whole document: a list of records, an object that holds one, or a record.
struct Document<'s, 'a>(&'s Sink<'a>);

impl<'de> DeserializeSeed<'de> for Document<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Document<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("records of CloudTrail")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        self.0.known();
        while let Some(value) = items.next_element::<Value>()? {
            self.0.take(&value);
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut own = serde_json::Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if ["Records", "Events", "records", "events"].contains(&key.as_str()) {
                entries.next_value_seed(Document(self.0))?;
            } else {
                own.insert(key, entries.next_value::<Value>()?);
            }
        }
        let is_record =
            ["eventName", "CloudTrailEvent", "cloudTrailEvent", "detail"].iter().any(|key| own.contains_key(*key));
        if is_record {
            self.0.take(&Value::Object(own));
        } else if own.contains_key("digestS3Object") {
            // A digest of a trail's files lies beside them, and holds no records.
            self.0.known();
        }
        Ok(())
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E: serde::de::Error>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_none<E: serde::de::Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        IgnoredAny::deserialize(deserializer).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use flate2::{Compression, write::GzEncoder};
    use serde_json::json;

    use super::*;

    fn record(id: &str) -> Value {
        json!({"eventID": id, "eventName": "ListBuckets", "eventSource": "s3.amazonaws.com", "eventTime": "2026-01-02T03:04:05Z"})
    }

    fn read(bytes: &[u8]) -> (Vec<String>, Tally) {
        let mut ids = Vec::new();
        let tally = records(bytes, |record| ids.push(record.id)).expect("read");
        (ids, tally)
    }

    #[test]
    fn records_are_read_in_every_form_that_they_are_written_in() {
        let lookup =
            json!({"Events": [{"EventId": "a", "CloudTrailEvent": record("a").to_string()}], "NextToken": "x"});
        let bridge = json!({"source": "aws.s3", "detail-type": "AWS API Call via CloudTrail", "detail": record("a")});
        let lines = format!("{}\n{}\n", record("a"), record("b"));
        for (form, bytes, expected) in [
            ("a list", json!([record("a"), record("b")]).to_string(), vec!["a", "b"]),
            ("a trail's file", json!({"Records": [record("a"), record("b")]}).to_string(), vec!["a", "b"]),
            ("LookupEvents", lookup.to_string(), vec!["a"]),
            ("EventBridge", bridge.to_string(), vec!["a"]),
            ("one", record("a").to_string(), vec!["a"]),
            ("one a line", lines, vec!["a", "b"]),
            ("nothing", String::new(), vec![]),
            ("an empty file", json!({"Records": []}).to_string(), vec![]),
        ] {
            assert_eq!(read(bytes.as_bytes()).0, expected, "{form}");
            let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
            packer.write_all(bytes.as_bytes()).expect("packed");
            assert_eq!(read(&packer.finish().expect("packed")).0, expected, "{form}, compressed");
        }
    }

    #[test]
    fn a_document_without_records_is_strange_unless_it_is_an_empty_list_or_a_digest() {
        for (document, strange) in [
            (json!({"hits": {"hits": [{"_source": record("a")}]}}), 1),
            (json!("x"), 1),
            (json!({"Records": []}), 0),
            (json!([]), 0),
            (json!({"digestS3Object": "AWSLogs/x", "logFiles": []}), 0),
            (json!({"Records": [record("a")]}), 0),
            (record("a"), 0),
            (json!([{"x": 1}]), 0),
        ] {
            assert_eq!(read(document.to_string().as_bytes()).1.strange, strange, "{document}");
        }
        assert_eq!(read(b"  \n").1, Tally::default(), "an empty file");
    }

    #[test]
    fn what_is_no_record_takes_no_neighbour_with_it_and_a_cut_file_is_an_error() {
        let (ids, tally) = read(json!([record("a"), {"x": 1}, record("b")]).to_string().as_bytes());
        assert_eq!((ids.len(), tally.unreadable), (2, 1));
        assert!(tally.first.is_some());
        let whole = json!({"Records": [record("a"), record("b")]}).to_string();
        let mut ids = Vec::new();
        let cut = records(&whole.as_bytes()[..whole.len() - 10], |record| ids.push(record.id));
        assert!(cut.is_err() && ids == ["a"], "{ids:?}");
    }
}
