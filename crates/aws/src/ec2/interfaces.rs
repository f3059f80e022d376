//! Network interfaces.

use std::net::IpAddr;

use aws_sdk_ec2::{Client, types::NetworkInterface};
use brig_core::{
    ids::{EniId, GroupId},
    survey::{Interface, Timeouts},
    timestamp::Timestamp,
};
use brig_engine::ports::{Answer, Attached, InterfacesOf};

use super::{filter, seconds};
use crate::error::Explain;

pub(crate) async fn describe_network_interfaces(client: &Client, of: InterfacesOf<'_>) -> Answer<Vec<Attached>> {
    match of {
        InterfacesOf::Instance(instance) => list(client, "attachment.instance-id", instance.as_str()).await,
        InterfacesOf::Group(group) => list(client, "group-id", group.as_str()).await,
        InterfacesOf::One(eni) => list(client, "network-interface-id", eni.as_str()).await,
        InterfacesOf::Address(IpAddr::V6(address)) => {
            list(client, "ipv6-addresses.ipv6-address", &address.to_string()).await
        }
        // Filters are joined by "and": each place that an IPv4 address can stand in is asked for by itself.
        InterfacesOf::Address(IpAddr::V4(address)) => {
            let address = address.to_string();
            let (mut private, public) = tokio::try_join!(
                list(client, "addresses.private-ip-address", &address),
                list(client, "association.public-ip", &address)
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

async fn list(client: &Client, name: &str, value: &str) -> Answer<Vec<Attached>> {
    let mut pages =
        client.describe_network_interfaces().filters(filter(name, &[value])).into_paginator().items().send();
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
        public: eni.association().and_then(|association| association.public_ip()?.parse().ok()),
        kind: eni.interface_type().map_or("interface", |kind| kind.as_str()).to_owned(),
        timeouts: eni.connection_tracking_configuration().map_or_else(Timeouts::default, |own| Timeouts {
            tcp_established: seconds(own.tcp_established_timeout()),
            udp_stream: seconds(own.udp_stream_timeout()),
            udp: seconds(own.udp_timeout()),
        }),
    })
}

/// The addresses that are some, each once.
pub(super) fn addresses<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<IpAddr> {
    let mut found: Vec<IpAddr> = texts.filter_map(|text| text.parse().ok()).collect();
    found.sort_unstable();
    found.dedup();
    found
}

pub(crate) async fn modify_network_interface_groups(client: &Client, eni: &EniId, groups: &[GroupId]) -> Answer<()> {
    client
        .modify_network_interface_attribute()
        .network_interface_id(eni.as_str())
        .set_groups(Some(groups.iter().map(ToString::to_string).collect()))
        .send()
        .await
        .explain("ModifyNetworkInterfaceAttribute")?;
    Ok(())
}
