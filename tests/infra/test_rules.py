"""The rules' patterns against every event of `events/`: each catches what it should, and nothing else."""

import json
import re
import unittest

import boto3
from common import PROJECT, Patterns, deployed, powers

EVENTS = PROJECT / "events"
# Which rule catches which event; no rule catches the others. A removed tag is not told from a set one by a pattern, and
# what was only attacked a rule of the account's own may act on: the function ignores both.
CAUGHT = {
    "abuse-address": "AbuseReportsRule",
    "abuse-ids": "AbuseReportsRule",
    "abuse-text": "AbuseReportsRule",
    "alarm": "AlarmsRule",
    "alarm-contributor": "AlarmsRule",
    "cloudtrail-groups-swapped": "DriftRule",
    "abuse-key": "AbuseReportsRule",
    "cloudtrail-new-key": "DriftRule",
    "cloudtrail-quarantine": "DriftRule",
    "guardduty-access-key": "GuardDutyRule",
    "guardduty-attack-sequence-iam": "GuardDutyRule",
    "guardduty-iam-user": "GuardDutyRule",
    "guardduty-role-session": "GuardDutyRule",
    "guardduty-root-key": "GuardDutyRule",
    "guardduty-user-key": "GuardDutyRule",
    "health-exposed-key": "HealthRule",
    "health-exposed-key-not-named": "HealthRule",
    "securityhub-user-key": "SecurityHubRule",
    "securityhub-user-key-chosen": "SecurityHubActionsRule",
    "securityhub-v2-user-key": "SecurityHubV2Rule",
    "guardduty-access-key-mentioned": "GuardDutyRule",
    "guardduty-access-key-unknown": "GuardDutyRule",
    "guardduty-attack-sequence": "GuardDutyRule",
    "guardduty-attack-sequence-eks": "GuardDutyRule",
    "guardduty-attack-sequence-odd": "GuardDutyRule",
    "guardduty-attacked": "GuardDutyRule",
    "guardduty-eks": "GuardDutyRule",
    "guardduty-finding": "GuardDutyRule",
    "guardduty-malware": "GuardDutyRule",
    "health-abuse": "HealthRule",
    "health-abuse-backup-region": "HealthRule",
    "health-abuse-closed": "HealthRule",
    "health-abuse-names-nothing": "HealthRule",
    "health-abuse-organization": "HealthRule",
    "health-copyright": "HealthRule",
    "securityhub-access-key": "SecurityHubRule",
    "securityhub-custom-action": "SecurityHubActionsRule",
    "securityhub-custom-action-bare": "SecurityHubActionsRule",
    "securityhub-edited": "SecurityHubRule",
    "securityhub-eks": "SecurityHubRule",
    "securityhub-imported": "SecurityHubRule",
    "securityhub-v2": "SecurityHubV2Rule",
    "securityhub-v2-access-key": "SecurityHubV2Rule",
    "securityhub-v2-bare": "SecurityHubV2Rule",
    "securityhub-v2-eks": "SecurityHubV2Rule",
    "tag-removed": "TagsRule",
    "tag-set": "TagsRule",
}


def event(name: str) -> dict:
    return json.loads((EVENTS / f"{name}.json").read_text())


class Rules(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.patterns = Patterns(deployed()["resources"])

    def check(self, document: dict, *rules: str):
        self.assertEqual(self.patterns.catching(document), list(rules))

    def test_each_rule_catches_what_it_should_and_nothing_else(self):
        for path in sorted(EVENTS.glob("*.json")):
            with self.subTest(path.stem):
                document = json.loads(path.read_text())
                expected = CAUGHT.get(path.stem)
                self.check(document if isinstance(document, dict) else {}, *([expected] if expected else []))

    def test_severities_below_the_lowest_do_not_leave(self):
        for severity, rules in ((6.9, []), (7, ["GuardDutyRule"]), (7.0, ["GuardDutyRule"]), (9.5, ["GuardDutyRule"])):
            finding = event("guardduty-finding")
            finding["detail"]["severity"] = severity
            self.check(finding, *rules)
        imported = event("securityhub-imported")
        for severity, rules in (
            ({"Product": 6.9, "Normalized": 70}, []),
            ({"Product": 7, "Normalized": 70}, ["SecurityHubRule"]),
            ({"Normalized": 69}, []),
            ({"Normalized": 80}, ["SecurityHubRule"]),
        ):
            for finding in imported["detail"]["findings"]:
                finding["Severity"] = severity
            self.check(imported, *rules)

    def test_what_the_product_said_leaves_and_not_what_a_customer_made_of_it(self):
        imported = event("securityhub-imported")
        [finding] = imported["detail"]["findings"]
        for label, product, rules in (
            ("HIGH", 1, ["SecurityHubRule"]),
            ("CRITICAL", 1, ["SecurityHubRule"]),
            ("MEDIUM", 10, []),
            ("LOW", 10, []),
        ):
            finding["FindingProviderFields"] = {"Severity": {"Label": label, "Original": label}}
            finding["Severity"] = {"Product": product, "Normalized": product * 10}
            self.check(imported, *rules)
        second = event("securityhub-v2-bare")
        [finding] = second["detail"]["findings"]
        for said, shown, rules in ((4, 1, ["SecurityHubV2Rule"]), (2, 5, []), (None, 4, ["SecurityHubV2Rule"])):
            finding["vendor_attributes"] = {} if said is None else {"severity_id": said}
            finding["severity_id"] = shown
            self.check(second, *rules)

    def test_what_is_closed_does_not_leave(self):
        for change in (
            {"RecordState": "ARCHIVED"},
            {"Workflow": {"Status": "RESOLVED"}},
            {"Workflow": {"Status": "SUPPRESSED"}},
            {"ProductFields": {"aws/guardduty/service/archived": "true"}},
        ):
            imported = event("securityhub-imported")
            imported["detail"]["findings"][0].update(change)
            self.check(imported)
        for status in (3, 4, 5, 6):
            second = event("securityhub-v2-bare")
            second["detail"]["findings"][0]["status_id"] = status
            self.check(second)

    def test_other_products_findings_do_not_leave(self):
        for arn in ("arn:aws:securityhub:us-east-1::product/aws/inspector", "arn:aws:securityhub:us-east-1:123456789012:product/123456789012/default"):
            imported = event("securityhub-imported")
            imported["detail"]["findings"][0]["ProductArn"] = arn
            self.check(imported)
            second = event("securityhub-v2-bare")
            second["detail"]["findings"][0]["metadata"]["product"]["uid"] = arn
            self.check(second)

    def test_samples_do_not_leave(self):
        texts = ('{"sample":true}', '{"a":1,"sample": true}')
        for mark in ({"sample": True}, {"sample": "true"}, *({"value": text} for text in texts)):
            sample = event("guardduty-finding")
            sample["detail"]["service"]["additionalInfo"] = mark
            self.check(sample)
        real = event("guardduty-finding")
        real["detail"]["service"]["additionalInfo"] = {"sample": False, "value": "{}", "type": "default"}
        self.check(real, "GuardDutyRule")
        archived = event("guardduty-finding")
        archived["detail"]["service"]["archived"] = True
        self.check(archived)

    def test_what_brig_itself_does_starts_nothing(self):
        outputs = deployed()["outputs"]
        for role in ("ContainRoleArn", "ReleaseRoleArn"):
            call = event("cloudtrail-groups-swapped")
            call["detail"]["userIdentity"] = {
                "type": "AssumedRole",
                "sessionContext": {"sessionIssuer": {"arn": outputs[role]}},
            }
            self.check(call)
        member = event("cloudtrail-groups-swapped")
        member["detail"]["userIdentity"] = {
            "type": "AssumedRole",
            "sessionContext": {
                "sessionIssuer": {"arn": "arn:aws:iam::999988887777:role/brig-member"},
                "sourceIdentity": "i-0123456789abcdef0-20260102T030405Z",
            },
        }
        self.check(member)
        self.check(event("tag-of-brig"))
        alarm = event("alarm")
        alarm["detail"]["configuration"] = {"metrics": [{"metricStat": {"metric": {"dimensions": {"service": "brig"}}}}]}
        self.check(alarm)

    def test_a_call_that_failed_changed_nothing(self):
        call = event("cloudtrail-groups-swapped")
        call["detail"]["errorCode"] = "Client.UnauthorizedOperation"
        self.check(call)

    def test_every_call_that_can_undo_a_containment_is_caught(self):
        for name in powers()["undoing"]:
            call = event("cloudtrail-groups-swapped")
            call["detail"]["eventName"] = name
            self.check(call, "DriftRule")
        self.assertEqual(self.patterns.calls(), powers()["undoing"])

    def test_any_policy_but_its_own_is_told(self):
        call = event("cloudtrail-groups-swapped")
        call["source"] = "aws.iam"
        call["detail"].update(
            eventSource="iam.amazonaws.com",
            eventName="PutRolePolicy",
            requestParameters={"roleName": "app", "policyName": "brig-deny"},
            userIdentity={"sessionContext": {"sessionIssuer": {"arn": deployed()["outputs"]["ContainRoleArn"]}}},
        )
        self.check(call)
        call["detail"]["requestParameters"]["policyName"] = "brig-deny-sessions"
        self.check(call)
        call["detail"]["requestParameters"]["policyName"] = "admin"
        self.check(call, "ForeignPolicyRule")


class Wired(unittest.TestCase):
    def test_each_target_has_a_dead_letter_queue_of_its_own(self):
        client, seen = boto3.client("events"), []
        for kind, physical in deployed()["resources"].values():
            if kind == "AWS::Events::Rule":
                [target] = client.list_targets_by_rule(Rule=physical.split("|")[-1])["Targets"]
                seen.append(target["DeadLetterConfig"]["Arn"])
        self.assertEqual(len(set(seen)), 11)
        self.assertEqual(len(seen), 11)

    def test_the_queue_admits_these_rules_and_nobody_else(self):
        sqs, outputs = boto3.client("sqs"), deployed()["outputs"]
        url = sqs.get_queue_url(QueueName=outputs["QueueArn"].split(":")[-1])["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        admits, nobody_else, _ = json.loads(attributes["Policy"])["Statement"]
        rules = admits["Condition"]["ArnEquals"]["aws:SourceArn"]
        self.assertEqual(admits["Principal"], {"Service": "events.amazonaws.com"})
        self.assertEqual(len(rules), 9)
        self.assertTrue(all(re.fullmatch(r"arn:aws:events:.*:rule/brig-\w+Rule-\w+", rule) for rule in rules), rules)
        self.assertEqual(nobody_else["Effect"], "Deny")
        self.assertEqual(nobody_else["Condition"]["ArnNotEquals"]["aws:SourceArn"], rules)
        self.assertEqual(attributes["VisibilityTimeout"], "130")
        self.assertEqual(json.loads(attributes["RedrivePolicy"])["maxReceiveCount"], 10)

    def test_everything_that_the_endpoint_supports_is_there(self):
        from cfnlint.decode import cfn_yaml
        from stack import TEMPLATE, supported

        resources = cfn_yaml.loads(supported(TEMPLATE.read_text()))["Resources"]
        # What a parameter left out.
        absent = {"FromTheOrganization"}
        self.assertEqual(sorted(set(resources) - set(deployed()["resources"])), sorted(absent))


if __name__ == "__main__":
    unittest.main()
