"""Instance profiles and their associations."""

from moto.autoscaling.models import FakeAutoScalingGroup
from moto.core.responses import ActionResult
from moto.ec2.models.iam_instance_profile import IamInstanceProfileAssociationBackend
from moto.ec2.models.instances import InstanceBackend
from moto.ec2.responses.iam_instance_profiles import IamInstanceProfiles


def _associate(backend, instance, profile: dict) -> None:
    """Associate an instance with the profile that a launch named, by name or by ARN."""
    if profile.get("Name") or profile.get("Arn"):
        backend.associate_iam_instance_profile(instance.id, profile.get("Name"), profile.get("Arn"))


def launched_instances_have_their_profile() -> None:
    """moto associates only the first instance of a launch with its profile, and none when a launch template or
    configuration names it. In AWS each instance launched with a profile has an association.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeIamInstanceProfileAssociations.html
    """
    run, replace = InstanceBackend.run_instances, FakeAutoScalingGroup.replace_autoscaling_group_instances

    def run_instances(self, *args, **kwargs):
        explicit = {"Name": kwargs.get("iam_instance_profile_name"), "Arn": kwargs.get("iam_instance_profile_arn")}
        template = kwargs.get("launch_template")
        reservation = run(self, *args, **kwargs)
        if explicit["Name"] or explicit["Arn"]:
            for instance in reservation.instances[1:]:  # the caller, moto's RunInstances, associates the first
                _associate(self, instance, explicit)
        elif template and "launch_config" not in kwargs:  # an Auto Scaling group's call is handled below
            profile = self._get_template_from_args(template).data.get("IamInstanceProfile", {})
            for instance in reservation.instances:
                _associate(self, instance, profile)
        return reservation

    def replace_autoscaling_group_instances(self, *args, **kwargs):
        before = {state.instance.id for state in self.instance_states}
        replace(self, *args, **kwargs)
        if self.ec2_launch_template:
            # The group's version, which moto's launch ignores.
            version = self.ec2_launch_template.get_version(self.launch_template_version)
            profile = version.data.get("IamInstanceProfile", {})
        else:
            given = self.launch_config.iam_instance_profile or ""
            profile = {"Arn" if given.startswith("arn:") else "Name": given}
        for state in self.instance_states:
            if state.instance.id not in before:
                _associate(self.ec2_backend, state.instance, profile)

    InstanceBackend.run_instances = run_instances
    FakeAutoScalingGroup.replace_autoscaling_group_instances = replace_autoscaling_group_instances


def instances_show_their_profile() -> None:
    """moto shows the association's id where AWS shows the profile's, and keeps the old profile in DescribeInstances
    after a replacement.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IamInstanceProfile.html
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ReplaceIamInstanceProfileAssociation.html
    """

    def shown(method):
        def call(self, *args, **kwargs):
            association = method(self, *args, **kwargs)
            profile = association.iam_instance_profile
            association.instance.iam_instance_profile = {"Arn": profile.arn, "Id": profile.id}
            return association

        return call

    for name in ("associate_iam_instance_profile", "replace_iam_instance_profile_association"):
        method = getattr(IamInstanceProfileAssociationBackend, name)
        setattr(IamInstanceProfileAssociationBackend, name, shown(method))


def profile_associations_are_paged() -> None:
    """moto reads the page size from MaxItems, which does not exist. AWS reads MaxResults.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeIamInstanceProfileAssociations.html
    """

    def describe_iam_instance_profile_associations(self):
        page, token = self.ec2_backend.describe_iam_instance_profile_associations(
            self._get_param("AssociationIds", []),
            self._filters_from_querystring(),
            self._get_param("MaxResults"),
            self._get_param("NextToken"),
        )
        return ActionResult({"IamInstanceProfileAssociations": page, "NextToken": token})

    IamInstanceProfiles.describe_iam_instance_profile_associations = describe_iam_instance_profile_associations


CORRECTIONS = (
    launched_instances_have_their_profile,
    instances_show_their_profile,
    profile_associations_are_paged,
)
