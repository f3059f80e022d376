"""Instance attributes and metadata options."""

import copy

from moto.core.responses import ActionResult, EmptyResult
from moto.core.utils import camelcase_to_underscores
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.instances import InstanceBackend, MetadataOptions
from moto.ec2.responses.instances import InstanceResponse


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


CORRECTIONS = (
    instance_attributes_are_set,
    metadata_options_keep_what_is_not_given,
)
