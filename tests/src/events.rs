//! Events to invoke with.

use serde_json::{Value, json};

/// The GuardDuty finding of `events/`, about another instance; each instance's finding has an id of its own.
#[must_use]
pub fn finding(instance: &str) -> Value {
    let mut event: Value = serde_json::from_str(include_str!("../../events/guardduty-finding.json")).expect("an event");
    if let Some(detail) = event.get_mut("detail") {
        set(detail, "/resource/instanceDetails/instanceId", json!(instance));
        set(detail, "/id", json!(format!("finding-of-{instance}")));
    }
    event
}

/// Sets a field that exists.
pub fn set(document: &mut Value, pointer: &str, value: Value) {
    *document.pointer_mut(pointer).expect("the field") = value;
}
