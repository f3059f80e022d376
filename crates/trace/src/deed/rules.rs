//! The rules that a call adds to a security group.

use serde_json::Value;

use super::{
    DeedKind,
    table::{Draft, draft, in_region, word, words},
    undone::things,
};
use crate::{
    Record,
    record::{all, find, top},
};

pub(super) fn of_rules(record: &Record) -> Draft {
    let way = if record.call.ends_with("Ingress") { "ingress" } else { "egress" };
    let mut ids = all(&record.response, "securityGroupRuleId");
    ids.sort_unstable();
    ids.dedup();
    // A call may name the group by its name, and its rules name other groups.
    let answered = record.answered("securityGroupRuleSet").and_then(|rules| find(rules, "groupId", 0));
    let own = top(&record.request, "groupId").or(answered).and_then(Value::as_str);
    let group = own.or_else(|| top(&record.request, "groupName").and_then(Value::as_str));
    let side = if way == "ingress" { "from" } else { "to" };
    draft(DeedKind::Network, &[group])
        .detail(format!("{way} {}", permissions(&record.request, side).join("; ")))
        .things(things("rule", ids.clone()))
        .undo(|| {
            let (region, group, ids) = (in_region(record), word(own)?, words(&ids)?);
            Some(format!(
                "aws ec2 revoke-security-group-{way}{region} --group-id {group} --security-group-rule-ids {ids}"
            ))
        })
}

/// `tcp 22 from 0.0.0.0/0`, one a permission.
fn permissions(request: &Value, side: &str) -> Vec<String> {
    let items = top(request, "ipPermissions").map(|list| top(list, "items").unwrap_or(list)).and_then(Value::as_array);
    match items {
        Some(items) if !items.is_empty() => items.iter().map(|item| permission(item, side)).collect(),
        // The form of one permission without a list.
        Some(_) | None => vec![permission(request, side)],
    }
}

fn permission(item: &Value, side: &str) -> String {
    let protocol = match top(item, "ipProtocol").and_then(Value::as_str) {
        None | Some("-1") => "all traffic",
        Some(protocol) => protocol,
    };
    let port = |key: &str| top(item, key).and_then(Value::as_i64);
    let ports = match (port("fromPort"), port("toPort")) {
        (Some(-1) | None, _) => String::new(),
        (Some(from), Some(to)) if to != from => format!(" {from}-{to}"),
        (Some(from), _) => format!(" {from}"),
    };
    let of = |list: &str, key: &str| top(item, list).map(|list| all(list, key)).unwrap_or_default();
    let mut peers = [
        of("ipRanges", "cidrIp"),
        of("ipv6Ranges", "cidrIpv6"),
        of("groups", "groupId"),
        of("prefixListIds", "prefixListId"),
    ]
    .concat();
    let flat = ["cidrIp", "cidrIpv6", "sourceSecurityGroupId", "sourceSecurityGroupName"];
    peers.extend(flat.iter().filter_map(|key| top(item, key).and_then(Value::as_str)));
    let peers = if peers.is_empty() { "whom no record names".to_owned() } else { peers.join(", ") };
    format!("{protocol}{ports} {side} {peers}")
}
