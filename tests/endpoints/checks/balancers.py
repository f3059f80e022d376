"""Checks of load balancers' targets."""

from .common import Corrected


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
