//! Network ACLs, and the ranges that AWS publishes.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_ec2::types::{NetworkAclEntry, RuleAction};
use brig_core::model::network_acl::{AclEntry, NetworkAcl};
use brig_engine::ports::{AclsOf, ErrorKind, NetworkAcls, PortResult};
use ipnet::IpNet;

use crate::{cloud::AwsCloud, ec2::filter, error::Explain};

#[async_trait]
impl NetworkAcls for AwsCloud {
    /// By a filter: an id that is gone is then left out, rather than failing the call.
    async fn describe_network_acls(&self, of: AclsOf<'_>) -> PortResult<Vec<NetworkAcl>> {
        let client = self.ec2();
        let (name, values) = match of {
            AclsOf::Subnets(subnets) => ("association.subnet-id", subnets),
            AclsOf::Ids(ids) => ("network-acl-id", ids),
        };
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        let mut pages = client.describe_network_acls().filters(filter(name, &values)).into_paginator().items().send();
        let mut found = Vec::new();
        while let Some(acl) = pages.next().await {
            let acl = acl.explain("DescribeNetworkAcls")?;
            let Some(id) = acl.network_acl_id() else { continue };
            let subnets = acl.associations().iter().filter_map(|association| association.subnet_id());
            found.push(NetworkAcl {
                id: id.to_owned(),
                owner: acl.owner_id().map(str::to_owned),
                subnets: subnets.map(str::to_owned).collect(),
                entries: acl.entries().iter().filter_map(from_entry).collect(),
            });
        }
        Ok(found)
    }

    async fn create_network_acl_entry(&self, acl: &str, entry: &AclEntry) -> PortResult<()> {
        let client = self.ec2();
        let (v4, v6) = match entry.cidr {
            IpNet::V4(net) => (Some(net.to_string()), None),
            IpNet::V6(net) => (None, Some(net.to_string())),
        };
        let request = client
            .create_network_acl_entry()
            .network_acl_id(acl)
            .rule_number(entry.number)
            .egress(entry.egress)
            .protocol(&entry.protocol)
            .rule_action(if entry.allow { RuleAction::Allow } else { RuleAction::Deny })
            .set_cidr_block(v4)
            .set_ipv6_cidr_block(v6);
        request.send().await.explain("CreateNetworkAclEntry")?;
        Ok(())
    }

    async fn delete_network_acl_entry(&self, acl: &str, number: i32, egress: bool) -> PortResult<()> {
        let client = self.ec2();
        let request = client.delete_network_acl_entry().network_acl_id(acl).rule_number(number).egress(egress);
        match request.send().await.explain("DeleteNetworkAclEntry") {
            Err(error) if error.kind == ErrorKind::NotFound => Ok(()),
            answer => answer.map(drop),
        }
    }

    async fn published_ranges(&self) -> PortResult<Arc<[IpNet]>> {
        self.ranges.published().await
    }
}

/// A range that cannot be read counts as any: what is allowed there may be what is to be denied.
fn from_entry(entry: &NetworkAclEntry) -> Option<AclEntry> {
    let cidr = entry.cidr_block().or_else(|| entry.ipv6_cidr_block());
    Some(AclEntry {
        number: entry.rule_number()?,
        egress: entry.egress().unwrap_or(false),
        allow: entry.rule_action() != Some(&RuleAction::Deny),
        protocol: entry.protocol().unwrap_or("-1").to_owned(),
        cidr: cidr.and_then(|cidr| cidr.parse::<IpNet>().ok()).unwrap_or_default(),
    })
}
