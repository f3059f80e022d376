"""Checks of instance profiles and their associations."""

from .common import IMAGE, Corrected


class ProfileChecks(Corrected):
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
