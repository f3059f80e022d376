"""Security groups and their rules."""

from moto.ec2.exceptions import EC2ClientError, InvalidPermissionNotFoundError, InvalidSecurityGroupNotFoundError
from moto.ec2.models.security_groups import SecurityGroupBackend, SecurityGroupRule


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


CORRECTIONS = (
    group_in_use_cannot_be_deleted,
    revoking_an_absent_ipv6_rule_fails,
    rules_show_their_owner,
)
