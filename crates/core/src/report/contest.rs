//! Somebody who keeps undoing a containment: what holds Brig back from an endless fight, when people are notified of it,
//! and what takes the access of whoever does it away.

use serde::Serialize;

/// What the report says of a contest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Contested {
    /// When a step was first held back, RFC 3339.
    pub since: String,
    /// When Brig repairs again without a person's order, RFC 3339.
    pub held_until: String,
    /// Who undoes it, as far as known: ARNs.
    pub by: Vec<String>,
}

/// What takes the access of a caller away, one line each: a command where there is one, else what to do.
#[must_use]
pub fn take_away(by: &str) -> Vec<String> {
    let mut parts = by.splitn(6, ':');
    let (_, partition, service, _, account, resource) =
        (parts.next(), parts.next(), parts.next(), parts.next(), parts.next(), parts.next());
    let (Some(partition), Some(service), Some(account), Some(resource)) = (partition, service, account, resource)
    else {
        return vec![format!("{by}: find out what made it do so, and stop that")];
    };
    if !is_plain(partition) || !account.bytes().all(|byte| byte.is_ascii_digit()) {
        return vec![format!("{by}: find out who that is, and take that access away")];
    }
    let policy = format!("arn:{partition}:iam::aws:policy/AWSDenyAll");
    let mut path = resource.split('/');
    let (kind, name) = (path.next().unwrap_or_default(), path.clone().next().unwrap_or_default());
    let last = path.next_back().unwrap_or_default();
    match (service, kind) {
        ("sts", "assumed-role") if name.starts_with("AWSReservedSSO_") => vec![format!(
            "{by}: a session of IAM Identity Center: remove the permission set's assignment in account {account}, and end the user's session there"
        )],
        ("sts", "assumed-role") if is_plain(name) => vec![format!(
            "deny the role everything, its sessions included (in account {account}): aws iam attach-role-policy --role-name {name} --policy-arn {policy}"
        )],
        ("iam", "role") if is_plain(last) => vec![format!(
            "deny the role everything, its sessions included (in account {account}): aws iam attach-role-policy --role-name {last} --policy-arn {policy}"
        )],
        ("iam", "user") if is_plain(last) => vec![
            format!(
                "deny the user everything (in account {account}): aws iam attach-user-policy --user-name {last} --policy-arn {policy}"
            ),
            format!(
                "then list its keys, to deactivate each (aws iam update-access-key --status Inactive): aws iam list-access-keys --user-name {last}"
            ),
        ],
        ("sts", "federated-user") => vec![format!(
            "{by}: deny the IAM user that called GetFederationToken everything (in account {account}); CloudTrail names it"
        )],
        ("iam", "root") => vec![format!(
            "{by}: the root user: change its password, delete its access keys, and forbid it what it did by a service control policy"
        )],
        _ => vec![format!("{by}: find out who that is, and take that access away")],
    }
}

/// Whether a name needs no quoting in a shell: the characters that IAM allows in names.
fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('-')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_takes_access_away_is_a_command_for_each_kind_of_caller() {
        let shown: Vec<String> = [
            "arn:aws:sts::123456789012:assumed-role/Admin/mallory",
            "arn:aws-cn:iam::123456789012:role/path/Admin",
            "arn:aws:iam::123456789012:user/path/mallory",
            "arn:aws:iam::123456789012:root",
            "arn:aws:sts::123456789012:federated-user/bob",
            "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin_0123/ann",
            "arn:aws:sts::123456789012:assumed-role/$(reboot)/x",
            "autoscaling.amazonaws.com",
        ]
        .into_iter()
        .flat_map(take_away)
        .collect();
        expect_test::expect![[r#"
            deny the role everything, its sessions included (in account 123456789012): aws iam attach-role-policy --role-name Admin --policy-arn arn:aws:iam::aws:policy/AWSDenyAll
            deny the role everything, its sessions included (in account 123456789012): aws iam attach-role-policy --role-name Admin --policy-arn arn:aws-cn:iam::aws:policy/AWSDenyAll
            deny the user everything (in account 123456789012): aws iam attach-user-policy --user-name mallory --policy-arn arn:aws:iam::aws:policy/AWSDenyAll
            then list its keys, to deactivate each (aws iam update-access-key --status Inactive): aws iam list-access-keys --user-name mallory
            arn:aws:iam::123456789012:root: the root user: change its password, delete its access keys, and forbid it what it did by a service control policy
            arn:aws:sts::123456789012:federated-user/bob: deny the IAM user that called GetFederationToken everything (in account 123456789012); CloudTrail names it
            arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_Admin_0123/ann: a session of IAM Identity Center: remove the permission set's assignment in account 123456789012, and end the user's session there
            arn:aws:sts::123456789012:assumed-role/$(reboot)/x: find out who that is, and take that access away
            autoscaling.amazonaws.com: find out what made it do so, and stop that"#]].assert_eq(&shown.join("\n"));
    }
}
