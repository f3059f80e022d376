//! The events of `events/`, damaged: whatever is missing, null, of another type, huge or deep, the parser ends in order
//! and names no instance that the document does not hold.

use std::{path::Path, sync::LazyLock};

use super::*;

pub(super) static EVENTS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events");
    let mut files: Vec<_> =
        std::fs::read_dir(folder).expect("events").map(|file| file.expect("a file").path()).collect();
    files.sort();
    let texts = files.iter().map(|file| std::fs::read_to_string(file).expect("a text"));
    texts.filter_map(|text| serde_json::from_str(&text).ok()).collect()
});

/// Every place in a document.
pub(super) fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(index, item)| places(item, &format!("{at}/{index}"), found));
        }
        Value::Object(map) => map.iter().for_each(|(key, item)| {
            let key = key.replace('~', "~0").replace('/', "~1");
            places(item, &format!("{at}/{key}"), found);
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn remove(document: &mut Value, place: &str) {
    let Some((parent, key)) = place.rsplit_once('/') else { return };
    match document.pointer_mut(parent) {
        Some(Value::Object(map)) => drop(map.remove(&key.replace("~1", "/").replace("~0", "~"))),
        Some(Value::Array(items)) => {
            if let Ok(index) = key.parse::<usize>()
                && index < items.len()
            {
                items.remove(index);
            }
        }
        _ => {}
    }
}

fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            if let Ok(inner) = serde_json::from_str::<Value>(text) {
                texts(&inner, found);
            }
            found.push(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(map) => map.values().for_each(|item| texts(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn instances(parsed: Parsed) -> Vec<String> {
    match parsed {
        Parsed::Request(request) => request.findings.iter().map(|finding| finding.target.to_string()).collect(),
        Parsed::Batch(batch) => {
            batch.into_iter().filter_map(|message| message.body.ok()).flat_map(|parsed| instances(*parsed)).collect()
        }
        Parsed::TrailCall(touched) => touched.instances.iter().map(ToString::to_string).collect(),
        Parsed::Nothing(_) | Parsed::Notice(_) | Parsed::LedgerRequest(_) | Parsed::Readiness(_) => Vec::new(),
    }
}

fn odd() -> impl Strategy<Value = Option<Value>> {
    let deep = (0..100).fold(json!("i-0123456789abcdef0"), |inner, _| json!([inner]));
    prop_oneof![
        Just(None),
        Just(Some(Value::Null)),
        any::<bool>().prop_map(|value| Some(value.into())),
        any::<i64>().prop_map(|value| Some(value.into())),
        Just(Some(json!(1e300))),
        Just(Some(json!([]))),
        Just(Some(json!({}))),
        Just(Some(deep)),
        Just(Some(json!("x".repeat(300_000)))),
        prop::sample::select(vec![
            "",
            " i-0123456789abcdef0",
            "i-XYZ",
            "i-0123456789ABCDEF0",
            "eni-bfcffe88",
            "ami-99999999",
            "i-",
            "i-0123abcd\n",
            "arn:aws:ec2:us-east-1:123456789012:instance/",
            "arn:aws:ec2:::instance/i-0123abcd",
            "::ffff:10.0.0.1",
            "0.0.0.0",
            "\u{202e}i-0123abcd",
            "999999999999999999999",
            "-1",
            "NaN",
        ])
        .prop_map(|text| Some(json!(text))),
        ".{0,40}".prop_map(|text| Some(json!(text))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn a_damaged_event_ends_in_order_and_names_only_what_it_holds(
        event in any::<prop::sample::Index>(),
        damages in prop::collection::vec((any::<prop::sample::Index>(), odd()), 1..4),
    ) {
        let mut document = event.get(&EVENTS).clone();
        for (place, value) in damages {
            let mut all = Vec::new();
            places(&document, "", &mut all);
            let place = place.get(&all);
            match value {
                Some(value) => if let Some(slot) = document.pointer_mut(place) { *slot = value; },
                None => remove(&mut document, place),
            }
        }
        if let Ok(parsed) = parse(&document, &invoked(), &policy()) {
            let mut held = Vec::new();
            texts(&document, &mut held);
            for id in instances(parsed) {
                prop_assert!(held.iter().any(|text| text.to_lowercase().contains(&id)), "{id}");
            }
        }
    }
}
