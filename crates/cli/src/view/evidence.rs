//! Evidence: what was taken, and whether it is as it was.

use brig_evidence::{Fault, Proof, Verified, Wrong};
use serde_json::{Value, json};

use super::{
    Look,
    page::{Page, Tone},
};
use crate::answer::evidence::{Custody, Investigated, Standing};

fn plural(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// What `investigate` answers.
#[must_use]
pub fn investigated(answered: &Investigated, look: &Look) -> String {
    let mut page = Page::new(look);
    let bundle = &answered.bundle;
    let objects = plural(bundle.objects, "object");
    let (tone, headline) = match bundle.standing {
        Standing::Sealed => (Tone::Good, format!("SEALED: {objects} of {} are kept.", bundle.part)),
        Standing::SealedBefore => {
            (Tone::Good, format!("SEALED BEFORE: {objects} of {} are kept; nothing was written.", bundle.part))
        }
        Standing::Unfinished | Standing::Unknown => {
            (Tone::Bad, format!("NOT FINISHED: {objects} of {} are kept, and it is not sealed.", bundle.part))
        }
    };
    page.line(tone, &headline);
    let url = format!("s3://{}/{}/{}/", answered.bucket.as_deref().unwrap_or("?"), bundle.case, bundle.part);
    page.paragraph(Tone::Plain, &format!("Kept until {}.", bundle.retained_until));
    match (&bundle.head, &bundle.signed_by) {
        (Some(head), Some(key)) => page.paragraph(Tone::Plain, &format!("Manifest {head}, signed by {key}.")),
        (Some(head), None) => page.paragraph(Tone::Plain, &format!("Manifest {head}.")),
        (None, _) => {}
    }
    if !bundle.missing.is_empty() {
        page.section("Could not be had");
        page.list(
            bundle
                .missing
                .iter()
                .map(|one| format!("{}: {}", one.name, one.why))
                .collect::<Vec<_>>()
                .iter()
                .map(String::as_str),
        );
    }
    if !bundle.gaps.is_empty() {
        page.section("Not as it should be");
        page.list(bundle.gaps.iter().map(String::as_str));
    }
    page.section("Next");
    match bundle.standing {
        Standing::Sealed | Standing::SealedBefore => {
            page.command(&format!("{} evidence verify {url}", look.brig));
        }
        Standing::Unfinished | Standing::Unknown => {
            page.paragraph(Tone::Plain, "Run the same command again: it goes on where it stopped.");
        }
    }
    page.done()
}

/// The chain of custody.
#[must_use]
pub fn custody(custody: &Custody, look: &Look) -> String {
    let mut page = Page::new(look);
    if custody.cases.is_empty() {
        page.line(Tone::Warn, &format!("NO EVIDENCE on record of {}.", custody.target));
        return page.done();
    }
    page.line(Tone::Strong, &format!("Evidence of {}", custody.target));
    for case in &custody.cases {
        page.section(&case.containment_id);
        page.command(&case.url);
        for part in &case.parts {
            let (tone, state) = match (&part.sealed_at, &part.manifest_sha256) {
                (Some(at), Some(head)) => (Tone::Good, format!("sealed {at}, manifest {head}")),
                (_, _) => (Tone::Bad, "not sealed".to_owned()),
            };
            let text = format!(
                "{}: {}, opened {} by {}, kept until {}; {state}",
                part.name,
                plural(part.objects, "object"),
                part.opened,
                part.by,
                part.retain_until
            );
            page.paragraph(tone, &text);
        }
        let asked: Vec<String> =
            case.asked.iter().map(|ask| format!("{} {} ({}): {}", ask.at, ask.by, ask.part, ask.result)).collect();
        page.list(asked.iter().map(String::as_str));
        if case.unreadable > 0 {
            page.paragraph(Tone::Warn, &format!("{} could not be read.", plural(case.unreadable, "record")));
        }
    }
    page.done()
}

/// What is wrong with a file, for a person.
fn words(wrong: &Wrong) -> String {
    match wrong {
        Wrong::Changed(place) => place.to_string(),
        Wrong::Absent => "it is not there".to_owned(),
        Wrong::Stray => "the manifest does not name it".to_owned(),
        Wrong::Unread(why) => format!("it could not be read: {why}"),
        Wrong::Line(line, why) => format!("line {} is none of a manifest: {why}", line + 1),
        Wrong::Elsewhere => "it seals another case or part".to_owned(),
        Wrong::Signature => "its signature is not one of this statement by the key that it names".to_owned(),
        Wrong::OtherKey => "it is not signed by the key that was given".to_owned(),
        Wrong::OtherHead => "it is none of the manifests that were given as on record".to_owned(),
        Wrong::Unchecked => "it is not known what it was, so what it lists was not checked".to_owned(),
    }
}

fn proof(proof: &Proof) -> (Tone, String) {
    match proof {
        Proof::TrustedKey { arn } => (Tone::Good, format!("Signed by the key that was given, {arn}.")),
        Proof::OnRecord => (Tone::Good, "Its manifest is one that was given as on record.".to_owned()),
        Proof::OwnKey { arn, fingerprint } => (
            Tone::Warn,
            format!(
                "Signed by {arn}, by the public key that comes with it (SHA-256 {fingerprint}): compare it with what KMS says, or give it with --key."
            ),
        ),
        Proof::Itself => (
            Tone::Warn,
            "Nothing but Object Lock keeps somebody from writing all of it anew: compare the manifest's SHA-256 with the chain of custody (--head).".to_owned(),
        ),
    }
}

fn name(part: &Verified, fault: &Fault) -> String {
    if part.part.is_empty() { fault.name.clone() } else { format!("{}/{}", part.part, fault.name) }
}

/// What `evidence verify` found.
#[must_use]
pub fn verified(parts: &[Verified], strays: &[String], look: &Look) -> String {
    let mut page = Page::new(look);
    let faults: Vec<(String, &Wrong)> =
        parts.iter().flat_map(|part| part.faults.iter().map(|fault| (name(part, fault), &fault.wrong))).collect();
    let whole: usize = parts.iter().map(|part| part.whole).sum();
    match faults.first() {
        Some((name, wrong)) => page.line(Tone::Bad, &format!("NOT AS IT WAS TAKEN: {name}: {}.", words(wrong))),
        None if strays.is_empty() => page.line(
            Tone::Good,
            &format!("WHOLE: {} of {} are as they were taken.", plural(whole, "object"), plural(parts.len(), "part")),
        ),
        None => page.line(Tone::Bad, &format!("NOT ALL EVIDENCE: {} belong to no part.", plural(strays.len(), "file"))),
    }
    if faults.len() > 1 {
        page.section("All that is wrong");
        let all: Vec<String> = faults.iter().map(|(name, wrong)| format!("{name}: {}", words(wrong))).collect();
        page.list(all.iter().map(String::as_str));
    }
    if !strays.is_empty() {
        page.section("In no part");
        page.list(strays.iter().map(String::as_str));
    }
    for part in parts {
        page.section(&format!("{} {}", part.case, part.part));
        page.paragraph(Tone::Plain, &format!("Manifest {}: {} as taken.", part.head, plural(part.whole, "object")));
        if let Some(before) = &part.before {
            let here = parts.iter().any(|other| other.head == *before);
            let (tone, text) = if here { (Tone::Plain, "is here") } else { (Tone::Warn, "is not here") };
            page.paragraph(tone, &format!("The part before, {before}, {text}."));
        }
        let (tone, text) = proof(&part.proof);
        page.paragraph(tone, &text);
        if !part.missing.is_empty() {
            page.paragraph(Tone::Plain, "Could not be had when it was taken:");
            let missing: Vec<String> = part.missing.iter().map(|one| format!("{}: {}", one.name, one.why)).collect();
            page.list(missing.iter().map(String::as_str));
        }
    }
    page.done()
}

/// The same for machines. `byte` is the first offset that may be wrong, from 0.
#[must_use]
pub fn as_json(parts: &[Verified], strays: &[String]) -> Value {
    let fault = |part: &Verified, fault: &Fault| {
        let byte = match &fault.wrong {
            Wrong::Changed(place) => Some(place.first()),
            Wrong::Absent
            | Wrong::Stray
            | Wrong::Unread(_)
            | Wrong::Line(..)
            | Wrong::Elsewhere
            | Wrong::Signature
            | Wrong::OtherKey
            | Wrong::OtherHead
            | Wrong::Unchecked => None,
        };
        json!({"name": name(part, fault), "byte": byte, "why": words(&fault.wrong)})
    };
    let shown: Vec<Value> = parts
        .iter()
        .map(|part| {
            let (proof, missing) = (proof(&part.proof).1, &part.missing);
            json!({"case": part.case, "part": part.part, "manifest_sha256": part.head, "before": part.before, "objects": part.whole,
                "proof": proof, "missing": missing,
                "faults": part.faults.iter().map(|one| fault(part, one)).collect::<Vec<_>>()})
        })
        .collect();
    let whole = strays.is_empty() && parts.iter().all(|part| part.faults.is_empty());
    json!({"whole": whole, "parts": shown, "in_no_part": strays})
}
