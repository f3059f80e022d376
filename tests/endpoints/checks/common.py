"""What the checks share."""

import functools
import unittest
import urllib.request

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from .server import server_url

REGION = "eu-west-1"
IMAGE = "ami-12c6146b"  # one of the images that moto brings along
SERVICES = {
    "ec2": "ec2",
    "iam": "iam",
    "asg": "autoscaling",
    "elb": "elb",
    "elbv2": "elbv2",
    "resolver": "route53resolver",
}


@functools.cache
def clients() -> dict:
    """A client for each service, by its short name. One set for all: it takes longer to make than a check to run."""
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=REGION)
    once = Config(retries={"total_max_attempts": 1})
    return {
        name: session.client(service, endpoint_url=server_url(), config=once) for name, service in SERVICES.items()
    }


class Corrected(unittest.TestCase):
    """What the checks share: the clients, an empty server with one network, and short ways to make things."""

    @classmethod
    def setUpClass(cls):
        cls.url = server_url()
        for name, client in clients().items():
            setattr(cls, name, client)

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
