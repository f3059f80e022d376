//! The text of an abuse report: which instances and addresses it calls the origin. A report names many others (the victim,
//! the reporter, mail servers, bystanders), so each line is read for what it says about what it names: by its label, by the
//! nearest word before it, by the column of a log, by what follows. What is called something else is no target; what is not
//! plainly called the origin is a question.

mod head;
mod lines;
mod roles;
mod words;

use std::net::IpAddr;

use roles::{Mention, Role, Words, mentions};

use super::mail;
use crate::{
    model::{
        ids::{AccountId, InstanceId, Region},
        timestamp::Timestamp,
    },
    trigger::draft::Target,
};

/// A report is read up to this size; what follows is quoted mail.
const LONGEST: usize = 256 * 1024;
/// A longer line is cut: nobody writes one.
const LONGEST_LINE: usize = 4096;
/// So many mentions are kept of each kind: a report that names more is a question whatever it says.
const MOST_KEPT: usize = 200;

/// Why what a report names is not plainly its origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unclear {
    /// Nothing says which part it played.
    Unlabelled,
    /// The sentence denies something.
    Negated,
    /// It stands in quoted mail.
    Quoted,
    /// It is an address of a private network, which many networks have.
    Private,
    /// It is called the origin, and something else.
    Contradicted,
}

impl Unclear {
    /// For a person, after "the report ".
    #[must_use]
    pub fn why(self) -> &'static str {
        match self {
            Self::Unlabelled => "names it without saying that it is the origin",
            Self::Negated => "names it in a sentence that denies something",
            Self::Quoted => "names it in quoted mail only",
            Self::Private => "names it by a private address, which other networks have too",
            Self::Contradicted => "calls it the origin, and something else too",
        }
    }
}

/// What a report calls its origin, or may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    pub(super) account: Option<AccountId>,
    pub(super) region: Option<Region>,
    pub(super) target: Target,
    pub(super) unclear: Option<Unclear>,
    block: usize,
}

/// What a report's text says.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Report {
    /// Its origins, plain ones first.
    pub(super) origins: Vec<Origin>,
    /// What it calls its destination: the other end.
    pub(super) others: Vec<IpAddr>,
    /// What it names and does not call the origin, for a person.
    pub(super) excluded: Vec<String>,
    /// When the activity was first seen.
    pub(super) time: Option<Timestamp>,
}

impl Report {
    pub(super) fn read(text: &str) -> Self {
        let end = text.char_indices().map(|(at, _)| at).find(|at| *at >= LONGEST).unwrap_or(text.len());
        let mut reader = Reader::default();
        for line in mail::plain(text.get(..end).unwrap_or_default()).lines() {
            let line: String = line.chars().take(LONGEST_LINE).collect();
            reader.line(&refanged(&line));
        }
        reader.finish()
    }
}

/// The head of AWS's mail, which may come in any order and several times: what stands in one block belongs together.
#[derive(Default)]
struct Block {
    account: Option<AccountId>,
    region: Option<Region>,
    first: Option<Part>,
    last: Option<Part>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Account,
    Region,
    Instance,
}

/// The columns of a log, by the roles of those that hold addresses or ids.
type Columns = Vec<Role>;

#[expect(clippy::struct_excessive_bools, reason = "each is a state of its own of the text")]
#[derive(Default)]
struct Reader {
    report: Report,
    blocks: Vec<Block>,
    columns: Option<Columns>,
    /// A heading, or the beginning of a sentence that goes on in the next line.
    carried: String,
    heading: bool,
    /// What was said to be something else, and what is to be left alone.
    others: Vec<String>,
    left: Vec<String>,
    in_header: bool,
    quoted: bool,
    signed: bool,
}

impl Reader {
    fn line(&mut self, raw: &str) {
        let quoted = raw.trim_start().starts_with('>');
        let line = raw.trim_start_matches(['>', ' ', '\t', '|']).trim();
        if line.is_empty() {
            self.blank();
            return;
        }
        if raw.trim_end() == "--" || line == "__" {
            self.signed = true;
        }
        if is_quotation_mark(line) {
            self.quoted = true;
            return;
        }
        let goes_on = self.in_header && raw.starts_with([' ', '\t']);
        self.in_header = goes_on || lines::is_mail_header(line);
        if self.in_header || self.signed {
            self.exclude_all(line);
            return;
        }
        let quoted = quoted || self.quoted;
        let line = line.trim_start_matches(['-', '*', '•', '·']).trim_start();
        self.head(line);
        if self.log_line(line, quoted) || self.row(line, quoted) {
            return;
        }
        if let Some(columns) = lines::columns(line) {
            self.columns = Some(columns);
            return;
        }
        self.prose(line, quoted);
        self.time_of(line);
    }

    fn blank(&mut self) {
        self.in_header = false;
        self.columns = None;
        if !self.heading {
            self.carried.clear();
        }
    }

    /// `AWS ID: 123456789012    Region: eu-west-1    EC2 Instance Id: i-...`, in any order, on one line or several.
    fn head(&mut self, line: &str) {
        for (part, value) in head::head(line) {
            let (account, region) = match part {
                head::Head::Account => (account_of(value), None),
                head::Head::Region => (None, value.to_ascii_lowercase().parse::<Region>().ok()),
                head::Head::Instance => {
                    self.part(Part::Instance, |_| {});
                    continue;
                }
            };
            if account.is_some() {
                self.part(Part::Account, |block| block.account = account);
            }
            if region.is_some() {
                self.part(Part::Region, |block| block.region = region);
            }
        }
    }

    /// The block that a part belongs to: a new one where the part that began the last one comes again after others.
    fn part(&mut self, part: Part, set: impl FnOnce(&mut Block)) {
        let over = self.blocks.last().is_none_or(|block| {
            let known = match part {
                Part::Account => block.account.is_some(),
                Part::Region => block.region.is_some(),
                Part::Instance => false,
            };
            (block.first == Some(part) && block.last != Some(part)) || (known && block.last != Some(part))
        });
        if over {
            self.blocks.push(Block { first: Some(part), ..Block::default() });
        }
        if let Some(block) = self.blocks.last_mut() {
            block.last = Some(part);
            set(block);
        }
    }

    /// `kind, origin, time, destination, protocol, ports, Region`, as AWS's mails carry logs.
    fn log_line(&mut self, line: &str, quoted: bool) -> bool {
        let cells: Vec<&str> = line.split(',').map(str::trim).collect();
        let [kind, origin, time, other, ..] = cells.as_slice() else { return false };
        let Some(target) = target_of(origin) else { return false };
        let region = cells.iter().rev().find_map(|cell| cell.parse::<Region>().ok());
        let time = Timestamp::parse(time);
        let is_log = (time.is_some() || region.is_some()) && target_of(kind).is_none() && self.columns.is_none();
        if !is_log {
            return false;
        }
        self.seen(time);
        self.other(other);
        let unclear = quoted.then_some(Unclear::Quoted).or_else(|| private(&target));
        self.add(Origin { account: None, region, target, unclear, block: usize::MAX });
        true
    }

    /// A row below the names of its columns.
    fn row(&mut self, line: &str, quoted: bool) -> bool {
        let Some(columns) = self.columns.clone() else { return false };
        let found = mentions(line);
        if found.len() != columns.len() {
            return false;
        }
        for (mention, role) in found.into_iter().zip(columns) {
            let unclear = if quoted { Some(Unclear::Quoted) } else { None };
            self.take(mention, role, unclear);
        }
        self.time_of(line);
        true
    }

    fn prose(&mut self, line: &str, quoted: bool) {
        let found = mentions(line);
        let words = Words::of(line, &self.carried);
        let mut listed = false;
        for mention in found {
            listed = true;
            let (role, negated) = words.role_of(&mention);
            // Beside the head of AWS's own mail the remote side is who was attacked; elsewhere it may be either.
            let role = if role == Role::Unknown && !self.blocks.is_empty() && words.is_remote(&mention) {
                Role::Other
            } else {
                role
            };
            let unclear = match (role, negated) {
                _ if quoted => Some(Unclear::Quoted),
                (_, true) => Some(Unclear::Negated),
                (Role::Unknown, false) => Some(Unclear::Unlabelled),
                (Role::Origin | Role::Other | Role::Left, false) => None,
            };
            self.take(mention, role, unclear);
        }
        if line.ends_with(':') && !listed {
            line.clone_into(&mut self.carried);
            self.heading = true;
        } else if self.heading && listed && words.is_bare_list() {
            // The heading holds for the whole list.
        } else {
            self.heading = false;
            self.carried = if line.ends_with(['.', '!', '?']) { String::new() } else { last_sentence(line).to_owned() };
        }
    }

    fn take(&mut self, mention: Mention, role: Role, unclear: Option<Unclear>) {
        match role {
            Role::Left => {
                note(&mut self.left, &mention.text);
                self.exclude(&mention.text);
            }
            Role::Other => {
                self.other(&mention.text);
                note(&mut self.others, &mention.text);
                self.exclude(&mention.text);
            }
            Role::Origin | Role::Unknown => match mention.target {
                Some(target) => {
                    let unclear = unclear.or_else(|| private(&target));
                    let block = if matches!(target, Target::Instance(_)) { self.instance_block() } else { usize::MAX };
                    let Mention { account, region, .. } = mention;
                    self.add(Origin { account, region, target, unclear, block });
                }
                None => self.exclude(&mention.text),
            },
        }
    }

    /// The block that an instance named now stands in.
    fn instance_block(&mut self) -> usize {
        if self.blocks.is_empty() { usize::MAX } else { self.blocks.len() - 1 }
    }

    fn add(&mut self, origin: Origin) {
        if let Some(known) = self.report.origins.iter_mut().find(|known| known.target == origin.target) {
            // Said plainly once is said plainly.
            known.unclear = known.unclear.and(origin.unclear);
            known.region = known.region.take().or(origin.region);
            known.account = known.account.take().or(origin.account);
            if known.block == usize::MAX {
                known.block = origin.block;
            }
        } else if self.report.origins.len() < MOST_KEPT {
            self.report.origins.push(origin);
        } else {
            self.exclude(&shown(&origin.target));
        }
    }

    fn other(&mut self, text: &str) {
        if let Ok(address) = text.parse::<IpAddr>()
            && !self.report.others.contains(&address)
            && self.report.others.len() < MOST_KEPT
        {
            self.report.others.push(address);
        }
    }

    fn exclude(&mut self, text: &str) {
        note(&mut self.report.excluded, text);
    }

    fn exclude_all(&mut self, line: &str) {
        for mention in mentions(line).into_iter().filter(|mention| matches!(mention.target, Some(Target::Instance(_))))
        {
            self.exclude(&mention.text);
        }
    }

    fn seen(&mut self, time: Option<Timestamp>) {
        self.report.time = self.report.time.min(time).or(time).or(self.report.time);
    }

    fn time_of(&mut self, line: &str) {
        self.seen(lines::time_in(line));
    }

    /// What is to be left alone is out, whatever else is said; what stands in one block shares account and Region.
    fn finish(self) -> Report {
        let Self { mut report, blocks, others, left, .. } = self;
        report.origins.retain(|origin| !left.contains(&shown(&origin.target)));
        for origin in &mut report.origins {
            if others.contains(&shown(&origin.target)) {
                origin.unclear = Some(Unclear::Contradicted);
            }
        }
        let only = |many: Vec<&str>| {
            let first = many.first().copied()?;
            many.iter().all(|other| *other == first).then(|| first.to_owned())
        };
        let account = only(blocks.iter().filter_map(|block| block.account.as_ref().map(AccountId::as_str)).collect());
        let region = only(blocks.iter().filter_map(|block| block.region.as_ref().map(Region::as_str)).collect());
        for origin in &mut report.origins {
            let block = blocks.get(origin.block);
            let own = origin.account.take().or_else(|| block.and_then(|block| block.account.clone()));
            origin.account = own.or_else(|| account.as_ref().and_then(|account| account.parse().ok()));
            let own = origin.region.take().or_else(|| block.and_then(|block| block.region.clone()));
            origin.region = own.or_else(|| region.as_ref().and_then(|region| region.parse().ok()));
        }
        // Where something is plain, addresses without a label and quoted mail are no question.
        if report.origins.iter().any(|origin| origin.unclear.is_none()) {
            let noise = |origin: &Origin| match (&origin.target, origin.unclear) {
                (_, Some(Unclear::Quoted)) | (Target::Address(_) | Target::Interface(_), Some(_)) => true,
                (
                    Target::Instance(_) | Target::Principal(_),
                    Some(Unclear::Unlabelled | Unclear::Negated | Unclear::Private | Unclear::Contradicted),
                )
                | (_, None) => false,
            };
            let (out, rest): (Vec<Origin>, Vec<Origin>) = report.origins.into_iter().partition(noise);
            report.origins = rest;
            report.excluded.extend(out.iter().map(|origin| shown(&origin.target)));
        }
        report.origins.sort_by_key(|origin| origin.unclear.is_some());
        let origins: Vec<String> = report.origins.iter().map(|origin| shown(&origin.target)).collect();
        report.others.retain(|address| !origins.contains(&address.to_string()));
        report.excluded.retain(|text| !origins.contains(text));
        report
    }
}

/// `203[.]0[.]113[.]9` and `hxxp://` as they were before somebody made them harmless.
fn refanged(line: &str) -> String {
    let mut text = line.to_owned();
    for dot in ["[.]", "(.)", "{.}", "[dot]", "(dot)", "[DOT]", "[.", ".]"] {
        text = text.replace(dot, ".");
    }
    text.replace("[:]", ":").replace("hxxp", "http").replace("hXXp", "http")
}

fn is_quotation_mark(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    lower.trim_matches(['-', ' ']) == "original message" && line.starts_with('-')
        || (lower.starts_with("on ") && lower.ends_with("wrote:"))
}

fn last_sentence(line: &str) -> &str {
    line.rsplit(['.', '!', '?', ';']).next().unwrap_or(line)
}

fn account_of(text: &str) -> Option<AccountId> {
    text.chars().filter(|c| *c != '-').collect::<String>().parse().ok()
}

fn target_of(text: &str) -> Option<Target> {
    if let Ok(id) = text.parse::<InstanceId>() {
        return Some(Target::Instance(id));
    }
    text.parse::<IpAddr>().ok().filter(roles::is_host).map(Target::Address)
}

/// What a short text names, and where it says that is.
pub(super) fn named(text: &str) -> Vec<(Option<AccountId>, Option<Region>, Target)> {
    let found = mentions(text).into_iter();
    found.filter_map(|mention| Some((mention.account, mention.region, mention.target?))).collect()
}

fn private(target: &Target) -> Option<Unclear> {
    let is_private = match target {
        Target::Address(IpAddr::V4(address)) => {
            let [first, second, ..] = address.octets();
            address.is_private() || (first == 100 && second & 0xC0 == 64)
        }
        Target::Address(IpAddr::V6(address)) => address.is_unique_local(),
        Target::Instance(_) | Target::Interface(_) | Target::Principal(_) => false,
    };
    is_private.then_some(Unclear::Private)
}

fn shown(target: &Target) -> String {
    target.to_string()
}

/// Keeps a text once, within bounds.
fn note(list: &mut Vec<String>, text: &str) {
    if list.len() < MOST_KEPT && !list.iter().any(|known| known == text) {
        list.push(text.to_owned());
    }
}

#[cfg(test)]
mod tests;
