//! EC2 network interfaces: their groups, idle timeouts and addresses.

use std::net::{IpAddr, Ipv4Addr};

use async_trait::async_trait;
use aws_sdk_ec2::{
    Client,
    types::{ConnectionTrackingSpecificationRequest, NetworkInterface},
};
use brig_core::model::{
    Interface, PublicAddress, Timeouts,
    ids::{EniId, GroupId, InstanceId},
    timestamp::Timestamp,
};
use brig_engine::ports::{Attached, Interfaces, InterfacesOf, PortResult};

use crate::{
    cloud::AwsCloud,
    ec2::{filter, seconds},
    error::Explain,
};

#[async_trait]
impl Interfaces for AwsCloud {
    async fn describe_network_interfaces(&self, of: InterfacesOf<'_>) -> PortResult<Vec<Attached>> {
        attached(self.ec2(), of).await
    }

    async fn modify_network_interface_groups(&self, eni: &EniId, groups: &[GroupId]) -> PortResult<()> {
        let client = self.ec2();
        client
            .modify_network_interface_attribute()
            .network_interface_id(eni.as_str())
            .set_groups(Some(groups.iter().map(ToString::to_string).collect()))
            .send()
            .await
            .explain("ModifyNetworkInterfaceAttribute")?;
        Ok(())
    }

    async fn modify_network_interface_timeouts(&self, eni: &EniId, timeouts: &Timeouts) -> PortResult<()> {
        let client = self.ec2();
        let whole = |seconds: Option<u32>| seconds.and_then(|seconds| seconds.try_into().ok());
        let wanted = ConnectionTrackingSpecificationRequest::builder()
            .set_tcp_established_timeout(whole(timeouts.tcp_established))
            .set_udp_stream_timeout(whole(timeouts.udp_stream))
            .set_udp_timeout(whole(timeouts.udp));
        client
            .modify_network_interface_attribute()
            .network_interface_id(eni.as_str())
            .connection_tracking_specification(wanted.build())
            .send()
            .await
            .explain("ModifyNetworkInterfaceAttribute")?;
        Ok(())
    }

    async fn unassign_public_address(&self, eni: &EniId) -> PortResult<()> {
        let client = self.ec2();
        client
            .modify_network_interface_attribute()
            .network_interface_id(eni.as_str())
            .associate_public_ip_address(false)
            .send()
            .await
            .explain("ModifyNetworkInterfaceAttribute")?;
        Ok(())
    }

    async fn disassociate_address(&self, association: &str) -> PortResult<()> {
        let client = self.ec2();
        client.disassociate_address().association_id(association).send().await.explain("DisassociateAddress")?;
        Ok(())
    }

    async fn associate_address(&self, eni: &EniId, allocation: &str, private: Option<Ipv4Addr>) -> PortResult<()> {
        let client = self.ec2();
        client
            .associate_address()
            .network_interface_id(eni.as_str())
            .allocation_id(allocation)
            .set_private_ip_address(private.map(|address| address.to_string()))
            .allow_reassociation(false)
            .send()
            .await
            .explain("AssociateAddress")?;
        Ok(())
    }
}

async fn attached(client: &Client, of: InterfacesOf<'_>) -> PortResult<Vec<Attached>> {
    match of {
        InterfacesOf::Instance(instance) => list(client, "attachment.instance-id", &[instance.as_str()]).await,
        InterfacesOf::Instances(instances) => {
            let mut found = Vec::new();
            for some in instances.chunks(MOST_VALUES) {
                let ids: Vec<&str> = some.iter().map(InstanceId::as_str).collect();
                found.extend(list(client, "attachment.instance-id", &ids).await?);
            }
            Ok(found)
        }
        // The tag alone makes no branch: anybody may set it. The type is AWS's own.
        InterfacesOf::Trunk(trunk) => {
            let tagged = list(client, TRUNK_TAG, &[trunk.as_str()]).await?;
            Ok(tagged.into_iter().filter(|found| found.interface.kind == "branch").collect())
        }
        InterfacesOf::Group(group) => list(client, "group-id", &[group.as_str()]).await,
        InterfacesOf::Ids(ids) => {
            let ids: Vec<&str> = ids.iter().map(EniId::as_str).collect();
            list(client, "network-interface-id", &ids).await
        }
        InterfacesOf::Address(IpAddr::V6(address)) => {
            list(client, "ipv6-addresses.ipv6-address", &[&address.to_string()]).await
        }
        // Filters are joined by "and": each place that an IPv4 address can stand in is asked for by itself.
        InterfacesOf::Address(IpAddr::V4(address)) => {
            let address = address.to_string();
            let only = [address.as_str()];
            let (mut private, public) = tokio::try_join!(
                list(client, "addresses.private-ip-address", &only),
                list(client, "association.public-ip", &only)
            )?;
            for found in public {
                if private.iter().all(|known| known.interface.id != found.interface.id) {
                    private.push(found);
                }
            }
            Ok(private)
        }
    }
}

/// The values that one filter takes (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkInterfaces.html>).
const MOST_VALUES: usize = 200;

const TRUNK_TAG: &str = "tag:vpcresources.k8s.aws/trunk-eni-id";

async fn list(client: &Client, name: &str, values: &[&str]) -> PortResult<Vec<Attached>> {
    let mut pages = client.describe_network_interfaces().filters(filter(name, values)).into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(interface) = pages.next().await {
        let interface = interface.explain("DescribeNetworkInterfaces")?;
        let attachment = interface.attachment();
        let instance = attachment.and_then(|attachment| attachment.instance_id()).map(str::to_owned);
        let attached_at = attachment
            .and_then(|attachment| attachment.attach_time())
            .and_then(|time| time.to_millis().ok())
            .map(Timestamp::from_millis);
        found.extend(from_network_interface(&interface).map(|interface| Attached { interface, instance, attached_at }));
    }
    Ok(found)
}

fn public_addresses(eni: &NetworkInterface) -> Vec<PublicAddress> {
    let first = (eni.private_ip_address(), eni.association());
    let each = eni.private_ip_addresses().iter().map(|private| (private.private_ip_address(), private.association()));
    let shown = each.chain([first]).filter_map(|(private, association)| {
        let association = association?;
        let elastic = association.allocation_id().zip(association.association_id());
        Some(PublicAddress {
            address: association.public_ip()?.parse().ok()?,
            private: private.and_then(|address| address.parse().ok()),
            assigned: association.ip_owner_id() == Some(AMAZON),
            elastic: elastic.map(|(allocation, association)| (allocation.to_owned(), association.to_owned())),
        })
    });
    once(shown)
}

/// Each address once, as it was first shown.
pub(super) fn once(shown: impl Iterator<Item = PublicAddress>) -> Vec<PublicAddress> {
    let mut all: Vec<PublicAddress> = Vec::new();
    for public in shown {
        if all.iter().all(|known| known.address != public.address) {
            all.push(public);
        }
    }
    all
}

fn from_network_interface(eni: &NetworkInterface) -> Option<Interface> {
    let v4 = eni.private_ip_addresses().iter().filter_map(|address| address.private_ip_address());
    let v6 = eni.ipv6_addresses().iter().filter_map(|address| address.ipv6_address());
    let prefixes4 = eni.ipv4_prefixes().iter().filter_map(|prefix| prefix.ipv4_prefix());
    let prefixes6 = eni.ipv6_prefixes().iter().filter_map(|prefix| prefix.ipv6_prefix());
    Some(Interface {
        id: eni.network_interface_id()?.into(),
        vpc: eni.vpc_id()?.into(),
        groups: eni.groups().iter().filter_map(|group| group.group_id()).map(GroupId::from).collect(),
        addresses: addresses(eni.private_ip_address().into_iter().chain(v4).chain(v6)),
        prefixes: prefixes4.chain(prefixes6).map(str::to_owned).collect(),
        subnet: eni.subnet_id().unwrap_or_default().to_owned(),
        public: public_addresses(eni),
        kind: eni.interface_type().map_or("interface", |kind| kind.as_str()).to_owned(),
        timeouts: eni.connection_tracking_configuration().map_or_else(Timeouts::default, |own| Timeouts {
            tcp_established: seconds(own.tcp_established_timeout()),
            udp_stream: seconds(own.udp_stream_timeout()),
            udp: seconds(own.udp_timeout()),
        }),
    })
}

/// The owner of an address that AWS assigned (<https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_NetworkInterfaceAssociation.html>).
pub(super) const AMAZON: &str = "amazon";

/// The addresses that are some, each once.
pub(super) fn addresses<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<IpAddr> {
    let mut found: Vec<IpAddr> = texts.filter_map(|text| text.parse().ok()).collect();
    found.sort_unstable();
    found.dedup();
    found
}

#[cfg(test)]
mod tests {
    use aws_sdk_ec2::config::{BehaviorVersion, Credentials, Region};
    use aws_smithy_runtime_api::{
        client::{
            http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
            orchestrator::{HttpRequest, HttpResponse},
        },
        http::StatusCode,
    };
    use aws_smithy_types::body::SdkBody;

    use super::*;

    /// Answers every request with the same interfaces; the request must ask for them by a tag.
    #[derive(Debug)]
    struct Fixed(&'static str);

    impl HttpConnector for Fixed {
        fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
            let asked = request.body().bytes().map(String::from_utf8_lossy).unwrap_or_default();
            assert!(asked.contains("trunk-eni-id") && asked.contains("eni-trunk"), "{asked}");
            let ok = StatusCode::try_from(200).expect("a status");
            HttpConnectorFuture::ready(Ok(HttpResponse::new(ok, SdkBody::from(self.0))))
        }
    }

    #[tokio::test]
    async fn only_what_aws_calls_a_branch_is_one() {
        const ANSWER: &str = "<DescribeNetworkInterfacesResponse><networkInterfaceSet>\
            <item><networkInterfaceId>eni-pod</networkInterfaceId><vpcId>vpc-1</vpcId><interfaceType>branch</interfaceType></item>\
            <item><networkInterfaceId>eni-tagged</networkInterfaceId><vpcId>vpc-1</vpcId><interfaceType>interface</interfaceType></item>\
            </networkInterfaceSet></DescribeNetworkInterfacesResponse>";
        let http = http_client_fn(|_, _| SharedHttpConnector::new(Fixed(ANSWER)));
        let config = aws_sdk_ec2::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .credentials_provider(Credentials::new("AKID", "secret", None, None, "test"))
            .http_client(http)
            .build();
        let found = attached(&Client::from_conf(config), InterfacesOf::Trunk(&"eni-trunk".into())).await;
        let ids: Vec<String> =
            found.expect("an answer").into_iter().map(|found| found.interface.id.to_string()).collect();
        assert_eq!(ids, ["eni-pod"]);
    }
}
