//! What somebody's credentials did, by CloudTrail's records.

use std::collections::BTreeMap;

use brig_core::model::timestamp::Timestamp;
use brig_trace::{Credential, CredentialId, Deed, DeedKind, DeedState, Over, Presence, Trace};

use super::{
    Look,
    page::{Page, Tone},
};

/// So many deeds, and attempts, of one kind are listed.
const MOST: usize = 40;
/// Levels by which a credential is indented.
const DEEPEST: u16 = 20;
const MOST_ADDRESSES: usize = 4;
const MOST_WHAT: usize = 6;

/// The text.
#[must_use]
pub fn render(trace: &Trace, look: &Look) -> String {
    let mut page = Page::new(look);
    let (tone, headline) = headline(trace);
    page.line(tone, &headline);
    page.paragraph(Tone::Plain, &numbers(trace));
    over(&mut page, &trace.over);
    credentials(&mut page, trace);
    deeds(&mut page, &trace.deeds);
    undo(&mut page, &trace.deeds);
    attempts(&mut page, &trace.attempts);
    if !trace.gaps.is_empty() {
        page.section("Not read: what is in these is not known");
        page.list(trace.gaps.iter().map(String::as_str));
    }
    page.done()
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// The weakest decides the first sentence.
fn headline(trace: &Trace) -> (Tone, String) {
    let root = &trace.root;
    let summary = &trace.summary;
    if trace.credentials.iter().all(|one| one.uses.succeeded + one.uses.refused == 0) && trace.deeds.is_empty() {
        return (Tone::Warn, format!("NOTHING ON RECORD of {root}: no call in what was read."));
    }
    match &trace.over {
        Over::Contradicted { cut, calls } => (
            Tone::Bad,
            format!(
                "NOT OVER: {} of {root} made calls that succeeded after the cut at {cut}.",
                plural(calls.len(), "credential")
            ),
        ),
        _ if summary.alive > 0 => (
            Tone::Bad,
            format!(
                "ALIVE: {} of {} that began with {root}.",
                summary.alive,
                plural(summary.credentials, "credential")
            ),
        ),
        _ if summary.unknown > 0 => (
            Tone::Warn,
            format!(
                "NOT KNOWN whether {} of {} that began with {root} still work{}.",
                summary.unknown,
                plural(summary.credentials, "credential"),
                if summary.unknown == 1 { "s" } else { "" }
            ),
        ),
        Over::Proven { .. } | Over::TooEarly { .. } | Over::Unread { .. } | Over::NoCut => {
            (Tone::Good, format!("DEAD: {} that began with {root}.", plural(summary.credentials, "credential")))
        }
    }
}

fn numbers(trace: &Trace) -> String {
    let summary = &trace.summary;
    let stolen = if summary.stolen_by_imdsv1 {
        " Credentials were handed out through version 1 of the metadata service, which any request from the instance gets."
    } else {
        ""
    };
    format!(
        "{} ({} known to be gone), {} that failed.{stolen}",
        plural(summary.deeds, "deed"),
        summary.gone,
        plural(summary.attempts, "attempt")
    )
}

fn over(page: &mut Page<'_>, over: &Over) {
    page.section("Is it over?");
    match over {
        Over::Proven { cut, until } => {
            page.paragraph(
                Tone::Good,
                &format!("No call succeeded between the cut at {cut} and {until}, as far as CloudTrail's records go."),
            );
        }
        Over::TooEarly { cut, again } => page.paragraph(
            Tone::Warn,
            &format!("Too early: the cut was at {cut}, and records come up to 15 minutes late. Look again at {again}."),
        ),
        Over::Contradicted { cut, calls } => {
            page.paragraph(Tone::Bad, &format!("No: these succeeded after the cut at {cut}, each last at"));
            let rows: Vec<_> =
                calls.iter().map(|(id, at)| vec![(Tone::Bad, id.to_string()), (Tone::Plain, at.to_string())]).collect();
            page.grid(2, &[], &rows);
        }
        Over::Unread { cut, gaps, until } => page.paragraph(Tone::Warn, &unread(*cut, *gaps, *until)),
        Over::NoCut => page.paragraph(Tone::Warn, "Not known: nobody said when it was cut off (--cut)."),
    }
}

fn unread(cut: Timestamp, gaps: usize, until: Option<Timestamp>) -> String {
    match (gaps, until) {
        (0, None) => format!("Not known: no record was read, of the time after the cut at {cut} or of any other."),
        (0, Some(until)) => {
            format!("Not known: the records end at {until}, and the cut was at {cut}. Read later ones too.")
        }
        (1, _) => format!("No call after the cut at {cut} was seen, but 1 part of the record could not be read."),
        (gaps, _) => {
            format!("No call after the cut at {cut} was seen, but {gaps} parts of the record could not be read.")
        }
    }
}

fn credentials(page: &mut Page<'_>, trace: &Trace) {
    page.section("Credentials, each below the one that it came from");
    // Each comes after what it came from.
    let mut depths: BTreeMap<CredentialId, u16> = BTreeMap::new();
    for one in &trace.credentials {
        let depth = one.from.as_ref().map_or(0, |from| depths.get(from).map_or(1, |depth| depth.saturating_add(1)));
        depths.insert(one.id.clone(), depth);
        depths.extend(one.also.iter().map(|key| (CredentialId::Key(key.clone()), depth)));
        let indent = depth.min(DEEPEST) * 2;
        let (word, why) = one.standing.words();
        let tone = match one.standing.weakness() {
            0 => Tone::Good,
            1 => Tone::Warn,
            _ => Tone::Bad,
        };
        let title = match &one.id {
            CredentialId::Password(user) => format!("console password of {user}"),
            id @ (CredentialId::Key(_)
            | CredentialId::Instance(_)
            | CredentialId::Service(_)
            | CredentialId::Session(_)) => {
                format!("{} {id}", one.kind.noun())
            }
        };
        page.grid(indent, &[], &[vec![(Tone::Strong, title)]]);
        let mut rows = vec![vec![(tone, word.to_owned()), (Tone::Plain, why.to_owned())]];
        rows.push(vec![(Tone::Plain, "issued".to_owned()), (Tone::Plain, issued(one))]);
        rows.push(vec![(Tone::Plain, "used".to_owned()), (Tone::Plain, used(one))]);
        if !one.also.is_empty() {
            let also = one.also.iter().cloned().collect::<Vec<_>>().join(", ");
            rows.push(vec![
                (Tone::Plain, "also".to_owned()),
                (Tone::Plain, format!("{also} in the records of its use")),
            ]);
        }
        page.grid(indent + 2, &[], &rows);
    }
}

fn issued(one: &Credential) -> String {
    let when = one.issued.map_or_else(|| "at a time that no record has".to_owned(), |at| at.to_string());
    let by = match (&one.by, &one.from) {
        (Some(call), Some(from)) => format!(" by {call} of {from}"),
        (None, Some(from)) => format!(" by {from}"),
        (_, None) => String::new(),
    };
    let of = one.of.as_ref().map(|of| format!(", {of}")).unwrap_or_default();
    let session = one.session.as_ref().map(|name| format!(" ({name})")).unwrap_or_default();
    let delivery = match one.delivery {
        Some(brig_trace::Delivery::V1) => ", handed out by IMDSv1",
        Some(brig_trace::Delivery::V2) => ", handed out by IMDSv2",
        None => "",
    };
    let ends = one.expires.map(|at| format!(", until {at}")).unwrap_or_default();
    format!("{when}{by}{of}{session}{delivery}{ends}")
}

fn used(one: &Credential) -> String {
    let uses = &one.uses;
    let (Some(first), Some(last)) = (uses.first, uses.last) else { return "no call on record".to_owned() };
    let times = |at: Timestamp| at.to_string();
    let counted = if uses.refused == 0 {
        plural(uses.succeeded, "call")
    } else {
        format!("{}, {} refused", plural(uses.succeeded, "call"), uses.refused)
    };
    let mut from: Vec<(&String, &usize)> = uses.addresses.iter().collect();
    from.sort_by(|one, other| other.1.cmp(one.1).then_with(|| one.0.cmp(other.0)));
    let more = from.len().saturating_sub(MOST_ADDRESSES);
    let from = from
        .into_iter()
        .take(MOST_ADDRESSES)
        .map(|(address, count)| format!("{address} ({count})"))
        .collect::<Vec<_>>()
        .join(", ");
    let more = if more == 0 { String::new() } else { format!(" and {more} more addresses") };
    let regions = uses.regions.iter().cloned().collect::<Vec<_>>().join(", ");
    format!("{counted}, {} to {}, in {regions}, from {from}{more}", times(first), times(last))
}

fn deeds(page: &mut Page<'_>, deeds: &[Deed]) {
    page.section("What they made, changed and took");
    if deeds.is_empty() {
        page.paragraph(Tone::Plain, "Nothing on record.");
        return;
    }
    let unusual: Vec<&Deed> = deeds.iter().filter(|deed| deed.unusual_region).collect();
    if !unusual.is_empty() {
        page.gap();
        page.line(Tone::Bad, "in Regions where nobody else has called");
        list(page, &unusual);
    }
    let mut kinds: Vec<DeedKind> = deeds.iter().map(|deed| deed.kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    for kind in kinds {
        let of: Vec<&Deed> = deeds.iter().filter(|deed| deed.kind == kind && !deed.unusual_region).collect();
        if of.is_empty() {
            continue;
        }
        page.gap();
        page.line(Tone::Strong, kind.noun());
        list(page, &of);
    }
}

fn list(page: &mut Page<'_>, deeds: &[&Deed]) {
    let rows: Vec<_> = deeds
        .iter()
        .take(MOST)
        .map(|deed| {
            let (tone, now) = match &deed.presence {
                Presence::There { seen } => (Tone::Bad, format!("THERE: {seen}")),
                Presence::Gone { seen } => (Tone::Good, format!("gone: {seen}")),
                Presence::Unknown { .. } => (Tone::Warn, "there or not: unknown".to_owned()),
                Presence::Over => (Tone::Plain, String::new()),
            };
            vec![(Tone::Plain, deed.first.to_string()), (Tone::Plain, said(deed)), (tone, now)]
        })
        .collect();
    page.grid(2, &[], &rows);
    if deeds.len() > MOST {
        page.paragraph(Tone::Warn, &format!("and {} more: --json has all", deeds.len() - MOST));
    }
}

fn said(deed: &Deed) -> String {
    let times = if deed.times == 1 { String::new() } else { format!(" {} times until {}", deed.times, deed.last) };
    let shown = deed.what.iter().take(MOST_WHAT).cloned().collect::<Vec<_>>().join(", ");
    let more = deed.others + deed.what.len().saturating_sub(MOST_WHAT);
    let what = match (shown.is_empty(), more) {
        (true, _) => String::new(),
        (false, 0) => format!(" {shown}"),
        (false, more) => format!(" {shown} and {more} more"),
    };
    let detail = deed.detail.as_ref().map(|detail| format!(": {detail}")).unwrap_or_default();
    format!("{}{times}{what}{detail} ({}, {})", deed.call, deed.region, deed.by)
}

fn undo(page: &mut Page<'_>, deeds: &[Deed]) {
    let commands: Vec<&String> = deeds.iter().filter_map(|deed| deed.undo.as_ref()).collect();
    if commands.is_empty() {
        return;
    }
    page.section("To undo it, once you have looked at each (nothing is undone by itself)");
    for command in commands {
        page.command(command);
    }
}

fn attempts(page: &mut Page<'_>, attempts: &[Deed]) {
    if attempts.is_empty() {
        return;
    }
    page.section("What they tried, and AWS refused");
    let rows: Vec<_> = attempts
        .iter()
        .take(MOST)
        .map(|deed| {
            let why = match &deed.state {
                DeedState::Attempt { error } => error.clone(),
                DeedState::DryRun => "only asked whether it would be allowed".to_owned(),
                DeedState::Done => String::new(),
            };
            vec![(Tone::Plain, deed.first.to_string()), (Tone::Plain, said(deed)), (Tone::Plain, why)]
        })
        .collect();
    page.grid(2, &[], &rows);
}
