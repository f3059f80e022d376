"""Checks of network interfaces, their groups and the filters that find them."""

from .common import Corrected


class InterfaceChecks(Corrected):
    def test_groups_are_the_interface_s_own(self):
        old, new = self.group("old"), self.group("new")
        [instance] = self.run_instances(SecurityGroupIds=[old])
        nic = self.interface_id(instance)
        self.assertEqual((self.interface_groups(instance), self.instance_groups(instance)), ({0: [old]}, [old]))
        self.ec2.modify_network_interface_attribute(NetworkInterfaceId=nic, Groups=[new])
        self.assertEqual((self.interface_groups(instance), self.instance_groups(instance)), ({0: [new]}, [new]))
        self.assertEqual((self.interfaces_by(group_id=[old]), self.interfaces_by(group_id=[new])), ([], [nic]))
        attribute = {"NetworkInterfaceId": nic, "Attribute": "groupSet"}
        shown = self.ec2.describe_network_interface_attribute(**attribute)["Groups"]
        self.assertEqual([group["GroupId"] for group in shown], [new])

    def test_groups_of_a_secondary_interface_attached_later(self):
        old, second, new = self.group("old"), self.group("second"), self.group("new")
        [instance] = self.run_instances(SecurityGroupIds=[old])
        nic = self.ec2.create_network_interface(SubnetId=self.subnet, Groups=[second])["NetworkInterface"]
        nic = nic["NetworkInterfaceId"]
        self.ec2.attach_network_interface(NetworkInterfaceId=nic, InstanceId=instance, DeviceIndex=1)
        self.assertEqual(self.interface_groups(instance), {0: [old], 1: [second]})
        self.ec2.modify_network_interface_attribute(NetworkInterfaceId=nic, Groups=[new])
        self.assertEqual(self.interface_groups(instance), {0: [old], 1: [new]})
        self.assertEqual(self.instance_groups(instance), [old])

    def test_groups_of_interfaces_given_at_launch(self):
        first, second, new = self.group("first"), self.group("second"), self.group("new")
        nics = [
            {"DeviceIndex": 0, "SubnetId": self.subnet, "Groups": [first]},
            {"DeviceIndex": 1, "SubnetId": self.subnet, "Groups": [second]},
        ]
        [instance] = self.run_instances(NetworkInterfaces=nics)
        self.assertEqual(self.interface_groups(instance), {0: [first], 1: [second]})
        for device in (0, 1):
            nic = self.interface_id(instance, device)
            self.ec2.modify_network_interface_attribute(NetworkInterfaceId=nic, Groups=[new])
        self.assertEqual(self.interface_groups(instance), {0: [new], 1: [new]})
        self.assertEqual(self.instance_groups(instance), [new])

    def test_an_instance_without_groups_has_the_default_one(self):
        [instance] = self.run_instances()
        filters = [{"Name": "vpc-id", "Values": [self.vpc]}, {"Name": "group-name", "Values": ["default"]}]
        default = self.ec2.describe_security_groups(Filters=filters)["SecurityGroups"][0]["GroupId"]
        self.assertEqual((self.interface_groups(instance), self.instance_groups(instance)), ({0: [default]}, [default]))

    def test_instance_groups_only_with_one_interface(self):
        old, new = self.group("old"), self.group("new")
        [instance] = self.run_instances(SecurityGroupIds=[old])
        self.ec2.modify_instance_attribute(InstanceId=instance, Groups=[new])
        self.assertEqual(self.interface_groups(instance), {0: [new]})
        nic = self.ec2.create_network_interface(SubnetId=self.subnet, Groups=[old])["NetworkInterface"]
        nic = {"NetworkInterfaceId": nic["NetworkInterfaceId"], "DeviceIndex": 1}
        self.ec2.attach_network_interface(InstanceId=instance, **nic)
        self.refused("InvalidInstanceID", self.ec2.modify_instance_attribute, InstanceId=instance, Groups=[old])
        self.assertEqual(self.interface_groups(instance), {0: [new], 1: [old]})

    def test_groups_of_another_vpc_and_unknown_ones(self):
        other_vpc, _ = self.network("10.1.0.0/16")
        own, other = self.group("own"), self.group("own", other_vpc)
        [instance] = self.run_instances(SecurityGroupIds=[own])
        modify = {"NetworkInterfaceId": self.interface_id(instance)}
        for groups in ([other], [own, other], ["sg-0123456789abcdef0"]):
            self.refused("InvalidGroup.NotFound", self.ec2.modify_network_interface_attribute, Groups=groups, **modify)
        self.refused("InvalidGroup.NotFound", self.ec2.modify_instance_attribute, InstanceId=instance, Groups=[other])
        self.refused("InvalidParameter", self.run_instances, SecurityGroupIds=[other])
        create = self.ec2.create_network_interface
        self.refused("InvalidGroup.NotFound", create, SubnetId=self.subnet, Groups=["sg-0123456789abcdef0"])
        self.assertEqual(self.interface_groups(instance), {0: [own]})

    def test_interfaces_after_termination(self):
        kept = self.ec2.create_network_interface(SubnetId=self.subnet)["NetworkInterface"]["NetworkInterfaceId"]
        [instance] = self.run_instances()
        self.ec2.attach_network_interface(NetworkInterfaceId=kept, InstanceId=instance, DeviceIndex=1)
        for _ in range(2):  # terminating again succeeds
            self.ec2.terminate_instances(InstanceIds=[instance])
        self.assertEqual(self.instance(instance)["NetworkInterfaces"], [])
        self.assertEqual(self.instance_groups(instance), [])
        self.assertEqual(self.interfaces_by(vpc_id=[self.vpc]), [kept])
        self.assertEqual(self.interfaces_by(status=["available"]), [kept])

    def test_filters(self):
        one, two = self.group("one"), self.group("two")
        [instance] = self.run_instances(SecurityGroupIds=[one, two])
        nic = self.interface_id(instance)
        free = self.ec2.create_network_interface(SubnetId=self.subnet)["NetworkInterface"]["NetworkInterfaceId"]
        self.assertEqual(self.interfaces_by(attachment__instance_id=[instance]), [nic])
        self.assertEqual(self.interfaces_by(attachment__instance_id=["i-0123456789abcdef0"]), [])
        self.assertEqual(self.interfaces_by(attachment__status=["attached"]), [nic])
        self.assertEqual(self.interfaces_by(attachment__status=["detached"]), [])
        self.assertEqual(self.interfaces_by(status=["available"]), [free])
        self.assertEqual(self.interfaces_by(group_id=[one, "sg-0123456789abcdef0"]), [nic])
        self.assertEqual(self.interfaces_by(group_name=["on*"]), [nic])
        filters = [{"Name": "network-interface.group-id", "Values": [two]}]
        self.assertEqual(len(self.ec2.describe_instances(Filters=filters)["Reservations"]), 1)
