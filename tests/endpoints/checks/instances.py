"""Checks of instance attributes and metadata options."""

from .common import Corrected


class InstanceChecks(Corrected):
    def attribute(self, instance, name):
        answer = self.ec2.describe_instance_attribute(InstanceId=instance, Attribute=name)
        return answer[name[0].upper() + name[1:]]["Value"]

    def test_attributes(self):
        group = self.group("group")
        [instance] = self.run_instances(SecurityGroupIds=[group])
        modify = self.ec2.modify_instance_attribute
        self.assertEqual(self.attribute(instance, "instanceInitiatedShutdownBehavior"), "stop")
        modify(InstanceId=instance, InstanceInitiatedShutdownBehavior={"Value": "terminate"})
        self.assertEqual(self.attribute(instance, "instanceInitiatedShutdownBehavior"), "terminate")
        modify(InstanceId=instance, Attribute="instanceInitiatedShutdownBehavior", Value="stop")
        self.assertEqual(self.attribute(instance, "instanceInitiatedShutdownBehavior"), "stop")
        for name in ("DisableApiTermination", "DisableApiStop"):
            lower = name[0].lower() + name[1:]
            for value in (True, False):
                modify(InstanceId=instance, **{name: {"Value": value}})
                self.assertIs(self.attribute(instance, lower), value)
            modify(InstanceId=instance, Attribute=lower, Value="true")
            self.assertIs(self.attribute(instance, lower), True)
        self.refused("OperationNotPermitted", self.ec2.terminate_instances, InstanceIds=[instance])
        self.refused("OperationNotPermitted", self.ec2.stop_instances, InstanceIds=[instance])
        self.assertEqual(self.instance_groups(instance), [group])
        self.refused("InvalidParameterCombination", modify, InstanceId=instance)
        self.assertEqual(self.instance_groups(instance), [group])

    def test_volumes_kept_on_termination(self):
        devices = ["/dev/sda1", "/dev/sdf", "/dev/sdg"]
        ebs = {"VolumeSize": 8, "DeleteOnTermination": True}
        mappings = [{"DeviceName": device, "Ebs": ebs} for device in devices]
        [instance] = self.run_instances(BlockDeviceMappings=mappings)

        def shown(mappings):
            return {mapping["DeviceName"]: mapping["Ebs"]["DeleteOnTermination"] for mapping in mappings}

        def keep(*names):
            wanted = [{"DeviceName": name, "Ebs": {"DeleteOnTermination": False}} for name in names]
            self.ec2.modify_instance_attribute(InstanceId=instance, BlockDeviceMappings=wanted)

        keep("/dev/sda1", "/dev/sdg")
        expected = {"/dev/sda1": False, "/dev/sdf": True, "/dev/sdg": False}
        self.assertEqual(shown(self.instance(instance)["BlockDeviceMappings"]), expected)
        answer = self.ec2.describe_instance_attribute(InstanceId=instance, Attribute="blockDeviceMapping")
        self.assertEqual(shown(answer["BlockDeviceMappings"]), expected)
        self.refused("InvalidInstanceAttributeValue", keep, "/dev/sdf", "/dev/sdz")
        self.assertEqual(shown(self.instance(instance)["BlockDeviceMappings"]), expected)

    def test_metadata_options(self):
        options = {"HttpTokens": "required", "HttpPutResponseHopLimit": 3, "InstanceMetadataTags": "enabled"}
        [instance] = self.run_instances(MetadataOptions=options)
        answer = self.ec2.modify_instance_metadata_options(InstanceId=instance, HttpEndpoint="disabled")
        shown = self.instance(instance)["MetadataOptions"]
        self.assertEqual(answer["InstanceMetadataOptions"], shown)
        rest = {"State": "applied", "HttpEndpoint": "disabled", "HttpProtocolIpv6": "disabled"}
        self.assertEqual(shown, options | rest)
