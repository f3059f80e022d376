//! What `brig status` shows, and the exit code that goes with it.

use expect_test::expect;
use serde_json::{Value, json};

use super::{YES, check, entry, look, question, reply};
use crate::{answer::Status, exit::Exit, view::status};

fn standing(id: &str, drift: u64, lanes: [&str; 4]) -> Value {
    let mut now = entry("planned", "", lanes, &[]);
    now["instance_id"] = json!(id);
    for (key, value) in [
        ("state", json!("closed")),
        ("claimed_at", json!("2026-01-02T03:04:05Z")),
        ("age_seconds", json!(93_784)),
        ("last_outcome", json!("contained")),
        ("findings", json!(["f"])),
        ("drift", json!(drift)),
    ] {
        now[key] = value;
    }
    now
}

fn page(active: &[Value]) -> Status {
    reply(&json!({"active": active, "next": null})).typed().expect("a page")
}

#[test]
fn status_lists_what_does_not_hold_first() {
    let active = page(&[
        standing("i-0123456789abcdef0", 0, YES),
        standing("i-0fedcba9876543210", 2, ["partial", "yes", "yes", "unknown"]),
    ]);
    assert_eq!(Exit::of_status(&active), Exit::Partial);
    check(
        |look| status::render(&active, &[], look),
        &expect![[r#"
            2 instances are contained; 1 of them not wholly.

            instance                state      lanes                   age      last outcome
            i-0fedcba9876543210     contained  network PARTLY          1 d 2 h  contained
            123456789012/us-east-1             evidence not confirmed
                                               2 drifted
            i-0123456789abcdef0     contained  all done                1 d 2 h  contained
            123456789012/us-east-1

            What to do now
            See what is not as it should be, then repair it:
              brig plan 123456789012/us-east-1/i-0fedcba9876543210
              brig verify 123456789012/us-east-1/i-0fedcba9876543210
        "#]],
        &expect![[r#"
            2 instances are contained; 1 of them not wholly.

            instance                state      lanes                   age      last outcome
            i-0fedcba9876543210     contained  network PARTLY          1 d 2 h  contained
            123456789012/us-east-1             evidence not confirmed
                                               2 drifted
            i-0123456789abcdef0     contained  all done                1 d 2 h  contained
            123456789012/us-east-1

            What to do now
            See what is not as it should be, then repair it:
              brig plan 123456789012/us-east-1/i-0fedcba9876543210
              brig verify 123456789012/us-east-1/i-0fedcba9876543210
        "#]],
    );
}

#[test]
fn where_everything_holds_status_says_so_in_one_line() {
    let active = page(&[standing("i-0123456789abcdef0", 0, YES)]);
    assert_eq!(Exit::of_status(&active), Exit::Wanted);
    let text = status::render(&active, &[], &look(80));
    assert!(text.starts_with("1 instance is contained, and everything holds.\n"), "{text}");
    assert_eq!(status::render(&page(&[]), &[], &look(80)), "Nothing is contained.\n");
    assert_eq!(Exit::of_status(&page(&[])), Exit::Wanted);
}

#[test]
fn a_lane_that_was_not_seen_is_not_taken_for_one_that_holds() {
    assert_eq!(
        Exit::of_status(&page(&[standing("i-0123456789abcdef0", 0, ["yes", "yes", "yes", "unknown"])])),
        Exit::Partial
    );
    assert_eq!(
        Exit::of_status(&page(&[standing("i-0123456789abcdef0", 0, ["yes", "yes", "yes", "a new word"])])),
        Exit::Partial
    );
}

#[test]
fn watching_marks_what_changed_and_nothing_else() {
    let before = page(&[standing("i-0123456789abcdef0", 0, YES), standing("i-0fedcba9876543210", 0, YES)]);
    let now = page(&[
        standing("i-0123456789abcdef0", 0, YES),
        standing("i-0fedcba9876543210", 1, ["no", "yes", "yes", "yes"]),
    ]);
    let changed = status::changed(&before.active, &now.active);
    assert_eq!(changed, ["123456789012/us-east-1/i-0fedcba9876543210"]);
    assert_eq!(status::changed(&now.active, &now.active), [""; 0]);
    let text = status::render(&now, &changed, &look(80));
    let marked: Vec<&str> = text.lines().filter(|line| line.starts_with("> i-")).collect();
    assert_eq!(marked.len(), 1, "{text}");
}

#[test]
fn what_waits_for_a_person_is_not_as_wanted_though_everything_contained_holds() {
    let of = |more: Value| {
        let mut status = json!({"active": [standing("i-0123456789abcdef0", 0, YES)], "next": null});
        for (key, value) in more.as_object().cloned().unwrap_or_default() {
            status[key] = value;
        }
        let status: Status = reply(&status).typed().expect("a page");
        (Exit::of_status(&status), status::render(&status, &[], &look(80)))
    };
    assert_eq!(of(json!({})).0, Exit::Wanted);
    let (exit, text) = of(json!({"questions": [question("q-1", "2026-01-02T03:04:05Z")]}));
    assert_eq!(exit, Exit::Partial);
    assert!(text.contains("1 question waits for a decision: brig questions"), "{text}");
    let (exit, text) = of(json!({"not_notified": [{"about": "i-1", "why": "Publish: AuthorizationError"}]}));
    assert_eq!(exit, Exit::Partial);
    assert!(text.contains("People could not be notified about i-1: Publish: AuthorizationError"), "{text}");
    let (exit, text) = of(json!({"not_notified": [{"about": "i-1", "channel": "chat", "why": "Publish: NotFound"}]}));
    assert_eq!(exit, Exit::Partial);
    assert!(text.contains("The chat channel could not be notified about i-1: Publish: NotFound"), "{text}");
    let one = json!([{"about": "i-1", "why": "Publish: NotFound"}]);
    let (_, text) = of(json!({"not_notified": one, "more_not_notified": true}));
    assert!(text.contains("More messages could not be sent than are listed here."), "{text}");
    let never_done = json!([{"lane": "evidence", "step": "lock_snapshot", "resource": "snap-1", "why": ""}]);
    let mut undone = standing("i-0123456789abcdef0", 0, YES);
    undone["never_done"] = never_done;
    assert_eq!(Exit::of_status(&page(&[undone])), Exit::Partial);
}
