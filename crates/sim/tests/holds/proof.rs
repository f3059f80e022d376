//! A verification asks flow logs whether the cut holds.

use std::{sync::Arc, time::Duration};

use brig_core::{
    ledger::Conclusion,
    model::Files,
    model::{Destination, FlowLog, ids::EniId, timestamp::Timestamp},
    report::proof::State,
};
use brig_engine::Drift;
use brig_sim::{ACCOUNT, Break, Fault, REGION, Sim, Victim, World};
use expect_test::expect;

use crate::{
    common::{calm, is_whole},
    drift::{interface, verify},
};

const FORMAT: &str = "${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${bytes} ${start} ${end} ${action} ${log-status}";

fn log(destination: Destination) -> FlowLog {
    FlowLog {
        resource: "vpc-1".to_owned(),
        traffic: "ALL".to_owned(),
        destination,
        format: FORMAT.to_owned(),
        interval: Duration::from_mins(1),
    }
}

/// A contained instance whose VPC has a flow log, and its interface.
fn world(destination: Destination) -> (Arc<Sim>, Victim, EniId) {
    let (mut world, victim) = World::plain();
    world.flow_logs.push(log(destination));
    let sim = calm(&world, &victim);
    let id = interface(&sim.world(), &victim);
    sim.wait(Duration::from_mins(30));
    (sim, victim, id)
}

/// A record of a minute long enough ago that all records of it have come.
fn line(sim: &Arc<Sim>, eni: &str, rest: &str) -> String {
    let seconds = sim.clock().millis() / 1000;
    format!("{eni} 203.0.113.9 10.0.0.1 443 50000 6 {rest}")
        .replace("START", &(seconds - 1200).to_string())
        .replace("END", &(seconds - 1140).to_string())
}

fn record(sim: &Arc<Sim>, eni: &EniId, rest: &str) {
    let (now, record) = (sim.clock().millis(), line(sim, eni.as_str(), rest));
    let eni = eni.clone();
    sim.change(|world| world.flows.push(("flow".to_owned(), eni, now - 1_140_000, record)));
}

#[test]
fn silence_after_the_cut_is_proof() {
    let (sim, victim, eni) = world(Destination::LogGroup("flow".to_owned()));
    record(&sim, &eni, "180 START END REJECT OK");
    let answer = verify(&sim, &victim, Drift::Repair);
    assert_eq!(answer.outcome, Conclusion::Verified, "{answer:#?}");
    let proof = answer.verdict.proof.expect("an answer of the logs");
    assert_eq!(proof.state, State::Proof, "{}", proof.detail);
}

#[test]
fn accepted_bytes_after_the_cut_contradict_it_and_people_are_notified() {
    let (sim, victim, eni) = world(Destination::LogGroup("flow".to_owned()));
    record(&sim, &eni, "4096 START END ACCEPT OK");
    let told = sim.told().len();
    let answer = verify(&sim, &victim, Drift::Repair);
    assert_eq!(answer.outcome, Conclusion::Contradicted, "{answer:#?}");
    assert!(
        answer
            .verdict
            .summary
            .to_string()
            .starts_with("TRAFFIC WAS ACCEPTED AFTER THE CUT: flow logs show 4096 accepted bytes")
    );
    assert_eq!(sim.told().len(), told + 1, "people are told");
    verify(&sim, &victim, Drift::Repair);
    assert_eq!(sim.told().len(), told + 1, "once");
}

#[test]
fn without_records_or_without_access_there_is_no_proof() {
    let (sim, victim, _) = world(Destination::LogGroup("flow".to_owned()));
    let unavailable = |sim: &Arc<Sim>, why: &str| {
        let answer = verify(sim, &victim, Drift::Repair);
        assert_eq!(answer.outcome, Conclusion::Verified, "{answer:#?}");
        let proof = answer.verdict.proof.expect("an answer");
        assert_eq!(proof.state, State::Unavailable, "{}", proof.detail);
        assert!(proof.detail.contains(why), "{}", proof.detail);
    };
    unavailable(&sim, "no record of");
    sim.breaks(Break::Always("FilterLogEvents", Fault::Denied));
    unavailable(&sim, "FilterLogEvents");
    let (sim, ..) = world(Destination::LogGroup("flow".to_owned()));
    sim.change(|world| world.flow_logs.clear());
    unavailable(&sim, "no flow log covers it");
}

pub(crate) fn files() -> Files {
    Files::of("arn:aws:s3:::logs", "fl-1").expect("a bucket")
}

/// Puts a file of some minutes ago into the bucket.
pub(crate) fn put(sim: &Arc<Sim>, minutes: i64, name: &str, lines: &[String]) {
    let now = Timestamp::from_millis(sim.clock().millis() - minutes * 60_000);
    let account = ACCOUNT.parse().expect("an account");
    let region = REGION.parse().expect("a Region");
    let listing = files().listings(&account, &region, now, now).pop().expect("a folder");
    let stamp: String = now.compact().chars().take(13).collect();
    let key = format!("{}{stamp}Z_{name}.log.gz", listing.prefix);
    let header = FORMAT.replace(['$', '{', '}'], "");
    let lines: Vec<String> = std::iter::once(header).chain(lines.iter().cloned()).collect();
    sim.change(|world| {
        world.files.insert(("logs".to_owned(), key), lines);
    });
}

#[test]
fn files_in_a_bucket_prove_and_contradict_as_well() {
    let (sim, victim, eni) = world(Destination::Bucket(files()));
    said(&sim, &victim, State::Unavailable, "no record of");
    put(
        &sim,
        19,
        "a",
        &[line(&sim, eni.as_str(), "180 START END REJECT OK"), line(&sim, "eni-0", "9 START END ACCEPT OK")],
    );
    said(&sim, &victim, State::Proof, "nothing accepted");
    put(&sim, 19, "b", &[line(&sim, eni.as_str(), "4096 START END ACCEPT OK")]);
    said(&sim, &victim, State::Contradiction, "4096 accepted bytes");
}

fn said(sim: &Arc<Sim>, victim: &Victim, state: State, why: &str) {
    let proof = verify(sim, victim, Drift::Repair).verdict.proof.expect("an answer");
    assert_eq!(proof.state, state, "{}", proof.detail);
    assert!(proof.detail.contains(why), "{}", proof.detail);
}

#[test]
fn what_of_a_bucket_is_not_read_proves_nothing() {
    let (sim, victim, _) = world(Destination::Bucket(Files { text: false, ..files() }));
    said(&sim, &victim, State::Unavailable, "Apache Parquet to logs");
    let (sim, victim, eni) = world(Destination::Bucket(files()));
    let huge = "x".repeat(70 * 1024 * 1024);
    put(&sim, 19, "a", &[line(&sim, eni.as_str(), "180 START END REJECT OK")]);
    // Of the same minutes as what was read: any record may be in it.
    put(&sim, 19, "0", std::slice::from_ref(&huge));
    said(&sim, &victim, State::Unavailable, "1 of 2 files in logs were read (they are more than 64 MiB)");
    sim.breaks(Break::Always("GetObject", Fault::Denied));
    said(&sim, &victim, State::Unavailable, "0 of 2 files in logs were read");
    sim.breaks(Break::Always("ListObjectsV2", Fault::Denied));
    said(&sim, &victim, State::Unavailable, "ListObjectsV2");
    sim.change(|world| world.flow_logs.iter_mut().for_each(|log| log.format = "${bytes} ${action}".to_owned()));
    said(&sim, &victim, State::Unavailable, "no interface-id");

    // What is older than what was read takes nothing from it.
    let (sim, victim, eni) = world(Destination::Bucket(files()));
    put(&sim, 19, "a", &[line(&sim, eni.as_str(), "180 START END REJECT OK")]);
    put(&sim, 27, "b", &[huge]);
    said(&sim, &victim, State::Proof, "1 of 2 files in logs were read");
}

#[test]
fn what_a_part_of_a_log_shows_is_not_forgotten() {
    let (sim, victim, eni) = world(Destination::Bucket(files()));
    let accepted = line(&sim, eni.as_str(), "4096 START END ACCEPT OK");
    put(&sim, 14, "a", &[accepted]);
    put(&sim, 19, "b", &["x".repeat(70 * 1024 * 1024)]);
    said(&sim, &victim, State::Contradiction, "4096 accepted bytes");
    // A scan fills the log with refusals.
    let (sim, victim, eni) = world(Destination::LogGroup("flow".to_owned()));
    for _ in 0..6_000 {
        record(&sim, &eni, "60 START END REJECT OK");
    }
    record(&sim, &eni, "4096 START END ACCEPT OK");
    said(&sim, &victim, State::Contradiction, "4096 accepted bytes");
}

#[test]
fn where_one_log_cannot_be_read_the_next_is() {
    let (sim, victim, eni) = world(Destination::LogGroup("flow".to_owned()));
    sim.change(|world| world.flow_logs.push(log(Destination::Bucket(files()))));
    put(&sim, 19, "a", &[line(&sim, eni.as_str(), "180 START END REJECT OK")]);
    sim.breaks(Break::Always("FilterLogEvents", Fault::Denied));
    said(&sim, &victim, State::Proof, "nothing accepted");
    sim.breaks(Break::Always("ListObjectsV2", Fault::Denied));
    said(&sim, &victim, State::Unavailable, "FilterLogEvents");
}

#[test]
fn a_contradiction_stands_until_there_is_proof() {
    let (sim, victim, eni) = world(Destination::LogGroup("flow".to_owned()));
    record(&sim, &eni, "4096 START END ACCEPT OK");
    assert_eq!(verify(&sim, &victim, Drift::Repair).outcome, Conclusion::Contradicted);
    let told = sim.told().len();
    // Its records are too old to be read again, and there are no newer ones.
    sim.wait(Duration::from_hours(2));
    let answer = verify(&sim, &victim, Drift::Repair);
    assert_eq!(answer.outcome, Conclusion::Contradicted, "{answer:#?}");
    expect!["TRAFFIC WAS ACCEPTED AFTER THE CUT when flow logs were last read; it is not known whether that continues"]
        .assert_eq(answer.verdict.summary.to_string().split(':').next().unwrap_or_default());
    assert_eq!(sim.told().len(), told, "people know");
    record(&sim, &eni, "180 START END REJECT OK");
    let answer = verify(&sim, &victim, Drift::Repair);
    assert!(is_whole(&answer), "{answer:#?}");
    assert_eq!(sim.told().len(), told + 1, "that it is over is news");
}

#[test]
fn a_containment_says_which_interfaces_no_flow_log_watches() {
    let (mut world, victim) = World::plain();
    let bare = |world: &World| {
        let sim = calm(world, &victim);
        let answer = sim.contain(&victim.id, "again").expect("an answer");
        answer.notes.iter().map(ToString::to_string).filter(|note| note.contains("flow log")).collect::<Vec<_>>()
    };
    expect!["no VPC flow log covers eni-00000002: nothing can prove the cut there"].assert_eq(&bare(&world).concat());
    world.flow_logs.push(FlowLog { traffic: "REJECT".to_owned(), ..log(Destination::Other) });
    assert_eq!(bare(&world).len(), 1, "of what is accepted it has nothing");
    world.flow_logs.push(log(Destination::Other));
    assert_eq!(bare(&world), Vec::<String>::new());
}
