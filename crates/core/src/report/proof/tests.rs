use std::time::Duration;

use expect_test::{Expect, expect};

use super::*;
use crate::model::{Direction, Rule, timestamp::Timestamp};

const FORMAT: &str = "${version} ${account-id} ${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${packets} ${bytes} ${start} ${end} ${action} ${log-status}";

const CUT: Timestamp = Timestamp::from_millis(940_000);
const LATER: Timestamp = Timestamp::from_millis(4_000_000);

fn tally(interface: &str, format: &str, lines: &[&str], let_in: &[Rule]) -> Tally {
    let mut tally = Tally::new(interface.into(), format, Duration::from_mins(1));
    for line in lines {
        tally.line(line, Cut { at: CUT, let_in });
    }
    tally
}

fn read(interface: &str, lines: &[&str]) -> Tally {
    tally(interface, FORMAT, lines, &[])
}

fn failed(mut tally: Tally, why: &str) -> Tally {
    tally.fail(why);
    tally
}

fn check(tallies: &[Tally], expected: &Expect) {
    let proof = judge(tallies, CUT, LATER);
    expected.assert_eq(&format!("{:?}: {}", proof.state, proof.detail));
}

const QUIET: &str = "2 1 eni-1 - - - - - - - 1060 1120 - NODATA";
const REFUSED: &str = "2 1 eni-1 203.0.113.9 10.0.0.1 443 50000 6 3 180 1060 1120 REJECT OK";
const ACCEPTED: &str = "2 1 eni-1 203.0.113.9 10.0.0.1 443 50000 6 3 4096 1060 1120 ACCEPT OK";
const BEFORE: &str = "2 1 eni-1 203.0.113.9 10.0.0.1 443 50000 6 3 4096 990 1050 ACCEPT OK";

#[test]
fn nothing_accepted_is_proof() {
    check(
        &[read("eni-1", &[BEFORE, QUIET, REFUSED])],
        &expect![
            "Proof: flow logs show nothing accepted from 1970-01-01T00:17:40.000Z to 1970-01-01T00:18:40.000Z (in records at most 2 minutes apart; AWS's own DNS, metadata, time and DHCP are never in them)"
        ],
    );
}

#[test]
fn accepted_bytes_are_a_contradiction_whatever_else_is_unread() {
    let half = failed(read("eni-1", &[QUIET, ACCEPTED]), "2 of 3 files were read");
    let denied = failed(read("eni-2", &[]), "AccessDenied");
    check(
        &[half, denied],
        &expect![
            "Contradiction: flow logs show 4096 accepted bytes after the cut at 1970-01-01T00:15:40.000Z: eni-1: 203.0.113.9 to 10.0.0.1 (ports 443 and 50000, protocol 6), 4096 bytes until 1970-01-01T00:18:40.000Z"
        ],
    );
}

#[test]
fn without_records_after_the_cut_there_is_no_proof() {
    check(
        &[read("eni-1", &[BEFORE]), read("eni-2", &[])],
        &expect![
            "Unavailable: no proof is available: the flow logs have no record of eni-1, eni-2 that starts a minute after the cut at 1970-01-01T00:15:40.000Z or later; records arrive minutes late"
        ],
    );
    check(
        &[failed(read("eni-1", &[QUIET]), "AccessDenied")],
        &expect!["Unavailable: no proof is available: eni-1: AccessDenied"],
    );
    check(
        &[],
        &expect![
            "Unavailable: no proof is available: the flow logs have no record of any interface that starts a minute after the cut at 1970-01-01T00:15:40.000Z or later; records arrive minutes late"
        ],
    );
}

#[test]
fn what_was_skipped_or_does_not_overlap_proves_nothing() {
    check(
        &[read("eni-1", &[QUIET, "2 1 eni-1 - - - - - - - 1120 1180 - SKIPDATA"])],
        &expect!["Unavailable: no proof is available: eni-1: records were skipped"],
    );
    check(
        &[read("eni-1", &[QUIET]), read("eni-2", &["2 1 eni-2 - - - - - - - 1260 1320 - NODATA"])],
        &expect!["Unavailable: no proof is available: the interfaces have no records of the same time"],
    );
}

#[test]
fn forensic_access_is_no_contradiction() {
    let rule = |direction, port, peer: &str| Rule {
        direction,
        protocol: "tcp".to_owned(),
        ports: Some((port, port)),
        peer: peer.to_owned(),
    };
    let let_in = [rule(Direction::Ingress, 22, "10.9.0.0/16"), rule(Direction::Egress, 443, "10.0.7.1/32")];
    let state = |from: &str, to: &str, ports: &str| {
        let line = format!("2 1 eni-1 {from} {to} {ports} 6 9 99 1001 1060 ACCEPT OK");
        judge(&[tally("eni-1", FORMAT, &[&line], &let_in)], CUT, LATER).state
    };
    assert_eq!(state("10.9.3.3", "10.0.0.1", "50000 22"), State::Proof);
    assert_eq!(state("10.0.0.1", "10.9.3.3", "22 50000"), State::Proof);
    assert_eq!(state("10.0.0.1", "10.0.7.1", "50000 443"), State::Proof);
    assert_eq!(state("203.0.113.9", "10.0.0.1", "50000 22"), State::Contradiction);
    assert_eq!(state("10.0.0.1", "203.0.113.9", "50000 443"), State::Contradiction);
    assert_eq!(state("10.9.3.3", "10.0.0.1", "50000 80"), State::Contradiction);
}

#[test]
fn a_format_of_ones_own_is_read_by_its_names() {
    let own = "${end} ${action} ${bytes} ${start} ${interface-id} ${srcaddr}";
    check(
        &[tally("eni-1", own, &["1120 ACCEPT 7 1060 eni-1 10.0.0.1"], &[])],
        &expect![
            "Contradiction: flow logs show 7 accepted bytes after the cut at 1970-01-01T00:15:40.000Z: eni-1: 10.0.0.1 to ? (ports ? and ?, protocol ?), 7 bytes until 1970-01-01T00:18:40.000Z"
        ],
    );
    let without = tally("eni-1", "${srcaddr} ${bytes} ${start} ${end}", &["10.0.0.1 7 1060 1120"], &[]);
    assert!(!without.names_interfaces());
    check(
        &[without],
        &expect![
            "Unavailable: no proof is available: the flow logs have no record of eni-1 that starts a minute after the cut at 1970-01-01T00:15:40.000Z or later; records arrive minutes late"
        ],
    );
}

#[test]
fn a_gap_is_no_silence() {
    // Records of two minutes, a quarter of an hour apart: of the time between nothing is known.
    let after = "2 1 eni-1 - - - - - - - 2000 2060 - NODATA";
    check(
        &[read("eni-1", &[QUIET, after])],
        &expect![
            "Proof: flow logs show nothing accepted from 1970-01-01T00:17:40.000Z to 1970-01-01T00:18:40.000Z, and from 1970-01-01T00:33:20.000Z to 1970-01-01T00:34:20.000Z (in records at most 2 minutes apart; AWS's own DNS, metadata, time and DHCP are never in them)"
        ],
    );
    let between: Vec<String> =
        (1060..2000).step_by(60).map(|from| format!("2 1 eni-1 - - - - - - - {from} {} - NODATA", from + 60)).collect();
    // In whatever order they come.
    let lines: Vec<&str> = between.iter().rev().map(String::as_str).chain([after]).collect();
    check(
        &[read("eni-1", &lines)],
        &expect![
            "Proof: flow logs show nothing accepted from 1970-01-01T00:17:40.000Z to 1970-01-01T00:34:20.000Z (in records at most 2 minutes apart; AWS's own DNS, metadata, time and DHCP are never in them)"
        ],
    );
}

#[test]
fn of_the_last_minutes_records_may_still_come() {
    let proof = judge(&[read("eni-1", &[QUIET])], CUT, Timestamp::from_millis(1_700_000));
    expect!["Unavailable: no proof is available: nothing accepted is recorded since the cut, and the records are younger than 11 minutes: others of that time may still come"].assert_eq(&format!("{:?}: {}", proof.state, proof.detail));
}

#[test]
fn what_was_read_since_a_time_proves_since_then() {
    let lines: Vec<String> =
        (1060..2000).step_by(60).map(|from| format!("2 1 eni-1 - - - - - - - {from} {} - NODATA", from + 60)).collect();
    let mut partly = read("eni-1", &lines.iter().map(String::as_str).collect::<Vec<_>>());
    partly.read_since(Timestamp::from_millis(1_500_000), "2 of 9 files were read");
    check(
        &[partly.clone()],
        &expect![
            "Proof: flow logs show nothing accepted from 1970-01-01T00:25:00.000Z to 1970-01-01T00:33:40.000Z (in records at most 2 minutes apart; AWS's own DNS, metadata, time and DHCP are never in them); eni-1: 2 of 9 files were read"
        ],
    );
    partly.read_since(Timestamp::from_millis(3_000_000), "2 of 9 files were read");
    check(
        &[partly],
        &expect![
            "Unavailable: no proof is available: nothing accepted is recorded since the cut, and the records are younger than 11 minutes: others of that time may still come; eni-1: 2 of 9 files were read"
        ],
    );
}

#[test]
fn parts_add_up() {
    let mut whole = read("eni-1", &[ACCEPTED]);
    whole.merge(failed(read("eni-1", &[&ACCEPTED.replace("4096", "5000"), QUIET]), "the second was denied"));
    check(
        &[whole],
        &expect![
            "Contradiction: flow logs show 9096 accepted bytes after the cut at 1970-01-01T00:15:40.000Z: eni-1: 203.0.113.9 to 10.0.0.1 (ports 443 and 50000, protocol 6), 5000 bytes until 1970-01-01T00:18:40.000Z; eni-1: 203.0.113.9 to 10.0.0.1 (ports 443 and 50000, protocol 6), 4096 bytes until 1970-01-01T00:18:40.000Z"
        ],
    );
}
