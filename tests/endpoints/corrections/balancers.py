"""Load balancers' targets."""

from moto.elbv2.exceptions import TargetNotRunning
from moto.elbv2.models import FakeHealthStatus, FakeTargetGroup


def targets_are_id_and_port() -> None:
    """moto keys a target by its id, so that one on two ports replaces itself, and refuses to deregister an absent one.
    In AWS a target is an id and a port (the group's unless overridden) and an absent one is no error. Draining is
    left out: a target is gone at once.
    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetDescription.html
    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeregisterTargets.html
    """

    def key(self, target):
        port = target.get("Port") or self.port
        return target["Id"], int(port) if port is not None else None

    def register(self, targets):
        for target in targets:
            instance = self.ec2_backend.get_instance_by_id(target["Id"])
            if instance and instance.state != "running":
                raise TargetNotRunning(instance_id=target["Id"])
        for target_id, port in (key(self, target) for target in targets):
            self.targets[target_id, port] = {"Id": target_id, "Port": port}

    def deregister(self, targets):
        for target in targets:
            self.targets.pop(key(self, target), None)

    def deregister_terminated_instances(self, instance_ids):
        self.targets = {pair: target for pair, target in self.targets.items() if pair[0] not in instance_ids}

    def health_for(self, target, ec2_backend):
        target_id, port = key(self, target)
        if (target_id, port) not in self.targets:
            return FakeHealthStatus(
                target_id, port, self.health_check_port, "unused", "Target.NotRegistered",
                "Target is not registered to the target group",
            )  # fmt: skip
        instance = ec2_backend.get_instance_by_id(target_id)
        if instance and instance.state == "stopped":
            return FakeHealthStatus(
                target_id, port, self.health_check_port, "unused", "Target.InvalidState",
                "Target is in the stopped state",
            )  # fmt: skip
        return FakeHealthStatus(target_id, port, self.health_check_port, "healthy")

    FakeTargetGroup.register = register
    FakeTargetGroup.deregister = deregister
    FakeTargetGroup.deregister_terminated_instances = deregister_terminated_instances
    FakeTargetGroup.health_for = health_for


CORRECTIONS = (targets_are_id_and_port,)
