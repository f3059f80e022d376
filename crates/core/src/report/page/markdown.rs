//! The page in Markdown, as GitHub reads it (<https://github.github.com/gfm/>). Names and ids stand in code spans, in which
//! nothing is interpreted; sentences are escaped, and what a reader would make a link or a mention of is a code span too.

use std::fmt::Write as _;

use super::{About, ChangeLine, Listed, Page, Tone, timeline::Stretch, words};

pub(super) fn write(page: &Page) -> String {
    let mut out = String::new();
    let name = page.name.as_ref().map_or_else(String::new, |name| format!(" ({})", code(name)));
    line(&mut out, &format!("# Incident: {}{name}", code(&page.id)));
    line(&mut out, &format!("{} · as of {}", code(&page.place), words::moment(page.as_of)));
    state(&mut out, page);
    lanes(&mut out, page);
    timeline(&mut out, page);
    changes(&mut out, page);
    evidence(&mut out, page);
    unknown(&mut out, page);
    line(&mut out, "## People and invocations");
    let people = page.people.iter().map(|people| {
        let who: Vec<String> = people.who.shown.iter().map(|who| sentence(who)).collect();
        format!("**{}**: {}{}", people.what, who.join("; "), and_more(people.who.more))
    });
    items(&mut out, people, 0);
    out
}

fn line(out: &mut String, text: &str) {
    let _ = write!(out, "{text}\n\n");
}

fn items(out: &mut String, items: impl Iterator<Item = String>, more: usize) {
    let mut any = false;
    for item in items {
        any = true;
        let _ = writeln!(out, "- {item}");
    }
    if more > 0 {
        let _ = writeln!(out, "- and {more} more");
    }
    out.push_str(if any || more > 0 { "\n" } else { "Nothing.\n\n" });
}

fn and_more(more: usize) -> String {
    if more == 0 { String::new() } else { format!(" and {more} more") }
}

fn command(out: &mut String, command: &str) {
    let longest = longest_run(command).max(2) + 1;
    let fence = "`".repeat(longest);
    line(out, &format!("{fence}sh\n{command}\n{fence}"));
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

/// Text as it is, in which nothing is interpreted.
fn code(text: &str) -> String {
    if text.is_empty() {
        return "(empty)".to_owned();
    }
    let fence = "`".repeat(longest_run(text) + 1);
    let pad = if text.starts_with(['`', ' ']) || text.ends_with(['`', ' ']) { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// A sentence, word by word: what would be a link or a mention is code, all else is escaped.
fn sentence(text: &str) -> String {
    let word = |word: &str| {
        let links = word.contains('@') || word.contains("://") || word.to_ascii_lowercase().contains("www.");
        if links { code(word) } else { escaped(word) }
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// A backslash before what has a meaning: anywhere, or at the start of a line.
fn escaped(word: &str) -> String {
    let mut out = String::new();
    let numbered = word.trim_start_matches(|c: char| c.is_ascii_digit());
    let mut before = None;
    let mut rest = word.char_indices().peekable();
    while let Some((place, c)) = rest.next() {
        let after = rest.peek().map(|(_, c)| *c);
        let inside = [before, after].into_iter().all(|side| side.is_some_and(char::is_alphanumeric));
        let escapes = match c {
            '\\' | '`' | '*' | '[' | ']' | '<' | '>' | '|' | '~' | '$' => true,
            // Within a word it is a letter to GitHub.
            '_' => !inside,
            '&' => word.contains(';'),
            '#' | '+' | '-' | '=' | ':' => place == 0,
            '.' | ')' => place > 0 && place + numbered.len() == word.len(),
            _ => false,
        };
        if escapes {
            out.push('\\');
        }
        out.push(c);
        before = Some(c);
    }
    out
}

fn marked(tone: Tone, word: &str) -> String {
    match tone {
        Tone::Bad => format!("**{}**", word.to_uppercase()),
        Tone::Warn => format!("**{word}**"),
        Tone::Calm | Tone::Good => word.to_owned(),
    }
}

fn state(out: &mut String, page: &Page) {
    line(out, "## State, and what to do");
    line(out, &format!("**{}**", page.state.word.to_uppercase()));
    line(out, &sentence(&page.state.sentence));
    items(out, page.state.sources.iter().map(|(what, text)| format!("{what}: {}", sentence(text))), 0);
    for advice in &page.advice {
        line(out, &sentence(&advice.text));
        if let Some(text) = &advice.command {
            command(out, text);
        }
    }
}

fn lanes(out: &mut String, page: &Page) {
    line(
        out,
        match page.about {
            About::Instance => "## Lanes and paths, the weakest first",
            About::User | About::Role => "## Credentials",
        },
    );
    let lanes = page.lanes.iter().map(|lane| {
        let now = lane.now.map_or_else(String::new, |(tone, word)| format!(", seen now: {}", marked(tone, word)));
        let (tone, word) = lane.read_back;
        let lane_name = words::lane(lane.lane);
        let promise = lane.promise.map_or_else(String::new, |promise| format!(" ({promise})"));
        format!("{lane_name}{promise}: {}{now}; steps: {}", marked(tone, word), lane.steps.1)
    });
    items(out, lanes, 0);
    if page.about != About::Instance {
        return;
    }
    let paths = page.paths.shown.iter().map(|path| {
        let places: Vec<String> = path.places.shown.iter().map(|place| code(place)).collect();
        let of = if places.is_empty() { String::new() } else { format!(" of {}", places.join(", ")) };
        let via = path.via.as_ref().map_or_else(String::new, |via| format!(" {}", code(via)));
        let idle = path.idle.as_ref().map_or_else(String::new, |idle| format!(", until idle for {idle}"));
        format!(
            "{}{via}{of}{}: new connections {}, open ones {}{idle}. {}",
            sentence(&path.through),
            and_more(path.places.more),
            marked(path.new.0, path.new.1),
            marked(path.open.0, path.open.1),
            sentence(&path.why)
        )
    });
    let at = page.read_back.map_or_else(|| "nothing is on record".to_owned(), words::moment);
    line(out, &format!("Paths, as they were read back ({at}):"));
    items(out, paths, page.paths.more);
    if let Some((tone, text)) = &page.proof {
        let what = marked(*tone, "flow logs");
        line(out, &format!("{what}: {}", sentence(text)));
    }
}

fn timeline(out: &mut String, page: &Page) {
    line(out, "## Timeline (UTC)");
    if page.timeline.stretches.is_empty() {
        line(out, "Nothing is on record.");
    }
    for stretch in &page.timeline.stretches {
        one_stretch(out, stretch);
    }
}

fn one_stretch(out: &mut String, stretch: &Stretch) {
    if let Some(gap) = stretch.gap {
        line(out, &format!("*… {} …*", gap.words()));
    }
    line(out, &format!("**{}**, {}", words::moment(stretch.from), words::length(stretch.length)));
    let events = stretch.events.shown.iter();
    items(
        out,
        events.map(|event| format!("{} {}", words::clock(event.at), sentence(&event.what))),
        stretch.events.more,
    );
}

fn change(line: &ChangeLine) -> String {
    let mut text = format!("{}: {} {}", marked(line.found.0, line.found.1), code(&line.step), code(&line.resource));
    if let Some((of, before, after)) = &line.change {
        let _ = write!(text, ": {}: {} → {}", sentence(of), code(before), code(after));
    }
    if let Some(detail) = &line.detail {
        let _ = write!(text, " ({})", sentence(detail));
    }
    if let Some((times, last)) = line.repaired {
        let _ = write!(text, " — undone and done again {}, last {}", words::count(times, "time"), words::moment(last));
    }
    text
}

fn changed(out: &mut String, title: &str, lines: &Listed<ChangeLine>) {
    line(out, title);
    items(out, lines.shown.iter().map(change), lines.more);
}

fn changes(out: &mut String, page: &Page) {
    line(out, "## What was changed, before → after");
    if page.changed.is_empty() {
        line(out, "Nothing is on record.");
    }
    for (lane, lines) in &page.changed {
        changed(out, &format!("### {}", words::lane(*lane)), lines);
    }
    if !page.given_back.shown.is_empty() {
        changed(out, "### Given back", &page.given_back);
    }
}

fn evidence(out: &mut String, page: &Page) {
    line(out, "## Evidence");
    let evidence = &page.evidence;
    if page.about != About::Instance {
        line(out, "The record itself: nothing of IAM is copied.");
        return items(out, evidence.record.iter().map(|(what, id)| format!("{what}: {}", code(id))), 0);
    }
    let snapshots = evidence.snapshots.shown.iter().map(|snapshot| {
        let device = snapshot.device.as_ref().map_or_else(String::new, |device| format!(" of {}", code(device)));
        let lock = sentence(&snapshot.lock.1);
        let lock = if snapshot.lock.0 <= Tone::Warn { format!("**{lock}**") } else { lock };
        format!("{}{device}: {lock}", code(&snapshot.id))
    });
    items(out, snapshots, evidence.snapshots.more);
    items(
        out,
        evidence.said.shown.iter().map(|(step, said)| format!("{}: {}", code(step), sentence(said))),
        evidence.said.more,
    );
    items(out, evidence.record.iter().map(|(what, id)| format!("{what}: {}", code(id))), 0);
    if let Some(text) = &evidence.command {
        command(out, text);
    }
}

fn unknown(out: &mut String, page: &Page) {
    line(out, "## What is not known, and why");
    let unknown = page.unknown.shown.iter();
    items(
        out,
        unknown.map(|unknown| format!("**{}**: {}", sentence(&unknown.what), sentence(&unknown.why))),
        page.unknown.more,
    );
    if !page.notes.shown.is_empty() {
        line(out, "Noted as it was read back:");
        items(out, page.notes.shown.iter().map(|note| sentence(note)), page.notes.more);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_code_span_ends_it() {
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("``"), "``` `` ```");
        assert_eq!(code("<b>|</b>"), "`<b>|</b>`");
        assert_eq!(code(""), "(empty)");
    }

    #[test]
    fn a_sentence_has_no_markup_of_its_own() {
        assert_eq!(sentence("# [x](http://evil) *b* <i> a|b"), "\\# `[x](http://evil)` \\*b\\* \\<i\\> a\\|b");
        assert_eq!(sentence("1. - + www.evil.com @ops a_b"), "1\\. \\- \\+ `www.evil.com` `@ops` a_b");
        assert_eq!(
            sentence("![x] &lt; C&C ~~y~~ `z` _w_ \\"),
            "!\\[x\\] \\&lt; C&C \\~\\~y\\~\\~ \\`z\\` \\_w\\_ \\\\"
        );
    }
}
