//! The page in HTML: one file, no script, no request, light and dark, made to be printed. Every text is escaped by one
//! function, and every list has a share of the bytes, so that the page stays small whatever is on record.

mod chart;

use std::fmt::{Display, Write as _};

use super::{About, ChangeLine, Listed, Page, People, Tone, timeline::Timeline, words};

const STYLE: &str = include_str!("html/page.css");
/// Nothing may be loaded, run or sent, whatever got into the page.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// Bytes that each list may take; with the rest of the page they stay below 300 KB.
mod share {
    pub(super) const PATHS: usize = 35_000;
    pub(super) const STRETCH: usize = 8_000;
    pub(super) const LANE: usize = 22_000;
    pub(super) const GIVEN_BACK: usize = 20_000;
    pub(super) const EVIDENCE: usize = 10_000;
    pub(super) const UNKNOWN: usize = 15_000;
    pub(super) const PEOPLE: usize = 3_000;
}

/// Text with nothing left in it that HTML or an attribute would take for markup.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Bad => "bad",
        Tone::Warn => "warn",
        Tone::Calm => "calm",
        Tone::Good => "good",
    }
}

/// A word with a colour.
fn pill(tone: Tone, word: &str) -> String {
    format!(r#"<span class="pill {}">{}</span>"#, class(tone), Escaped(word))
}

/// A name or an id. It is kept apart from the direction of what stands around it.
fn mono(text: &str) -> String {
    format!(r#"<span class="mono">{}</span>"#, Escaped(text))
}

/// Writes members while they fit, and returns how many did not.
fn fitting<T>(out: &mut String, listed: &Listed<T>, bytes: usize, one: impl Fn(&T) -> String) -> usize {
    let mut left = bytes;
    for (number, member) in listed.shown.iter().enumerate() {
        let written = one(member);
        let Some(rest) = left.checked_sub(written.len()) else {
            return listed.more + listed.shown.len() - number;
        };
        left = rest;
        out.push_str(&written);
    }
    listed.more
}

fn and_more(out: &mut String, more: usize) {
    if more > 0 {
        let _ = write!(out, r#"<p class="more">and {more} more</p>"#);
    }
}

pub(super) fn write(page: &Page) -> String {
    let mut out = String::with_capacity(64 * 1024);
    let title = page.name.as_ref().map_or_else(|| page.id.clone(), |name| format!("{name} ({})", page.id));
    let _ = write!(
        out,
        r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{POLICY}"><meta name="viewport" content="width=device-width,initial-scale=1"><meta name="referrer" content="no-referrer"><meta name="robots" content="noindex"><title>{}: {}</title><style>{STYLE}</style></head><body><main>
<header><p class="eyebrow">Brig incident page</p><h1>{}</h1><p class="sub">{} · as of {}</p></header>
"#,
        page.state.word,
        Escaped(&title),
        Escaped(page.name.as_ref().unwrap_or(&page.id)),
        mono(&page.place),
        Escaped(&words::moment(page.as_of)),
    );
    state(&mut out, page);
    lanes(&mut out, page);
    timeline(&mut out, &page.timeline);
    changes(&mut out, page);
    evidence(&mut out, page);
    unknown(&mut out, page);
    out.push_str("<section><h2>People and invocations</h2><dl>");
    for people in &page.people {
        who(&mut out, people);
    }
    out.push_str(
        "</dl></section>\n<footer>Who invoked is a claim of the invoker. All times are UTC. \
         This page was made from the ledger's records; it loads nothing and runs nothing.</footer>\n</main></body></html>\n",
    );
    out
}

fn state(out: &mut String, page: &Page) {
    let state = &page.state;
    let tone = class(state.tone);
    let mark = match state.tone {
        Tone::Bad => "✕",
        Tone::Warn => "!",
        Tone::Calm => "–",
        Tone::Good => "✓",
    };
    let _ = write!(
        out,
        r#"<section><h2>State, and what to do</h2><div class="hero {tone}"><p class="word"><span aria-hidden="true">{mark}</span> {}</p><p>{}</p><dl class="small">"#,
        state.word,
        Escaped(&state.sentence)
    );
    for (what, text) in &state.sources {
        let _ = write!(out, "<dt>{what}</dt><dd>{}</dd>", Escaped(text));
    }
    out.push_str("</dl></div><h3>What to do now</h3>");
    for advice in &page.advice {
        let _ = write!(out, "<p>{}</p>", Escaped(&advice.text));
        if let Some(command) = &advice.command {
            let _ = write!(out, "<pre>{}</pre>", Escaped(command));
        }
    }
    out.push_str("</section>\n");
}

fn lanes(out: &mut String, page: &Page) {
    out.push_str(match page.about {
        About::Instance => "<section><h2>Lanes and paths, the weakest first</h2>",
        About::User | About::Role => "<section><h2>Credentials</h2>",
    });
    if page.lanes.is_empty() {
        out.push_str("<p>Nothing is on record.</p>");
    }
    out.push_str(r#"<div class="lanes">"#);
    for lane in &page.lanes {
        let now = lane.now.map_or_else(String::new, |(tone, word)| {
            format!(r#"<p class="small">seen now: <strong class="{}">{word}</strong></p>"#, class(tone))
        });
        let promise = lane.promise.map_or_else(String::new, |text| format!(r#"<p class="small soft">{text}</p>"#));
        let _ = write!(
            out,
            r#"<div class="lane"><h3>{}</h3>{}{now}{promise}<p class="small">steps: <span class="{}">{}</span></p></div>"#,
            words::lane(lane.lane),
            pill(lane.read_back.0, lane.read_back.1),
            class(lane.steps.0),
            Escaped(&lane.steps.1)
        );
    }
    out.push_str("</div>");
    if page.about != About::Instance {
        return out.push_str("</section>\n");
    }
    let at = page.read_back.map_or_else(String::new, |at| format!(" {}", words::moment(at)));
    let _ = write!(out, "<h3>Paths, as they were read back{}</h3>", Escaped(&at));
    if page.paths.shown.is_empty() {
        out.push_str("<p>No path is on record.</p>");
    } else {
        paths(out, page);
    }
    if let Some((tone, text)) = &page.proof {
        let _ = write!(out, "<p>{} {}</p>", pill(*tone, "flow logs"), Escaped(text));
    }
    out.push_str("</section>\n");
}

fn paths(out: &mut String, page: &Page) {
    out.push_str(
        r#"<table class="paths"><thead><tr><th>Path</th><th>New connections</th><th>Open ones</th><th>Why</th></tr></thead><tbody>"#,
    );
    let more = fitting(out, &page.paths, share::PATHS, |path| {
        let places: Vec<String> = path.via.iter().chain(&path.places.shown).map(|place| mono(place)).collect();
        let more = if path.places.more > 0 { format!(" and {} more", path.places.more) } else { String::new() };
        let idle = path.idle.as_ref().map_or_else(String::new, |idle| {
            format!(r#"<span class="small soft">until idle for {}</span>"#, Escaped(idle))
        });
        format!(
            r#"<tr><td>{}<span class="small soft">{}{more}</span></td><td data-l="New connections:">{}</td><td data-l="Open ones:">{}{idle}</td><td class="soft">{}</td></tr>"#,
            Escaped(&path.through),
            places.join(", "),
            pill(path.new.0, path.new.1),
            pill(path.open.0, path.open.1),
            Escaped(&path.why)
        )
    });
    out.push_str("</tbody></table>");
    and_more(out, more);
}

fn timeline(out: &mut String, timeline: &Timeline) {
    out.push_str("<section><h2>Timeline</h2>");
    if timeline.stretches.is_empty() {
        out.push_str("<p>Nothing is on record.</p>");
    }
    for stretch in &timeline.stretches {
        if let Some(gap) = stretch.gap {
            let _ = write!(out, r#"<div class="gap">{}</div>"#, gap.words());
        }
        let length = if stretch.length.is_zero() {
            String::new()
        } else {
            format!(" <span>and the {} from there</span>", words::length(stretch.length))
        };
        let _ = write!(out, r#"<div class="stretch"><h3>{}{length}</h3>"#, Escaped(&words::moment(stretch.from)));
        chart::write(out, stretch);
        out.push_str(r#"<ol class="events">"#);
        let more = fitting(out, &stretch.events, share::STRETCH, |event| {
            let tone = match event.tone {
                Tone::Bad | Tone::Warn => format!(r#" class="{}""#, class(event.tone)),
                Tone::Calm | Tone::Good => String::new(),
            };
            format!(
                "<li><time>{}</time><span{tone}>{}</span></li>",
                Escaped(&words::clock(event.at)),
                Escaped(&event.what)
            )
        });
        out.push_str("</ol>");
        and_more(out, more);
        out.push_str("</div>");
    }
    out.push_str("</section>\n");
}

fn changes(out: &mut String, page: &Page) {
    out.push_str("<section><h2>What was changed, before → after</h2>");
    if page.changed.is_empty() {
        out.push_str("<p>Nothing is on record.</p>");
    }
    for (lane, lines) in &page.changed {
        steps(out, words::lane(*lane), lines, share::LANE);
    }
    if !page.given_back.shown.is_empty() {
        steps(out, "Given back", &page.given_back, share::GIVEN_BACK);
    }
    out.push_str("</section>\n");
}

fn steps(out: &mut String, title: &str, lines: &Listed<ChangeLine>, bytes: usize) {
    let _ = write!(
        out,
        r#"<h3>{title}</h3><table class="steps"><thead><tr><th>Found</th><th>Step</th><th>Before → after</th></tr></thead><tbody>"#
    );
    let more = fitting(out, lines, bytes, step);
    out.push_str("</tbody></table>");
    and_more(out, more);
}

fn step(line: &ChangeLine) -> String {
    let at = line
        .at
        .map_or_else(String::new, |at| format!(r#"<span class="small soft">{}</span>"#, Escaped(&words::clock(at))));
    let mut change = line.change.as_ref().map_or_else(String::new, |(of, before, after)| {
        format!(
            r#"<span class="soft">{}:</span> <span class="mono was">{}</span> → <span class="mono">{}</span>"#,
            Escaped(of),
            Escaped(before),
            Escaped(after)
        )
    });
    if let Some(detail) = &line.detail {
        let _ = write!(change, r#"<span class="small">{}</span>"#, Escaped(detail));
    }
    if let Some((times, last)) = line.repaired {
        let _ = write!(
            change,
            r#"<span class="small warn">undone and done again {}, last {}</span>"#,
            words::count(times, "time"),
            Escaped(&words::moment(last))
        );
    }
    format!(
        r#"<tr><td>{}{at}</td><td>{}<span class="small mono soft">{}</span></td><td>{change}</td></tr>"#,
        pill(line.found.0, line.found.1),
        Escaped(&line.step.replace('_', " ")),
        Escaped(&line.resource)
    )
}

fn evidence(out: &mut String, page: &Page) {
    let evidence = &page.evidence;
    out.push_str("<section><h2>Evidence</h2>");
    if page.about != About::Instance {
        out.push_str("<p>The record itself: nothing of IAM is copied.</p>");
    } else if evidence.snapshots.shown.is_empty() {
        out.push_str("<p>No snapshot with a lock or a device is on record.</p>");
    } else {
        out.push_str(r#"<table><thead><tr><th>Snapshot</th><th>Device</th><th>Lock</th></tr></thead><tbody>"#);
        let more = fitting(out, &evidence.snapshots, share::EVIDENCE, |snapshot| {
            format!(
                r#"<tr><td>{}</td><td data-l="Device:">{}</td><td data-l="Lock:"><span class="{}">{}</span></td></tr>"#,
                mono(&snapshot.id),
                snapshot.device.as_ref().map_or_else(|| "not on record".to_owned(), |device| mono(device)),
                class(snapshot.lock.0),
                Escaped(&snapshot.lock.1)
            )
        });
        out.push_str("</tbody></table>");
        and_more(out, more);
    }
    if !evidence.said.shown.is_empty() {
        out.push_str(r#"<ul class="plain">"#);
        let more = fitting(out, &evidence.said, share::EVIDENCE, |(step, said)| {
            format!("<li>{}: {}</li>", mono(step), Escaped(said))
        });
        out.push_str("</ul>");
        and_more(out, more);
    }
    out.push_str("<dl>");
    for (what, id) in &evidence.record {
        let _ = write!(out, "<dt>{what}</dt><dd>{}</dd>", mono(id));
    }
    out.push_str("</dl>");
    if let Some(command) = &evidence.command {
        let _ = write!(out, "<p>To see whether the snapshots have completed:</p><pre>{}</pre>", Escaped(command));
    }
    out.push_str("</section>\n");
}

fn unknown(out: &mut String, page: &Page) {
    out.push_str("<section><h2>What is not known, and why</h2>");
    if page.unknown.shown.is_empty() {
        out.push_str("<p>Nothing is on record that is not known.</p>");
    }
    out.push_str(r#"<ul class="plain">"#);
    let more = fitting(out, &page.unknown, share::UNKNOWN, |unknown| {
        format!(
            r#"<li><strong>{}</strong> <span class="soft">{}</span></li>"#,
            Escaped(&unknown.what),
            Escaped(&unknown.why)
        )
    });
    out.push_str("</ul>");
    and_more(out, more);
    if !page.notes.shown.is_empty() {
        out.push_str(r#"<h3>Noted as it was read back</h3><ul class="plain">"#);
        let more = fitting(out, &page.notes, share::UNKNOWN, |note| format!("<li>{}</li>", Escaped(note)));
        out.push_str("</ul>");
        and_more(out, more);
    }
    out.push_str("</section>\n");
}

fn who(out: &mut String, people: &People) {
    let _ = write!(out, "<dt>{}</dt><dd><ul>", people.what);
    let more = fitting(out, &people.who, share::PEOPLE, |who| format!("<li>{}</li>", Escaped(who)));
    out.push_str("</ul>");
    and_more(out, more);
    out.push_str("</dd>");
}
