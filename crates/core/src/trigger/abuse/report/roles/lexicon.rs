//! The words by which a report gives a host its part.

/// Words after which an origin is named.
#[rustfmt::skip]
pub(super) const ORIGIN: [&str; 27] = [
    "source", "src", "saddr", "origin", "origins", "originating", "offending", "offender", "offenders", "attacker",
    "attackers", "attacking", "abusive", "abuser", "infected", "compromised", "malicious", "from", "implicated",
    "spammer", "scanner", "bot", "culprit", "url", "rhost", "client", "perpetrator",
];

/// Words after which somebody else is named: the victim, or whoever saw it.
#[rustfmt::skip]
pub(super) const OTHER: [&str; 31] = [
    "victim", "victims", "destination", "destinations", "dst", "dest", "daddr", "target", "targets", "targeted",
    "attacked", "against", "towards", "our", "my", "sensor", "sensors", "honeypot", "honeypots", "reporter",
    "detector", "monitor", "contact", "collector", "via", "observer", "complainant", "submitter", "recipient",
    "receiver", "responder",
];

/// Words by which an AWS resource is introduced: an origin where they are its label.
pub(super) const RESOURCE: [&str; 9] =
    ["instance", "instances", "instanceid", "resource", "resources", "ec2", "affected", "implicated", "reported"];

/// What somebody did who only saw it, before `by` or `from`.
#[rustfmt::skip]
pub(super) const SAW: [&str; 12] = [
    "reported", "seen", "detected", "observed", "noticed", "submitted", "captured", "logged", "recorded",
    "monitored", "confirmed", "received",
];

/// Before `on` and `to`: what is there is the origin.
#[rustfmt::skip]
pub(super) const SITS: [&str; 14] = [
    "hosted", "running", "runs", "found", "installed", "located", "active", "present", "belongs", "belonging",
    "assigned", "traced", "attributed", "hosting",
];

/// Words that turn a sentence round.
#[rustfmt::skip]
pub(super) const NEGATION: [&str; 24] = [
    "not", "no", "never", "don't", "dont", "isn't", "wasn't", "aren't", "doesn't", "didn't", "cannot", "can't",
    "without", "unrelated", "innocent", "unaffected", "clean", "legitimate", "except", "unless", "instead", "false",
    "neither", "nor",
];

/// Orders to leave something alone, in one word.
pub(super) const LEAVE: [&str; 7] = ["ignore", "exclude", "excluding", "except", "spare", "whitelist", "allowlist"];

/// Beginnings of what is not to be done to it.
#[rustfmt::skip]
pub(super) const DEEDS: [&str; 15] = [
    "touch", "contain", "isolat", "block", "stop", "terminat", "shut", "chang", "disturb", "quarantin", "reboot",
    "restart", "kill", "disabl", "act",
];

/// What somebody does who is the origin, after its name.
#[rustfmt::skip]
pub(super) const DOES: [&str; 23] = [
    "attacking", "scanning", "sending", "sent", "sends", "attacks", "scans", "attempted", "attempting", "tried",
    "participated", "participating", "participates", "originated", "launched", "performing", "performed",
    "brute-forcing", "spamming", "hosts", "implicated", "infected", "compromised",
];

/// Done by the origin where the word is active, to the victim where it is passive.
pub(super) const DONE: [&str; 8] = ["attacked", "targeted", "scanned", "flooded", "probed", "hit", "hacked", "spammed"];

/// What is said of somebody who is not the origin, after its name.
#[rustfmt::skip]
pub(super) const IS: [&str; 11] = [
    "victim", "sensor", "honeypot", "ours", "reporter", "destination", "target", "our", "my", "bystander",
    "responder",
];

pub(super) const BEING: [&str; 12] =
    ["is", "was", "are", "were", "been", "being", "got", "the", "a", "as", "our", "my"];
