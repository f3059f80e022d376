"""OPERATIONS.md, by hand: its own commands are run, as they stand, against the account of `make play`; then the world is
looked at."""

import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import boto3
from common import ACCOUNT, PROJECT, REGION, decide, deployed
from test_play import Playing

# Commands that cannot be tried here, by name, and why. Each is left out of its block, and nothing else is.
NOT_HERE = {
    "aws logs tail": "it is of the AWS CLI v2; PyPI has v1",
}

# The user and the role of the blocks that are not about an instance.
USER, ROLE = "leaked-by-hand", "revoked-by-hand"


def blocks() -> dict[str, str]:
    """The marked blocks of the page, by name, in its order."""
    text = (PROJECT / "OPERATIONS.md").read_text()
    return dict(re.findall(r"^<!-- tried: ([\w ]+) -->\n```sh\n(.*?)^```$", text, re.M | re.S))


def filled(block: str, **values: str) -> str:
    """A block with the variables of its first lines set; each that it has must be given."""
    head, body = block.split("\n\n", 1)
    names = re.findall(r"^(\w+)=\S+ +# .+$", head, re.M)
    if len(names) != len(head.splitlines()):
        raise ValueError(f"not only variables, each with what it is:\n{head}")
    return "".join(f"{name}={values[name]}\n" for name in names) + body


def left_out(script: str) -> str:
    """Without the lines that run what cannot be tried here."""
    kept = [line for line in script.splitlines() if not line.strip().startswith(tuple(NOT_HERE))]
    return "\n".join(kept) + "\n"


class ByHand(Playing):
    def setUp(self):
        super().setUp()
        self.session = self.session_of_exports()
        self.ec2, self.iam = self.session.client("ec2"), self.session.client("iam")
        self.elbv2, self.elb = self.session.client("elbv2"), self.session.client("elb")
        self.autoscaling = self.session.client("autoscaling")
        self.instance = re.search(r"(i-[0-9a-f]{17})\s+web-1", self.guide)[1]
        self.work = tempfile.TemporaryDirectory()

    def tearDown(self):
        self.work.cleanup()
        super().tearDown()

    def run_block(self, name: str) -> str:
        values = {"INSTANCE": self.instance, "INCIDENT": "IR-7", "LOG_GROUP": deployed()["outputs"]["LogGroup"]}
        values |= {"USER_NAME": USER, "ROLE": ROLE}
        script = left_out(filled(blocks()[name], **values))
        # The CLI of this environment, and nothing of it but the two exports that `make play` prints.
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        kept = {key: value for key, value in os.environ.items() if not key.startswith("AWS_")}
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.work.name,
            env={**kept, **self.exports, "PATH": path},
            capture_output=True,
            text=True,
        )
        self.assertEqual(done.returncode, 0, f"{name}:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def file(self, name: str) -> list[list[str]]:
        return [line.split("\t") for line in (Path(self.work.name) / name).read_text().splitlines()]

    def interfaces(self) -> dict[str, list[str]]:
        found = self.ec2.describe_network_interfaces(Filters=[{"Name": "attachment.instance-id", "Values": [self.instance]}])
        return {it["NetworkInterfaceId"]: sorted(g["GroupId"] for g in it["Groups"]) for it in found["NetworkInterfaces"]}

    def registered(self) -> set[tuple[str, str, int]]:
        interfaces = self.ec2.describe_network_interfaces(
            Filters=[{"Name": "attachment.instance-id", "Values": [self.instance]}]
        )["NetworkInterfaces"]
        own = {self.instance, *(it["PrivateIpAddress"] for it in interfaces)}
        vpcs, found = {it["VpcId"] for it in interfaces}, set()
        for group in self.elbv2.describe_target_groups()["TargetGroups"]:
            health = self.elbv2.describe_target_health(TargetGroupArn=group["TargetGroupArn"])
            for it in health["TargetHealthDescriptions"]:
                here = group["VpcId"] in vpcs and it["TargetHealth"]["State"] != "draining"
                if here and it["Target"]["Id"] in own:
                    found.add((group["TargetGroupArn"], it["Target"]["Id"], it["Target"]["Port"]))
        return found

    def in_classic(self) -> list[str]:
        return [
            it["LoadBalancerName"]
            for it in self.elb.describe_load_balancers()["LoadBalancerDescriptions"]
            if self.instance in {member["InstanceId"] for member in it["Instances"]}
        ]

    def group(self) -> list[str]:
        found = self.autoscaling.describe_auto_scaling_instances(InstanceIds=[self.instance])
        return [it["AutoScalingGroupName"] for it in found["AutoScalingInstances"]]

    def profiles(self) -> list[str]:
        found = self.ec2.describe_iam_instance_profile_associations(
            Filters=[{"Name": "instance-id", "Values": [self.instance]}, {"Name": "state", "Values": ["associated"]}]
        )
        return [it["IamInstanceProfile"]["Arn"] for it in found["IamInstanceProfileAssociations"]]

    def shown(self) -> dict:
        return self.ec2.describe_instances(InstanceIds=[self.instance])["Reservations"][0]["Instances"][0]

    def test_each_step_does_what_it_says_and_the_last_one_gives_it_back(self):
        before = {
            "interfaces": self.interfaces(),
            "registered": self.registered(),
            "classic": self.in_classic(),
            "group": self.group(),
            "profiles": self.profiles(),
        }
        self.assertEqual(len(before["interfaces"]), 2)
        self.assertTrue(all(before.values()), before)
        self.assertEqual(len({target for _, target, _ in before["registered"]}), 2, "by its id, and by address")

        self.run_block("note")
        noted = {row[0]: sorted(row[2].split()) for row in self.file("interfaces.txt")}
        self.assertEqual(noted, before["interfaces"])

        printed = self.run_block("make the group")
        self.assertEqual(printed.strip(), "", "a group without rules has none to print")
        isolation = [row[1] for row in self.file("isolation.txt")]
        for group in isolation:
            rules = self.ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
            self.assertEqual(rules["SecurityGroupRules"], [])

        printed = self.run_block("isolate")
        self.assertEqual(set(self.interfaces()), set(before["interfaces"]))
        for interface, groups in self.interfaces().items():
            self.assertEqual(len(groups), 1, interface)
            self.assertIn(groups[0], isolation)
            self.assertIn(interface, printed)

        self.run_block("deny")
        role = self.file("role.txt")[0][0]
        policy = self.iam.get_role_policy(RoleName=role, PolicyName=f"by-hand-{self.instance}")["PolicyDocument"]
        allows = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}"
        for other, expected in ((self.instance, "Deny"), ("i-0fedcba9876543210", "Allow")):
            said = decide([policy, allows], "s3:GetObject", "arn:aws:s3:::x", session, aws__userid=f"AROA1:{other}")
            self.assertEqual(said, expected, other)
        self.assertEqual(self.profiles(), [])
        self.assertEqual(self.shown()["MetadataOptions"]["HttpEndpoint"], "disabled")

        wanted = lambda: self.autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=before["group"])  # noqa: E731
        capacity = wanted()["AutoScalingGroups"][0]["DesiredCapacity"]
        self.run_block("leave the fleet")
        self.assertEqual((self.group(), self.registered(), self.in_classic()), ([], set(), []))
        self.assertEqual(wanted()["AutoScalingGroups"][0]["DesiredCapacity"], capacity)

        self.run_block("preserve")
        volumes = {it["Ebs"]["VolumeId"] for it in self.shown()["BlockDeviceMappings"]}
        self.assertFalse(any(it["Ebs"]["DeleteOnTermination"] for it in self.shown()["BlockDeviceMappings"]))
        snapshots = self.ec2.describe_snapshots(Filters=[{"Name": "tag:incident", "Values": ["IR-7"]}])["Snapshots"]
        self.assertEqual({it["VolumeId"] for it in snapshots}, volumes)
        protected = self.ec2.describe_instance_attribute(InstanceId=self.instance, Attribute="disableApiTermination")
        self.assertTrue(protected["DisableApiTermination"]["Value"])

        self.run_block("read the log")

        self.run_block("give back")
        self.assertEqual(self.interfaces(), before["interfaces"])
        self.assertEqual(self.profiles(), before["profiles"])
        self.assertEqual((self.registered(), self.in_classic()), (before["registered"], before["classic"]))
        self.assertEqual(self.group(), before["group"])
        self.assertNotIn(f"by-hand-{self.instance}", self.iam.list_role_policies(RoleName=role)["PolicyNames"])
        self.assertEqual(self.shown()["MetadataOptions"]["HttpEndpoint"], "enabled")
        known = {group["GroupId"] for group in self.ec2.describe_security_groups()["SecurityGroups"]}
        self.assertFalse(known & set(isolation))

    def test_a_users_leaked_key_is_denied_and_turned_off(self):
        self.iam.create_user(UserName=USER)
        keys = [self.iam.create_access_key(UserName=USER)["AccessKey"]["AccessKeyId"] for _ in range(2)]
        printed = self.run_block("deny the user")
        user = self.iam.get_user(UserName=USER)["User"]
        deny_all = "arn:aws:iam::aws:policy/AWSDenyAll"
        self.assertEqual(user["PermissionsBoundary"]["PermissionsBoundaryArn"], deny_all)
        attached = self.iam.list_attached_user_policies(UserName=USER)["AttachedPolicies"]
        self.assertEqual([policy["PolicyArn"] for policy in attached], [deny_all])
        status = {it["AccessKeyId"]: it["Status"] for it in self.iam.list_access_keys(UserName=USER)["AccessKeyMetadata"]}
        self.assertEqual(status, dict.fromkeys(keys, "Inactive"))
        self.assertTrue(all(key in printed for key in keys), printed)
        self.assertEqual(self.file("boundary.txt"), [["None"]])

    def test_the_sessions_of_a_role_that_were_issued_before_now_are_denied(self):
        trust = '{"Version": "2012-10-17", "Statement": []}'
        self.iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=trust)
        self.run_block("revoke sessions")
        policy = self.iam.get_role_policy(RoleName=ROLE, PolicyName="by-hand-revoke")["PolicyDocument"]
        allows = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
        session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{ROLE}"
        for issued, expected in (("2020-01-01T00:00:00Z", "Deny"), ("2099-01-01T00:00:00Z", "Allow")):
            said = decide([policy, allows], "s3:GetObject", "arn:aws:s3:::x", session, aws__TokenIssueTime=issued)
            self.assertEqual(said, expected, issued)

    def test_every_block_of_the_section_is_tried(self):
        section = (PROJECT / "OPERATIONS.md").read_text().split("\n## 10. By hand\n")[1].split("\n## ")[0]
        self.assertEqual(section.count("```sh\n"), len(blocks()))
        with open(__file__) as file:
            tried = set(re.findall(r'run_block\("([\w ]+)"\)', file.read()))
        self.assertEqual(tried, set(blocks()))
        for command in NOT_HERE:
            self.assertIn(command, section)


if __name__ == "__main__":
    unittest.main()
