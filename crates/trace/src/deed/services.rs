//! Functions, data, machines, models, and whatever watches the account.

use brig_core::model::text::shell;
use serde_json::Value;

use super::{
    DeedKind,
    table::{Draft, draft, in_region},
};
use crate::{Record, record::all};

pub(super) fn of_lambda(record: &Record) -> Option<Draft> {
    let name = record.asked("functionName").or(record.asked("layerName"));
    let region = in_region(record);
    Some(match record.call.as_str() {
        "CreateFunction" => draft(DeedKind::Function, &[name, record.asked("role")])
            .thing(format!("function/{}", name.unwrap_or_default()))
            .undo(format!("aws lambda delete-function{region} --function-name {}", shell(name.unwrap_or_default()))),
        "UpdateFunctionCode" => draft(DeedKind::Function, &[name]).detail("its code"),
        "UpdateFunctionConfiguration" => {
            let layers = record
                .asked_value("layers")
                .map(|layers| all(&serde_json::json!({"x": layers}), "x").join(", "))
                .unwrap_or_default();
            let d = draft(DeedKind::Function, &[name]);
            if layers.is_empty() { d.detail("its configuration") } else { d.detail(format!("its layers: {layers}")) }
                .undo(format!("aws lambda list-versions-by-function{region} --function-name {f}; aws lambda update-function-configuration{region} --function-name {f} --layers <those before>", f = shell(name.unwrap_or_default())))
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
        "ScheduleKeyDeletion" | "DisableKey" => draft(DeedKind::Deletion, &[record.asked("keyId")]).undo(format!(
            "aws kms cancel-key-deletion{r} --key-id {k}; aws kms enable-key{r} --key-id {k}",
            r = in_region(record),
            k = shell(record.asked("keyId").unwrap_or_default())
        )),
        "ModifyDBSnapshotAttribute" | "ModifyDBClusterSnapshotAttribute" => {
            let id = record.asked("dBSnapshotIdentifier").or(record.asked("dBClusterSnapshotIdentifier"));
            let mut whom = record
                .asked_value("valuesToAdd")
                .map(|add| all(&serde_json::json!({"x": add}), "x").join(" "))
                .unwrap_or_default();
            if whom.is_empty() {
                "nobody".clone_into(&mut whom);
            }
            draft(DeedKind::Share, &[id])
                .detail(format!("open to {whom}"))
                .thing(format!("share/{}/{whom}", id.unwrap_or_default()))
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
                trail.unwrap_or_default(),
                record.call
            ));
            let t = shell(trail.unwrap_or_default());
            match record.call.as_str() {
                "StopLogging" => d.detail("the trail was stopped").undo(format!("aws cloudtrail start-logging{region} --name {t}")),
                "DeleteTrail" => d.detail("the trail was deleted"),
                "PutEventSelectors" => d.detail("what the trail records").undo(format!("aws cloudtrail put-event-selectors{region} --trail-name {t} --event-selectors '[{{\"ReadWriteType\":\"All\",\"IncludeManagementEvents\":true}}]'")),
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
            let ids = [all(&record.request, "content"), all(&record.request, "flowLogId")].concat();
            draft(DeedKind::Detection, &ids.iter().map(|id| Some(*id)).collect::<Vec<_>>())
                .detail("flow logs were deleted: make them again")
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
