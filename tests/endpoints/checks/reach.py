"""Checks of what the ways to and from an instance are read from."""

from .common import Corrected


class ReachChecks(Corrected):
    def test_the_serial_console_is_off_until_it_is_turned_on(self):
        self.assertFalse(self.ec2.get_serial_console_access_status()["SerialConsoleAccessEnabled"])
        self.assertTrue(self.ec2.enable_serial_console_access()["SerialConsoleAccessEnabled"])
        self.assertTrue(self.ec2.get_serial_console_access_status()["SerialConsoleAccessEnabled"])
        self.assertFalse(self.ec2.disable_serial_console_access()["SerialConsoleAccessEnabled"])

    def test_a_vpc_has_no_dns_firewall(self):
        listed = self.resolver.list_firewall_rule_group_associations(VpcId=self.vpc)
        self.assertEqual(listed["FirewallRuleGroupAssociations"], [])

    def test_network_acls_are_found_by_their_ids(self):
        def found(name, *values):
            filters = [{"Name": name, "Values": list(values)}]
            return [acl["NetworkAclId"] for acl in self.ec2.describe_network_acls(Filters=filters)["NetworkAcls"]]

        [own] = found("vpc-id", self.vpc)
        self.assertEqual(found("network-acl-id", own, "acl-0000000000000dead"), [own])

    def test_interfaces_are_found_by_their_type(self):
        [instance] = self.run_instances()
        nic = self.interface_id(instance)
        self.assertIn(nic, self.interfaces_by(interface_type=["interface", "lambda"]))
        self.assertNotIn(nic, self.interfaces_by(interface_type=["lambda"]))

    def test_an_interface_keeps_its_idle_timeouts(self):
        [instance] = self.run_instances()
        nic = self.interface_id(instance)
        wanted = {"TcpEstablishedTimeout": 60, "UdpStreamTimeout": 60, "UdpTimeout": 30}
        self.ec2.modify_network_interface_attribute(NetworkInterfaceId=nic, ConnectionTrackingSpecification=wanted)
        [shown] = self.ec2.describe_network_interfaces(NetworkInterfaceIds=[nic])["NetworkInterfaces"]
        self.assertEqual(shown["ConnectionTrackingConfiguration"], wanted)
