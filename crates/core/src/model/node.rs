//! Whether an instance hosts containers, by the tags that AWS and Kubernetes' own tools put on what they launch. A node
//! carries other people's work: containing it stops all of it, and what is compromised may be one container only. A host
//! without such a tag (a container instance that registered itself, Docker alone) is not recognised.

use std::collections::BTreeMap;

use crate::model::text;

/// What an instance is a node of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Node<'a> {
    /// A Kubernetes node.
    Kubernetes {
        /// The cluster's name, where a tag gives it.
        cluster: Option<&'a str>,
        /// Karpenter's node pool.
        pool: Option<&'a str>,
        /// The managed node group of EKS.
        group: Option<&'a str>,
    },
    /// A container instance of ECS.
    Ecs {
        /// The cluster's name, where a tag gives it.
        cluster: Option<&'a str>,
    },
}

/// Keys whose value is the cluster's name: managed node groups
/// (<https://docs.aws.amazon.com/eks/latest/userguide/eks-using-tags.html>), Auto Mode, AWS's cost allocation tag
/// (<https://docs.aws.amazon.com/eks/latest/userguide/eks-cost-allocation-tags.html>), and kOps' old one.
const CLUSTER: [&str; 4] = ["eks:cluster-name", "eks:eks-cluster-name", "aws:eks:cluster-name", "KubernetesCluster"];
/// Keys that end in the cluster's name: every self-managed node of EKS has the first
/// (<https://docs.aws.amazon.com/eks/latest/userguide/worker.html>), Cluster API's have the second.
const NAMED_AFTER: [&str; 2] = ["kubernetes.io/cluster/", "sigs.k8s.io/cluster-api-provider-aws/cluster/"];
/// Karpenter's node pools, now and formerly; those of EKS Auto Mode.
const POOL: [&str; 2] = ["karpenter.sh/nodepool", "karpenter.sh/provisioner-name"];
/// Any key that begins so is on Kubernetes nodes only.
const KUBERNETES: [&str; 6] = ["eks:", "aws:eks:", "karpenter.sh/", "karpenter.k8s.aws/", "k8s.io/", "kubernetes.io/"];
/// ECS's own tags: the tasks' managed tags, and what a capacity provider puts on its Auto Scaling group and instances
/// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/asg-capacity-providers.html>).
const ECS: [&str; 2] = ["aws:ecs:", "AmazonECS"];

/// What these tags say that their instance is a node of.
#[must_use]
pub fn node(tags: &BTreeMap<String, String>) -> Option<Node<'_>> {
    let value = |key: &str| tags.get(key).map(String::as_str);
    let begins = |prefixes: &[&str]| tags.keys().any(|key| prefixes.iter().any(|prefix| key.starts_with(prefix)));
    let named = || NAMED_AFTER.iter().find_map(|prefix| tags.keys().find_map(|key| key.strip_prefix(prefix)));
    let cluster = CLUSTER.iter().find_map(|key| value(key)).or_else(named);
    if cluster.is_some() || begins(&KUBERNETES) {
        let pool = POOL.iter().find_map(|key| value(key));
        return Some(Node::Kubernetes { cluster, pool, group: value("eks:nodegroup-name") });
    }
    let cluster = value("aws:ecs:clusterName").or_else(|| value("aws:ecs:cluster-name"));
    begins(&ECS).then_some(Node::Ecs { cluster })
}

impl std::fmt::Display for Node<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (what, cluster) = match self {
            Self::Kubernetes { cluster, .. } => ("a Kubernetes node", cluster),
            Self::Ecs { cluster } => ("a container instance of ECS", cluster),
        };
        match cluster {
            Some(cluster) => write!(f, "{what} of the cluster {}", text::one_line(cluster, text::NAME)),
            None => f.write_str(what),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(tags: &[(&str, &str)]) -> String {
        let tags: BTreeMap<String, String> =
            tags.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        node(&tags).map_or_else(String::new, |node| node.to_string())
    }

    #[test]
    fn every_tag_that_marks_a_node_is_known() {
        for (key, value, expected) in [
            ("kubernetes.io/cluster/prod", "owned", "a Kubernetes node of the cluster prod"),
            ("eks:cluster-name", "prod", "a Kubernetes node of the cluster prod"),
            ("eks:eks-cluster-name", "prod", "a Kubernetes node of the cluster prod"),
            ("aws:eks:cluster-name", "prod", "a Kubernetes node of the cluster prod"),
            ("KubernetesCluster", "prod", "a Kubernetes node of the cluster prod"),
            ("sigs.k8s.io/cluster-api-provider-aws/cluster/prod", "owned", "a Kubernetes node of the cluster prod"),
            ("eks:nodegroup-name", "ng-1", "a Kubernetes node"),
            ("karpenter.sh/nodepool", "spot", "a Kubernetes node"),
            ("karpenter.sh/provisioner-name", "spot", "a Kubernetes node"),
            ("karpenter.sh/nodeclaim", "spot-x", "a Kubernetes node"),
            ("karpenter.k8s.aws/ec2nodeclass", "default", "a Kubernetes node"),
            ("k8s.io/cluster-autoscaler/enabled", "true", "a Kubernetes node"),
            ("k8s.io/role/node", "1", "a Kubernetes node"),
            ("aws:ecs:clusterName", "jobs", "a container instance of ECS of the cluster jobs"),
            ("aws:ecs:serviceName", "web", "a container instance of ECS"),
            ("AmazonECSManaged", "", "a container instance of ECS"),
            ("AmazonECSCreated", "", "a container instance of ECS"),
        ] {
            assert_eq!(of(&[(key, value)]), expected, "{key}");
        }
    }

    #[test]
    fn what_only_looks_like_such_a_tag_marks_nothing() {
        for key in ["Name", "cluster", "app.kubernetes.io/name", "eks", "team:eks:cluster-name", "aws:ec2:fleet-id"] {
            assert_eq!(of(&[(key, "prod")]), "", "{key}");
        }
    }
}
