//! EC2: instances, networks, disks.

use serde_json::Value;

use super::{
    DeedKind,
    rules::of_rules,
    table::{Draft, draft, in_region, word, words},
    undone::{peers, shares, things},
};
use crate::{Record, record::all};

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
            d.things(things("instance", ids.clone())).undo(|| {
                let place = |id: &&str| match &record.account {
                    Some(account) => format!("{account}/{}/{id}", record.region),
                    None => (*id).to_owned(),
                };
                let contain: Option<Vec<String>> =
                    ids.iter().map(|id| Some(format!("brig contain {}", word(Some(&place(id)))?))).collect();
                Some(format!(
                    "{} # it keeps the disks; once you have what you need: aws ec2 terminate-instances{region} --instance-ids {}",
                    contain?.join("; "),
                    words(&ids)?
                ))
            })
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
        "CreateKeyPair" | "ImportKeyPair" => draft(DeedKind::Credential, &[record.asked("keyName")])
            .undo(|| Some(format!("aws ec2 delete-key-pair{region} --key-name {}", word(record.asked("keyName"))?))),
        "AuthorizeSecurityGroupIngress" | "AuthorizeSecurityGroupEgress" => of_rules(record),
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
        "ModifySnapshotAttribute" | "ModifyImageAttribute" => of_share(record, snapshot, image),
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

/// Whom a snapshot or an image is shared with.
fn of_share(record: &Record, snapshot: Option<&str>, image: Option<&str>) -> Draft {
    let id = snapshot.or(image);
    let (noun, attribute) =
        if snapshot.is_some() { ("snapshot", "createVolumePermission") } else { ("image", "launchPermission") };
    let (add, remove) = (record.asked_value("add"), record.asked_value("remove"));
    let added = add.or_else(|| record.asked_value(attribute).filter(|_| remove.is_none()));
    let whom = added.map(peers).unwrap_or_default();
    let former = remove.map(peers).unwrap_or_default();
    if whom.is_empty() && !former.is_empty() {
        return draft(DeedKind::Share, &[id]).detail(format!("no longer shared with {}", former.join(", ")));
    }
    if whom.is_empty() {
        // Its description, its boot mode, ...
        return draft(DeedKind::Other, &[id]).detail("an attribute that shares nothing");
    }
    draft(DeedKind::Share, &[id])
        .detail(format!("open to {}", whom.join(", ")))
        .things(shares(id.unwrap_or_default(), &whom))
        .undo(|| {
            let is = |one: &str, part: &str| one.split(':').nth(5).is_some_and(|resource| resource.starts_with(part));
            let options = [
                ("group-names", whom.iter().filter(|one| **one == "all").copied().collect::<Vec<_>>()),
                ("organization-arns", whom.iter().filter(|one| is(one, "organization/")).copied().collect()),
                ("organizational-unit-arns", whom.iter().filter(|one| is(one, "ou/")).copied().collect()),
                ("user-ids", whom.iter().filter(|one| **one != "all" && !one.contains(':')).copied().collect()),
            ];
            let mut command = vec![format!(
                "aws ec2 modify-{noun}-attribute{} --{noun}-id {} --attribute {attribute} --operation-type remove",
                in_region(record),
                word(id)?
            )];
            for (option, peers) in options.iter().filter(|(_, peers)| !peers.is_empty()) {
                command.push(format!("--{option} {}", words(peers)?));
            }
            Some(command.join(" "))
        })
}
