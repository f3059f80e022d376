//! The head of AWS's mail: account, Region, instance.

/// A part of the head of AWS's mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Head {
    Account,
    Region,
    Instance,
}

/// The parts of AWS's head in a line, with their values.
pub(super) fn head(line: &str) -> Vec<(Head, &str)> {
    let mut found = Vec::new();
    for (at, _) in line.match_indices([':', '=']) {
        let label = line.get(..at).unwrap_or_default().to_ascii_lowercase();
        let value = line.get(at + 1..).unwrap_or_default().trim_start();
        let value = value.split([' ', '\t', ',', ';', '[', '(', '|']).next().unwrap_or_default().trim_end_matches('.');
        let ends = |names: &[&str]| names.iter().any(|name| label.trim_end().ends_with(name));
        let part = if ends(&[
            "aws id",
            "account",
            "account id",
            "account number",
            "accountid",
            "account-id",
            "account no",
            "aws_account_id",
        ]) {
            Head::Account
        } else if ends(&["region"]) {
            Head::Region
        } else if ends(&[
            "instance id",
            "instance",
            "instance-id",
            "instanceid",
            "instance ids",
            "instance id(s)",
            "instances",
            "instance_id",
        ]) {
            Head::Instance
        } else {
            continue;
        };
        found.push((part, value));
    }
    found
}
