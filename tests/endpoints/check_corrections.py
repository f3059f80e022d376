"""Checks of each correction in corrections.py, over HTTP as the product sees it: `python check_corrections.py`.

With `--uncorrected` first, the same checks run against plain moto: what passes there needs no correction (any more).
"""

import atexit
import pathlib
import socket
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

HERE = pathlib.Path(__file__).resolve().parent
UNCORRECTED = "--uncorrected" in sys.argv
REGION = "eu-west-1"
IMAGE = "ami-12c6146b"  # one of the images that moto brings along


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_listening(port: int, server: subprocess.Popen) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise RuntimeError(f"the server ended with status {server.returncode}")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the server does not listen")


def setUpModule():
    """One server and one set of clients for all checks: both take longer to make than a check takes to run."""
    port = free_port()
    command = ["-m", "moto.server", "-p"] if UNCORRECTED else [str(HERE / "moto_server.py")]
    output = subprocess.DEVNULL if UNCORRECTED else None  # plain moto prints every request and its failures
    server = subprocess.Popen([sys.executable, *command, str(port)], stdout=output, stderr=output)

    def stop():
        server.terminate()
        server.wait(10)

    atexit.register(stop)  # not a cleanup of the tests: those are skipped when the output's reader goes away
    wait_until_listening(port, server)
    Corrected.url = f"http://127.0.0.1:{port}"
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
    once = Config(retries={"total_max_attempts": 1})
    for name, service in {"ec2": "ec2", "iam": "iam", "asg": "autoscaling", "elb": "elb", "elbv2": "elbv2"}.items():
        setattr(Corrected, name, session.client(service, endpoint_url=Corrected.url, config=once))


class Corrected(unittest.TestCase):
    """What the checks share: the clients, an empty server with one network, and short ways to make things."""

    def setUp(self):
        urllib.request.urlopen(urllib.request.Request(f"{self.url}/moto-api/reset", method="POST")).read()
        self.vpc, self.subnet = self.network("10.0.0.0/16")

    # Helpers: each makes one thing and returns its id.

    def network(self, block, **kwargs):
        vpc = self.ec2.create_vpc(CidrBlock=block, **kwargs)["Vpc"]["VpcId"]
        zone = {"AvailabilityZone": f"{REGION}a"}
        subnet = self.ec2.create_subnet(VpcId=vpc, CidrBlock=block.replace("/16", "/24"), **zone)["Subnet"]
        return vpc, subnet["SubnetId"]

    def group(self, name, vpc=None):
        return self.ec2.create_security_group(GroupName=name, Description="d", VpcId=vpc or self.vpc)["GroupId"]

    def run_instances(self, count=1, **kwargs):
        if "NetworkInterfaces" not in kwargs:
            kwargs.setdefault("SubnetId", self.subnet)
        made = self.ec2.run_instances(ImageId=IMAGE, MinCount=count, MaxCount=count, **kwargs)
        return [instance["InstanceId"] for instance in made["Instances"]]

    def instance(self, instance_id):
        return self.ec2.describe_instances(InstanceIds=[instance_id])["Reservations"][0]["Instances"][0]

    def instance_groups(self, instance_id):
        return [group["GroupId"] for group in self.instance(instance_id)["SecurityGroups"]]

    def interface_groups(self, instance_id):
        """The groups of each interface, by device index: checked to be the same in both describing calls."""
        inside = {
            nic["Attachment"]["DeviceIndex"]: [group["GroupId"] for group in nic["Groups"]]
            for nic in self.instance(instance_id)["NetworkInterfaces"]
        }
        filters = [{"Name": "attachment.instance-id", "Values": [instance_id]}]
        alone = {
            nic["Attachment"]["DeviceIndex"]: [group["GroupId"] for group in nic["Groups"]]
            for nic in self.ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
        }
        self.assertEqual(inside, alone)
        return inside

    def interface_id(self, instance_id, device=0):
        nics = self.instance(instance_id)["NetworkInterfaces"]
        return next(nic["NetworkInterfaceId"] for nic in nics if nic["Attachment"]["DeviceIndex"] == device)

    def interfaces_by(self, **filters):
        wanted = [{"Name": name.replace("__", ".").replace("_", "-"), "Values": v} for name, v in filters.items()]
        found = self.ec2.describe_network_interfaces(Filters=wanted)["NetworkInterfaces"]
        return sorted(nic["NetworkInterfaceId"] for nic in found)

    def profile(self, name):
        arn = self.iam.create_instance_profile(InstanceProfileName=name)["InstanceProfile"]["Arn"]
        return {"Name": name}, arn

    def template(self, **data):
        data = {"ImageId": IMAGE, "InstanceType": "t3.micro"} | data
        made = self.ec2.create_launch_template(LaunchTemplateName="template", LaunchTemplateData=data)
        return {"LaunchTemplateId": made["LaunchTemplate"]["LaunchTemplateId"]}

    def auto_scaling_group(self, size=1, template=None, **kwargs):
        self.asg.create_auto_scaling_group(
            AutoScalingGroupName="asg", MinSize=0, MaxSize=9, DesiredCapacity=size, VPCZoneIdentifier=self.subnet,
            LaunchTemplate=template or self.template(), **kwargs,
        )  # fmt: skip
        return self.members()

    def members(self):
        group = self.asg.describe_auto_scaling_groups(AutoScalingGroupNames=["asg"])["AutoScalingGroups"][0]
        return [member["InstanceId"] for member in group["Instances"]]

    def detach(self, *instance_ids, decrement=False):
        return self.asg.detach_instances(
            AutoScalingGroupName="asg", InstanceIds=list(instance_ids), ShouldDecrementDesiredCapacity=decrement
        )

    def target_group(self, **kwargs):
        settings = {"Name": "targets", "Protocol": "HTTP", "Port": 80, "VpcId": self.vpc} | kwargs
        return self.elbv2.create_target_group(**settings)["TargetGroups"][0]["TargetGroupArn"]

    def targets(self, arn):
        found = self.elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        return sorted((item["Target"]["Id"], item["Target"]["Port"]) for item in found)

    def refused(self, code, call, *args, **kwargs):
        with self.assertRaises(ClientError) as caught:
            call(*args, **kwargs)
        self.assertEqual(caught.exception.response["Error"]["Code"], code)
        self.assertEqual(caught.exception.response["ResponseMetadata"]["HTTPStatusCode"], 400)
        return caught.exception.response["Error"]["Message"]


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

    def test_a_group_in_use_cannot_be_deleted(self):
        used, other = self.group("used"), self.group("other")
        [instance] = self.run_instances(SecurityGroupIds=[used])
        rule = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "UserIdGroupPairs": [{"GroupId": other}]}
        self.ec2.authorize_security_group_ingress(GroupId=used, IpPermissions=[rule])
        for group in (used, other):
            self.refused("DependencyViolation", self.ec2.delete_security_group, GroupId=group)
        self.ec2.terminate_instances(InstanceIds=[instance])
        for group in (used, other):
            self.ec2.delete_security_group(GroupId=group)

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


class SecurityGroupChecks(Corrected):
    ANYWHERE_4 = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ANYWHERE_6 = {"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}

    def rules(self, group):
        return self.ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])[
            "SecurityGroupRules"
        ]

    def ranges(self, group):
        return sorted(rule.get("CidrIpv4") or rule.get("CidrIpv6") for rule in self.rules(group))

    def test_default_egress_follows_the_vpc(self):
        six, _ = self.network("10.2.0.0/16", AmazonProvidedIpv6CidrBlock=True)
        self.assertEqual(self.ranges(self.group("four")), ["0.0.0.0/0"])
        group = self.group("six", six)
        self.assertEqual(self.ranges(group), ["0.0.0.0/0", "::/0"])
        self.assertEqual({rule["IsEgress"] for rule in self.rules(group)}, {True})
        self.assertEqual({rule["GroupOwnerId"] for rule in self.rules(group)}, {"123456789012"})
        self.ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[self.ANYWHERE_6])
        self.assertEqual(self.ranges(group), ["0.0.0.0/0"])
        ids = [rule["SecurityGroupRuleId"] for rule in self.rules(group)]
        self.ec2.revoke_security_group_egress(GroupId=group, SecurityGroupRuleIds=ids)
        self.assertEqual(self.rules(group), [])
        self.refused("InvalidPermission.NotFound", self.revoke, group, self.ANYWHERE_4)
        self.refused("InvalidPermission.NotFound", self.revoke, group, self.ANYWHERE_6)

    def revoke(self, group, permission):
        self.ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[permission])

    def test_revoking_ipv6_in_a_vpc_without_it(self):
        group = self.group("group")
        self.refused("InvalidPermission.NotFound", self.revoke, group, self.ANYWHERE_6)
        self.ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[self.ANYWHERE_6])
        self.revoke(group, self.ANYWHERE_6 | self.ANYWHERE_4)
        self.assertEqual(self.rules(group), [])

    def test_names_are_unique_in_a_vpc(self):
        group = self.group("name")
        self.refused("InvalidGroup.Duplicate", self.group, "name")
        self.assertNotEqual(self.group("name", self.network("10.3.0.0/16")[0]), group)
        shown = self.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
        self.assertEqual(shown["OwnerId"], "123456789012")
        self.refused("InvalidGroup.NotFound", self.ec2.describe_security_groups, GroupIds=["sg-0123456789abcdef0"])


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

    def associations(self, **kwargs):
        return self.ec2.describe_iam_instance_profile_associations(**kwargs)["IamInstanceProfileAssociations"]

    def check_profile(self, instance, arn):
        filters = [{"Name": "instance-id", "Values": [instance]}]
        [association] = self.associations(Filters=filters)
        self.assertEqual(association["IamInstanceProfile"]["Arn"], arn)
        self.assertEqual(self.instance(instance)["IamInstanceProfile"], association["IamInstanceProfile"])
        found = self.ec2.describe_instances(Filters=[{"Name": "iam-instance-profile.arn", "Values": [arn]}])
        found = [made["InstanceId"] for item in found["Reservations"] for made in item["Instances"]]
        self.assertIn(instance, found)
        self.ec2.disassociate_iam_instance_profile(AssociationId=association["AssociationId"])
        self.assertEqual(self.associations(Filters=filters), [])
        self.assertNotIn("IamInstanceProfile", self.instance(instance))

    def test_profiles_of_launched_instances(self):
        profile, arn = self.profile("profile")
        self.run_instances()  # without a profile: must not trouble the filter
        for kind in (profile, {"Arn": arn}):
            for instance in self.run_instances(3, IamInstanceProfile=kind):
                self.check_profile(instance, arn)
        template = self.template(IamInstanceProfile=profile)
        for instance in self.run_instances(2, LaunchTemplate=template):
            self.check_profile(instance, arn)

    def test_profiles_in_auto_scaling_groups(self):
        profile, arn = self.profile("profile")
        _, other_arn = self.profile("other")
        template = self.template(IamInstanceProfile=profile)
        self.ec2.create_launch_template_version(
            LaunchTemplateData={"ImageId": IMAGE, "IamInstanceProfile": {"Arn": other_arn}}, **template
        )
        for instance in self.auto_scaling_group(2, template):
            self.check_profile(instance, arn)
        self.asg.update_auto_scaling_group(AutoScalingGroupName="asg", LaunchTemplate=template | {"Version": "$Latest"})
        known = self.members()
        self.asg.set_desired_capacity(AutoScalingGroupName="asg", DesiredCapacity=3)
        [new] = set(self.members()) - set(known)
        self.check_profile(new, other_arn)

    def test_profile_of_a_launch_configuration(self):
        profile, arn = self.profile("profile")
        self.asg.create_launch_configuration(
            LaunchConfigurationName="lc", ImageId=IMAGE, InstanceType="t3.micro", IamInstanceProfile=profile["Name"]
        )
        self.asg.create_auto_scaling_group(
            AutoScalingGroupName="asg", MinSize=1, MaxSize=1, VPCZoneIdentifier=self.subnet,
            LaunchConfigurationName="lc",
        )  # fmt: skip
        self.check_profile(self.members()[0], arn)

    def test_profile_replaced(self):
        profile, _ = self.profile("profile")
        other, other_arn = self.profile("other")
        [instance] = self.run_instances(IamInstanceProfile=profile)
        [association] = self.associations()
        self.ec2.replace_iam_instance_profile_association(
            AssociationId=association["AssociationId"], IamInstanceProfile=other
        )
        self.check_profile(instance, other_arn)

    def test_associations_in_pages(self):
        profile, _ = self.profile("profile")
        instances = self.run_instances(12, IamInstanceProfile=profile)
        pages = self.ec2.get_paginator("describe_iam_instance_profile_associations")
        pages = list(pages.paginate(PaginationConfig={"PageSize": 5}))
        self.assertEqual([len(page["IamInstanceProfileAssociations"]) for page in pages], [5, 5, 2])
        found = [item["InstanceId"] for page in pages for item in page["IamInstanceProfileAssociations"]]
        self.assertEqual(sorted(found), sorted(instances))


class SnapshotChecks(Corrected):
    def snapshot(self):
        volume = self.ec2.create_volume(Size=1, AvailabilityZone=f"{REGION}a")["VolumeId"]
        return self.ec2.create_snapshot(VolumeId=volume)["SnapshotId"]

    def locks(self, *snapshots, **kwargs):
        return self.ec2.describe_locked_snapshots(SnapshotIds=list(snapshots), **kwargs)["Snapshots"]

    def test_governance(self):
        snapshot = self.snapshot()
        self.assertEqual(self.locks(snapshot), [])
        lock = self.ec2.lock_snapshot(SnapshotId=snapshot, LockMode="governance", LockDuration=7)
        self.assertEqual((lock["SnapshotId"], lock["LockState"], lock["LockDuration"]), (snapshot, "governance", 7))
        self.assertEqual((lock["LockExpiresOn"] - lock["LockCreatedOn"]).days, 7)
        [shown] = self.locks(snapshot)
        self.assertEqual(shown.pop("OwnerId"), "123456789012")
        del lock["ResponseMetadata"]
        self.assertEqual(shown, lock)
        self.refused("SnapshotLocked", self.ec2.delete_snapshot, SnapshotId=snapshot)
        self.assertEqual(self.ec2.unlock_snapshot(SnapshotId=snapshot)["SnapshotId"], snapshot)
        self.assertEqual(self.locks(snapshot), [])
        self.ec2.delete_snapshot(SnapshotId=snapshot)

    def test_compliance(self):
        snapshot, other = self.snapshot(), self.snapshot()
        arguments = {"SnapshotId": snapshot, "LockMode": "compliance"}
        lock = self.ec2.lock_snapshot(LockDuration=30, CoolOffPeriod=2, **arguments)
        self.assertEqual((lock["LockState"], lock["CoolOffPeriod"]), ("compliance-cooloff", 2))
        self.assertEqual((lock["CoolOffPeriodExpiresOn"] - lock["LockCreatedOn"]).seconds, 7200)
        self.ec2.unlock_snapshot(SnapshotId=snapshot)
        lock = self.ec2.lock_snapshot(LockDuration=30, **arguments)
        self.assertEqual(lock["LockState"], "compliance")
        self.assertNotIn("CoolOffPeriod", lock)
        self.refused("SnapshotLocked", self.ec2.unlock_snapshot, SnapshotId=snapshot)
        self.refused("SnapshotLocked", self.ec2.lock_snapshot, LockDuration=29, **arguments)
        self.assertEqual(self.ec2.lock_snapshot(LockDuration=31, **arguments)["LockDuration"], 31)
        self.ec2.lock_snapshot(SnapshotId=other, LockMode="governance", ExpirationDate="2099-01-01T00:00:00Z")
        self.assertEqual(len(self.locks()), 2)
        [only] = self.locks(Filters=[{"Name": "lock-state", "Values": ["governance"]}])
        self.assertEqual((only["SnapshotId"], only["LockExpiresOn"].year), (other, 2099))

    def test_refused_locks(self):
        snapshot = {"SnapshotId": self.snapshot()}
        lock = self.ec2.lock_snapshot
        self.refused("InvalidParameterValue", lock, LockMode="governance", LockDuration=36501, **snapshot)
        self.refused("InvalidParameterValue", lock, LockMode="governance", LockDuration=1, CoolOffPeriod=1, **snapshot)
        self.refused("InvalidParameterCombination", lock, LockMode="governance", **snapshot)
        unknown = "snap-0123456789abcdef0"
        self.refused("InvalidSnapshot.NotFound", lock, SnapshotId=unknown, LockMode="governance", LockDuration=1)
        self.refused("InvalidSnapshot.NotFound", self.locks, unknown)

    def test_snapshots_of_an_instance(self):
        mappings = [{"DeviceName": device, "Ebs": {"VolumeSize": 8}} for device in ("/dev/sda1", "/dev/sdf")]
        volume_tags = [{"ResourceType": "volume", "Tags": [{"Key": "from", "Value": "volume"}]}]
        [instance] = self.run_instances(BlockDeviceMappings=mappings, TagSpecifications=volume_tags)
        later = self.ec2.create_volume(Size=1, AvailabilityZone=f"{REGION}a")["VolumeId"]
        self.ec2.attach_volume(VolumeId=later, InstanceId=instance, Device="/dev/sdg")
        tags = [{"ResourceType": "snapshot", "Tags": [{"Key": "case", "Value": "one"}]}]
        made = self.ec2.create_snapshots(
            InstanceSpecification={"InstanceId": instance}, TagSpecifications=tags, CopyTagsFromSource="volume"
        )["Snapshots"]
        volumes = [mapping["Ebs"]["VolumeId"] for mapping in self.instance(instance)["BlockDeviceMappings"]]
        self.assertEqual(len(volumes), 3)
        self.assertEqual(sorted(snapshot["VolumeId"] for snapshot in made), sorted(volumes))
        for snapshot in made:
            self.assertIn({"Key": "case", "Value": "one"}, snapshot["Tags"])
            self.assertEqual(snapshot["State"], "completed")
        for name, count in (("tag:case", 3), ("tag:from", 2), ("tag:other", 0)):
            wanted = [{"Name": name, "Values": ["one", "volume"]}]
            self.assertEqual(len(self.ec2.describe_snapshots(Filters=wanted)["Snapshots"]), count)


class AutoScalingChecks(Corrected):
    def test_detach_and_replace(self):
        arn = self.target_group()
        listener = {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstancePort": 80}
        self.elb.create_load_balancer(LoadBalancerName="classic", Listeners=[listener], Subnets=[self.subnet])
        members = self.auto_scaling_group(2, TargetGroupARNs=[arn], LoadBalancerNames=["classic"])
        first, second = members
        self.elbv2.register_targets(TargetGroupArn=arn, Targets=[{"Id": first, "Port": 8080}])  # by hand
        self.assertEqual(self.targets(arn), sorted([(first, 80), (first, 8080), (second, 80)]))
        [activity] = self.detach(first)["Activities"]
        self.assertEqual(activity["AutoScalingGroupName"], "asg")
        [new] = set(self.members()) - {second}
        self.assertNotIn(new, members)
        self.assertEqual(self.targets(arn), sorted([(first, 8080), (second, 80), (new, 80)]))
        [classic] = self.elb.describe_load_balancers()["LoadBalancerDescriptions"]
        self.assertEqual({item["InstanceId"] for item in classic["Instances"]}, {second, new})
        tags = {tag["Key"] for tag in self.instance(first).get("Tags", [])}
        self.assertNotIn("aws:autoscaling:groupName", tags)
        listed = self.asg.describe_auto_scaling_instances(InstanceIds=[first, second])["AutoScalingInstances"]
        self.assertEqual([item["InstanceId"] for item in listed], [second])
        self.assertEqual(self.instance(first)["State"]["Name"], "running")
        message = self.refused("ValidationError", self.detach, first)
        self.assertEqual(message, f"The instance {first} is not part of Auto Scaling group asg.")

    def test_detach_and_decrement(self):
        first, second = self.auto_scaling_group(2)
        self.detach(first, decrement=True)
        [group] = self.asg.describe_auto_scaling_groups()["AutoScalingGroups"]
        self.assertEqual((self.members(), group["DesiredCapacity"]), ([second], 1))

    def test_detach_in_other_lifecycle_states(self):
        first, second = self.auto_scaling_group(2)
        names = {"AutoScalingGroupName": "asg", "InstanceIds": [first]}
        self.asg.enter_standby(ShouldDecrementDesiredCapacity=True, **names)
        self.detach(first)
        self.assertEqual(self.members(), [second])
        self.refused("ValidationError", self.detach, second, "i-0123456789abcdef0")
        self.assertEqual(self.members(), [second])

    @unittest.skipIf(UNCORRECTED, "applies the corrections itself")
    def test_detach_in_a_state_that_no_call_reaches(self):
        # Without lifecycle hooks moto knows InService and Standby only: set the state inside, in this process.
        import corrections
        from moto import mock_aws
        from moto.autoscaling import autoscaling_backends

        corrections.apply_all()
        with mock_aws():
            session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
            ec2, self.asg = session.client("ec2"), session.client("autoscaling")
            data = {"ImageId": IMAGE, "InstanceType": "t3.micro"}
            ec2.create_launch_template(LaunchTemplateName="template", LaunchTemplateData=data)
            self.asg.create_auto_scaling_group(
                AutoScalingGroupName="asg", MinSize=0, MaxSize=1, DesiredCapacity=1, AvailabilityZones=[f"{REGION}a"],
                LaunchTemplate={"LaunchTemplateName": "template"},
            )  # fmt: skip
            [state] = autoscaling_backends["123456789012"][REGION].autoscaling_groups["asg"].instance_states
            state.lifecycle_state = "Terminating:Wait"
            message = self.refused("ValidationError", self.detach, state.instance.id)
            self.assertEqual(message, f"The instance {state.instance.id} is not in InService or Standby.")
            self.assertEqual(self.members(), [state.instance.id])

    def test_an_attached_again_instance_shows_its_new_group(self):
        [instance] = self.auto_scaling_group(1)
        self.detach(instance, decrement=True)
        self.asg.create_auto_scaling_group(
            AutoScalingGroupName="new", MinSize=0, MaxSize=9, DesiredCapacity=0, VPCZoneIdentifier=self.subnet,
            LaunchTemplate={"LaunchTemplateName": "template"},
        )  # fmt: skip
        self.asg.attach_instances(AutoScalingGroupName="new", InstanceIds=[instance])
        [shown] = self.asg.describe_auto_scaling_instances(InstanceIds=[instance])["AutoScalingInstances"]
        self.assertEqual(shown["AutoScalingGroupName"], "new")

    def test_unknown_group(self):
        call = {"AutoScalingGroupName": "none", "ShouldDecrementDesiredCapacity": False}
        self.refused("ValidationError", self.asg.detach_instances, InstanceIds=["i-0123456789abcdef0"], **call)
        call = {"AutoScalingGroupName": "none", "ProtectedFromScaleIn": True}
        self.refused("ValidationError", self.asg.set_instance_protection, InstanceIds=["i-0123456789abcdef0"], **call)


class TargetChecks(Corrected):
    def test_an_instance_on_several_ports(self):
        arn = self.target_group()
        [instance] = self.run_instances()

        def deregister(**target):
            self.elbv2.deregister_targets(TargetGroupArn=arn, Targets=[{"Id": instance, **target}])

        targets = [{"Id": instance}, {"Id": instance, "Port": 8080}, {"Id": instance, "Port": 8081}]
        self.elbv2.register_targets(TargetGroupArn=arn, Targets=targets)
        self.assertEqual(self.targets(arn), [(instance, 80), (instance, 8080), (instance, 8081)])
        deregister(Port=8080)
        self.assertEqual(self.targets(arn), [(instance, 80), (instance, 8081)])
        deregister()
        self.assertEqual(self.targets(arn), [(instance, 8081)])
        for _ in range(2):  # what is absent is no error
            deregister(Port=8080)
            deregister()
        self.assertEqual(self.targets(arn), [(instance, 8081)])
        asked = self.elbv2.describe_target_health(TargetGroupArn=arn, Targets=[{"Id": instance}])
        [answer] = asked["TargetHealthDescriptions"]
        self.assertEqual(answer["TargetHealth"]["Reason"], "Target.NotRegistered")

    def test_addresses(self):
        arn = self.target_group(TargetType="ip")
        targets = [{"Id": "10.0.0.5"}, {"Id": "10.0.0.5", "Port": 81}]
        self.elbv2.register_targets(TargetGroupArn=arn, Targets=targets)
        self.elbv2.deregister_targets(TargetGroupArn=arn, Targets=targets[:1])
        self.assertEqual(self.targets(arn), [("10.0.0.5", 81)])

    def test_stopped_and_terminated_instances(self):
        arn = self.target_group()
        one, two = self.run_instances(2)
        self.elbv2.register_targets(TargetGroupArn=arn, Targets=[{"Id": one}, {"Id": two, "Port": 81}])
        self.ec2.stop_instances(InstanceIds=[one])
        self.ec2.terminate_instances(InstanceIds=[two])
        [left] = self.elbv2.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        self.assertEqual((left["Target"]["Id"], left["TargetHealth"]["State"]), (one, "unused"))
        self.refused("InvalidTarget", self.elbv2.register_targets, TargetGroupArn=arn, Targets=[{"Id": one}])


class ProtocolChecks(Corrected):
    def test_what_is_missing_is_a_proper_error(self):
        self.run_instances()  # moto looks at a filter only where there is something to filter
        self.refused("InvalidParameterValue", self.interfaces_by, nonsense=["x"])
        filters = [{"Name": "nonsense", "Values": ["x"]}]
        self.refused("InvalidParameterValue", self.ec2.describe_instances, Filters=filters)
        self.refused("InvalidAction", self.ec2.get_console_screenshot, InstanceId="i-0123456789abcdef0")
        self.refused("InvalidAction", self.asg.describe_account_limits)

    def test_an_action_that_does_not_exist(self):
        signed = "AWS4-HMAC-SHA256 Credential=test/20250101/eu-west-1/ec2/aws4_request, SignedHeaders=host, Signature=0"
        headers = {"Authorization": signed, "Content-Type": "application/x-www-form-urlencoded"}
        body = b"Action=DescribeNonsense&Version=2016-11-15"
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(urllib.request.Request(self.url, data=body, headers=headers))
        self.assertEqual(caught.exception.code, 400)
        self.assertIn("<Code>InvalidAction</Code>", caught.exception.read().decode())


if __name__ == "__main__":
    unittest.main(argv=[item for item in sys.argv if item != "--uncorrected"])
