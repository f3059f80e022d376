//! What may filter or carry traffic in addition to EC2: Route 53 Resolver's DNS Firewall
//! (<https://docs.aws.amazon.com/Route53/latest/APIReference/>) and VPC Lattice
//! (<https://docs.aws.amazon.com/vpc-lattice/latest/APIReference/>).

use brig_core::ids::VpcId;
use brig_engine::ports::Answer;

use crate::error::Explain;

pub(crate) async fn count_dns_firewalls(client: &aws_sdk_route53resolver::Client, vpc: &VpcId) -> Answer<usize> {
    let request = client.list_firewall_rule_group_associations().vpc_id(vpc.as_str());
    let answer = request.send().await.explain("ListFirewallRuleGroupAssociations")?;
    Ok(answer.firewall_rule_group_associations().len())
}

pub(crate) async fn count_service_networks(client: &aws_sdk_vpclattice::Client, vpc: &VpcId) -> Answer<usize> {
    let request = client.list_service_network_vpc_associations().vpc_identifier(vpc.as_str());
    let answer = request.send().await.explain("ListServiceNetworkVpcAssociations")?;
    Ok(answer.items().len())
}
