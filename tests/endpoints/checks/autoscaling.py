"""Checks of Auto Scaling groups."""

import unittest

import boto3

from .common import IMAGE, REGION, Corrected
from .server import UNCORRECTED


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
