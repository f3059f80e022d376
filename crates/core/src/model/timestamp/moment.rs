//! Every way in which a source writes a point in time. What does not say its zone is UTC, which is what logs are in; a zone
//! that is not known makes the whole no time, and so do placeholders: a wrong time would blame the wrong instance.

use serde_json::Value;
use time::{
    OffsetDateTime, PrimitiveDateTime, UtcOffset,
    format_description::{BorrowedFormatItem, well_known::Rfc3339},
    macros::format_description,
};

use super::Timestamp;

/// A text longer than this is no time.
const LONGEST: usize = 64;
/// Epoch numbers below this are seconds, from it on milliseconds: the year 5138, or March 1973.
const FIRST_MILLIS: f64 = 1e11;
/// The first moment that an epoch number may mean: 2001. Smaller ones are counts of something else.
const FIRST_SECONDS: f64 = 1e9;

/// Zones by their abbreviations, in minutes east of UTC: those of RFC 2822, of AWS's mails, and common ones that mean one zone.
const ZONES: [(&str, i32); 31] = [
    ("Z", 0),
    ("UT", 0),
    ("UTC", 0),
    ("GMT", 0),
    ("WET", 0),
    ("WEST", 60),
    ("BST", 60),
    ("CET", 60),
    ("MEZ", 60),
    ("CEST", 120),
    ("MESZ", 120),
    ("EET", 120),
    ("EEST", 180),
    ("MSK", 180),
    ("SGT", 480),
    ("HKT", 480),
    ("JST", 540),
    ("KST", 540),
    ("AEST", 600),
    ("AEDT", 660),
    ("NZST", 720),
    ("NZDT", 780),
    ("EST", -300),
    ("EDT", -240),
    ("CST", -360),
    ("CDT", -300),
    ("MST", -420),
    ("MDT", -360),
    ("PST", -480),
    ("PDT", -420),
    ("AKST", -540),
];

/// After a zone is taken off, commas and the weekday left out, and runs of spaces made one.
const FORMS: [&[BorrowedFormatItem<'static>]; 9] = [
    format_description!(
        version = 2,
        "[year]-[month]-[day] [hour padding:none]:[minute][optional [:[second][optional [.[subsecond]]]]]"
    ),
    format_description!(
        version = 2,
        "[year]/[month]/[day] [hour padding:none]:[minute][optional [:[second][optional [.[subsecond]]]]]"
    ),
    format_description!(
        version = 2,
        "[day padding:none] [month repr:short] [year] [hour padding:none]:[minute][optional [:[second][optional [.[subsecond]]]]]"
    ),
    format_description!(
        version = 2,
        "[day padding:none]-[month repr:short]-[year] [hour padding:none]:[minute][optional [:[second][optional [.[subsecond]]]]]"
    ),
    format_description!(version = 2, "[day]/[month repr:short]/[year]:[hour]:[minute]:[second]"),
    format_description!(
        version = 2,
        "[month repr:short] [day padding:none] [year] [hour padding:none repr:12]:[minute][optional [:[second]]] [period case_sensitive:false]"
    ),
    format_description!(
        version = 2,
        "[month repr:short] [day padding:none] [year] [hour padding:none]:[minute][optional [:[second][optional [.[subsecond]]]]]"
    ),
    format_description!(
        version = 2,
        "[month repr:short] [day padding:none] [hour padding:none]:[minute][optional [:[second]]] [year]"
    ),
    format_description!(version = 2, "[year][month][day]T[hour][minute][second]"),
];

const WEEKDAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.len() > LONGEST || !text.is_ascii() {
        return None;
    }
    if let Ok(moment) = OffsetDateTime::parse(text, &Rfc3339) {
        return of(moment);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return text.parse().ok().and_then(of_epoch);
    }
    let text = with_dot(text);
    let mut words: Vec<String> =
        text.split([' ', ',', '(', ')', '[', ']']).filter(|word| !word.is_empty()).map(plain).collect();
    words.retain(|word| {
        !WEEKDAYS.iter().any(|day| *day == word.to_ascii_lowercase().trim_end_matches('.')) && !is_long_weekday(word)
    });
    let said_otherwise = ["at", "coordinated", "universal", "time"];
    words.retain(|word| !said_otherwise.iter().any(|other| word.eq_ignore_ascii_case(other)));
    let mut minutes: Option<i32> = None;
    // A zone may stand anywhere behind the date, and twice: `+0000 (UTC)`.
    let mut kept = Vec::new();
    for word in words {
        match zone(&word) {
            Some(found) if minutes.is_some_and(|known| known != found) => return None,
            Some(found) => minutes = Some(found),
            None => kept.push(word),
        }
    }
    let mut core = kept.join(" ");
    if let Some((date, found)) = zone_at_the_end(&core) {
        if minutes.is_some_and(|known| known != found) {
            return None;
        }
        minutes = Some(found);
        core = date;
    }
    if let Some(sorted) = year_first(&core) {
        core = sorted;
    }
    // Between date and clock stands a T or a space.
    if core.as_bytes().get(10) == Some(&b'T') {
        core.replace_range(10..11, " ");
    }

    let offset = UtcOffset::from_whole_seconds(minutes.unwrap_or(0) * 60).ok()?;
    FORMS
        .iter()
        .find_map(|form| PrimitiveDateTime::parse(&core, form).ok())
        .and_then(|moment| of(moment.assume_offset(offset)))
}

/// `04:05,678` as `04:05.678`: a comma before the fraction, which is no comma between words.
fn with_dot(text: &str) -> String {
    let digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    let bytes = text.as_bytes();
    let is_fraction = |at: usize| {
        let clock = at.checked_sub(3).is_some_and(|start| bytes.get(start) == Some(&b':'));
        clock && digit(bytes.get(at.saturating_sub(1))) && digit(bytes.get(at + 1))
    };
    text.char_indices().map(|(at, c)| if c == ',' && is_fraction(at) { '.' } else { c }).collect()
}

/// `31-01-2026` and `31.01.2026` as `2026-01-31`, `1/31/2026` too: only where day and month cannot be exchanged. With dots
/// the day is always first.
fn year_first(text: &str) -> Option<String> {
    let (date, clock) = text.split_once(' ')?;
    let mark = ['-', '/', '.'].into_iter().find(|mark| date.contains(*mark))?;
    let parts: Vec<&str> = date.split(mark).collect();
    let [first, second, year] = parts.as_slice() else { return None };
    if year.len() != 4 || first.len() > 2 || second.len() > 2 {
        return None;
    }
    let (first, second): (u8, u8) = (first.parse().ok()?, second.parse().ok()?);
    let (day, month) = match (first > 12, second > 12) {
        (true, false) => (first, second),
        (false, true) if mark != '.' => (second, first),
        (false, false) if mark == '.' || first == second => (first, second),
        (true, true) | (false, true | false) => return None,
    };
    Some(format!("{year}-{month:02}-{day:02} {clock}"))
}

/// A number or a text.
pub(super) fn read(value: &Value) -> Option<Timestamp> {
    match value {
        Value::String(text) => parse(text),
        Value::Number(number) => number.as_f64().and_then(of_epoch),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

fn of(moment: OffsetDateTime) -> Option<Timestamp> {
    i64::try_from(moment.unix_timestamp_nanos() / 1_000_000).ok().map(Timestamp::from_millis)
}

#[expect(clippy::cast_possible_truncation, reason = "checked against the bounds before")]
fn of_epoch(number: f64) -> Option<Timestamp> {
    let millis = if number < FIRST_MILLIS { number * 1000.0 } else { number };
    (number >= FIRST_SECONDS && millis < FIRST_MILLIS * 1000.0).then(|| Timestamp::from_millis(millis.round() as i64))
}

/// A month by its whole name as its short one.
fn plain(word: &str) -> String {
    let lower = word.trim_end_matches('.').to_ascii_lowercase();
    let month = MONTHS
        .iter()
        .find(|month| lower.len() >= 3 && month.starts_with(&lower) || lower == "sept" && month.starts_with("sept"));
    let Some(short) = month.and_then(|month| month.get(..3)) else { return word.to_owned() };
    short.chars().enumerate().map(|(at, c)| if at == 0 { c.to_ascii_uppercase() } else { c }).collect()
}

fn is_long_weekday(word: &str) -> bool {
    let lower = word.to_ascii_lowercase();
    lower.len() > 3 && lower.ends_with("day") && WEEKDAYS.iter().any(|day| lower.starts_with(day))
}

/// `PDT`, `+0000`, `-07:00`, `UTC+2`: minutes east of UTC.
fn zone(word: &str) -> Option<i32> {
    if let Some((_, minutes)) = ZONES.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)) {
        return Some(*minutes);
    }
    let upper = word.to_ascii_uppercase();
    let digits = upper.strip_prefix("UTC").or_else(|| upper.strip_prefix("GMT")).unwrap_or(&upper);
    offset(digits)
}

/// `+0000`, `-07:00`, `+02`.
fn offset(text: &str) -> Option<i32> {
    let (sign, rest) = match text.split_at_checked(1)? {
        ("+", rest) => (1, rest),
        ("-", rest) => (-1, rest),
        _ => return None,
    };
    let digits: String = rest.chars().filter(|c| *c != ':').collect();
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes) = match digits.len() {
        1 | 2 => (digits.parse().ok()?, 0),
        4 => (digits.get(..2)?.parse().ok()?, digits.get(2..)?.parse().ok()?),
        _ => return None,
    };
    let (hours, minutes): (i32, i32) = (hours, minutes);
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

/// A zone that follows the clock without a space: `04:05Z`, `04:05.000+0000`.
fn zone_at_the_end(text: &str) -> Option<(String, i32)> {
    if let Some(date) = text.strip_suffix(['Z', 'z']) {
        return Some((date.to_owned(), 0));
    }
    let clock = text.find(':')?;
    let at = text.get(clock..)?.find(['+', '-'])? + clock;
    Some((text.get(..at)?.to_owned(), offset(text.get(at..)?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_writes_its_time_in_its_own_way() {
        for (text, moment) in [
            ("2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000Z"),
            ("2026-01-02T03:04:05.678+01:00", "2026-01-02T02:04:05.678Z"),
            ("2026-11-25T19:34:16.000+0000", "2026-11-25T19:34:16.000Z"),
            ("2026-11-25T19:34:16.000-0730", "2026-11-26T03:04:16.000Z"),
            ("2026-01-02T03:04Z", "2026-01-02T03:04:00.000Z"),
            ("Fri, 2 Jan 2026 03:04:00 GMT", "2026-01-02T03:04:00.000Z"),
            ("Fri, 02 Jan 2026 03:04:05 +0100", "2026-01-02T02:04:05.000Z"),
            ("2 Jan 2026 03:04:00 -0500 (EST)", "2026-01-02T08:04:00.000Z"),
            ("2026-01-02 12:00:00 PDT", "2026-01-02T19:00:00.000Z"),
            ("2026-01-02 12:00:00 PST", "2026-01-02T20:00:00.000Z"),
            ("2026-01-02 12:00:00 EST", "2026-01-02T17:00:00.000Z"),
            ("2026-01-02 12:00:00 EDT", "2026-01-02T16:00:00.000Z"),
            ("2026-01-02 12:00:00 CET", "2026-01-02T11:00:00.000Z"),
            ("2026-01-02 12:00:00 UTC", "2026-01-02T12:00:00.000Z"),
            ("2026-01-02 12:00:00 GMT", "2026-01-02T12:00:00.000Z"),
            ("2026-01-02 12:00:00 +02:00", "2026-01-02T10:00:00.000Z"),
            ("2026-01-02 12:00:00 UTC+2", "2026-01-02T10:00:00.000Z"),
            ("2026-01-02 12:00:00", "2026-01-02T12:00:00.000Z"),
            ("2026-01-02 12:00:00.123", "2026-01-02T12:00:00.123Z"),
            ("2026-01-02T12:00:00", "2026-01-02T12:00:00.000Z"),
            ("2026/01/02 12:00", "2026-01-02T12:00:00.000Z"),
            ("Aug 1, 2026 1:37:41 PM", "2026-08-01T13:37:41.000Z"),
            ("Aug 1, 2026, 1:37:41 PM PDT", "2026-08-01T20:37:41.000Z"),
            ("August 1, 2026 12:37:41 AM", "2026-08-01T00:37:41.000Z"),
            ("Sept 1, 2026 12:37 pm", "2026-09-01T12:37:00.000Z"),
            ("Fri Jan  2 03:04:05 UTC 2026", "2026-01-02T03:04:05.000Z"),
            ("Fri Jan 2 03:04:05 2026", "2026-01-02T03:04:05.000Z"),
            ("02/Jan/2026:03:04:05 +0000", "2026-01-02T03:04:05.000Z"),
            ("[02/Jan/2026:03:04:05 -0800]", "2026-01-02T11:04:05.000Z"),
            ("02-Jan-2026 03:04:05 GMT", "2026-01-02T03:04:05.000Z"),
            ("20260102T030405Z", "2026-01-02T03:04:05.000Z"),
            ("2026-01-02 03:04:05,678", "2026-01-02T03:04:05.678Z"),
            ("2026-01-02T03:04:05,678Z", "2026-01-02T03:04:05.678Z"),
            ("2026-01-02 03:04:05.678901234 +0000 UTC", "2026-01-02T03:04:05.678Z"),
            ("2026-01-02T03:04:05Z[UTC]", "2026-01-02T03:04:05.000Z"),
            ("Fri Jan 02 2026 03:04:05 GMT+0000 (Coordinated Universal Time)", "2026-01-02T03:04:05.000Z"),
            ("January 2, 2026 at 3:04 PM UTC", "2026-01-02T15:04:00.000Z"),
            ("31-01-2026 03:04:05 UTC", "2026-01-31T03:04:05.000Z"),
            ("02.01.2026 03:04", "2026-01-02T03:04:00.000Z"),
            ("1/31/2026 03:04:05", "2026-01-31T03:04:05.000Z"),
            ("02/02/2026 03:04:05", "2026-02-02T03:04:05.000Z"),
            ("1767312000", "2026-01-02T00:00:00.000Z"),
            ("1767312000123", "2026-01-02T00:00:00.123Z"),
        ] {
            assert_eq!(parse(text).map(|found| found.to_string()).as_deref(), Some(moment), "{text}");
        }
        for (value, moment) in [
            (serde_json::json!(1_767_312_000), "2026-01-02T00:00:00.000Z"),
            (serde_json::json!(1_767_312_000_123_i64), "2026-01-02T00:00:00.123Z"),
            (serde_json::json!(1_767_312_000.5), "2026-01-02T00:00:00.500Z"),
            (serde_json::json!("2026-01-02T00:00:00Z"), "2026-01-02T00:00:00.000Z"),
        ] {
            assert_eq!(read(&value).map(|found| found.to_string()).as_deref(), Some(moment), "{value}");
        }
    }

    #[test]
    fn placeholders_unknown_zones_and_other_texts_are_no_times() {
        for text in [
            "",
            "yyyy-mm-ddThh:mm:ssZ",
            "2018-11-27T01:30:00Z <<fill this time in GMT>>",
            "2026-13-02 12:00:00",
            "2026-01-02 25:00:00",
            "2026-01-02 12:00:00 XYZ",
            "2026-01-02 12:00:00 UTC PDT",
            "2026-01-02T12:00:00Z PDT",
            "02/01/2026 03:04:05",
            "02-01-2026 03:04:05 UTC",
            "32-01-2026 03:04:05",
            "2026-01-02",
            "yesterday",
            "80",
            "123456789012345678901234567890",
            "198.51.100.7",
            "Jan 2 03:04:05",
            "2026-01-02T03:04:05\u{202e}Z",
            "NaN",
            "-1",
            "1e12",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        for value in [serde_json::json!(0), serde_json::json!(-5), serde_json::json!(1e300), serde_json::json!([])] {
            assert_eq!(read(&value), None, "{value}");
        }
    }
}
