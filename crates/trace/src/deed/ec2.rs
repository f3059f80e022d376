//! EC2: instances, networks, disks.

use brig_core::model::text::shell;
use serde_json::Value;

use super::{
    DeedKind,
    table::{Draft, draft, in_region},
};
use crate::{Record, record::all};

#[expect(clippy::too_many_lines, reason = "one arm an operation")]
pub(super) fn of_ec2(record: &Record) -> Option<Draft> {
    let region = in_region(record);
    let (group, snapshot, image) = (record.asked("groupId"), record.asked("snapshotId"), record.asked("imageId"));
    Some(match record.call.as_str() {
        "RunInstances" => {
            let mut ids = all(&record.response, "instanceId");
            ids.sort_unstable();
            ids.dedup();
            let kind = record.asked("instanceType").unwrap_or("an instance");
            let wanted = record.asked_value("maxCount").and_then(Value::as_u64).unwrap_or(1);
            let what: Vec<Option<&str>> = ids.iter().map(|id| Some(*id)).collect();
            let d = draft(DeedKind::Instance, &what).detail(format!("{wanted} x {kind}"));
            if ids.is_empty() {
                d
            } else {
                let place = |id: &&str| match &record.account {
                    Some(account) => format!("brig contain {}", shell(&format!("{account}/{}/{id}", record.region))),
                    None => format!("brig contain {}", shell(id)),
                };
                let contain = ids.iter().map(place).collect::<Vec<_>>().join("; ");
                let quoted = ids.iter().map(|id| shell(id)).collect::<Vec<_>>().join(" ");
                d.thing(format!("instance/{}", ids.join(" "))).undo(format!(
                    "{contain}  # it keeps the disks; once you have what you need: aws ec2 terminate-instances{region} --instance-ids {quoted}"
                ))
            }
        }
        "RequestSpotInstances" | "RequestSpotFleet" | "CreateFleet" => {
            draft(DeedKind::Instance, &[record.response_text("spotFleetRequestId").or(record.response_text("fleetId"))])
        }
        "StartInstances" | "StopInstances" | "ModifyInstanceAttribute" => {
            let ids = all(&record.request, "instanceId");
            draft(DeedKind::Instance, &ids.iter().map(|id| Some(*id)).collect::<Vec<_>>())
        }
        "AssociateIamInstanceProfile" | "ReplaceIamInstanceProfileAssociation" => {
            draft(DeedKind::Instance, &[record.asked("instanceId"), record.asked("name").or(record.asked("arn"))])
                .detail("another instance profile")
        }
        "CreateKeyPair" | "ImportKeyPair" => draft(DeedKind::Credential, &[record.asked("keyName")]).undo(format!(
            "aws ec2 delete-key-pair{region} --key-name {}",
            shell(record.asked("keyName").unwrap_or_default())
        )),
        "AuthorizeSecurityGroupIngress" | "AuthorizeSecurityGroupEgress" => {
            let way = if record.call.ends_with("Ingress") { "ingress" } else { "egress" };
            let mut rules = all(&record.response, "securityGroupRuleId");
            rules.sort_unstable();
            rules.dedup();
            let peers = [all(&record.request, "cidrIp"), all(&record.request, "cidrIpv6")].concat();
            let port = record.asked_value("fromPort").map(Value::to_string);
            let d = draft(DeedKind::Network, &[group]).detail(format!(
                "{way} from {} port {}",
                if peers.is_empty() { "a group".to_owned() } else { peers.join(", ") },
                port.as_deref().unwrap_or("any")
            ));
            let id = group.unwrap_or_default();
            if rules.is_empty() {
                d.thing(format!("rule/{id}/{way}"))
            } else {
                d.thing(format!("rule/{id}/{way}")).undo(format!(
                    "aws ec2 revoke-security-group-{way}{region} --group-id {} --security-group-rule-ids {}",
                    shell(id),
                    rules.iter().map(|one| shell(one)).collect::<Vec<_>>().join(" ")
                ))
            }
        }
        "CreateSecurityGroup"
        | "CreateRoute"
        | "ReplaceRoute"
        | "CreateNetworkAclEntry"
        | "ReplaceNetworkAclEntry"
        | "DeleteNetworkAclEntry"
        | "CreateInternetGateway"
        | "AttachInternetGateway"
        | "CreateVpcPeeringConnection"
        | "AcceptVpcPeeringConnection"
        | "CreateVpc"
        | "AssociateAddress"
        | "AllocateAddress"
        | "ModifyNetworkInterfaceAttribute" => draft(
            DeedKind::Network,
            &[group
                .or(record.response_text("groupId"))
                .or(record.asked("routeTableId"))
                .or(record.asked("networkAclId"))
                .or(record.asked("networkInterfaceId"))
                .or(record.response_text("vpcPeeringConnectionId"))],
        ),
        "ModifySnapshotAttribute" | "ModifyImageAttribute" => {
            let add = record
                .asked_value("add")
                .or_else(|| record.asked_value("createVolumePermission"))
                .or_else(|| record.asked_value("launchPermission"));
            let mut whom = add.map(|add| [all(add, "userId"), all(add, "group")].concat()).unwrap_or_default();
            whom.sort_unstable();
            let id = snapshot.or(image);
            let (noun, attribute) =
                if snapshot.is_some() { ("snapshot", "createVolumePermission") } else { ("image", "launchPermission") };
            if record.asked_value("remove").is_some() && record.asked_value("add").is_none() {
                return Some(
                    draft(DeedKind::Share, &[id]).detail(format!("no longer shared with {}", whom.join(", "))),
                );
            }
            let users: Vec<&str> = whom.iter().copied().filter(|one| *one != "all").collect();
            let with = if whom.contains(&"all") {
                " --group-names all".to_owned()
            } else {
                format!(" --user-ids {}", users.iter().map(|one| shell(one)).collect::<Vec<_>>().join(" "))
            };
            draft(DeedKind::Share, &[id])
                .detail(format!("open to {}", whom.join(", ")))
                .thing(format!("share/{}/{}", id.unwrap_or_default(), whom.join(" ")))
                .undo(format!("aws ec2 modify-{noun}-attribute{region} --{noun}-id {} --attribute {attribute} --operation-type remove{with}", shell(id.unwrap_or_default())))
        }
        "CreateSnapshot"
        | "CreateSnapshots"
        | "CopySnapshot"
        | "CreateImage"
        | "CopyImage"
        | "CreateStoreImageTask"
        | "ExportImage"
        | "CreateInstanceExportTask" => draft(
            DeedKind::Share,
            &[
                record.response_text("snapshotId").or(record.response_text("imageId")),
                record.asked("instanceId").or(record.asked("volumeId")).or(record.asked("sourceSnapshotId")),
            ],
        )
        .detail("a copy of a disk"),
        "GetPasswordData" => draft(DeedKind::Taken, &[record.asked("instanceId")])
            .detail("the password of Windows' administrator, encrypted"),
        "DisableEbsEncryptionByDefault"
        | "DisableSnapshotBlockPublicAccess"
        | "DisableImageBlockPublicAccess"
        | "EnableSerialConsoleAccess" => draft(DeedKind::Network, &[]).detail("a guard of the account"),
        _ => return None,
    })
}
