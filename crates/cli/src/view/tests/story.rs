//! What `brig show` prints.

use super::*;

fn story() -> Story {
    let on_record = |mut step: Value, finished: &str, repairs: &[&str], release: bool| {
        step["recorded_at"] = json!("2026-01-02T03:04:05.100Z");
        step["finished_at"] = json!(finished);
        step["repairs"] = json!(repairs);
        step["release"] = json!(release);
        step["record"] = json!({"kind": "isolate"});
        step
    };
    let isolate = step("network", "isolate", "eni-0aaaaaaaaaaaaaaaa", "changed", "groups: sg-web -> brig-isolation");
    let deny =
        step("credentials", "deny_role", "arn:aws:iam::123456789012:role/app", "failed", "PutRolePolicy: AccessDenied");
    let back =
        step("network", "restore_groups", "eni-0aaaaaaaaaaaaaaaa", "changed", "groups: brig-isolation -> sg-web");
    let value = json!({
        "account": "123456789012", "region": "us-east-1", "instance_id": "i-0123456789abcdef0",
        "containment": {"containment_id": "i-0123456789abcdef0-20260102T030405Z", "state": "released",
            "claimed_at": "2026-01-02T03:04:05.000Z", "findings": ["manual-1"],
            "reason": "Manual: IR-7 (invoked by arn:aws:iam::123456789012:user/ana, as the caller claims)",
            "outcome": "released", "notified": "released", "released_at": "2026-01-02T05:00:01.000Z", "stop": false,
            "holder": "r", "lease_until": "2026-01-02T05:01:00.000Z", "version": 4},
        "steps": [
            on_record(isolate, "2026-01-02T03:04:05.512Z", &["2026-01-02T04:00:00.000Z"], false),
            on_record(deny, "2026-01-02T03:04:06.000Z", &[], false),
            on_record(back, "2026-01-02T05:00:00.500Z", &[], true),
        ],
    });
    reply(&value).typed().expect("a story")
}

#[test]
fn the_story_of_a_containment_is_told_from_its_state_to_each_change() {
    let story = story();
    assert_eq!(story.containment.as_ref().map(Exit::of_record), Some(Exit::Wanted));
    check(
        |look| show::render(&story, look),
        &expect![[r#"
            RELEASED
            123456789012/us-east-1/i-0123456789abcdef0

              why          Manual: IR-7 (invoked by arn:aws:iam::123456789012:user/ana, as
                           the caller claims)
              containment  i-0123456789abcdef0-20260102T030405Z
              findings     manual-1

            Steps on record (what is true now, `verify` reads back)
              network      1 of 1 ended
              credentials  1 of 1 FAILED
              fleet        nothing on record
              evidence     nothing on record

            Timeline (UTC)
              2026-01-02T03:04:05.000Z  claimed: the plan of the cut, and what it replaces,
                                        are on record
              2026-01-02T03:04:05.512Z  network: the last step ended
              2026-01-02T03:04:05.512Z  the last interface was isolated: new connections are
                                        blocked
              2026-01-02T03:04:06.000Z  credentials: the last step ended
              2026-01-02T04:00:00.000Z  repaired, having been undone: isolate
                                        eni-0aaaaaaaaaaaaaaaa
              2026-01-02T05:00:00.500Z  the last step of the release ended
              2026-01-02T05:00:01.000Z  released

            What was changed, with what it replaced
              changed  network      isolate eni-0aaaaaaaaaaaaaaaa
                                    groups: sg-web -> brig-isolation
              FAILED   credentials  deny_role arn:aws:iam::123456789012:role/app
                                    PutRolePolicy: AccessDenied

            What was given back
              changed  network  restore_groups eni-0aaaaaaaaaaaaaaaa
                                groups: brig-isolation -> sg-web
        "#]],
        &expect![[r#"
            RELEASED
            123456789012/us-east-1/i-0123456789abcdef0

              why          Manual: IR-7 (invoked by arn:aws:iam::123456789012:user/ana, as the caller claims)
              containment  i-0123456789abcdef0-20260102T030405Z
              findings     manual-1

            Steps on record (what is true now, `verify` reads back)
              network      1 of 1 ended
              credentials  1 of 1 FAILED
              fleet        nothing on record
              evidence     nothing on record

            Timeline (UTC)
              2026-01-02T03:04:05.000Z  claimed: the plan of the cut, and what it replaces, are on record
              2026-01-02T03:04:05.512Z  network: the last step ended
              2026-01-02T03:04:05.512Z  the last interface was isolated: new connections are blocked
              2026-01-02T03:04:06.000Z  credentials: the last step ended
              2026-01-02T04:00:00.000Z  repaired, having been undone: isolate eni-0aaaaaaaaaaaaaaaa
              2026-01-02T05:00:00.500Z  the last step of the release ended
              2026-01-02T05:00:01.000Z  released

            What was changed, with what it replaced
              changed  network      isolate eni-0aaaaaaaaaaaaaaaa
                                    groups: sg-web -> brig-isolation
              FAILED   credentials  deny_role arn:aws:iam::123456789012:role/app
                                    PutRolePolicy: AccessDenied

            What was given back
              changed  network  restore_groups eni-0aaaaaaaaaaaaaaaa
                                groups: brig-isolation -> sg-web
        "#]],
    );
}

#[test]
fn an_instance_that_was_never_contained_has_no_story() {
    let story: Story = reply(&json!({"account": "123456789012", "region": "us-east-1",
        "instance_id": "i-0123456789abcdef0", "containment": null, "steps": []}))
    .typed()
    .expect("a story");
    assert!(show::render(&story, &look(80)).starts_with("NEVER CONTAINED\n"));
}

#[test]
fn several_instances_of_one_name_are_listed_to_choose_from() {
    let found = vec![
        ("123456789012/us-east-1/i-0123456789abcdef0".to_owned(), "web, running, 10.0.0.7".to_owned()),
        ("123456789012/us-east-1/i-0fedcba9876543210".to_owned(), "web, stopped, 10.0.0.8".to_owned()),
    ];
    let fault = Fault::Several { what: "the Name tag \"web\"".to_owned(), found, more: 0 };
    assert_eq!(fault.exit(), Exit::Refused);
    expect![[r#"
        brig: 2 instances have the Name tag "web"
          123456789012/us-east-1/i-0123456789abcdef0
            web, running, 10.0.0.7
          123456789012/us-east-1/i-0fedcba9876543210
            web, stopped, 10.0.0.8
        Name one of them by its line, account/region/id.
    "#]]
    .assert_eq(&fault::render(&fault, &look(80)));
}

#[test]
fn what_was_read_back_last_comes_first_and_evidence_stands_by_itself() {
    let mut record = entry("contained", "i-0123456789abcdef0 is contained", ["yes", "partial", "yes", "yes"], &[]);
    record["verdict"]["lanes"] = json!([{"lane": "network", "text": "blocked; ICMP may continue"}]);
    record["notes"] = json!(["user/eve detached it from brig-isolation at 2026-01-02T04:00:00Z"]);
    let snapshot = json!({"lane": "evidence", "step": "create_snapshots", "resource": "i-0123456789abcdef0",
        "outcome": "changed", "detail": "snap-1 of vol-1", "recorded_at": "2026-01-02T03:04:05.100Z",
        "finished_at": "2026-01-02T03:04:07.000Z"});
    let value = json!({
        "account": "123456789012", "region": "us-east-1", "instance_id": "i-0123456789abcdef0",
        "containment": {"containment_id": "i-0123456789abcdef0-20260102T030405Z", "state": "closed",
            "claimed_at": "2026-01-02T03:04:05.000Z", "findings": ["f1"], "reason": "Backdoor:EC2", "outcome": "contained"},
        "steps": [snapshot],
        "reports": [{"of": "containment", "at": "2026-01-02T04:00:01.000Z", "answer": record}],
    });
    let story: Story = reply(&value).typed().expect("a story");
    expect![[r#"
        CONTAINED
        123456789012/us-east-1/i-0123456789abcdef0

          why          Backdoor:EC2
          containment  i-0123456789abcdef0-20260102T030405Z
          findings     f1

        As read back at 2026-01-02T04:00:01.000Z
        i-0123456789abcdef0 is contained

          network      done    blocked; ICMP may continue
          credentials  PARTLY
          fleet        done    out of its Auto Scaling group and load balancers
          evidence     done    instance and disks are preserved

        What to do now
        To look again, or to give everything back:
          brig verify 123456789012/us-east-1/i-0123456789abcdef0
          brig release 123456789012/us-east-1/i-0123456789abcdef0

        Timeline (UTC)
          2026-01-02T03:04:05.000Z  claimed: the plan of the cut, and what it replaces,
                                    are on record
          2026-01-02T03:04:07.000Z  evidence: the last step ended

        Evidence
          changed  evidence  create_snapshots i-0123456789abcdef0
                             snap-1 of vol-1

        Notes
          - user/eve detached it from brig-isolation at 2026-01-02T04:00:00Z
    "#]]
    .assert_eq(&show::render(&story, &look(80)));
}

#[test]
fn a_report_of_a_newer_version_costs_no_more_than_itself() {
    let mut value = json!({
        "account": "123456789012", "region": "us-east-1", "instance_id": "i-0123456789abcdef0",
        "containment": {"containment_id": "c", "state": "closed", "claimed_at": "2026-01-02T03:04:05.000Z"},
        "steps": [],
    });
    value["reports"] = json!([{"of": "containment", "at": "2026-01-02T04:00:01.000Z", "answer": {"outcome": 7}}]);
    let story: Story = reply(&value).typed().expect("a story");
    assert!(show::render(&story, &look(80)).contains("Steps on record"));
}
