//! An instance as DescribeInstances shows it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{
    Interface,
    ids::{AccountId, InstanceId, Region, VolumeId},
    text::{self},
    timestamp::Timestamp,
};

/// An instance's life cycle
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum InstanceState {
    /// Being launched or started.
    Pending,
    Running,
    /// On its way to stopped.
    Stopping,
    /// Stopped: no flow exists, the disks do.
    Stopped,
    /// On its way to terminated.
    ShuttingDown,
    /// Gone; shown by AWS for about an hour.
    Terminated,
    /// A state that AWS added since.
    Unknown,
}

impl InstanceState {
    /// Whether it is terminated.
    #[must_use]
    pub fn is_over(self) -> bool {
        self == Self::Terminated
    }

    /// Whether network flows can exist.
    #[must_use]
    pub fn has_flows(self) -> bool {
        // While it stops, the system still runs.
        matches!(self, Self::Pending | Self::Running | Self::Stopping | Self::ShuttingDown | Self::Unknown)
    }

    /// Whether the instance is ending for good.
    #[must_use]
    pub fn is_ending(self) -> bool {
        matches!(self, Self::ShuttingDown | Self::Terminated)
    }
}

/// The instance as DescribeInstances shows it.
#[expect(clippy::struct_excessive_bools, reason = "each is something that AWS shows by itself")]
#[derive(Debug, Clone, PartialEq)]
pub struct Instance {
    pub id: InstanceId,
    /// The account that owns it.
    pub account: AccountId,
    /// The Region it was read in.
    pub region: Region,
    /// Its life cycle state.
    pub state: InstanceState,
    /// When it was launched.
    pub launched: Option<Timestamp>,
    pub tags: BTreeMap<String, String>,
    /// The ARN of its instance profile.
    pub profile: Option<String>,
    pub metadata: MetadataOptions,
    /// Its interfaces, as the instance shows them.
    pub interfaces: Vec<Interface>,
    /// Its EBS volumes.
    pub volumes: Vec<Volume>,
    /// Its metadata options are not in effect yet
    /// (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceMetadataOptionsResponse.html>).
    pub metadata_pending: bool,
    /// The root device is an EBS volume (not an instance store).
    pub ebs_root: bool,
    /// Bought on the Spot market.
    pub spot: bool,
    /// It has a public IPv4 address.
    pub public: bool,
    /// `m5.large`.
    pub instance_type: String,
    /// Simplified automatic recovery: `default` or `disabled`; none where it was not shown.
    pub auto_recovery: Option<String>,
    /// The code of why it is in its state, `Client.UserInitiatedShutdown`.
    pub state_reason: Option<String>,
    /// Hibernation was configured when it was launched.
    pub hibernates: bool,
}

impl Instance {
    /// One that AWS does not know any more: terminated, with nothing attached.
    #[must_use]
    pub fn gone(id: InstanceId, account: AccountId, region: Region) -> Self {
        Self {
            id,
            account,
            region,
            state: InstanceState::Terminated,
            launched: None,
            tags: BTreeMap::new(),
            profile: None,
            metadata: MetadataOptions {
                endpoint: String::new(),
                tokens: String::new(),
                hop_limit: None,
                ipv6: None,
                tags: None,
            },
            interfaces: Vec::new(),
            volumes: Vec::new(),
            metadata_pending: false,
            ebs_root: true,
            spot: false,
            public: false,
            instance_type: String::new(),
            auto_recovery: None,
            hibernates: false,
            state_reason: None,
        }
    }

    /// Its name tag as one line, for messages; none where nothing of it shows.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        let name = text::one_line(self.tags.get("Name")?, text::NAME);
        (!name.is_empty()).then_some(name)
    }

    /// Whether it is a node of EKS Auto Mode, which runs instances of its own and lets nobody else change them: its tags
    /// name the cluster with a key that only Auto Mode writes, and the node pool
    /// (<https://docs.aws.amazon.com/eks/latest/userguide/automode-learn-instances.html>).
    #[must_use]
    pub fn is_auto_mode_node(&self) -> bool {
        self.tags.contains_key("eks:eks-cluster-name") && self.tags.contains_key("karpenter.sh/nodepool")
    }

    /// The Auto Scaling group that it belongs to, by the tag that Auto Scaling keeps and no user can write.
    #[must_use]
    pub fn auto_scaling_group(&self) -> Option<&str> {
        self.tags.get("aws:autoscaling:groupName").map(String::as_str)
    }
}

/// How the instance's metadata service answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MetadataOptions {
    /// `HttpEndpoint`: `enabled` or `disabled`.
    pub endpoint: String,
    /// `HttpTokens`: `required` or `optional`.
    pub tokens: String,
    /// `HttpPutResponseHopLimit`.
    pub hop_limit: Option<i32>,
    /// `HttpProtocolIpv6`.
    pub ipv6: Option<String>,
    /// `InstanceMetadataTags`.
    pub tags: Option<String>,
}

impl MetadataOptions {
    /// How the metadata service answers where a forensic profile's credentials come from it.
    #[must_use]
    pub fn guarded() -> Self {
        Self {
            endpoint: "enabled".to_owned(),
            tokens: "required".to_owned(),
            hop_limit: Some(1),
            ipv6: None,
            tags: None,
        }
    }

    fn differs_only_in_endpoint(&self, now: &Self) -> bool {
        let same = |own: &Option<String>, now: &Option<String>| own.is_none() || own == now;
        self.tokens == now.tokens
            && (self.hop_limit.is_none() || self.hop_limit == now.hop_limit)
            && same(&self.ipv6, &now.ipv6)
            && same(&self.tags, &now.tags)
    }

    /// What leads to these options from `now`, in the order in which AWS takes it: no option may be changed together with an
    /// endpoint that is turned off, so the endpoint is on while they are set. The second value says that it goes off then.
    #[must_use]
    pub fn changes_from(&self, now: &Self) -> (Option<Self>, bool) {
        if self.endpoint != "disabled" {
            return (Some(self.clone()), false);
        }
        let options = Self { endpoint: "enabled".to_owned(), ..self.clone() };
        ((!self.differs_only_in_endpoint(now)).then_some(options), true)
    }
}

/// An attached EBS volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    pub id: VolumeId,
    /// The device name it is attached as.
    pub device: String,
    /// Whether the instance's termination deletes it.
    pub delete_on_termination: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(endpoint: &str, tokens: &str) -> MetadataOptions {
        MetadataOptions {
            endpoint: endpoint.to_owned(),
            tokens: tokens.to_owned(),
            hop_limit: Some(2),
            ipv6: None,
            tags: None,
        }
    }

    #[test]
    fn no_option_is_set_together_with_an_endpoint_that_goes_off() {
        let on = options("enabled", "optional");
        assert_eq!(on.changes_from(&options("disabled", "optional")), (Some(on.clone()), false));
        let off = options("disabled", "optional");
        assert_eq!(off.changes_from(&options("enabled", "required")), (Some(on), true));
        assert_eq!(off.changes_from(&options("enabled", "optional")), (None, true));
    }
}
