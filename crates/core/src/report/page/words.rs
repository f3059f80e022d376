//! Words of the page that several sections share.

use std::time::Duration;

use super::{
    About, Tone,
    record::{Found, Record},
};
use crate::{model::timestamp::Timestamp, report::fact::Truth, step::Lane};

/// A lane as people read it.
pub(super) fn lane(lane: Lane) -> &'static str {
    match lane {
        Lane::Network => "Network",
        Lane::Credentials => "Credentials",
        Lane::Fleet => "Fleet",
        Lane::Evidence => "Evidence",
    }
}

/// What a lane promises.
pub(super) fn promise(record: &Record, lane: Lane) -> &'static str {
    match lane {
        Lane::Credentials if record.about() == About::Role => {
            "sessions issued before the denial are denied, later ones are not"
        }
        Lane::Credentials if record.about() == About::User => "everything they sign is denied, and each is inactive",
        Lane::Network => "new connections are blocked, except through DNS",
        Lane::Credentials => "its credentials are denied, and it gets no new ones",
        Lane::Fleet => "out of its Auto Scaling group and load balancers",
        Lane::Evidence => "instance and disks are preserved",
    }
}

/// The lane of a name in an answer, which older functions gave the credentials another one.
pub(super) fn lane_of(name: &str) -> Option<Lane> {
    let name = if name == "identity" { "credentials" } else { name };
    Lane::ALL.into_iter().find(|known| lane(*known).eq_ignore_ascii_case(name))
}

/// How far a lane holds.
pub(super) fn truth(truth: Option<Truth>) -> (Tone, &'static str) {
    match truth {
        Some(Truth::Yes) => (Tone::Good, "holds"),
        Some(Truth::Partial) => (Tone::Bad, "holds in part"),
        Some(Truth::No) => (Tone::Bad, "does not hold"),
        Some(Truth::Unknown) | None => (Tone::Warn, "not known"),
    }
}

/// The same of a release.
pub(super) fn given_back(truth: Option<Truth>) -> (Tone, &'static str) {
    match truth {
        Some(Truth::Yes) => (Tone::Calm, "given back"),
        Some(Truth::Partial) => (Tone::Bad, "given back in part"),
        Some(Truth::No) => (Tone::Bad, "not given back"),
        Some(Truth::Unknown) | None => (Tone::Warn, "not known"),
    }
}

/// What a step found.
pub(super) fn found(found: Found) -> (Tone, &'static str) {
    match found {
        Found::Changed => (Tone::Good, "changed"),
        Found::AlreadyDone => (Tone::Good, "already so"),
        Found::Missing => (Tone::Calm, "not there"),
        Found::Skipped => (Tone::Calm, "skipped"),
        Found::Failed => (Tone::Bad, "failed"),
        Found::Planned => (Tone::Warn, "no outcome on record"),
        Found::Unknown => (Tone::Warn, "not known"),
    }
}

/// `2026-01-02 03:04:05 UTC`.
pub(super) fn moment(at: Timestamp) -> String {
    let text = at.to_string();
    match (text.get(..10), text.get(11..19), text.ends_with('Z')) {
        (Some(day), Some(time), true) => format!("{day} {time} UTC"),
        _ => text,
    }
}

/// `03:04:05.678`.
pub(super) fn clock(at: Timestamp) -> String {
    let text = at.to_string();
    match (text.get(11..23), text.ends_with('Z')) {
        (Some(time), true) => time.to_owned(),
        _ => text,
    }
}

/// `850 ms`, `8.2 s`, `12 min 5 s`, `3 h 12 min`, `2 d 4 h`.
pub(super) fn length(length: Duration) -> String {
    let (millis, seconds) = (length.as_millis(), length.as_secs());
    let with = |whole: u64, unit: &str, rest: u64, small: &str| match rest {
        0 => format!("{whole} {unit}"),
        rest => format!("{whole} {unit} {rest} {small}"),
    };
    match (seconds, seconds / 60, seconds / 3600) {
        (0, ..) => format!("{millis} ms"),
        (..60, ..) if millis.is_multiple_of(1000) => format!("{seconds} s"),
        (..60, ..) => format!("{seconds}.{} s", millis % 1000 / 100),
        (_, ..60, _) => with(seconds / 60, "min", seconds % 60, "s"),
        (_, _, ..24) => with(seconds / 3600, "h", seconds / 60 % 60, "min"),
        (_, _, hours) => with(hours / 24, "d", hours % 24, "h"),
    }
}

/// `1 step`, `2 steps`, `2 stretches`.
pub(super) fn count(number: usize, of: &str) -> String {
    match (number, of.ends_with("ch")) {
        (1, _) => format!("1 {of}"),
        (_, true) => format!("{number} {of}es"),
        (_, false) => format!("{number} {of}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_as_people_say_them() {
        let shown = |millis| length(Duration::from_millis(millis));
        for (millis, said) in [
            (0, "0 ms"),
            (850, "850 ms"),
            (1000, "1 s"),
            (8_249, "8.2 s"),
            (60_000, "1 min"),
            (725_000, "12 min 5 s"),
            (11_520_000, "3 h 12 min"),
            (187_200_000, "2 d 4 h"),
        ] {
            assert_eq!(shown(millis), said);
        }
    }

    #[test]
    fn every_lane_is_known_by_the_name_that_answers_give_it() {
        for known in Lane::ALL {
            assert_eq!(lane_of(known.name()), Some(known));
        }
        assert_eq!(lane_of("identity"), lane_of("credentials"));
        assert_eq!(lane_of("teleport"), None);
    }

    #[test]
    fn a_time_out_of_the_calendar_is_shown_as_it_is() {
        assert_eq!(moment(Timestamp::from_millis(0)), "1970-01-01 00:00:00 UTC");
        assert_eq!(clock(Timestamp::from_millis(1_234)), "00:00:01.234");
        let far = Timestamp::from_millis(i64::MAX);
        assert_eq!((moment(far), clock(far)), (far.to_string(), far.to_string()));
    }
}
