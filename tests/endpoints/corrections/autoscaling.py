"""Auto Scaling groups."""

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import AutoScalingBackend


class _Groups(dict):
    def __missing__(self, name):
        raise ValidationError(f"AutoScalingGroup name not found - AutoScalingGroup '{name}' not found")


def unknown_group_is_a_validation_error() -> None:
    """moto fails (status 500) on most calls that name an unknown Auto Scaling group. AWS answers ValidationError.
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/CommonErrors.html
    """
    init = AutoScalingBackend.__init__

    def __init__(self, *args, **kwargs):
        init(self, *args, **kwargs)
        self.autoscaling_groups = _Groups()

    AutoScalingBackend.__init__ = __init__


def detaching_follows_the_lifecycle() -> None:
    """moto detaches in any lifecycle state, ignores ids that are no members, and leaves the instance in the group's
    target groups. AWS refuses the first two (the pages do not give the messages: these are as seen from AWS) and
    deregisters from the target groups and balancers of the group.
    https://docs.aws.amazon.com/autoscaling/ec2/APIReference/API_DetachInstances.html
    https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-detach-attach-instances.html
    """
    detach, attach = AutoScalingBackend.detach_instances, AutoScalingBackend.attach_instances

    def detach_instances(self, group_name, instance_ids, should_decrement):
        group = self.autoscaling_groups[group_name]
        if len(instance_ids) > 20:
            raise ValidationError("Only 20 instances can be detached in one call.")
        members = {state.instance.id: state for state in group.instance_states}
        for instance_id in instance_ids:
            if instance_id not in members:
                raise ValidationError(f"The instance {instance_id} is not part of Auto Scaling group {group_name}.")
            if members[instance_id].lifecycle_state not in ("InService", "Standby"):
                raise ValidationError(f"The instance {instance_id} is not in InService or Standby.")
        activities = detach(self, group_name, instance_ids, should_decrement)
        for arn in group.target_group_arns:
            if arn in self.elbv2_backend.target_groups:
                # Without a port: the group's own registration. One made by hand on another port stays.
                self.elbv2_backend.deregister_targets(arn, [{"Id": instance_id} for instance_id in instance_ids])
        self.update_attached_elbs(group_name)
        return activities

    def attach_instances(self, group_name, instance_ids):
        for instance_id in instance_ids:  # else an instance once detached would still be shown in its former group
            self.ec2_backend.get_instance(instance_id).__dict__.pop("autoscaling_group", None)
        attach(self, group_name, instance_ids)

    AutoScalingBackend.detach_instances = detach_instances
    AutoScalingBackend.attach_instances = attach_instances


CORRECTIONS = (
    unknown_group_is_a_validation_error,
    detaching_follows_the_lifecycle,
)
