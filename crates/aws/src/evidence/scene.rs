//! What is read of an instance, a user or a role for evidence: AWS's answers as they came, each page a file.

use aws_config::SdkConfig;
use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use brig_core::model::ids::{AccountId, InstanceId, Region};
use brig_engine::ports::{CloudError, ErrorKind, PortResult, Unreachable};

use super::raw::{Raw, keep};
use crate::{ec2::filter, session::AwsClouds};

/// A policy of AWS's own is the same everywhere.
const AWS_POLICY: &str = ":iam::aws:policy/";

/// What is to be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Look {
    Instance(InstanceId),
    Interfaces(InstanceId),
    Volumes(InstanceId),
    /// Security groups, by their ids.
    Groups(Vec<String>),
    /// Route tables of VPCs.
    Routes(Vec<String>),
    NetworkAcls(Vec<String>),
    /// Flow logs of VPCs, subnets and interfaces: what there is of them, not their records.
    FlowLogs(Vec<String>),
    /// Snapshots with this value of the tag `brig:containment`.
    Snapshots(String),
    UserData(InstanceId),
    ConsoleOutput(InstanceId),
    Screenshot(InstanceId),
    ScalingInstance(InstanceId),
    TargetHealth(String),
    /// An instance profile, by its name.
    Profile(String),
    /// A role with its policies, by its name.
    Role(String),
    /// A user with their policies, groups and credentials' ids, by their name.
    User(String),
}

/// A file of evidence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    pub name: String,
    pub bytes: Vec<u8>,
    /// `ec2:DescribeInstances`.
    pub source: &'static str,
    pub requests: Vec<String>,
}

fn taken(name: impl Into<String>, source: &'static str, raw: Raw) -> Taken {
    Taken { name: name.into(), bytes: raw.bytes, source, requests: raw.request.into_iter().collect() }
}

impl Look {
    /// The name of the file that it makes, or of the folder.
    #[must_use]
    pub fn name(&self) -> String {
        let fixed = match self {
            Self::Instance(_) => "instance/describe-instances.xml",
            Self::Interfaces(_) => "instance/describe-network-interfaces.xml",
            Self::Volumes(_) => "instance/describe-volumes.xml",
            Self::Groups(_) => "network/describe-security-groups.xml",
            Self::Routes(_) => "network/describe-route-tables.xml",
            Self::NetworkAcls(_) => "network/describe-network-acls.xml",
            Self::FlowLogs(_) => "network/describe-flow-logs.xml",
            Self::Snapshots(_) => "instance/describe-snapshots.xml",
            Self::UserData(_) => "instance/user-data",
            Self::ConsoleOutput(_) => "instance/console-output.txt",
            Self::Screenshot(_) => "instance/console-screenshot.jpg",
            Self::ScalingInstance(_) => "fleet/describe-auto-scaling-instances.xml",
            Self::TargetHealth(arn) => {
                let parts: Vec<&str> = arn.rsplit('/').collect();
                let name = parts.get(1).copied().unwrap_or("target-group");
                let id = parts.first().copied().unwrap_or_default();
                return format!("fleet/target-health/{name}-{id}.xml");
            }
            Self::Profile(name) => return format!("iam/profiles/{name}.xml"),
            Self::Role(name) => return format!("iam/roles/{name}"),
            Self::User(name) => return format!("iam/users/{name}"),
        };
        fixed.to_owned()
    }
}

/// One account and Region, to be read as it answers.
#[derive(Debug, Clone)]
pub struct Scene {
    ec2: aws_sdk_ec2::Client,
    iam: aws_sdk_iam::Client,
    autoscaling: aws_sdk_autoscaling::Client,
    elbv2: aws_sdk_elasticloadbalancingv2::Client,
}

impl AwsClouds {
    /// A scene, through the member role where it is another account.
    ///
    /// # Errors
    /// The account cannot be worked in.
    pub async fn scene(&self, account: &AccountId, region: &Region, session: &str) -> Result<Scene, Unreachable> {
        Ok(Scene::new(&self.config(account, region, session).await?))
    }
}

/// Where a value that AWS sends in base64 is none.
fn decoded(operation: &'static str, text: Option<&str>) -> PortResult<Option<Vec<u8>>> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    BASE64.decode(text.trim_ascii()).map(Some).map_err(|error| CloudError {
        operation,
        kind: ErrorKind::Other,
        code: "Unreadable".to_owned(),
        message: error.to_string(),
    })
}

fn none(operation: &'static str, what: &str) -> CloudError {
    CloudError { operation, kind: ErrorKind::NotFound, code: "Empty".to_owned(), message: what.to_owned() }
}

impl Scene {
    fn new(config: &SdkConfig) -> Self {
        Self {
            ec2: aws_sdk_ec2::Client::new(config),
            iam: aws_sdk_iam::Client::new(config),
            autoscaling: aws_sdk_autoscaling::Client::new(config),
            elbv2: aws_sdk_elasticloadbalancingv2::Client::new(config),
        }
    }

    /// Reads; each page of an answer is a file.
    ///
    /// # Errors
    /// AWS's answer, where it is none of what was asked.
    pub async fn take(&self, look: &Look) -> PortResult<Vec<Taken>> {
        let name = look.name();
        match look {
            Look::Instance(id) => {
                let request = self.ec2.describe_instances().instance_ids(id.as_str());
                let (_, raw) = keep!("DescribeInstances", request)?;
                Ok(vec![taken(name, "ec2:DescribeInstances", raw)])
            }
            Look::Interfaces(id) => {
                let of = filter("attachment.instance-id", &[id.as_str()]);
                let (_, raw) = keep!("DescribeNetworkInterfaces", self.ec2.describe_network_interfaces().filters(of))?;
                Ok(vec![taken(name, "ec2:DescribeNetworkInterfaces", raw)])
            }
            Look::Volumes(id) => {
                let of = filter("attachment.instance-id", &[id.as_str()]);
                let (_, raw) = keep!("DescribeVolumes", self.ec2.describe_volumes().filters(of))?;
                Ok(vec![taken(name, "ec2:DescribeVolumes", raw)])
            }
            Look::Groups(ids) => {
                let request = self.ec2.describe_security_groups().set_group_ids(Some(ids.clone()));
                let (_, raw) = keep!("DescribeSecurityGroups", request)?;
                Ok(vec![taken(name, "ec2:DescribeSecurityGroups", raw)])
            }
            Look::Routes(vpcs) => {
                let request = self.ec2.describe_route_tables().filters(of_vpcs(vpcs));
                let (_, raw) = keep!("DescribeRouteTables", request)?;
                Ok(vec![taken(name, "ec2:DescribeRouteTables", raw)])
            }
            Look::NetworkAcls(vpcs) => {
                let request = self.ec2.describe_network_acls().filters(of_vpcs(vpcs));
                let (_, raw) = keep!("DescribeNetworkAcls", request)?;
                Ok(vec![taken(name, "ec2:DescribeNetworkAcls", raw)])
            }
            Look::FlowLogs(resources) => {
                let resources: Vec<&str> = resources.iter().map(String::as_str).collect();
                let request = self.ec2.describe_flow_logs().filter(filter("resource-id", &resources));
                let (_, raw) = keep!("DescribeFlowLogs", request)?;
                Ok(vec![taken(name, "ec2:DescribeFlowLogs", raw)])
            }
            Look::Snapshots(containment) => {
                let of = filter("tag:brig:containment", &[containment]);
                let (_, raw) = keep!("DescribeSnapshots", self.ec2.describe_snapshots().owner_ids("self").filters(of))?;
                Ok(vec![taken(name, "ec2:DescribeSnapshots", raw)])
            }
            Look::UserData(id) => self.user_data(id, name).await,
            Look::ConsoleOutput(id) => self.console_output(id, name).await,
            Look::Screenshot(id) => {
                let request = self.ec2.get_console_screenshot().instance_id(id.as_str()).wake_up(false);
                let (answer, raw) = keep!("GetConsoleScreenshot", request)?;
                let bytes = decoded("GetConsoleScreenshot", answer.image_data())?;
                let bytes = bytes.ok_or_else(|| none("GetConsoleScreenshot", "AWS has no screenshot of it"))?;
                Ok(vec![taken(name, "ec2:GetConsoleScreenshot", Raw { bytes, ..raw })])
            }
            Look::ScalingInstance(id) => {
                let request = self.autoscaling.describe_auto_scaling_instances().instance_ids(id.as_str());
                let (_, raw) = keep!("DescribeAutoScalingInstances", request)?;
                Ok(vec![taken(name, "autoscaling:DescribeAutoScalingInstances", raw)])
            }
            Look::TargetHealth(arn) => {
                let (_, raw) =
                    keep!("DescribeTargetHealth", self.elbv2.describe_target_health().target_group_arn(arn))?;
                Ok(vec![taken(name, "elasticloadbalancing:DescribeTargetHealth", raw)])
            }
            Look::Profile(profile) => {
                let request = self.iam.get_instance_profile().instance_profile_name(profile);
                let (_, raw) = keep!("GetInstanceProfile", request)?;
                Ok(vec![taken(name, "iam:GetInstanceProfile", raw)])
            }
            Look::Role(role) => self.role(role, &name).await,
            Look::User(user) => self.user(user, &name).await,
        }
    }

    async fn user_data(&self, id: &InstanceId, name: String) -> PortResult<Vec<Taken>> {
        let attribute = aws_sdk_ec2::types::InstanceAttributeName::UserData;
        let request = self.ec2.describe_instance_attribute().instance_id(id.as_str()).attribute(attribute);
        let (answer, raw) = keep!("DescribeInstanceAttribute", request)?;
        let text = answer.user_data().and_then(|data| data.value());
        let bytes = decoded("DescribeInstanceAttribute", text)?;
        let bytes = bytes.ok_or_else(|| none("DescribeInstanceAttribute", "it has no user data"))?;
        Ok(vec![taken(name, "ec2:DescribeInstanceAttribute", Raw { bytes, ..raw })])
    }

    /// The latest output where the type offers it, else what AWS kept
    /// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetConsoleOutput.html>).
    async fn console_output(&self, id: &InstanceId, name: String) -> PortResult<Vec<Taken>> {
        let request = || self.ec2.get_console_output().instance_id(id.as_str());
        let answer = match keep!("GetConsoleOutput", request().latest(true)) {
            Err(error) if error.kind == ErrorKind::Unsupported || error.code == "InvalidParameterValue" => {
                keep!("GetConsoleOutput", request())
            }
            answer => answer,
        };
        let (answer, raw) = answer?;
        // Most answers are in base64; some emulators and old types are not.
        let text = answer.output().unwrap_or_default();
        let bytes = BASE64.decode(text.trim_ascii()).unwrap_or_else(|_| text.as_bytes().to_vec());
        if bytes.is_empty() {
            return Err(none("GetConsoleOutput", "AWS has no console output of it"));
        }
        Ok(vec![taken(name, "ec2:GetConsoleOutput", Raw { bytes, ..raw })])
    }

    async fn role(&self, role: &str, folder: &str) -> PortResult<Vec<Taken>> {
        let (_, raw) = keep!("GetRole", self.iam.get_role().role_name(role))?;
        let mut files = vec![taken(format!("{folder}/get-role.xml"), "iam:GetRole", raw)];
        let request = self.iam.list_role_policies().role_name(role).max_items(1000);
        let (inline, raw) = keep!("ListRolePolicies", request)?;
        files.push(taken(format!("{folder}/list-role-policies.xml"), "iam:ListRolePolicies", raw));
        for policy in inline.policy_names() {
            let (_, raw) = keep!("GetRolePolicy", self.iam.get_role_policy().role_name(role).policy_name(policy))?;
            files.push(taken(format!("{folder}/inline/{policy}.xml"), "iam:GetRolePolicy", raw));
        }
        let request = self.iam.list_attached_role_policies().role_name(role).max_items(1000);
        let (attached, raw) = keep!("ListAttachedRolePolicies", request)?;
        files.push(taken(format!("{folder}/list-attached-role-policies.xml"), "iam:ListAttachedRolePolicies", raw));
        let arns = attached.attached_policies().iter().filter_map(|policy| policy.policy_arn());
        self.documents(arns, folder, &mut files).await?;
        Ok(files)
    }

    async fn user(&self, user: &str, folder: &str) -> PortResult<Vec<Taken>> {
        let (_, raw) = keep!("GetUser", self.iam.get_user().user_name(user))?;
        let mut files = vec![taken(format!("{folder}/get-user.xml"), "iam:GetUser", raw)];
        let request = self.iam.list_user_policies().user_name(user).max_items(1000);
        let (inline, raw) = keep!("ListUserPolicies", request)?;
        files.push(taken(format!("{folder}/list-user-policies.xml"), "iam:ListUserPolicies", raw));
        for policy in inline.policy_names() {
            let (_, raw) = keep!("GetUserPolicy", self.iam.get_user_policy().user_name(user).policy_name(policy))?;
            files.push(taken(format!("{folder}/inline/{policy}.xml"), "iam:GetUserPolicy", raw));
        }
        let request = self.iam.list_attached_user_policies().user_name(user).max_items(1000);
        let (attached, raw) = keep!("ListAttachedUserPolicies", request)?;
        files.push(taken(format!("{folder}/list-attached-user-policies.xml"), "iam:ListAttachedUserPolicies", raw));
        let arns = attached.attached_policies().iter().filter_map(|policy| policy.policy_arn());
        self.documents(arns, folder, &mut files).await?;
        let (_, raw) = keep!("ListAccessKeys", self.iam.list_access_keys().user_name(user))?;
        files.push(taken(format!("{folder}/list-access-keys.xml"), "iam:ListAccessKeys", raw));
        let (_, raw) = keep!("ListGroupsForUser", self.iam.list_groups_for_user().user_name(user))?;
        files.push(taken(format!("{folder}/list-groups-for-user.xml"), "iam:ListGroupsForUser", raw));
        Ok(files)
    }

    /// The documents of attached policies that are the account's own.
    async fn documents(
        &self,
        arns: impl Iterator<Item = &str>,
        folder: &str,
        files: &mut Vec<Taken>,
    ) -> PortResult<()> {
        for arn in arns.filter(|arn| !arn.contains(AWS_POLICY)) {
            let name = arn.rsplit('/').next().unwrap_or(arn);
            let (policy, raw) = keep!("GetPolicy", self.iam.get_policy().policy_arn(arn))?;
            files.push(taken(format!("{folder}/attached/{name}/get-policy.xml"), "iam:GetPolicy", raw));
            let version = policy.policy().and_then(|policy| policy.default_version_id()).unwrap_or("v1");
            let request = self.iam.get_policy_version().policy_arn(arn).version_id(version);
            let (_, raw) = keep!("GetPolicyVersion", request)?;
            files.push(taken(format!("{folder}/attached/{name}/{version}.xml"), "iam:GetPolicyVersion", raw));
        }
        Ok(())
    }
}

fn of_vpcs(vpcs: &[String]) -> aws_sdk_ec2::types::Filter {
    let vpcs: Vec<&str> = vpcs.iter().map(String::as_str).collect();
    filter("vpc-id", &vpcs)
}
