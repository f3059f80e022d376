"""Corrections to moto 5.2.5 where it departs from AWS in ways that matter to containment.

Each function replaces one behaviour, and names the AWS page that it restores. The product must never be bent to an
emulator; the emulator is bent here instead.
"""

import copy
import fnmatch
from datetime import timedelta

import moto
from botocore.model import OperationNotFoundError
from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import AutoScalingBackend, FakeAutoScalingGroup
from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, BaseResponse, EmptyResult
from moto.core.utils import camelcase_to_underscores, utcnow
from moto.ec2 import utils as ec2_utils
from moto.ec2.exceptions import EC2ClientError, InvalidPermissionNotFoundError, InvalidSecurityGroupNotFoundError
from moto.ec2.models.elastic_block_store import EBSBackend, Snapshot
from moto.ec2.models.elastic_network_interfaces import NetworkInterface, NetworkInterfaceBackend
from moto.ec2.models.iam_instance_profile import IamInstanceProfileAssociationBackend
from moto.ec2.models.instances import Instance, InstanceBackend, MetadataOptions
from moto.ec2.models.security_groups import SecurityGroupBackend, SecurityGroupRule
from moto.ec2.responses import EC2Response
from moto.ec2.responses.elastic_block_store import ElasticBlockStore
from moto.ec2.responses.iam_instance_profiles import IamInstanceProfiles
from moto.ec2.responses.instances import InstanceResponse
from moto.elbv2.exceptions import TargetNotRunning
from moto.elbv2.models import FakeHealthStatus, FakeTargetGroup

MOTO_VERSION = "5.2.5"


def apply_all() -> None:
    """Apply every correction below, once, before the server starts."""
    if moto.__version__ != MOTO_VERSION:
        raise RuntimeError(
            f"corrections.py is written against moto {MOTO_VERSION}, but {moto.__version__} is installed: "
            "install the pinned version, or review every correction against the new one"
        )
    for correction in CORRECTIONS:
        correction()


# --- Network interfaces and their groups -----------------------------------------------------------------------------


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


# --- Security groups -------------------------------------------------------------------------------------------------


def group_in_use_cannot_be_deleted() -> None:
    """moto deletes any group. AWS answers DependencyViolation while an interface or another group's rule uses it.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSecurityGroup.html
    """
    delete = SecurityGroupBackend._delete_security_group

    def _delete_security_group(self, vpc_id, group_id):
        on_interface = any(group.id == group_id for eni in self.enis.values() for group in eni.group_set)
        in_rule = any(
            rule.source_group.get("GroupId") == group_id
            for groups in self.groups.values()
            for group in groups.values()
            if group.id != group_id
            for rule in group.ingress_rules + group.egress_rules
        )
        if on_interface or in_rule:
            raise EC2ClientError("DependencyViolation", f"resource {group_id} has a dependent object")
        delete(self, vpc_id, group_id)

    SecurityGroupBackend._delete_security_group = _delete_security_group


def revoking_an_absent_ipv6_rule_fails() -> None:
    """In a VPC without IPv6 moto drops IPv6 ranges from a revocation and answers success. AWS removes the rule where
    it exists and else answers InvalidPermission.NotFound (in a VPC that is not the default one).
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RevokeSecurityGroupEgress.html
    """
    revoke = SecurityGroupBackend.revoke_security_group_egress

    def revoke_security_group_egress(self, group_name_or_id, ip_protocol, from_port, to_port, ip_ranges, **kwargs):
        group = self.get_security_group_by_name_or_id(group_name_or_id, kwargs.get("vpc_id"))
        if group is None:
            raise InvalidSecurityGroupNotFoundError(group_name_or_id)
        gone = []
        for item in [item for item in ip_ranges if "CidrIpv6" in item]:
            rule = SecurityGroupRule(self, ip_protocol, group.id, from_port, to_port, item)
            found = next((known for known in group.egress_rules if known == rule), None)
            if found is None:
                raise InvalidPermissionNotFoundError()
            gone.append(found.id)
        others = [item for item in ip_ranges if "CidrIpv6" not in item]
        revoke(self, group_name_or_id, ip_protocol, from_port, to_port, others, **kwargs)
        group.egress_rules = [rule for rule in group.egress_rules if rule.id not in gone]

    SecurityGroupBackend.revoke_security_group_egress = revoke_security_group_egress


def rules_show_their_owner() -> None:
    """moto leaves groupOwnerId out of a rule. AWS gives it in DescribeSecurityGroupRules.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SecurityGroupRule.html
    """
    SecurityGroupRule.group_owner_id = property(lambda self: self.owner_id)


# --- Instance attributes ---------------------------------------------------------------------------------------------


def instance_attributes_are_set() -> None:
    """moto ignores InstanceInitiatedShutdownBehavior in ModifyInstanceAttribute, then empties the instance's groups
    because no other handler took the call; an unmapped device is a server error, and blockDeviceMapping reads empty.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceAttribute.html
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstanceAttribute.html
    """
    moto_sets = {"Attribute", "BlockDeviceMappings", "DisableApiStop", "DisableApiTermination", "EbsOptimized"}
    moto_sets |= {"Groups", "InstanceType", "Kernel", "SourceDestCheck", "UserData"}
    modify, describe = InstanceResponse.modify_instance_attribute, InstanceResponse.describe_instance_attribute

    def modify_instance_attribute(self):
        self.error_on_dryrun()
        instance = self.ec2_backend.get_instance(self._get_param("InstanceId"))
        attribute, value = self._get_param("Attribute"), self._get_param("Value")
        if attribute in ("disableApiTermination", "disableApiStop", "sourceDestCheck", "ebsOptimized"):
            self.ec2_backend.modify_instance_attribute(
                instance.id, camelcase_to_underscores(attribute), str(value).lower() == "true"
            )
            return EmptyResult()
        behaviour = self._get_param("InstanceInitiatedShutdownBehavior.Value")
        if attribute == "instanceInitiatedShutdownBehavior":
            behaviour = value
        if behaviour is not None:
            if behaviour not in ("stop", "terminate"):
                message = f"Invalid value '{behaviour}' for InstanceInitiatedShutdownBehavior"
                raise EC2ClientError("InvalidParameterValue", message)
            instance.instance_initiated_shutdown_behavior = behaviour
            return EmptyResult()
        for mapping in self._get_param("BlockDeviceMappings", []):
            if mapping.get("DeviceName") not in instance.block_device_mapping:
                message = f"No device is currently mapped at {mapping.get('DeviceName')}"
                raise EC2ClientError("InvalidInstanceAttributeValue", message)
        given = set(self._get_params()) - {"InstanceId", "DryRun"}
        if not given:
            raise EC2ClientError("InvalidParameterCombination", "No attributes specified.")
        if not given & moto_sets:
            raise NotImplementedError(f"ModifyInstanceAttribute of {', '.join(sorted(given))}")
        return modify(self)

    def describe_instance_attribute(self):
        if self._get_param("Attribute") != "blockDeviceMapping":
            return describe(self)
        instance = self.ec2_backend.get_instance(self._get_param("InstanceId"))
        return ActionResult({"InstanceId": instance.id, "BlockDeviceMappings": instance.block_device_mappings})

    InstanceResponse.modify_instance_attribute = modify_instance_attribute
    InstanceResponse.describe_instance_attribute = describe_instance_attribute


def metadata_options_keep_what_is_not_given() -> None:
    """moto resets every metadata option that a call leaves out. AWS keeps its value.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceMetadataOptions.html
    """

    def modify_instance_metadata_options(
        self, instance_id, http_tokens=None, hop_limit=None, http_endpoint=None, dry_run=False, http_protocol=None,
        metadata_tags=None,
    ):  # fmt: skip
        instance = self.get_instance(instance_id)
        options = copy.copy(instance.metadata_options) or MetadataOptions()
        given = {
            "http_tokens": http_tokens,
            "http_put_response_hop_limit": hop_limit,
            "http_endpoint": http_endpoint,
            "http_protocol_ipv6": http_protocol,
            "instance_metadata_tags": metadata_tags,
        }
        for name, value in given.items():
            if value is not None:
                setattr(options, name, value)
        instance.metadata_options = options
        return options

    InstanceBackend.modify_instance_metadata_options = modify_instance_metadata_options


# --- Instance profiles -----------------------------------------------------------------------------------------------


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


# --- Snapshots -------------------------------------------------------------------------------------------------------


def snapshots_can_copy_volume_tags() -> None:
    """moto ignores CopyTagsFromSource in CreateSnapshots. AWS copies each volume's tags to its snapshot.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSnapshots.html
    """
    create = ElasticBlockStore.create_snapshots

    def create_snapshots(self):
        answer = create(self)
        if self._get_param("CopyTagsFromSource") == "volume":
            for snapshot in answer.result["Snapshots"]:
                own = {tag["key"] for tag in snapshot.get_tags()}
                source = {tag["key"]: tag["value"] for tag in snapshot.volume.get_tags()}
                wanted = {key: value for key, value in source.items() if key not in own and not key.startswith("aws:")}
                snapshot.add_tags(wanted)
        return answer

    ElasticBlockStore.create_snapshots = create_snapshots


def new_snapshots_show_their_state() -> None:
    """moto leaves the state out of CreateSnapshots' answer. AWS gives it for each snapshot.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SnapshotInfo.html
    """
    Snapshot.state = property(lambda self: self.status)


def _lock_of(snapshot) -> dict | None:
    """A snapshot's lock as it stands now: cool-off and expiry are only a matter of time."""
    lock = getattr(snapshot, "lock", None)
    if lock is None:
        return None
    now, state = utcnow(), lock["LockMode"]
    if now >= lock["LockExpiresOn"]:
        state = "expired"
    elif lock.get("CoolOffPeriodExpiresOn") and now < lock["CoolOffPeriodExpiresOn"]:
        state = "compliance-cooloff"
    return {**lock, "LockState": state, "SnapshotId": snapshot.id, "OwnerId": snapshot.owner_id}


def _new_lock(params: dict, current: dict | None) -> dict:
    """The lock that a LockSnapshot request asks for, or the error that refuses it."""
    mode, days, hours = params.get("LockMode"), params.get("LockDuration"), params.get("CoolOffPeriod")
    until = params.get("ExpirationDate")
    if mode not in ("governance", "compliance"):
        raise EC2ClientError("InvalidParameterValue", f"Invalid value '{mode}' for LockMode")
    if (days is None) == (until is None):
        raise EC2ClientError("InvalidParameterCombination", "Specify either LockDuration or ExpirationDate")
    if days is not None and not 1 <= int(days) <= 36500:
        raise EC2ClientError("InvalidParameterValue", f"Invalid value '{days}' for LockDuration")
    if hours is not None and (mode == "governance" or not 1 <= int(hours) <= 72):
        raise EC2ClientError("InvalidParameterValue", f"Invalid value '{hours}' for CoolOffPeriod")
    now = utcnow()
    if until is not None:
        until = until.replace(tzinfo=None) if hasattr(until, "tzinfo") else _parse_time(until)
    expires = until or now + timedelta(days=int(days))
    lock = {
        "LockMode": mode,
        "LockDuration": int(days) if days is not None else max(1, (expires - now).days),
        "LockCreatedOn": now,
        "LockDurationStartTime": now,
        "LockExpiresOn": expires,
    }
    if hours is not None:
        lock |= {"CoolOffPeriod": int(hours), "CoolOffPeriodExpiresOn": now + timedelta(hours=int(hours))}
    if current and current["LockState"] == "compliance":
        if mode != "compliance" or hours is not None or expires < current["LockExpiresOn"]:
            raise EC2ClientError("SnapshotLocked", "The lock can only be extended: it is in compliance mode.")
    return lock


def _parse_time(text):
    from dateutil import parser  # a dependency of botocore

    return parser.parse(str(text)).replace(tzinfo=None)


def snapshots_can_be_locked() -> None:
    """moto has no LockSnapshot, UnlockSnapshot and DescribeLockedSnapshots, and would delete a locked snapshot.
    The pages give the requests, answers and states; they give no error codes, so those here are not AWS's word.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_LockSnapshot.html
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_UnlockSnapshot.html
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeLockedSnapshots.html
    """
    delete = EBSBackend.delete_snapshot

    def lock_snapshot(self):
        snapshot = self.ec2_backend.get_snapshot(self._get_param("SnapshotId"))
        self.error_on_dryrun()
        snapshot.lock = _new_lock(self._get_params(), _lock_of(snapshot))
        return ActionResult(_lock_of(snapshot))

    def unlock_snapshot(self):
        snapshot = self.ec2_backend.get_snapshot(self._get_param("SnapshotId"))
        self.error_on_dryrun()
        lock = _lock_of(snapshot)
        if lock is None or lock["LockState"] == "expired":
            raise EC2ClientError("IncorrectState", f"The snapshot {snapshot.id} is not locked.")
        if lock["LockState"] == "compliance":
            raise EC2ClientError("SnapshotLocked", f"The snapshot {snapshot.id} is locked in compliance mode.")
        snapshot.lock = None
        return ActionResult({"SnapshotId": snapshot.id})

    def describe_locked_snapshots(self):
        self.error_on_dryrun()
        snapshots = self.ec2_backend.describe_snapshots(self._get_param("SnapshotIds", []))
        locks = [lock for lock in map(_lock_of, snapshots) if lock]
        states = self._filters_from_querystring().get("lock-state")
        if states:
            locks = [lock for lock in locks if lock["LockState"] in states]
        start = int(self._get_param("NextToken") or 0)
        end = start + int(self._get_param("MaxResults") or 1000)
        return ActionResult({"Snapshots": locks[start:end], "NextToken": str(end) if end < len(locks) else None})

    def delete_snapshot(self, snapshot_id):
        lock = _lock_of(self.snapshots.get(snapshot_id))
        if lock and lock["LockState"] != "expired":
            raise EC2ClientError("SnapshotLocked", f"The snapshot {snapshot_id} is locked and cannot be deleted.")
        return delete(self, snapshot_id)

    EC2Response.lock_snapshot = lock_snapshot
    EC2Response.unlock_snapshot = unlock_snapshot
    EC2Response.describe_locked_snapshots = describe_locked_snapshots
    EBSBackend.delete_snapshot = delete_snapshot


# --- Auto Scaling ----------------------------------------------------------------------------------------------------


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


# --- Load balancing --------------------------------------------------------------------------------------------------


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


# --- The protocol ----------------------------------------------------------------------------------------------------


class _Unknown(ServiceException):
    """Defined here, for moto looks up an error's service by the module of its class."""


def unknown_things_are_errors_of_the_protocol() -> None:
    """moto answers what it lacks (an action, a filter) with a page of HTML, status 500, which an SDK retries and then
    reports as unparsable. AWS answers InvalidAction or InvalidParameterValue, status 400, in the protocol.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    dispatch = BaseResponse._dispatch

    def _dispatch(self, *args, **kwargs):
        try:
            return dispatch(self, *args, **kwargs)
        except (NotImplementedError, OperationNotFoundError) as missing:
            code = "InvalidParameterValue" if "filter" in str(missing).lower() else "InvalidAction"
            message = f"Not implemented by the emulator: {missing}"
            return self.serialized(ActionResult(_Unknown(code, message)))

    BaseResponse._dispatch = _dispatch


CORRECTIONS = (
    interface_groups_are_its_own,
    groups_must_exist_in_the_interface_vpc,
    interfaces_end_with_their_instance,
    filters_match_any_value,
    group_in_use_cannot_be_deleted,
    revoking_an_absent_ipv6_rule_fails,
    rules_show_their_owner,
    instance_attributes_are_set,
    metadata_options_keep_what_is_not_given,
    launched_instances_have_their_profile,
    instances_show_their_profile,
    profile_associations_are_paged,
    snapshots_can_copy_volume_tags,
    new_snapshots_show_their_state,
    snapshots_can_be_locked,
    unknown_group_is_a_validation_error,
    detaching_follows_the_lifecycle,
    targets_are_id_and_port,
    unknown_things_are_errors_of_the_protocol,
)
