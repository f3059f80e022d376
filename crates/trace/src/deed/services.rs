//! Functions, data, machines, models, and whatever watches the account.

use serde_json::Value;

use super::{
    DeedKind,
    table::{Draft, draft, in_region, word, words},
    undone::{function, listed, shares, trail_name},
};
use crate::{Record, record::all};

pub(super) fn of_lambda(record: &Record) -> Option<Draft> {
    let name = record.asked("functionName").or(record.asked("layerName"));
    let region = in_region(record);
    Some(match record.call.as_str() {
        "CreateFunction" => draft(DeedKind::Function, &[name, record.asked("role")])
            .things(function(record).map(|name| format!("function/{name}")).into_iter().collect())
            .undo(|| Some(format!("aws lambda delete-function{region} --function-name {}", word(name)?))),
        "UpdateFunctionCode" => draft(DeedKind::Function, &[name]).detail("its code"),
        "UpdateFunctionConfiguration" => {
            let layers = record
                .asked_value("layers")
                .map(|layers| all(&serde_json::json!({"x": layers}), "x").join(", "))
                .unwrap_or_default();
            draft(DeedKind::Function, &[name]).detail(if layers.is_empty() {
                "its configuration".to_owned()
            } else {
                format!("its layers: {layers}; put back those that it had")
            })
        }
        "AddPermission"
        | "CreateFunctionUrlConfig"
        | "UpdateFunctionUrlConfig"
        | "CreateEventSourceMapping"
        | "PublishLayerVersion"
        | "AddLayerVersionPermission"
        | "PutFunctionEventInvokeConfig" => {
            draft(DeedKind::Function, &[name, record.asked("principal").or(record.asked("statementId"))])
                .detail("who may invoke or use it")
        }
        _ => return None,
    })
}

pub(super) fn of_data(record: &Record) -> Option<Draft> {
    let (bucket, key) = (record.asked("bucketName"), record.asked("key"));
    Some(match record.call.as_str() {
        "PutBucketPolicy"
        | "PutBucketAcl"
        | "DeleteBucketPolicy"
        | "PutBucketPublicAccessBlock"
        | "DeleteBucketPublicAccessBlock"
        | "DeletePublicAccessBlock"
        | "PutAccountPublicAccessBlock"
        | "DeleteAccountPublicAccessBlock"
        | "PutBucketReplication"
        | "PutBucketWebsite"
        | "PutBucketCors"
        | "PutBucketLifecycle"
        | "PutBucketVersioning"
        | "PutBucketLogging"
        | "DeleteBucketEncryption"
        | "PutObjectAcl" => draft(DeedKind::Bucket, &[bucket, key]).thing(format!(
            "bucket/{}/{}",
            bucket.unwrap_or_default(),
            record.call
        )),
        "CreateBucket" => draft(DeedKind::Bucket, &[bucket]),
        "DeleteBucket" | "DeleteObject" | "DeleteObjects" => draft(DeedKind::Deletion, &[bucket, key]),
        "GetObject" | "CopyObject" | "SelectObjectContent" => {
            draft(DeedKind::Taken, &[bucket, key]).detail("an object")
        }
        "PutKeyPolicy" | "CreateGrant" => {
            draft(DeedKind::Share, &[record.asked("keyId"), record.asked("granteePrincipal")])
                .detail("who may use a KMS key")
        }
        "ScheduleKeyDeletion" | "DisableKey" => draft(DeedKind::Deletion, &[record.asked("keyId")]).undo(|| {
            Some(format!(
                "aws kms cancel-key-deletion{r} --key-id {k}; aws kms enable-key{r} --key-id {k}",
                r = in_region(record),
                k = word(record.asked("keyId"))?
            ))
        }),
        "ModifyDBSnapshotAttribute" | "ModifyDBClusterSnapshotAttribute" => {
            let cluster = record.asked("dBClusterSnapshotIdentifier");
            let id = record.asked("dBSnapshotIdentifier").or(cluster);
            let noun = if cluster.is_some() { "db-cluster-snapshot" } else { "db-snapshot" };
            let (added, removed) = (listed(record, "valuesToAdd"), listed(record, "valuesToRemove"));
            let d = draft(DeedKind::Share, &[id]);
            match (added.is_empty(), removed.is_empty()) {
                (false, _) => d
                    .detail(format!("open to {}", added.join(", ")))
                    .things(shares(id.unwrap_or_default(), &added))
                    .undo(|| {
                        let (id, attribute) = (word(id)?, word(record.asked("attributeName").or(Some("restore")))?);
                        Some(format!("aws rds modify-{noun}-attribute{} --{noun}-identifier {id} --attribute-name {attribute} --values-to-remove {}", in_region(record), words(&added)?))
                    }),
                (true, false) => d.detail(format!("no longer open to {}", removed.join(", "))),
                (true, true) => d.detail("open to nobody else"),
            }
        }
        "ModifyDBInstance" | "ModifyDBCluster" => {
            draft(DeedKind::Share, &[record.asked("dBInstanceIdentifier").or(record.asked("dBClusterIdentifier"))])
                .detail("a database's settings")
        }
        "CreateDBSnapshot" | "CopyDBSnapshot" | "StartExportTask" | "RestoreDBInstanceFromDBSnapshot" => {
            draft(DeedKind::Share, &[record.asked("dBSnapshotIdentifier"), record.asked("dBInstanceIdentifier")])
                .detail("a copy of a database")
        }
        _ => return None,
    })
}

pub(super) fn of_machines(record: &Record) -> Option<Draft> {
    let ids = [all(&record.request, "instanceIds"), all(&record.request, "instanceId"), all(&record.request, "target")]
        .concat();
    let on: Vec<Option<&str>> = ids.iter().map(|id| Some(*id)).collect();
    Some(match record.call.as_str() {
        "SendCommand" => draft(DeedKind::Command, &on)
            .detail(format!("ran {}", record.asked("documentName").unwrap_or("a document"))),
        "StartSession" | "ResumeSession" | "StartAutomationExecution" | "CreateAssociation" => {
            draft(DeedKind::Command, &on).detail(record.asked("documentName").unwrap_or("a session").to_owned())
        }
        "SendSSHPublicKey" | "SendSerialConsoleSSHPublicKey" => draft(DeedKind::Command, &on)
            .detail(format!("an SSH key for {}", record.asked("instanceOSUser").unwrap_or("its console"))),
        "GetSecretValue" => draft(DeedKind::Taken, &[record.asked("secretId")]).detail("a secret"),
        "BatchGetSecretValue" => {
            let ids = all(&record.request, "secretIdList");
            draft(DeedKind::Taken, &ids.iter().map(|id| Some(*id)).collect::<Vec<_>>())
                .detail("secrets, by a list or a filter")
        }
        "GetParameter" | "GetParameters" | "GetParametersByPath" | "GetParameterHistory" => {
            let decrypted = record.asked_value("withDecryption").and_then(Value::as_bool).unwrap_or(false);
            let names =
                [all(&record.request, "name"), all(&record.request, "names"), all(&record.request, "path")].concat();
            let d = draft(DeedKind::Taken, &names.iter().map(|name| Some(*name)).collect::<Vec<_>>());
            d.detail(if decrypted { "parameters, decrypted" } else { "parameters, not decrypted" })
        }
        "PutSecretValue" | "UpdateSecret" | "PutResourcePolicy" => draft(DeedKind::Other, &[record.asked("secretId")]),
        "ModifyDocumentPermission" => {
            draft(DeedKind::Share, &[record.asked("name")]).detail("a document of Systems Manager")
        }
        _ => return None,
    })
}

pub(super) fn of_bedrock(record: &Record) -> Option<Draft> {
    let model = record.asked("modelId");
    Some(match record.call.as_str() {
        "InvokeModel" | "InvokeModelWithResponseStream" | "Converse" | "ConverseStream" => {
            draft(DeedKind::Model, &[model]).detail("used")
        }
        "PutFoundationModelEntitlement" | "CreateFoundationModelAgreement" | "PutUseCaseForModelAccess" => {
            draft(DeedKind::Model, &[model]).detail("opened for use")
        }
        "PutModelInvocationLoggingConfiguration" | "DeleteModelInvocationLoggingConfiguration" => {
            draft(DeedKind::Detection, &[]).detail("what is logged of the use of models")
        }
        _ => return None,
    })
}

pub(super) fn of_detection(record: &Record) -> Option<Draft> {
    let region = in_region(record);
    let trail = record.asked("name").or(record.asked("trailName"));
    Some(match record.call.as_str() {
        "StopLogging" | "DeleteTrail" | "UpdateTrail" | "PutEventSelectors" | "PutInsightSelectors" => {
            let d = draft(DeedKind::Detection, &[trail]).thing(format!(
                "trail/{}/{}",
                trail_name(record).unwrap_or_default(),
                record.call
            ));
            match record.call.as_str() {
                "StopLogging" => d.detail("the trail was stopped").undo(|| Some(format!("aws cloudtrail start-logging{region} --name {}", word(trail)?))),
                "DeleteTrail" => d.detail("the trail was deleted"),
                "PutEventSelectors" => d.detail("what the trail records").undo(|| Some(format!("aws cloudtrail put-event-selectors{region} --trail-name {} --event-selectors '[{{\"ReadWriteType\":\"All\",\"IncludeManagementEvents\":true}}]'", word(trail)?))),
                _ => d,
            }
        }
        "DeleteDetector"
        | "UpdateDetector"
        | "StopMonitoringMembers"
        | "DisassociateMembers"
        | "DisassociateFromMasterAccount"
        | "DisassociateFromAdministratorAccount"
        | "CreateFilter"
        | "CreateIPSet"
        | "CreateTrustedIPSet"
        | "ArchiveFindings"
        | "DeletePublishingDestination" => {
            draft(DeedKind::Detection, &[record.asked("detectorId"), record.asked("name")]).detail("GuardDuty")
        }
        "StopConfigurationRecorder" | "DeleteConfigurationRecorder" | "DeleteDeliveryChannel" | "DeleteConfigRule" => {
            draft(DeedKind::Detection, &[record.asked("configurationRecorderName").or(record.asked("configRuleName"))])
                .detail("AWS Config")
        }
        "DisableSecurityHub" | "BatchUpdateFindings" | "UpdateFindings" => {
            draft(DeedKind::Detection, &[]).detail("Security Hub")
        }
        "DeleteFlowLogs" => {
            // The call is answered with success also where it deleted nothing, and names what it did not.
            let refused = record.answered("unsuccessful");
            let kept = refused.map(|refused| all(refused, "resourceId")).unwrap_or_default();
            let ids = [all(&record.request, "content"), all(&record.request, "flowLogId")].concat();
            let deleted: Vec<Option<&str>> = ids.iter().filter(|id| !kept.contains(*id)).map(|id| Some(*id)).collect();
            if deleted.is_empty() && !kept.is_empty() {
                let code = refused.and_then(|refused| all(refused, "code").first().copied()).unwrap_or("unsuccessful");
                let kept: Vec<Option<&str>> = kept.into_iter().map(Some).collect();
                return Some(draft(DeedKind::Detection, &kept).detail("flow logs").failed(code));
            }
            draft(DeedKind::Detection, &deleted).detail("flow logs were deleted: make them again")
        }
        "DeleteResolverQueryLogConfig" | "DisassociateResolverQueryLogConfig" => {
            draft(DeedKind::Detection, &[record.asked("resolverQueryLogConfigId")])
                .detail("DNS query logs were deleted: make them again")
        }
        "DeleteLogGroup"
        | "DeleteLogStream"
        | "PutRetentionPolicy"
        | "DeleteSubscriptionFilter"
        | "DeleteMetricFilter" => draft(DeedKind::Detection, &[record.asked("logGroupName")]).detail("logs"),
        "DeleteAlarms" | "DisableAlarmActions" => draft(
            DeedKind::Detection,
            &all(&record.request, "alarmNames").iter().map(|id| Some(*id)).collect::<Vec<_>>(),
        )
        .detail("alarms"),
        "LeaveOrganization" | "DetachPolicy" | "DeletePolicy" | "DisablePolicyType" => {
            draft(DeedKind::Detection, &[record.asked("policyId"), record.asked("targetId")])
                .detail("the organization's guard")
        }
        _ => return None,
    })
}
