//! The words by which a line of a report says what part something played.

mod lexicon;

use std::{net::IpAddr, ops::Range};

use self::lexicon::{BEING, DEEDS, DOES, DONE, IS, LEAVE, NEGATION, ORIGIN, OTHER, RESOURCE, SAW, SITS};
use super::words::{in_word, trimmed, words};
use crate::{
    model::ids::{AccountId, Region},
    trigger::{
        draft::Target,
        reading::{instance_id, place_in},
    },
};

/// The part that something plays in a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// It did it.
    Origin,
    /// It was done to it, or it saw it.
    Other,
    /// The report says to leave it alone.
    Left,
    /// The report does not say.
    Unknown,
}

/// An instance or an address that a line names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mention {
    pub(super) at: Range<usize>,
    pub(super) text: String,
    /// None for a network or a range, which is no single host.
    pub(super) target: Option<Target>,
    /// Where it is, as an ARN says.
    pub(super) account: Option<AccountId>,
    /// Where it is, as an ARN or a host's name says.
    pub(super) region: Option<Region>,
}

/// What an address of a single host can be.
pub(super) fn is_host(address: &IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            !(address.is_loopback()
                || address.is_unspecified()
                || address.is_multicast()
                || address.is_broadcast()
                || address.is_link_local())
        }
        IpAddr::V6(address) => {
            !(address.is_loopback()
                || address.is_unspecified()
                || address.is_multicast()
                || address.is_unicast_link_local())
        }
    }
}

/// Every instance and address that a line names, in its order. The address in brackets behind an instance is the instance's.
pub(super) fn mentions(line: &str) -> Vec<Mention> {
    let mut found: Vec<Mention> = Vec::new();
    for (at, word) in
        words(line, |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/' | '%' | '@'))
    {
        let (skipped, word) = trimmed(word);
        let at = at + skipped;
        let Some((text, target, region)) = named(word) else { continue };
        let account = word.starts_with("arn:").then(|| place_in(Some(word)).0).flatten();
        let of_the_last = found.last().is_some_and(|last| {
            matches!(last.target, Some(Target::Instance(_)))
                && matches!(target, Some(Target::Address(_)))
                && line.get(last.at.end..at).is_some_and(|between| matches!(between.trim(), "[" | "("))
        });
        if of_the_last {
            continue;
        }
        // `a - b` is a range of which neither end alone is meant.
        let ranged = found.last().is_some_and(|last| {
            matches!(last.target, Some(Target::Address(_)) | None)
                && !matches!(target, Some(Target::Instance(_)))
                && line.get(last.at.end..at).is_some_and(|between| matches!(between.trim(), "-" | "–" | "through"))
        });
        if ranged && let Some(last) = found.last_mut() {
            last.text = format!("{}-{text}", last.text);
            last.target = None;
            last.at.end = at + word.len();
            continue;
        }
        found.push(Mention { at: at..at + word.len(), text, target, account, region });
    }
    found
}

/// What a word names, as text, as target where it is a single host, and the Region where the word says it.
pub(super) type Name = (String, Option<Target>, Option<Region>);

/// What a word names: an instance, an address with or without a port, a network, a URL with an address, a host of EC2.
fn named(word: &str) -> Option<Name> {
    let bare = word.strip_prefix("instance/").unwrap_or(word);
    // `arn:aws:ec2:eu-west-1:123456789012:instance/i-...`.
    let (bare, region) =
        if bare.starts_with("arn:") { (bare.rsplit('/').next()?, place_in(Some(bare)).1) } else { (bare, None) };
    if let Some(id) = instance_id(bare) {
        return Some((id.to_string(), Some(Target::Instance(id)), region));
    }
    let bare = match word.split_once("://") {
        Some((_, rest)) => rest.split('/').next()?,
        None => word,
    };
    let bare = bare.rsplit('@').next()?;
    if let Some((address, length)) = bare.split_once('/') {
        let address = address.parse::<IpAddr>().ok()?;
        let single = length == if address.is_ipv4() { "32" } else { "128" };
        if length.parse::<u8>().is_err() {
            return host(address);
        }
        return if single { host(address) } else { Some((bare.to_owned(), None, None)) };
    }
    if let Some((from, to)) = bare.split_once('-')
        && from.parse::<IpAddr>().is_ok()
        && (to.parse::<IpAddr>().is_ok() || to.parse::<u8>().is_ok())
    {
        return Some((bare.to_owned(), None, None));
    }
    if let Ok(address) = bare.parse::<IpAddr>() {
        return host(address);
    }
    if let Some(found) = of_host(bare) {
        return Some(found);
    }
    // A port behind a colon or, as `tcpdump` writes it, behind a dot.
    let with_port = |mark: char| {
        let (address, port) = bare.rsplit_once(mark)?;
        port.parse::<u16>().ok()?;
        address.parse::<IpAddr>().ok().filter(|address| address.is_ipv4() || mark == '.')
    };
    with_port(':').or_else(|| with_port('.')).and_then(host)
}

/// What a name that EC2 gives a host says: the public address in `ec2-203-0-113-9.eu-west-1.compute.amazonaws.com`, the
/// private one in `ip-10-0-0-7.ec2.internal`, the instance in `i-....us-west-2.compute.internal`
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/hostname-types.html>).
pub(super) fn of_host(name: &str) -> Option<Name> {
    let lower = name.trim_end_matches('.').to_ascii_lowercase();
    let lower = lower.split_once(':').map_or(lower.as_str(), |(host, _)| host);
    let (first, domain) = lower.split_once('.')?;
    let region = match domain {
        "compute-1.amazonaws.com" | "ec2.internal" => "us-east-1",
        _ => [".compute.amazonaws.com", ".compute.amazonaws.com.cn", ".compute.internal"]
            .into_iter()
            .find_map(|end| domain.strip_suffix(end))?,
    };
    let region = region.parse::<Region>().ok();
    if let Some(id) = instance_id(first) {
        return Some((id.to_string(), Some(Target::Instance(id)), region));
    }
    let digits = first.strip_prefix("ec2-").or_else(|| first.strip_prefix("ip-"))?;
    let address = digits.replace('-', ".").parse::<std::net::Ipv4Addr>().ok()?;
    host(IpAddr::V4(address)).map(|(text, target, _)| (text, target, region))
}

fn host(address: IpAddr) -> Option<Name> {
    let address = address.to_canonical();
    is_host(&address).then(|| (address.to_string(), Some(Target::Address(address)), None))
}

/// An order not to do anything to what is named: `do NOT touch`, `must not be isolated`.
fn forbids(text: &str) -> bool {
    let text: Vec<&str> = words(text, in_word).into_iter().map(|(_, word)| word).collect();
    text.iter().enumerate().any(|(at, word)| {
        let follows = text.get(at + 1).copied().unwrap_or_default();
        let forbids = matches!(*word, "don't" | "dont" | "never" | "cannot" | "mustn't" | "shouldn't")
            || (matches!(*word, "do" | "must" | "should" | "may" | "can") && follows == "not");
        let deeds = text.iter().skip(at + 1).take(4);
        forbids && deeds.into_iter().any(|deed| DEEDS.iter().any(|begins| deed.starts_with(begins)))
    })
}

fn leaves_alone(text: &str) -> bool {
    let listed: Vec<&str> = words(text, in_word).into_iter().map(|(_, word)| word).collect();
    let pairs = [["other", "than"], ["rather", "than"], ["please", "leave"], ["leave", "alone"]];
    forbids(text)
        || listed.iter().any(|word| LEAVE.contains(word))
        || listed.windows(2).any(|window| pairs.iter().any(|pair| window == pair.as_slice()))
}

fn sentence_start(before: &str) -> usize {
    [". ", "; ", "! ", "? "].iter().filter_map(|mark| before.rfind(mark).map(|at| at + mark.len())).max().unwrap_or(0)
}

/// Whether it ends as a label does: `Source IP:`, `src=`.
fn is_label(text: &str) -> bool {
    text.trim_end().ends_with([':', '='])
}

/// `sourceip` as `source`: a key's words may be written as one.
fn without_kind(word: &str) -> &str {
    ["ipaddresses", "ipaddress", "addresses", "address", "addr", "ips", "ip", "host"]
        .into_iter()
        .find_map(|kind| word.strip_suffix(kind))
        .filter(|head| ORIGIN.contains(head) || OTHER.contains(head) || *head == "destination")
        .unwrap_or(word)
}

/// A label has few words; what is longer is a sentence that ends in a colon.
const LONGEST_LABEL: usize = 4;
/// So many words before something may speak of it.
const NEAR: usize = 12;

/// The role that the words before something give it. In a label any word that means somebody else decides; in a sentence
/// the nearest word does.
fn role_before(near: &str) -> Role {
    let trimmed = near.trim_end_matches(|c: char| c.is_whitespace() || matches!(c, '[' | '(' | '"' | '\'' | '<' | '`'));
    if is_label(trimmed) {
        let end = trimmed.trim_end_matches([':', '=', ' ']);
        let start = end
            .rfind([',', ':', '=', '\t', '|', ']'])
            .map_or(0, |at| at + 1)
            .max(end.rfind("   ").map_or(0, |at| at + 3));
        let label = end.get(start..).unwrap_or_default();
        // `Region: eu-west-1 EC2 Instance Id:`: the value of the label before.
        let value = end.get(..start).is_some_and(|before| before.ends_with([':', '=']));
        let behind = label.trim_start().split_once(' ').map_or(label, |(_, behind)| behind);
        let long = words(label, |c| c.is_ascii_alphanumeric()).len() > LONGEST_LABEL;
        let label = if value && long { behind } else { label };
        let label: Vec<&str> = words(label, |c| c.is_ascii_alphanumeric() || c == '\'')
            .into_iter()
            .map(|(_, word)| without_kind(word))
            .collect();
        // In `key=value` only the last word is the key.
        let label = if trimmed.ends_with('=') {
            label.get(label.len().saturating_sub(1)..).unwrap_or_default()
        } else {
            &label
        };
        if label.len() <= LONGEST_LABEL {
            let has = |list: &[&str]| label.iter().any(|word| list.contains(word));
            let reporter = has(&SAW) && has(&["by", "from", "to"]);
            // `attacker's target` is the target; `reporter source` the reporter.
            return match (has(&OTHER) || reporter, has(&ORIGIN) || has(&RESOURCE)) {
                (true, _) => Role::Other,
                (false, true) => Role::Origin,
                (false, false) => Role::Unknown,
            };
        }
    }
    if ["->", "=>", "→", ">"].iter().any(|arrow| trimmed.ends_with(arrow)) {
        return Role::Other;
    }
    let spoken: Vec<&str> = words(trimmed, in_word).into_iter().map(|(_, word)| word).collect();
    for (back, word) in spoken.iter().rev().take(NEAR).enumerate() {
        let earlier = spoken.len().checked_sub(back + 2).and_then(|at| spoken.get(at)).copied().unwrap_or_default();
        let role = match *word {
            "by" if SAW.contains(&earlier) => Role::Other,
            "by" => Role::Origin,
            "on" | "to" | "at" if SITS.contains(&earlier) => Role::Origin,
            "on" if matches!(earlier, "attack" | "attacks" | "attempts" | "attempt") => Role::Other,
            "to" if !matches!(earlier, "due" | "according" | "want" | "need") => Role::Other,
            word if OTHER.contains(&word) => Role::Other,
            word if ORIGIN.contains(&word) && matches!(earlier, "our" | "my") => Role::Other,
            word if ORIGIN.contains(&word) => Role::Origin,
            _ => Role::Unknown,
        };
        if role != Role::Unknown {
            return role;
        }
    }
    Role::Unknown
}

fn role_behind(behind: &str) -> Role {
    let start = behind.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, ']' | ')' | '"' | '\'' | '`'));
    if ["->", "=>", "→"].iter().any(|arrow| start.starts_with(arrow)) || start.starts_with("> ") {
        return Role::Origin;
    }
    let aside = start.starts_with(['(', '[', '-', ':', '=']);
    let spoken: Vec<&str> = words(start, in_word).into_iter().map(|(_, word)| word).take(8).collect();
    for (at, word) in spoken.iter().enumerate() {
        let earlier = at.checked_sub(1).and_then(|at| spoken.get(at)).copied().unwrap_or_default();
        let being = BEING.contains(&earlier);
        // What follows is about somebody else.
        if matches!(*word, "by" | "against" | "at" | "to" | "on" | "from" | "with") {
            break;
        }
        if DONE.contains(word) {
            let passive = being || (at == 0 && aside);
            return if passive { Role::Other } else { Role::Origin };
        }
        if IS.contains(word) && (being || at == 0) {
            return Role::Other;
        }
        if matches!(*word, "received" | "suffered" | "observed" | "detected") && !being {
            return Role::Other;
        }
        if DOES.contains(word) {
            return Role::Origin;
        }
    }
    Role::Unknown
}

/// The words of a line and what it goes on from.
pub(super) struct Words {
    pub(super) line: String,
    pub(super) lower: String,
    pub(super) carried: String,
    pub(super) places: Vec<Range<usize>>,
}

impl Words {
    pub(super) fn of(line: &str, carried: &str) -> Self {
        let places = mentions(line).into_iter().map(|mention| mention.at).collect();
        Self { line: line.to_owned(), lower: line.to_ascii_lowercase(), carried: carried.to_ascii_lowercase(), places }
    }

    /// Whether the line holds nothing but what it names.
    pub(super) fn is_bare_list(&self) -> bool {
        let named: usize = self.places.iter().map(Range::len).sum();
        let letters = self.line.chars().filter(char::is_ascii_alphanumeric).count();
        named > 0 && letters <= named + 24
    }

    /// Whether its label calls it remote.
    pub(super) fn is_remote(&self, mention: &Mention) -> bool {
        let before = self.lower.get(..mention.at.start).unwrap_or_default();
        let start = before.trim_end().trim_end_matches([':', '=']).rfind([',', ':', '=', '|']).map_or(0, |at| at + 1);
        is_label(before) && before.get(start..).is_some_and(|label| label.trim_start().starts_with("remote"))
    }

    /// The part that a mention plays, and whether its sentence denies something.
    pub(super) fn role_of(&self, mention: &Mention) -> (Role, bool) {
        let before = self.lower.get(..mention.at.start).unwrap_or_default();
        // The sentence that it stands in, as far as it goes before it; it may have begun in the line before.
        let sentence_start = sentence_start(before);
        let carried = if sentence_start == 0 { self.carried.as_str() } else { "" };
        let sentence = format!("{carried} {}", before.get(sentence_start..).unwrap_or_default());
        let behind = self.behind(mention);
        if leaves_alone(&sentence) || forbids(behind) {
            return (Role::Left, true);
        }
        let denies = |text: &str| words(text, in_word).iter().any(|(_, word)| NEGATION.contains(word));
        let negated = denies(&sentence) || denies(behind);
        let since = self.since_the_last(mention).max(sentence_start);
        let near = before.get(since..).unwrap_or_default();
        let role = match (role_before(near), role_behind(behind)) {
            (Role::Unknown, Role::Unknown) => self.inherited(mention, since, sentence_start, carried),
            (Role::Origin, Role::Other) if !is_label(near) => Role::Unknown,
            (Role::Unknown, found) | (found, _) => found,
        };
        (role, negated)
    }

    /// A list shares what its first member was called; a line what it goes on from.
    pub(super) fn inherited(&self, mention: &Mention, since: usize, sentence_start: usize, carried: &str) -> Role {
        let between = self.lower.get(since..mention.at.start).unwrap_or_default();
        let joins = between.chars().all(|c| !c.is_ascii_alphanumeric())
            || matches!(between.trim().trim_matches(','), "and" | "&" | "or");
        if since > sentence_start && joins {
            let first = self.places.iter().rev().find(|place| place.end <= since);
            if let Some(place) = first {
                let earlier =
                    Mention { at: place.clone(), text: String::new(), target: None, account: None, region: None };
                return self.role_of(&earlier).0;
            }
        }
        if sentence_start == 0 && since == 0 { role_before(carried) } else { Role::Unknown }
    }

    pub(super) fn since_the_last(&self, mention: &Mention) -> usize {
        self.places.iter().filter(|place| place.end <= mention.at.start).map(|place| place.end).max().unwrap_or(0)
    }

    /// What follows in the same sentence and speaks of it: before something else is named, up to the last break of a clause.
    pub(super) fn behind(&self, mention: &Mention) -> &str {
        let next = self.places.iter().filter(|place| place.start >= mention.at.end).map(|place| place.start).min();
        let rest = self.lower.get(mention.at.end..next.unwrap_or(self.lower.len())).unwrap_or_default();
        let end = [". ", "; ", "! ", "? "].iter().filter_map(|mark| rest.find(mark)).min();
        let breaks = [",", " but ", " and ", " while "].iter().filter_map(|mark| rest.rfind(mark)).max();
        let end = end.or_else(|| breaks.filter(|_| next.is_some())).unwrap_or(rest.len());
        rest.get(..end).unwrap_or_default()
    }
}
