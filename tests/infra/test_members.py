"""What member accounts get: roles of the same power as the hub's, trusted only from there; rules that forward."""

import json
import unittest

import boto3
from common import ACCOUNT, EVERYTHING, PROJECT, Patterns, allowed, asked, decide, powers
from stack import INFRA, create
from test_rules import CAUGHT

HUB, ORGANIZATION = "111122223333", "o-abcdefghij"


def decide_trust(trust: dict, principal: str, organization: str = ORGANIZATION, identity: str = "i-1") -> bool:
    from ministack.core.iam_evaluator import evaluate_trust_policy

    request = asked(
        principal,
        "sts:AssumeRole",
        f"arn:aws:iam::{ACCOUNT}:role/brig-member",
        {"sts:sourceidentity": identity},
        {"aws:principalorgid": organization},
    )
    return evaluate_trust_policy(json.dumps(trust), principal, request)


class Roles(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = create(
            "brig-member-role",
            template=(INFRA / "member-role.yaml").read_text(),
            HubAccountId=HUB,
            OrganizationId=ORGANIZATION,
            Escalate="timeouts,public-address,remote-acl",
            ForensicProfile="ir/forensic",
            ForensicRole="ir/forensic",
            AllowStop="true",
            FlowLogGroupArns="arn:aws:logs:us-east-1:123456789012:log-group:flow-*",
            FlowLogBucketArns="arn:aws:s3:::archive",
            BreakGlassRoleArns=f"arn:aws:iam::{ACCOUNT}:role/break-glass-*",
        )
        cls.roles = {"contain": cls.stack.outputs["RoleArn"], "release": cls.stack.outputs["ReleaseRoleArn"]}

    def test_each_role_allows_what_its_duty_needs_elsewhere_and_nothing_else(self):
        for duty, role in self.roles.items():
            self.assertEqual(sorted(allowed(self.stack.policies(role))), sorted(powers()[duty]["elsewhere"]), duty)

    def test_its_denials_bite(self):
        for role in self.roles.values():
            documents = [*self.stack.policies(role), *EVERYTHING]
            for other in (role, f"arn:aws:iam::{ACCOUNT}:role/break-glass-1"):
                self.assertEqual(decide(documents, "iam:PutRolePolicy", other), "Deny", other)
            self.assertEqual(decide(documents, "ec2:TerminateInstances", "*"), "Deny")

    def test_only_the_hubs_role_is_trusted(self):
        iam = boto3.client("iam")
        for duty, role in self.roles.items():
            trust = iam.get_role(RoleName=role.split("/")[-1])["Role"]["AssumeRolePolicyDocument"]
            hub = f"arn:aws:iam::{HUB}:role/brig/brig-{duty}-0123456789ab"
            self.assertTrue(decide_trust(trust, hub))
            self.assertFalse(decide_trust(trust, hub, organization="o-other00000"))
            self.assertFalse(decide_trust(trust, hub, identity="mallory"))
            self.assertFalse(decide_trust(trust, f"arn:aws:iam::{HUB}:role/admin"))
            other = "release" if duty == "contain" else "contain"
            self.assertFalse(decide_trust(trust, f"arn:aws:iam::{HUB}:role/brig/brig-{other}-0123456789ab"))
            self.assertFalse(decide_trust(trust, hub.replace(HUB, "444455556666")))


class Events(unittest.TestCase):
    # What happens in the member account alone. Its findings reach the hub's Security Hub by themselves, and abuse reports
    # are put on the hub's own bus.
    FORWARDED = {"AlarmsRule", "DriftRule", "HealthRule", "SecurityHubActionsRule", "TagsRule"}

    @classmethod
    def setUpClass(cls):
        stack = create(
            "brig-member-events",
            template=(INFRA / "member-events.yaml").read_text(),
            HubBusArn=f"arn:aws:events:us-east-1:{HUB}:event-bus/default",
            ForwardFindings="yes",
            CustomActions="arn:aws:securityhub:us-east-1:123456789012:action/custom/Contain",
        )
        cls.patterns = Patterns(stack.resources())

    def test_every_call_that_can_undo_a_containment_is_forwarded(self):
        self.assertEqual(self.patterns.calls(), powers()["undoing"])

    def test_what_the_hub_must_hear_is_forwarded_and_nothing_else(self):
        for path in sorted((PROJECT / "events").glob("*.json")):
            document = json.loads(path.read_text())
            if not isinstance(document, dict):
                continue
            with self.subTest(path.stem):
                caught = self.patterns.catching(document)
                if document.get("source") == "aws.guardduty":
                    # A pattern compares numbers, which is what GuardDuty sends; the hub's rule chooses among its findings.
                    severity = document["detail"]["severity"]
                    severe = isinstance(severity, (int, float)) and severity >= 7
                    self.assertEqual(caught, ["FindingsRule"] if severe else [])
                else:
                    self.assertEqual(caught, [rule for rule in [CAUGHT.get(path.stem)] if rule in self.FORWARDED])


if __name__ == "__main__":
    unittest.main()
