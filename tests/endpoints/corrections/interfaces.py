"""Network interfaces and their groups."""

import copy

from moto.ec2.exceptions import EC2ClientError, InvalidSecurityGroupNotFoundError
from moto.ec2.models.elastic_network_interfaces import NetworkInterface, NetworkInterfaceBackend
from moto.ec2.models.instances import Instance, InstanceBackend


def interface_groups_are_its_own() -> None:
    """moto shows an interface's groups together with its instance's. In AWS groups belong to interfaces alone, and
    "the instance's groups" are those of its primary one.
    https://docs.aws.amazon.com/vpc/latest/userguide/vpc-security-groups.html
    """

    def get_instance_groups(self):
        if self.state == "terminated":
            return []  # its interfaces are gone
        primary = getattr(self, "nics", {}).get(0)
        return primary._group_set if primary else self._launch_groups

    def set_instance_groups(self, groups):
        primary = getattr(self, "nics", {}).get(0)
        if primary:
            primary._group_set = list(groups)
        else:
            self._launch_groups = list(groups)  # the constructor sets the groups before it makes the interfaces

    NetworkInterface.group_set = property(lambda self: list(self._group_set))
    Instance.security_groups = property(get_instance_groups, set_instance_groups)


def groups_must_exist_in_the_interface_vpc() -> None:
    """moto puts any group on an interface, invents a group for an unknown id, and on an instance with several
    interfaces changes them all. AWS refuses: InvalidGroup.NotFound, InvalidParameter at launch, InvalidInstanceID.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """

    def groups_for(backend, group_ids, vpc_id, other_vpc_error):
        groups = []
        for group_id in group_ids:
            group = backend.get_security_group_from_id(group_id)
            if group is None:
                raise InvalidSecurityGroupNotFoundError(group_id)
            if group.vpc_id != vpc_id:
                raise other_vpc_error(group_id)
            groups.append(group)
        return groups

    def different_networks(_group_id):
        # The page names the code only; code and message are what AWS was seen to answer for an existing interface.
        message = "You have specified two resources that belong to different networks."
        return EC2ClientError("InvalidGroup.NotFound", message)

    modify_interface = NetworkInterfaceBackend.modify_network_interface_attribute
    create_interface = NetworkInterfaceBackend.create_network_interface

    def modify_network_interface_attribute(self, eni_id, group_ids, *args, **kwargs):
        groups_for(self, group_ids, self.get_network_interface(eni_id).vpc_id, different_networks)
        modify_interface(self, eni_id, group_ids, *args, **kwargs)

    def create_network_interface(self, subnet, address, addresses=None, group_ids=None, *args, **kwargs):
        subnet = self.get_subnet(subnet) if isinstance(subnet, str) else subnet

        def other_vpc(group_id):
            message = f"Security group {group_id} and subnet {subnet.id} belong to different networks."
            return EC2ClientError("InvalidParameter", message)

        groups_for(self, group_ids or [], subnet.vpc_id, other_vpc)
        return create_interface(self, subnet, address, addresses, group_ids, *args, **kwargs)

    def modify_instance_security_groups(self, instance_id, new_group_id_list):
        instance = self.get_instance(instance_id)
        if len(instance.nics) > 1:
            raise EC2ClientError(
                "InvalidInstanceID",
                f"There are multiple interfaces attached to instance '{instance_id}'. "
                "Please specify an interface ID for the operation instead.",
            )
        instance.security_groups = groups_for(self, new_group_id_list, instance.vpc_id, different_networks)
        return instance

    NetworkInterfaceBackend.modify_network_interface_attribute = modify_network_interface_attribute
    NetworkInterfaceBackend.create_network_interface = create_network_interface
    InstanceBackend.modify_instance_security_groups = modify_instance_security_groups


def interfaces_end_with_their_instance() -> None:
    """moto keeps a terminated instance's interfaces, in use. AWS deletes those made at launch (DeleteOnTermination is
    true there unless given), detaches the others, and shows none: without this no group could ever be deleted.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceNetworkInterfaceSpecification.html
    """
    prep_nics, terminate = Instance.prep_nics, Instance.terminate

    def prepare(self, nic_spec, *args, **kwargs):
        nic_spec = nic_spec or [{"DeviceIndex": 0}]
        for nic in nic_spec:
            if not nic.get("NetworkInterfaceId"):
                nic.setdefault("DeleteOnTermination", True)
        prep_nics(self, nic_spec, *args, **kwargs)

    def end(self):
        if self.state == "terminated":
            return copy.copy(self._state)  # terminating twice succeeds; the interfaces are gone already
        previous = terminate(self)
        for nic in self.nics.values():  # moto reads addresses from the first one: keep them here, show none
            nic.instance, nic.attachment_id, nic.attach_time, nic.status = None, None, None, "available"
        return previous

    Instance.prep_nics = prepare
    Instance.terminate = end
    Instance.network_interfaces = property(
        lambda self: [] if self.state == "terminated" else list(self.nics.values())
    )


CORRECTIONS = (
    interface_groups_are_its_own,
    groups_must_exist_in_the_interface_vpc,
    interfaces_end_with_their_instance,
)
