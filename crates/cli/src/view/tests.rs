//! What a person reads, at the widths of a narrow and a wide terminal.

use brig_core::model::timestamp::Timestamp;
use expect_test::{Expect, expect};
use serde_json::{Value, json};

use super::{Colour, Look, fault, outcome, plan, questions, ready, show};
use crate::{
    answer::{Answer, Questions, Ready, Reply, Story},
    exit::Exit,
    fault::{Fault, Kind},
};

mod standing;
mod story;
mod trace;

fn look(width: u16) -> Look {
    Look { width, colour: Colour::No, brig: "brig".to_owned() }
}

fn reply(value: &Value) -> Reply {
    Reply::read(value.to_string().as_bytes()).expect("JSON")
}

fn answer(value: &Value) -> Answer {
    reply(value).typed().expect("an answer")
}

fn check(render: impl Fn(&Look) -> String, narrow: &Expect, wide: &Expect) {
    narrow.assert_eq(&render(&look(80)));
    wide.assert_eq(&render(&look(120)));
}

fn step(lane: &str, step: &str, resource: &str, outcome: &str, detail: &str) -> Value {
    json!({"lane": lane, "step": step, "resource": resource, "outcome": outcome, "detail": detail})
}

fn entry(outcome: &str, summary: &str, lanes: [&str; 4], steps: &[Value]) -> Value {
    json!({
        "account": "123456789012", "region": "us-east-1", "instance_id": "i-0123456789abcdef0",
        "containment_id": "i-0123456789abcdef0-20260102T030405Z", "decision": "contain", "reason": "Manual: IR-7",
        "outcome": outcome,
        "verdict": {"network": lanes[0], "credentials": lanes[1], "fleet": lanes[2], "evidence": lanes[3],
            "summary": summary, "paths": [], "proof": null},
        "steps": steps, "notes": [], "timings_ms": {"look": 80, "claim": 120, "isolated": 412, "done": 5321}
    })
}

const YES: [&str; 4] = ["yes"; 4];

fn contained() -> Value {
    let steps = [
        step("network", "isolate", "eni-0aaaaaaaaaaaaaaaa", "changed", "sg-web, sg-admin -> brig-isolation"),
        step("credentials", "deny_role", "arn:aws:iam::123456789012:role/app", "changed", ""),
    ];
    let mut entry =
        entry("contained", "i-0123456789abcdef0 (web-1) is contained: new connections are blocked.", YES, &steps);
    entry["verdict"]["paths"] = json!([
        {"kind": "internet_gateway", "via": "igw-1", "interface": "eni-0aaaaaaaaaaaaaaaa", "family": "ipv4",
            "new_flows": "blocked", "open_flows": "expected cut", "at_most_idle_seconds": null, "why": "isolated"},
        {"kind": "dns", "via": null, "interface": null, "family": null, "new_flows": "open", "open_flows": "none",
            "at_most_idle_seconds": null, "why": "the VPC's own resolver answers whatever the groups say"},
        {"kind": "nat_gateway", "via": "nat-1", "interface": "eni-0aaaaaaaaaaaaaaaa", "family": "ipv4",
            "new_flows": "blocked", "open_flows": "may go on", "at_most_idle_seconds": 350, "why": "always tracked"},
    ]);
    entry["notes"] = json!(["The role app is used by 3 other instances, which keep their credentials."]);
    json!({"containments": [entry]})
}

#[test]
fn a_containment_says_state_sentence_lanes_and_what_to_do_first() {
    let answer = answer(&contained());
    assert_eq!(Exit::of_answer(&answer), Exit::Wanted);
    check(
        |look| outcome::render(&answer, look),
        &expect![[r#"
            CONTAINED
            123456789012/us-east-1/i-0123456789abcdef0

            i-0123456789abcdef0 (web-1) is contained: new connections are blocked.

              network      done  new connections are blocked, except through DNS
              credentials  done  the instance's credentials are dead
              fleet        done  out of its Auto Scaling group and load balancers
              evidence     done  instance and disks are preserved

            New connections were blocked after 0.4 s, all done after 5.3 s.

            What to do now
            Investigate. To give everything back later:
              brig release 123456789012/us-east-1/i-0123456789abcdef0 --reason ...

            2 steps are done, and on record with what they replaced.

            What may remain
              path                   new      open before   why
              dns                    OPEN     none          the VPC's own resolver answers
                                                            whatever the groups say
              nat_gateway            blocked  MAY CONTINUE  always tracked
              nat-1                           (idle 5 min)
              eni-0aaaaaaaaaaaaaaaa

            Notes
              - The role app is used by 3 other instances, which keep their credentials.
        "#]],
        &expect![[r#"
            CONTAINED
            123456789012/us-east-1/i-0123456789abcdef0

            i-0123456789abcdef0 (web-1) is contained: new connections are blocked.

              network      done  new connections are blocked, except through DNS
              credentials  done  the instance's credentials are dead
              fleet        done  out of its Auto Scaling group and load balancers
              evidence     done  instance and disks are preserved

            New connections were blocked after 0.4 s, all done after 5.3 s.

            What to do now
            Investigate. To give everything back later:
              brig release 123456789012/us-east-1/i-0123456789abcdef0 --reason ...

            2 steps are done, and on record with what they replaced.

            What may remain
              path                   new      open before   why
              dns                    OPEN     none          the VPC's own resolver answers whatever the groups say
              nat_gateway            blocked  MAY CONTINUE  always tracked
              nat-1                           (idle 5 min)
              eni-0aaaaaaaaaaaaaaaa

            Notes
              - The role app is used by 3 other instances, which keep their credentials.
        "#]],
    );
}

#[test]
fn a_partial_containment_names_what_failed_and_says_that_nobody_retries_it() {
    let steps = [
        step("network", "isolate", "eni-0aaaaaaaaaaaaaaaa", "changed", ""),
        step(
            "credentials",
            "deny_role",
            "arn:aws:iam::123456789012:role/app",
            "failed",
            "PutRolePolicy: AccessDenied: the function's role is missing iam:PutRolePolicy",
        ),
        step("evidence", "lock_snapshot", "snap-0bbbbbbbbbbbbbbbb", "skipped", "the snapshot is not complete yet"),
    ];
    let summary = "i-0123456789abcdef0 (web-1) is only PARTLY contained: its credentials are NOT dead; but new connections are blocked.";
    let entry = entry("partial", summary, ["yes", "no", "yes", "unknown"], &steps);
    let answer = answer(&json!({"containments": [entry], "incomplete": true}));
    assert_eq!(Exit::of_answer(&answer), Exit::Partial);
    check(
        |look| outcome::render(&answer, look),
        &expect![[r#"
            ONLY PARTLY CONTAINED
            123456789012/us-east-1/i-0123456789abcdef0

            i-0123456789abcdef0 (web-1) is only PARTLY contained: its credentials are NOT
            dead; but new connections are blocked.

              network      done           new connections are blocked, except through DNS
              credentials  NOT DONE
              fleet        done           out of its Auto Scaling group and load balancers
              evidence     not confirmed

            New connections were blocked after 0.4 s, all done after 5.3 s.

            What to do now
            Fix the problems listed here, then run this; it continues where it stopped:
              brig contain 123456789012/us-east-1/i-0123456789abcdef0

            Not done
              FAILED   credentials  deny_role arn:aws:iam::123456789012:role/app
                                    PutRolePolicy: AccessDenied: the function's role is
                                    missing iam:PutRolePolicy
              skipped  evidence     lock_snapshot snap-0bbbbbbbbbbbbbbbb
                                    the snapshot is not complete yet

            1 step is done, and on record with what it replaced.

            Some work can still succeed, and nothing retries it for you: run the same
            command again.
        "#]],
        &expect![[r#"
            ONLY PARTLY CONTAINED
            123456789012/us-east-1/i-0123456789abcdef0

            i-0123456789abcdef0 (web-1) is only PARTLY contained: its credentials are NOT dead; but new connections are blocked.

              network      done           new connections are blocked, except through DNS
              credentials  NOT DONE
              fleet        done           out of its Auto Scaling group and load balancers
              evidence     not confirmed

            New connections were blocked after 0.4 s, all done after 5.3 s.

            What to do now
            Fix the problems listed here, then run this; it continues where it stopped:
              brig contain 123456789012/us-east-1/i-0123456789abcdef0

            Not done
              FAILED   credentials  deny_role arn:aws:iam::123456789012:role/app
                                    PutRolePolicy: AccessDenied: the function's role is missing iam:PutRolePolicy
              skipped  evidence     lock_snapshot snap-0bbbbbbbbbbbbbbbb
                                    the snapshot is not complete yet

            1 step is done, and on record with what it replaced.

            Some work can still succeed, and nothing retries it for you: run the same command again.
        "#]],
    );
}

#[test]
fn a_refusal_and_a_question_say_why_and_that_nothing_was_changed() {
    let mut refused = entry("refused", "Nothing was done about i-0123456789abcdef0.", ["unknown"; 4], &[]);
    refused["reason"] = json!("there is no such instance in 123456789012/us-east-1");
    refused["timings_ms"] = json!({});
    let mut asked = entry("asked", "A person must decide about i-0123456789abcdef0.", ["unknown"; 4], &[]);
    asked["reason"] = json!("it is exempt: brig:exempt=db");
    asked["timings_ms"] = json!({});
    let answer = answer(&json!({"containments": [refused, asked]}));
    assert_eq!(Exit::of_answer(&answer), Exit::Refused);
    check(
        |look| outcome::render(&answer, look),
        &expect![[r#"
            REFUSED: nothing was changed
            123456789012/us-east-1/i-0123456789abcdef0

            Nothing was done about i-0123456789abcdef0.

            Why: there is no such instance in 123456789012/us-east-1

            What to do now
            Correct what the reason names, then run the command again.

            DECISION NEEDED: nothing was changed
            123456789012/us-east-1/i-0123456789abcdef0

            A person must decide about i-0123456789abcdef0.

            Why: it is exempt: brig:exempt=db

            What to do now
            Decide. To contain it anyway:
              brig contain 123456789012/us-east-1/i-0123456789abcdef0 --force
        "#]],
        &expect![[r#"
            REFUSED: nothing was changed
            123456789012/us-east-1/i-0123456789abcdef0

            Nothing was done about i-0123456789abcdef0.

            Why: there is no such instance in 123456789012/us-east-1

            What to do now
            Correct what the reason names, then run the command again.

            DECISION NEEDED: nothing was changed
            123456789012/us-east-1/i-0123456789abcdef0

            A person must decide about i-0123456789abcdef0.

            Why: it is exempt: brig:exempt=db

            What to do now
            Decide. To contain it anyway:
              brig contain 123456789012/us-east-1/i-0123456789abcdef0 --force
        "#]],
    );
}

#[test]
fn a_plan_shows_each_change_with_what_it_replaces() {
    let steps = [
        step("network", "isolate", "eni-0aaaaaaaaaaaaaaaa", "planned", "sg-web, sg-admin -> brig-isolation"),
        step("fleet", "detach_instances", "web", "planned", "InService in web -> detached, capacity kept"),
        step("evidence", "enable_stop_protection", "i-0123456789abcdef0/disableApiTermination", "already_done", "true"),
    ];
    let mut entry = entry("planned", "", ["unknown"; 4], &steps);
    entry["notes"] = json!(["The target group web has one healthy target left."]);
    let answer = answer(&json!({"containments": [entry]}));
    assert_eq!(Exit::of_answer(&answer), Exit::Wanted);
    check(
        |look| plan::render(&answer, look),
        &expect![[r#"
            PLAN: nothing was changed
            123456789012/us-east-1/i-0123456789abcdef0

            2 changes would be made:
              network  isolate eni-0aaaaaaaaaaaaaaaa
                       sg-web, sg-admin -> brig-isolation
              fleet    detach_instances web
                       InService in web -> detached, capacity kept

            No change needed, or none possible
              already so  evidence  enable_stop_protection
                                    i-0123456789abcdef0/disableApiTermination
                                    true

            Notes
              - The target group web has one healthy target left.
        "#]],
        &expect![[r#"
            PLAN: nothing was changed
            123456789012/us-east-1/i-0123456789abcdef0

            2 changes would be made:
              network  isolate eni-0aaaaaaaaaaaaaaaa
                       sg-web, sg-admin -> brig-isolation
              fleet    detach_instances web
                       InService in web -> detached, capacity kept

            No change needed, or none possible
              already so  evidence  enable_stop_protection i-0123456789abcdef0/disableApiTermination
                                    true

            Notes
              - The target group web has one healthy target left.
        "#]],
    );
}

#[test]
fn a_plan_that_is_refused_is_no_plan() {
    let mut refused = entry("refused", "Nothing was done about i-0123456789abcdef0.", ["unknown"; 4], &[]);
    refused["reason"] = json!("this ledger knows no containment of it");
    let answer = answer(&json!({"containments": [refused]}));
    let text = plan::render(&answer, &look(80));
    assert!(text.starts_with("REFUSED: nothing was changed\n"), "{text}");
    assert_eq!(Exit::of_answer(&answer), Exit::Refused);
}

fn question(id: &str, asked_at: &str) -> Value {
    json!({"question": id, "account": "123456789012", "region": "us-east-1", "instance_id": "i-0123456789abcdef0",
        "name": "db-1", "reason": "Backdoor:EC2/C&CActivity.B: it is exempt: brig:exempt=db", "cause": "exempt",
        "finding": "f-1", "source": "guardduty", "type": "Backdoor:EC2/C&CActivity.B", "severity": 8.0,
        "last_seen": null, "asked_at": asked_at, "notified": true})
}

#[test]
fn questions_are_listed_oldest_first_with_why_and_what_each_answer_does() {
    let questions: Questions = reply(&json!({"questions": [
        question("3f2a9c0d1e4b", "2026-01-02T03:04:05Z"), question("0a1b2c3d4e5f", "2026-01-01T00:00:00Z"),
    ]}))
    .typed()
    .expect("questions");
    let now = Timestamp::parse("2026-01-02T03:34:05Z").expect("a time");
    check(
        |look| questions::render(&questions, now, look),
        &expect![[r#"
        2 questions wait for a decision. Nothing was changed.

        0a1b2c3d4e5f, asked 1 d 3 h ago
          about  123456789012/us-east-1/i-0123456789abcdef0 (db-1)
          why    Backdoor:EC2/C&CActivity.B: it is exempt: brig:exempt=db
          yes    contains the instance, as `plan` shows
          no     closes the question, with the reason on record; nothing is changed
          brig plan 123456789012/us-east-1/i-0123456789abcdef0
          brig decide 0a1b2c3d4e5f yes
          brig decide 0a1b2c3d4e5f no --reason ...

        3f2a9c0d1e4b, asked 30 min ago
          about  123456789012/us-east-1/i-0123456789abcdef0 (db-1)
          why    Backdoor:EC2/C&CActivity.B: it is exempt: brig:exempt=db
          yes    contains the instance, as `plan` shows
          no     closes the question, with the reason on record; nothing is changed
          brig plan 123456789012/us-east-1/i-0123456789abcdef0
          brig decide 3f2a9c0d1e4b yes
          brig decide 3f2a9c0d1e4b no --reason ...
    "#]],
        &expect![[r#"
        2 questions wait for a decision. Nothing was changed.

        0a1b2c3d4e5f, asked 1 d 3 h ago
          about  123456789012/us-east-1/i-0123456789abcdef0 (db-1)
          why    Backdoor:EC2/C&CActivity.B: it is exempt: brig:exempt=db
          yes    contains the instance, as `plan` shows
          no     closes the question, with the reason on record; nothing is changed
          brig plan 123456789012/us-east-1/i-0123456789abcdef0
          brig decide 0a1b2c3d4e5f yes
          brig decide 0a1b2c3d4e5f no --reason ...

        3f2a9c0d1e4b, asked 30 min ago
          about  123456789012/us-east-1/i-0123456789abcdef0 (db-1)
          why    Backdoor:EC2/C&CActivity.B: it is exempt: brig:exempt=db
          yes    contains the instance, as `plan` shows
          no     closes the question, with the reason on record; nothing is changed
          brig plan 123456789012/us-east-1/i-0123456789abcdef0
          brig decide 3f2a9c0d1e4b yes
          brig decide 3f2a9c0d1e4b no --reason ...
    "#]],
    );
    let none = questions::render(&Questions::default(), now, &look(80));
    assert_eq!(none, "No question waits for a decision.\n");
}

#[test]
fn readiness_shows_what_is_missing_first_with_what_to_do() {
    let ready: Ready = reply(&json!({"lines": [
        {"check": "ledger", "state": "ok", "detail": "written and read", "do": ""},
        {"check": "people", "state": "missing", "detail": "nobody is subscribed to the topic", "do": "subscribe the on-call, and confirm it"},
        {"check": "permissions to change", "state": "unknown", "detail": "nothing to try on", "do": "ask again with \"instance_id\""},
    ], "missing": 1, "unknown": 1, "prepared": ["vpc-1/brig-isolation is sg-1"]})).typed().expect("lines");
    check(
        |look| ready::render(&ready, look),
        &expect![[r#"
        NOT READY: 1 missing, 1 not seen.

        check                  state     what was seen, and what to do
        people                 MISSING   nobody is subscribed to the topic
                                         -> subscribe the on-call, and confirm it
        permissions to change  not seen  nothing to try on
                                         -> ask again with "instance_id"
        ledger                 ok        written and read

        Prepared
          - vpc-1/brig-isolation is sg-1
    "#]],
        &expect![[r#"
        NOT READY: 1 missing, 1 not seen.

        check                  state     what was seen, and what to do
        people                 MISSING   nobody is subscribed to the topic
                                         -> subscribe the on-call, and confirm it
        permissions to change  not seen  nothing to try on
                                         -> ask again with "instance_id"
        ledger                 ok        written and read

        Prepared
          - vpc-1/brig-isolation is sg-1
    "#]],
    );
}

#[test]
fn an_error_says_what_is_wrong_and_what_to_do() {
    let text = |fault: &Fault| fault::render(fault, &look(80));
    expect![[r#"
        brig: there is no function ir-contain in us-east-1
        Is the stack called something else (--stack), or deployed in another Region
        (--region) or account (--profile)?
    "#]]
    .assert_eq(&text(&Fault::NoFunction { function: "ir-contain".to_owned(), region: "us-east-1".to_owned() }));
    expect![[r#"
        brig: brig-contain did not answer in time
        The call may have arrived, and Brig may still be working. Look at what is true
        with `brig status` before you repeat it; repeating it is safe.
    "#]]
    .assert_eq(&text(&Fault::NoAnswer("brig-contain".to_owned())));
    let died = Fault::Function {
        kind: Kind::of("Sandbox.Timedout"),
        message: "Task timed out".to_owned(),
        raw: String::new(),
    };
    expect![[r#"
        brig: the function ended early (Sandbox.Timedout): Task timed out
        What it had done is on record, and a repeat continues from there. Look at what
        is true with `brig status`; the function's log says why it ended.
    "#]]
    .assert_eq(&text(&died));
    assert_eq!(died.exit(), Exit::Partial);
}

#[test]
fn each_outcome_has_its_exit_code() {
    for (outcome, exit) in [
        ("contained", Exit::Wanted),
        ("already_contained", Exit::Wanted),
        ("verified", Exit::Wanted),
        ("repaired", Exit::Wanted),
        ("released", Exit::Wanted),
        ("planned", Exit::Wanted),
        ("partial", Exit::Partial),
        ("release_partial", Exit::Partial),
        ("drifted", Exit::Partial),
        ("contradicted", Exit::Partial),
        ("unverified", Exit::Partial),
        ("in_progress", Exit::Partial),
        ("observed", Exit::Partial),
        ("asked", Exit::Partial),
        ("ignored", Exit::Partial),
        ("failed", Exit::Partial),
        ("a_word_of_tomorrow", Exit::Partial),
        ("refused", Exit::Refused),
    ] {
        let answer = answer(&json!({"containments": [entry(outcome, "", YES, &[])]}));
        assert_eq!(Exit::of_answer(&answer), exit, "{outcome}");
    }
    let unfinished = answer(&json!({"containments": [entry("verified", "", YES, &[])], "not_looked_at": 1}));
    assert_eq!(Exit::of_answer(&unfinished), Exit::Partial);
}

#[test]
fn a_hostile_text_cannot_steer_the_terminal() {
    let hostile = "\u{1b}[2J\u{1b}]0;x\u{7}\r\n\u{202e}gnp.exe\u{200b}\u{9b}31m";
    let steps = [step("network", "isolate", hostile, "failed", hostile)];
    let mut value = entry("partial", hostile, YES, &steps);
    value["notes"] = json!([hostile]);
    value["reason"] = json!(hostile);
    let text = outcome::render(&answer(&json!({"containments": [value]})), &look(80));
    let stray = text.chars().find(|c| (c.is_control() && *c != '\n') || matches!(c, '\u{200b}' | '\u{202e}'));
    assert_eq!(stray, None, "{text:?}");
}

#[test]
fn without_colour_there_is_no_escape_and_with_it_the_words_are_the_same() {
    let answer = answer(&contained());
    let plain = outcome::render(&answer, &look(80));
    assert!(!plain.contains('\u{1b}'));
    let coloured = outcome::render(&answer, &Look { colour: Colour::Yes, ..look(80) });
    assert!(coloured.contains("\u{1b}["));
    let mut stripped = String::new();
    let mut escaped = false;
    for c in coloured.chars() {
        match (escaped, c) {
            (false, '\u{1b}') => escaped = true,
            (false, c) => stripped.push(c),
            (true, 'm') => escaped = false,
            (true, _) => {}
        }
    }
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&stripped), words(&plain));
}
