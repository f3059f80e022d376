"""Filters of the describing calls."""

import fnmatch

from moto.ec2 import utils as ec2_utils
from moto.ec2.models.elastic_network_interfaces import NetworkInterface


def filters_match_any_value() -> None:
    """moto lacks some filters and, where a resource has a list (an interface's groups), compares several values as
    sets. In AWS a filter matches if any of its values does; wildcards count.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeNetworkInterfaces.html
    """
    match, value_of = ec2_utils.is_filter_matching, NetworkInterface.get_filter_value
    extra = {
        "attachment.status": lambda eni: eni.attachment.status if eni.attachment else None,
        "attachment.device-index": lambda eni: str(eni.device_index) if eni.attachment else None,
        "attachment.delete-on-termination": lambda eni: eni.delete_on_termination if eni.attachment else None,
        "association.public-ip": lambda eni: eni.public_ip,
        "ipv6-addresses.ipv6-address": lambda eni: list(eni.ipv6_addresses),
        "interface-type": lambda eni: getattr(eni, "interface_type", None) or "interface",
        "group-name": lambda eni: [group.name for group in eni.group_set],
    }

    def is_filter_matching(obj, name, wanted):
        value = obj.get_filter_value(name)
        if isinstance(value, list) and isinstance(wanted, list):
            return any(fnmatch.fnmatchcase(item, pattern) for item in value for pattern in wanted)
        return match(obj, name, wanted)

    def get_filter_value(self, filter_name, method_name=None):
        if filter_name in extra:
            return extra[filter_name](self)
        return value_of(self, filter_name, method_name)

    ec2_utils.is_filter_matching = is_filter_matching
    NetworkInterface.get_filter_value = get_filter_value
    ec2_utils.filter_dict_attribute_mapping |= {
        "iam-instance-profile.arn": "iam_instance_profile.Arn",
        "network-interface.group-id": "network_interfaces.group_set.id",
        "network-interface.network-interface-id": "network_interfaces.id",
    }
    nested = ec2_utils.get_object_value

    def get_object_value(obj, attr):
        value = nested(obj, attr)
        if isinstance(value, list) and any(isinstance(item, list) for item in value):
            return [leaf for item in value for leaf in item]  # a list for each interface: one list of groups
        return value

    ec2_utils.get_object_value = get_object_value


CORRECTIONS = (filters_match_any_value,)
