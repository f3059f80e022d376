//! A verification asks flow logs whether the cut holds.

use std::sync::Arc;

use brig_core::{
    containment::Conclusion,
    ids::EniId,
    proof::{Destination, Files, FlowLog, State},
};
use brig_sim::{ACCOUNT, Break, Fault, REGION, Sim, Victim, World};

use crate::{
    common::calm,
    drift::{interface, verify},
};

const FORMAT: &str = "${interface-id} ${srcaddr} ${dstaddr} ${srcport} ${dstport} ${protocol} ${bytes} ${start} ${end} ${action} ${log-status}";

fn log(destination: Destination) -> FlowLog {
    FlowLog { resource: "vpc-1".to_owned(), traffic: "ALL".to_owned(), destination, format: FORMAT.to_owned() }
}

/// A contained instance whose VPC has a flow log, and its interface.
fn world(destination: Destination) -> (Arc<Sim>, Victim, EniId) {
    let (mut world, victim) = World::plain();
    world.flow_logs.push(log(destination));
    let sim = calm(&world, &victim);
    let id = interface(&sim.world(), &victim);
    sim.wait(std::time::Duration::from_mins(10));
    (sim, victim, id)
}

fn record(sim: &Arc<Sim>, eni: &EniId, rest: &str) {
    let now = sim.clock().millis();
    let seconds = now / 1000;
    let record = format!("{eni} 203.0.113.9 10.0.0.1 443 50000 6 {rest}")
        .replace("START", &(seconds - 120).to_string())
        .replace("END", &(seconds - 60).to_string());
    let eni = eni.clone();
    sim.change(|world| world.flows.push(("flow".to_owned(), eni, now - 120_000, record)));
}

#[test]
fn silence_after_the_cut_is_proof() {
    let (sim, victim, eni) = world(Destination::LogGroup("flow".to_owned()));
    record(&sim, &eni, "180 START END REJECT OK");
    let answer = verify(&sim, &victim, false);
    assert_eq!(answer.outcome, Conclusion::Verified, "{answer:#?}");
    let proof = answer.verdict.proof.expect("an answer of the logs");
    assert_eq!(proof.state, State::Proof, "{}", proof.detail);
}

#[test]
fn accepted_bytes_after_the_cut_contradict_it_and_people_are_told() {
    let (sim, victim, eni) = world(Destination::LogGroup("flow".to_owned()));
    record(&sim, &eni, "4096 START END ACCEPT OK");
    let told = sim.told().len();
    let answer = verify(&sim, &victim, false);
    assert_eq!(answer.outcome, Conclusion::Contradicted, "{answer:#?}");
    assert!(
        answer.verdict.summary.starts_with("TRAFFIC WAS ACCEPTED AFTER THE CUT: flow logs show 4096 accepted bytes")
    );
    assert_eq!(sim.told().len(), told + 1, "people are told");
    verify(&sim, &victim, false);
    assert_eq!(sim.told().len(), told + 1, "once");
}

#[test]
fn without_records_or_without_access_there_is_no_proof() {
    let (sim, victim, _) = world(Destination::LogGroup("flow".to_owned()));
    let unavailable = |sim: &Arc<Sim>, why: &str| {
        let answer = verify(sim, &victim, false);
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
    unavailable(&sim, "no flow log watches it");
}

pub(crate) fn files() -> Files {
    Files::of("arn:aws:s3:::logs", "fl-1", false, false, true).expect("a bucket")
}

/// Puts a file of the last minutes into the bucket.
pub(crate) fn put(sim: &Arc<Sim>, name: &str, lines: &[String]) {
    let now = sim.clock();
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

fn line(sim: &Arc<Sim>, eni: &str, rest: &str) -> String {
    let seconds = sim.clock().millis() / 1000;
    format!("{eni} 203.0.113.9 10.0.0.1 443 50000 6 {rest}")
        .replace("START", &(seconds - 120).to_string())
        .replace("END", &(seconds - 60).to_string())
}

#[test]
fn files_in_a_bucket_prove_and_contradict_as_well() {
    let (sim, victim, eni) = world(Destination::Bucket(files()));
    let said = |state: State, why: &str| {
        let proof = verify(&sim, &victim, false).verdict.proof.expect("an answer");
        assert_eq!(proof.state, state, "{}", proof.detail);
        assert!(proof.detail.contains(why), "{}", proof.detail);
    };
    said(State::Unavailable, "no record of");
    put(
        &sim,
        "a",
        &[line(&sim, eni.as_str(), "180 START END REJECT OK"), line(&sim, "eni-0", "9 START END ACCEPT OK")],
    );
    said(State::Proof, "nothing accepted");
    put(&sim, "b", &[line(&sim, eni.as_str(), "4096 START END ACCEPT OK")]);
    said(State::Contradiction, "4096 accepted bytes");
}

#[test]
fn what_of_a_bucket_is_not_read_proves_nothing() {
    let said = |sim: &Arc<Sim>, victim: &Victim, why: &str| {
        let proof = verify(sim, victim, false).verdict.proof.expect("an answer");
        assert_eq!(proof.state, State::Unavailable, "{}", proof.detail);
        assert!(proof.detail.contains(why), "{}", proof.detail);
    };
    let (sim, victim, _) = world(Destination::Bucket(Files { text: false, ..files() }));
    said(&sim, &victim, "Apache Parquet to logs");
    let (sim, victim, eni) = world(Destination::Bucket(files()));
    put(&sim, "a", &[line(&sim, eni.as_str(), "180 START END REJECT OK")]);
    put(&sim, "b", &["x".repeat(70 * 1024 * 1024)]);
    said(&sim, &victim, "1 of 2 files in logs were read");
    sim.breaks(Break::Always("GetObject", Fault::Denied));
    said(&sim, &victim, "0 of 2 files in logs were read");
    sim.breaks(Break::Always("ListObjectsV2", Fault::Denied));
    said(&sim, &victim, "ListObjectsV2");
    sim.change(|world| world.flow_logs.iter_mut().for_each(|log| log.format = "${bytes} ${action}".to_owned()));
    said(&sim, &victim, "no interface-id");
}
