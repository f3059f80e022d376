"""The ways to and from an instance."""

from moto.core.responses import ActionResult
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.network_acls import NetworkAcl
from moto.ec2.responses import EC2Response
from moto.route53resolver.responses import Route53ResolverResponse

SERIAL_CONSOLE: set[tuple[str, str]] = set()


def the_serial_console_can_be_asked_for() -> None:
    """moto does not know it. In AWS it is off until the account turns it on in a Region.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetSerialConsoleAccessStatus.html
    """

    def status(self):
        enabled = (self.current_account, self.region) in SERIAL_CONSOLE
        return ActionResult({"SerialConsoleAccessEnabled": enabled})

    def enable(self):
        SERIAL_CONSOLE.add((self.current_account, self.region))
        return status(self)

    def disable(self):
        SERIAL_CONSOLE.discard((self.current_account, self.region))
        return status(self)

    EC2Response.get_serial_console_access_status = status
    EC2Response.enable_serial_console_access = enable
    EC2Response.disable_serial_console_access = disable


def a_vpc_without_a_dns_firewall_has_none() -> None:
    """moto lacks DNS Firewall altogether. In AWS a VPC without one has an empty list.
    https://docs.aws.amazon.com/Route53/latest/APIReference/API_route53resolver_ListFirewallRuleGroupAssociations.html
    """

    def list_firewall_rule_group_associations(self):
        return '{"FirewallRuleGroupAssociations": []}'

    Route53ResolverResponse.list_firewall_rule_group_associations = list_firewall_rule_group_associations


def an_interface_keeps_its_idle_timeouts() -> None:
    """moto ignores them.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyNetworkInterfaceAttribute.html
    """
    modify = EC2Response.modify_network_interface_attribute
    names = ("TcpEstablishedTimeout", "UdpStreamTimeout", "UdpTimeout")

    def modify_network_interface_attribute(self):
        wanted = {name: self._get_int_param(f"ConnectionTrackingSpecification.{name}") for name in names}
        wanted = {name: value for name, value in wanted.items() if value is not None}
        if not wanted:
            return modify(self)
        eni = self.ec2_backend.get_network_interface(self._get_param("NetworkInterfaceId"))
        eni.connection_tracking_configuration = {**(eni.connection_tracking_configuration or {}), **wanted}
        return ActionResult({"Return": True})

    NetworkInterface.connection_tracking_configuration = None
    EC2Response.modify_network_interface_attribute = modify_network_interface_attribute


def network_acls_are_found_by_their_ids() -> None:
    """moto lacks the filter network-acl-id.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkAcls.html
    """
    value = NetworkAcl.get_filter_value

    def get_filter_value(self, filter_name, method_name=None):
        return self.id if filter_name == "network-acl-id" else value(self, filter_name, method_name)

    NetworkAcl.get_filter_value = get_filter_value


CORRECTIONS = (
    network_acls_are_found_by_their_ids,
    the_serial_console_can_be_asked_for,
    a_vpc_without_a_dns_firewall_has_none,
    an_interface_keeps_its_idle_timeouts,
)
