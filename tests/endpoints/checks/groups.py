"""Checks of security groups and their rules."""

from .common import Corrected


class SecurityGroupChecks(Corrected):
    ANYWHERE_4 = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ANYWHERE_6 = {"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}

    def rules(self, group):
        return self.ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])[
            "SecurityGroupRules"
        ]

    def ranges(self, group):
        return sorted(rule.get("CidrIpv4") or rule.get("CidrIpv6") for rule in self.rules(group))

    def test_default_egress_follows_the_vpc(self):
        six, _ = self.network("10.2.0.0/16", AmazonProvidedIpv6CidrBlock=True)
        self.assertEqual(self.ranges(self.group("four")), ["0.0.0.0/0"])
        group = self.group("six", six)
        self.assertEqual(self.ranges(group), ["0.0.0.0/0", "::/0"])
        self.assertEqual({rule["IsEgress"] for rule in self.rules(group)}, {True})
        self.assertEqual({rule["GroupOwnerId"] for rule in self.rules(group)}, {"123456789012"})
        self.ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[self.ANYWHERE_6])
        self.assertEqual(self.ranges(group), ["0.0.0.0/0"])
        ids = [rule["SecurityGroupRuleId"] for rule in self.rules(group)]
        self.ec2.revoke_security_group_egress(GroupId=group, SecurityGroupRuleIds=ids)
        self.assertEqual(self.rules(group), [])
        self.refused("InvalidPermission.NotFound", self.revoke, group, self.ANYWHERE_4)
        self.refused("InvalidPermission.NotFound", self.revoke, group, self.ANYWHERE_6)

    def revoke(self, group, permission):
        self.ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[permission])

    def test_revoking_ipv6_in_a_vpc_without_it(self):
        group = self.group("group")
        self.refused("InvalidPermission.NotFound", self.revoke, group, self.ANYWHERE_6)
        self.ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[self.ANYWHERE_6])
        self.revoke(group, self.ANYWHERE_6 | self.ANYWHERE_4)
        self.assertEqual(self.rules(group), [])

    def test_names_are_unique_in_a_vpc(self):
        group = self.group("name")
        self.refused("InvalidGroup.Duplicate", self.group, "name")
        self.assertNotEqual(self.group("name", self.network("10.3.0.0/16")[0]), group)
        shown = self.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]
        self.assertEqual(shown["OwnerId"], "123456789012")
        self.refused("InvalidGroup.NotFound", self.ec2.describe_security_groups, GroupIds=["sg-0123456789abcdef0"])

    def test_a_group_in_use_cannot_be_deleted(self):
        used, other = self.group("used"), self.group("other")
        [instance] = self.run_instances(SecurityGroupIds=[used])
        rule = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 2, "UserIdGroupPairs": [{"GroupId": other}]}
        self.ec2.authorize_security_group_ingress(GroupId=used, IpPermissions=[rule])
        for group in (used, other):
            self.refused("DependencyViolation", self.ec2.delete_security_group, GroupId=group)
        self.ec2.terminate_instances(InstanceIds=[instance])
        for group in (used, other):
            self.ec2.delete_security_group(GroupId=group)
