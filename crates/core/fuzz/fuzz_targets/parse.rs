//! Any bytes: the parser ends in findings, in "names nothing" or in an error, and names no instance that the document
//! does not hold. `make fuzz SECONDS=600`.
#![no_main]

use brig_core::{trigger::{Finding, Invoked, Parsed, parse}, settings::Policy};
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let Ok(event) = serde_json::from_slice::<Value>(bytes) else { return };
    let invoked = Invoked {
        account: "123456789012".parse().expect("an account"),
        region: "us-east-1".parse().expect("a Region"),
        request_id: "r".to_owned(),
    };
    let policy = Policy {
        custom_actions: vec!["arn:aws:securityhub:us-east-1:123456789012:action/custom/Contain".to_owned()],
        ..Policy::default()
    };
    let mut found = Vec::new();
    match parse(&event, &invoked, &policy) {
        Ok(parsed) => collect(parsed, &mut found),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    let mut texts = Vec::new();
    leaves(&event, &mut texts, 0);
    for finding in found {
        let id = finding.target.as_str();
        assert!(texts.iter().any(|text| text.contains(id)), "{id} is not in the document");
    }
});

fn collect(parsed: Parsed, found: &mut Vec<Finding>) {
    match parsed {
        Parsed::Request(request) => found.extend(request.findings),
        Parsed::Batch(batch) => {
            for message in batch {
                if let Ok(parsed) = message.body {
                    collect(*parsed, found);
                }
            }
        }
        Parsed::TrailCall(_) | Parsed::Nothing(_) | Parsed::Notice(_) | Parsed::LedgerRequest(_) | Parsed::Readiness(_) => {}
    }
}

/// Every text in the document, messages inside messages included.
fn leaves(value: &Value, texts: &mut Vec<String>, depth: usize) {
    match value {
        Value::String(text) => {
            if depth < 8
                && let Ok(inner) = serde_json::from_str::<Value>(text)
            {
                leaves(&inner, texts, depth + 1);
            }
            texts.push(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| leaves(item, texts, depth)),
        Value::Object(map) => {
            for (key, item) in map {
                texts.push(key.clone());
                leaves(item, texts, depth);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
