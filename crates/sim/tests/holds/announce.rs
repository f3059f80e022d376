//! What an event holds beyond its containments reaches people once, or the event comes again.

use std::{sync::Arc, time::Duration};

use brig_core::{
    report::message::Unhandled,
    trigger::{Notice, NoticeKind, Source, Unread},
};
use brig_sim::{Break, Fault, Sim, World};

fn notice(code: &str) -> Notice {
    Notice {
        kind: NoticeKind::AbuseNamesNothing,
        source: Source::Health,
        id: "arn:aws:health:global::event/ABUSE/1".to_owned(),
        code: code.to_owned(),
        title: "Denial of service".to_owned(),
        account: "123456789012".parse().expect("an account"),
        region: "us-east-1".parse().expect("a Region"),
        time: None,
        link: None,
        named: Vec::new(),
    }
}

/// Whether people were notified, as the handler hears it.
fn announce(sim: &Arc<Sim>, event: &str, notices: &[Notice], unread: &[Unread]) -> bool {
    let engine = sim.engine(0);
    let invocation = sim.invocation("r", Duration::from_mins(2));
    let region = "us-east-1".parse().expect("a Region");
    let said = Unhandled { event, account: &invocation.own, region: &region, function: "brig", unread, notices };
    sim.run(engine.announce(&said, &invocation)).is_some_and(|answer| answer.is_ok())
}

#[test]
fn however_often_an_event_comes_people_are_notified_once() {
    let sim = Sim::new(World::production().0, 1);
    for _ in 0..3 {
        assert!(announce(&sim, "e-1", &[notice("AWS_ABUSE_DOS_REPORT")], &[]));
    }
    assert_eq!(sim.told(), ["[Brig] ANSWER EXPECTED: AWS_ABUSE_DOS_REPORT in 123456789012/us-east-1"]);
    assert!(announce(&sim, "e-2", &[notice("AWS_ABUSE_DOS_REPORT")], &[]));
    assert!(announce(&sim, "e-1", &[notice("AWS_ABUSE_SPAM_REPORT")], &[]));
    assert_eq!(sim.told().len(), 3, "another event, and another text, are news");
}

#[test]
fn an_event_about_which_nobody_could_be_notified_comes_again() {
    let unread =
        Unread { field: "detail.ids[1]".to_owned(), value: "\"i-XYZ\"".to_owned(), expected: "an id".to_owned() };
    for fault in [Fault::Denied, Fault::Throttled, Fault::ServerError, Fault::NotFound] {
        let sim = Sim::new(World::production().0, 1);
        sim.breaks(Break::Always("Publish", fault));
        assert!(!announce(&sim, "e-1", &[], std::slice::from_ref(&unread)), "{fault:?}");
        sim.heal();
        assert!(announce(&sim, "e-1", &[], std::slice::from_ref(&unread)), "{fault:?}");
        assert_eq!(sim.told(), ["[Brig] one entry of an event could not be read"], "{fault:?}");
    }
}

#[test]
fn a_ledger_that_cannot_say_silences_nobody() {
    for broken in ["GetItem", "PutItem"] {
        let sim = Sim::new(World::production().0, 1);
        sim.breaks(Break::Always(broken, Fault::Denied));
        assert!(announce(&sim, "e-1", &[notice("AWS_ABUSE_DOS_REPORT")], &[]), "{broken}");
        assert_eq!(sim.told().len(), 1, "{broken}");
    }
}
