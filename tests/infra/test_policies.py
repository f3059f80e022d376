"""The deployed policies: what the code needs and nothing else, narrowed, with denials that bite."""

import json
import re
import unittest

from common import (
    ACCOUNT,
    EVERYTHING,
    PROJECT,
    REGION,
    allowed,
    decide,
    deployed,
    listed,
    powers,
    statements,
    template,
)

EC2 = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
SNAPSHOT = f"arn:aws:ec2:{REGION}::snapshot/snap-1"
NEVER = [
    "ec2:TerminateInstances",
    "ec2:DeleteSnapshot",
    "ec2:UnlockSnapshot",
    "ec2:DeleteVolume",
    "dynamodb:DeleteTable",
    "elasticloadbalancing:RegisterTargets",
]


def contain() -> list[dict]:
    return deployed()["policies"]["contain"]


def release() -> list[dict]:
    return deployed()["policies"]["release"]


class Needed(unittest.TestCase):
    def test_each_role_allows_what_its_duty_needs_and_nothing_else(self):
        for duty, documents in deployed()["policies"].items():
            granted = allowed(documents)
            needed = {*powers()[duty]["there"], *powers()[duty]["at_home"]}
            self.assertEqual(sorted(needed - granted), [], f"{duty} lacks these")
            self.assertEqual(sorted(granted - needed), [], f"nothing needs these of {duty}")

    def test_every_call_of_the_adapters_is_among_the_actions(self):
        # A transaction is allowed by its parts; who am I needs no permission.
        other = {
            "TransactWriteItems": "PutItem",
            "GetCallerIdentity": None,
            "ListObjectsV2": "ListBucket",
            "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
        }
        called = set()
        for path in (PROJECT / "crates" / "aws" / "src").rglob("*.rs"):
            called.update(re.findall(r'(?:explain\(|keep!\(\s*)"(\w+)"', path.read_text()))
        self.assertGreater(len(called), 40)
        known = {
            action.split(":")[1]
            for duty in ("contain", "release", "investigate")
            for where in ("there", "at_home")
            for action in powers()[duty][where]
        }
        names = {other.get(operation, operation) for operation in called} - {None}
        self.assertEqual(sorted(names - known), [])

    def test_no_action_is_allowed_by_a_wildcard(self):
        for documents in deployed()["policies"].values():
            for item in statements(documents, "Allow"):
                self.assertFalse([action for action in listed(item["Action"]) if "*" in action])

    def test_only_looks_are_allowed_on_everything(self):
        for documents in deployed()["policies"].values():
            for item in statements(documents, "Allow"):
                if "*" in listed(item["Resource"]):
                    looks = r"[\w-]+:(Describe|Get|List|Lookup)\w+"
                    self.assertEqual([a for a in listed(item["Action"]) if not re.fullmatch(looks, a)], [])

    def test_containing_can_destroy_nothing_and_give_nothing_back(self):
        for action in NEVER:
            for resource in ("*", f"{EC2}:instance/i-1", SNAPSHOT, f"arn:aws:iam::{ACCOUNT}:role/app"):
                self.assertNotEqual(decide(contain(), action, resource), "Allow", action)

    def test_investigating_changes_nothing_but_evidence(self):
        looks = r"[\w-]+:(Describe|Get|List|Lookup|Query|Filter|Receive)\w*|logs:(CreateLogStream|PutLogEvents)"
        writes = {}
        for item in statements(deployed()["policies"]["investigate"], "Allow"):
            for action in listed(item["Action"]):
                if not re.fullmatch(looks, action):
                    writes[action] = listed(item["Resource"])
        outputs = deployed()["outputs"]
        objects = [f"arn:aws:s3:::{outputs['EvidenceBucketName']}/*"]
        self.assertEqual(
            writes,
            {
                "s3:PutObject": objects,
                "s3:PutObjectRetention": objects,
                "kms:Sign": [outputs["EvidenceSigningKeyArn"]],
                "dynamodb:PutItem": [f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{outputs['LedgerTable']}"],
                "sqs:DeleteMessage": [outputs["EvidenceQueueArn"], outputs["RenewalsQueueArn"]],
            },
        )

    def test_the_chain_of_custody_is_all_that_investigating_writes_into_the_ledger(self):
        documents, table = deployed()["policies"]["investigate"], f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{deployed()['outputs']['LedgerTable']}"
        for keys, expected in (
            (["evidence/111122223333/us-east-1/i-1"], "Allow"),
            (["111122223333/us-east-1/i-1"], "ImplicitDeny"),
            (["evidence/x", "active"], "ImplicitDeny"),
            (None, "ImplicitDeny"),
        ):
            context = {} if keys is None else {"dynamodb__LeadingKeys": keys}
            self.assertEqual(decide(documents, "dynamodb:PutItem", table, **context), expected, keys)

    def test_what_investigating_wrote_it_can_neither_read_nor_take_away(self):
        bucket = f"arn:aws:s3:::{deployed()['outputs']['EvidenceBucketName']}"
        for action in (
            "s3:GetObject",
            "s3:GetObjectVersion",
            "s3:DeleteObject",
            "s3:DeleteObjectVersion",
            "s3:BypassGovernanceRetention",
            "s3:PutBucketObjectLockConfiguration",
            "s3:PutBucketPolicy",
        ):
            for resource in (bucket, f"{bucket}/x"):
                self.assertEqual(decide(deployed()["policies"]["investigate"], action, resource), "ImplicitDeny", action)
        for duty in ("contain", "release"):
            self.assertEqual(decide(deployed()["policies"][duty], "s3:PutObject", f"{bucket}/x"), "ImplicitDeny", duty)

    def test_the_policies_fit_on_a_role(self):
        # All inline policies of a role together, and each managed one, without white space:
        # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
        size = lambda document: len(json.dumps(document, separators=(",", ":")))
        for duty, documents in deployed()["policies"].items():
            inline = deployed()["inline"][duty]
            self.assertLess(sum(map(size, documents[:inline])), 10_240)
            for managed in documents[inline:]:
                self.assertLess(size(managed), 6_144)


class Narrowed(unittest.TestCase):
    def check(self, expected: str, documents: list[dict], action: str, resource: str, **context):
        self.assertEqual(decide(documents, action, resource, **context), expected, f"{action} {resource} {context}")

    def test_interfaces_go_into_groups_of_brigs_only(self):
        for action in ("ec2:ModifyNetworkInterfaceAttribute", "ec2:AuthorizeSecurityGroupEgress"):
            tagged = {"aws__ResourceTag/brig__role": "isolation"}
            self.check("Allow", contain(), action, f"{EC2}:security-group/sg-1", **tagged)
            self.check("ImplicitDeny", contain(), action, f"{EC2}:security-group/sg-1")
            other = {"aws__ResourceTag/brig__role": "web"}
            self.check("ImplicitDeny", contain(), action, f"{EC2}:security-group/sg-1", **other)

    def test_groups_are_made_with_brigs_tag_and_no_other(self):
        make, group = "ec2:CreateSecurityGroup", f"{EC2}:security-group/*"
        tag = {"aws__RequestTag/brig__role": "untrack"}
        self.check("Allow", contain(), make, group, aws__TagKeys=["brig:role"], **tag)
        self.check("ImplicitDeny", contain(), make, group, aws__TagKeys=["brig:role", "team"], **tag)
        self.check("ImplicitDeny", contain(), make, group, aws__TagKeys=["team"])

    def test_tags_are_brigs_own(self):
        tags, instance = "ec2:CreateTags", f"{EC2}:instance/i-1"
        self.check("Allow", contain(), tags, instance, aws__TagKeys=["brig:state", "brig:containment"])
        self.check("ImplicitDeny", contain(), tags, instance, aws__TagKeys=["brig:exempt"])
        self.check("ImplicitDeny", contain(), tags, instance, aws__TagKeys=["brig:state", "Name"])
        self.check("ImplicitDeny", contain(), tags, f"{EC2}:security-group/sg-1", aws__TagKeys=["brig:role"])
        made = {"ec2__CreateAction": "CreateSecurityGroup"}
        self.check("Allow", contain(), tags, f"{EC2}:security-group/sg-1", aws__TagKeys=["brig:role"], **made)
        self.check("ImplicitDeny", contain(), tags, SNAPSHOT, aws__TagKeys=["brig:device"])
        ours = {"aws__ResourceTag/brig__containment": "i-1-x"}
        self.check("Allow", contain(), tags, SNAPSHOT, aws__TagKeys=["brig:device"], **ours)
        self.check("Allow", release(), "ec2:DeleteTags", instance, aws__TagKeys=["brig:state"])
        self.check("ImplicitDeny", release(), "ec2:DeleteTags", instance, aws__TagKeys=["Name"])

    def test_snapshots_carry_their_containment(self):
        tag = {"aws__RequestTag/brig__containment": "i-1-x"}
        self.check("Allow", contain(), "ec2:CreateSnapshots", SNAPSHOT, **tag)
        self.check("ImplicitDeny", contain(), "ec2:CreateSnapshots", SNAPSHOT)
        self.check("ImplicitDeny", contain(), "ec2:LockSnapshot", SNAPSHOT)
        self.check("Allow", contain(), "ec2:LockSnapshot", SNAPSHOT, **{"aws__ResourceTag/brig__containment": "x"})

    def test_a_role_is_passed_to_ec2_only(self):
        role = f"arn:aws:iam::{ACCOUNT}:role/app"
        self.check("Allow", release(), "iam:PassRole", role, iam__PassedToService="ec2.amazonaws.com")
        self.check("ImplicitDeny", release(), "iam:PassRole", role, iam__PassedToService="lambda.amazonaws.com")

    def test_keys_are_granted_to_ec2s_volumes_only(self):
        key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"
        via = {"kms__GrantIsForAWSResource": "true"}
        self.check("Allow", release(), "kms:CreateGrant", key, kms__ViaService=f"ec2.{REGION}.amazonaws.com", **via)
        self.check("ImplicitDeny", release(), "kms:CreateGrant", key, kms__ViaService=f"s3.{REGION}.amazonaws.com", **via)
        self.check("ImplicitDeny", release(), "kms:CreateGrant", key, kms__ViaService=f"ec2.{REGION}.amazonaws.com")

    def test_of_a_bucket_flow_logs_alone_are_read(self):
        for bucket in ("flow-logs", "archive"):
            arn = f"arn:aws:s3:::{bucket}"
            file = f"{arn}/net/AWSLogs/{ACCOUNT}/vpcflowlogs/x/2026/05/01/{ACCOUNT}_vpcflowlogs_x_fl-1_20260501T1000Z_0.log.gz"
            self.check("Allow", contain(), "s3:ListBucket", arn, s3__prefix=file.removeprefix(f"{arn}/")[:-30])
            self.check("ImplicitDeny", contain(), "s3:ListBucket", arn, s3__prefix="AWSLogs/")
            self.check("ImplicitDeny", contain(), "s3:ListBucket", arn)
            self.check("Allow", contain(), "s3:GetObject", file)
            self.check("ImplicitDeny", contain(), "s3:GetObject", f"{arn}/AWSLogs/{ACCOUNT}/CloudTrail/x.json.gz")
            self.check("ImplicitDeny", contain(), "s3:PutObject", file)
            self.check("ImplicitDeny", release(), "s3:GetObject", file)
            key = "arn:aws:kms:eu-west-1:999988887777:key/1"
            for context in (arn, file):
                via = {"kms__EncryptionContext:aws:s3:arn": context}
                self.check("Allow", contain(), "kms:Decrypt", key, kms__ViaService="s3.eu-west-1.amazonaws.com", **via)
                self.check("ImplicitDeny", contain(), "kms:Decrypt", key, kms__ViaService="ec2.eu-west-1.amazonaws.com", **via)
            other = {"kms__EncryptionContext:aws:s3:arn": "arn:aws:s3:::flow-logs-of-others"}
            self.check("ImplicitDeny", contain(), "kms:Decrypt", key, kms__ViaService="s3.eu-west-1.amazonaws.com", **other)
        self.check("ImplicitDeny", contain(), "s3:ListBucket", "arn:aws:s3:::others")

    def test_one_profile_alone_may_take_the_place_of_an_instances_own(self):
        ec2 = {"iam__PassedToService": "ec2.amazonaws.com"}
        replace, instance = "ec2:ReplaceIamInstanceProfileAssociation", f"{EC2}:instance/i-1"
        profile = f"arn:aws:iam::{ACCOUNT}:instance-profile"
        self.check("Allow", contain(), "iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/ir/forensic", **ec2)
        self.check("ImplicitDeny", contain(), "iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/app", **ec2)
        self.check("Allow", contain(), replace, instance, ec2__NewInstanceProfile=f"{profile}/ir/forensic")
        self.check("ImplicitDeny", contain(), replace, instance, ec2__NewInstanceProfile=f"{profile}/app")

    def test_people_and_the_chat_channel_are_told_by_their_topics_and_no_other(self):
        outputs = deployed()["outputs"]
        for documents in (contain(), release()):
            for topic in (outputs["TopicArn"], outputs["ChatTopicArn"]):
                self.check("Allow", documents, "sns:Publish", topic)
            self.check("ImplicitDeny", documents, "sns:Publish", outputs["ChatTopicArn"] + "-2")
            self.check("ImplicitDeny", documents, "sns:GetTopicAttributes", outputs["ChatTopicArn"])

    def test_the_record_the_topic_and_the_queue_are_this_stacks(self):
        for action, resource in (
            ("dynamodb:PutItem", f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/other"),
            ("sns:Publish", f"arn:aws:sns:{REGION}:{ACCOUNT}:other"),
            ("sqs:ReceiveMessage", f"arn:aws:sqs:{REGION}:{ACCOUNT}:other"),
            ("sts:AssumeRole", "arn:aws:iam::999988887777:role/other"),
        ):
            self.check("ImplicitDeny", contain(), action, resource)


    def test_of_a_user_the_denial_alone_is_put_and_taken_away(self):
        user, deny = f"arn:aws:iam::{ACCOUNT}:user/staff/alice", "arn:aws:iam::aws:policy/AWSDenyAll"
        other = f"arn:aws:iam::{ACCOUNT}:policy/admin"
        boundary = lambda policy: {"iam__PermissionsBoundary": policy}
        attached = lambda policy: {"iam__PolicyARN": policy}
        self.check("Allow", contain(), "iam:PutUserPermissionsBoundary", user, **boundary(deny))
        self.check("ImplicitDeny", contain(), "iam:PutUserPermissionsBoundary", user, **boundary(other))
        self.check("Allow", contain(), "iam:AttachUserPolicy", user, **attached(deny))
        self.check("ImplicitDeny", contain(), "iam:AttachUserPolicy", user, **attached(other))
        self.check("Allow", release(), "iam:DeleteUserPermissionsBoundary", user, **boundary(deny))
        self.check("ImplicitDeny", release(), "iam:DeleteUserPermissionsBoundary", user, **boundary(other))
        self.check("Allow", release(), "iam:PutUserPermissionsBoundary", user, **boundary(other))
        self.check("Allow", release(), "iam:DetachUserPolicy", user, **attached(deny))
        self.check("ImplicitDeny", release(), "iam:DetachUserPolicy", user, **attached(other))
        for action in ("iam:CreateAccessKey", "iam:DeleteAccessKey", "iam:DeleteLoginProfile", "iam:CreateLoginProfile"):
            for documents in (contain(), release()):
                self.check("ImplicitDeny", documents, action, user)


class Denied(unittest.TestCase):
    """Each denial bites even where everything else is allowed."""

    def check(self, expected: str, documents: list[dict], action: str, resource: str, **context):
        decided = decide([*documents, *EVERYTHING], action, resource, **context)
        self.assertEqual(decided, expected, f"{action} {resource} {context}")

    def test_nothing_is_written_on_brigs_own_roles_nor_on_peoples(self):
        roles = f"arn:aws:iam::{ACCOUNT}:role"
        own = [deployed()["outputs"]["ContainRoleArn"], deployed()["outputs"]["ReleaseRoleArn"]]
        for documents in (contain(), release()):
            for role in (
                *own,
                f"{roles}/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Admin_0123456789abcdef",
                f"{roles}/AWSReservedSSO_Admin_0123456789abcdef",
                f"{roles}/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling",
                f"{roles}/break-glass-1",
            ):
                self.check("Deny", documents, "iam:PutRolePolicy", role)
            self.check("Allow", documents, "iam:PutRolePolicy", f"{roles}/app/web")

    def test_an_instance_whose_tag_says_never_is_left_alone(self):
        instance = f"{EC2}:instance/i-1"
        for action in ("ec2:ModifyInstanceAttribute", "ec2:CreateSnapshots", "ec2:DisassociateIamInstanceProfile"):
            self.check("Deny", contain(), action, instance, **{"aws__ResourceTag/brig__exempt": "never"})
            self.check("Allow", contain(), action, instance, **{"aws__ResourceTag/brig__exempt": "core-db"})
        # The cut is authorised on the interface: this denial does not bind it.
        eni = f"{EC2}:network-interface/eni-1"
        self.check("Allow", contain(), "ec2:ModifyNetworkInterfaceAttribute", eni)

    def test_a_user_whose_tag_says_never_is_left_alone(self):
        user, never = f"arn:aws:iam::{ACCOUNT}:user/alice", {"aws__ResourceTag/brig__exempt": "never"}
        for action in ("iam:PutUserPermissionsBoundary", "iam:AttachUserPolicy", "iam:UpdateAccessKey"):
            self.check("Deny", contain(), action, user, **never)
            self.check("Allow", contain(), action, user)

    def test_record_topic_and_queue_outlive_it(self):
        outputs = deployed()["outputs"]
        table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{outputs['LedgerTable']}"
        for documents in (contain(), release()):
            self.check("Deny", documents, "dynamodb:DeleteTable", table)
            for topic in (outputs["TopicArn"], outputs["ChatTopicArn"]):
                self.check("Deny", documents, "sns:DeleteTopic", topic)
            self.check("Deny", documents, "sqs:PurgeQueue", outputs["QueueArn"])
            for action in ("ec2:TerminateInstances", "ec2:UnlockSnapshot", "ec2:DeleteSnapshot", "ec2:DeleteVolume"):
                self.check("Deny", documents, action, f"{EC2}:instance/i-1")

    def test_the_denial_on_a_role_hits_the_instances_sessions_and_nobody_elses(self):
        denial = powers()["denial"]
        documents = [json.loads(denial["policy"])]
        bucket = "arn:aws:s3:::customers"
        self.check("Deny", documents, "s3:GetObject", bucket, ec2__SourceInstanceARN=denial["instance"])
        sibling = denial["instance"].replace("i-0123456789abcdef0", "i-0fedcba9876543210")
        self.check("Allow", documents, "s3:GetObject", bucket, ec2__SourceInstanceARN=sibling)
        self.check("Allow", documents, "s3:GetObject", bucket)


class Parameters(unittest.TestCase):
    """What CloudFormation would check before it makes anything, read from the template itself."""

    def setUp(self):
        self.template = template("template.yaml")

    def test_no_finding_is_kept_from_brig_that_it_would_act_on(self):
        def holds(rule, values: dict[str, str]):
            if isinstance(rule, str):
                return rule
            [(name, argument)] = rule.items()
            if name == "Ref":
                return values[argument]
            if name == "Fn::Equals":
                left, right = (holds(side, values) for side in argument)
                return left == right
            if name == "Fn::Contains":
                return holds(argument[1], values) in argument[0]
            self.assertIn(name, ("Fn::And", "Fn::Or"))
            self.assertLessEqual(len(argument), 10, "CloudFormation takes ten")
            return (all if name == "Fn::And" else any)(holds(part, values) for part in argument)

        [assertion] = self.template["Rules"]["LowestSeverityFits"]["Assertions"]
        for lowest in range(1, 11):
            for least in range(1, 11):
                values = {"LowestSeverity": str(lowest), "MinSeverity": str(least)}
                self.assertEqual(holds(assertion["Assert"], values), lowest <= least, values)

    def test_no_function_is_given_an_empty_setting(self):
        functions = [self.template["Globals"]["Function"], *(
            resource["Properties"]
            for resource in self.template["Resources"].values()
            if resource["Type"] == "AWS::Serverless::Function"
        )]
        parameters = self.template["Parameters"]
        for function in functions:
            for name, value in function.get("Environment", {"Variables": {}})["Variables"].items():
                if isinstance(value, dict) and "Fn::If" in value:
                    self.assertNotIn("", value["Fn::If"], f"{name} would be set to nothing")
                elif isinstance(value, dict) and value.keys() == {"Ref"} and value["Ref"] in parameters:
                    parameter = parameters[value["Ref"]]
                    self.assertNotEqual(str(parameter.get("Default", "x")), "", f"{name} would be set to nothing")

    def test_the_organisations_statement_has_a_name_that_fits_whatever_the_stacks_name(self):
        name = self.template["Resources"]["FromTheOrganization"]["Properties"]["StatementId"]["Fn::Sub"]
        self.assertNotIn("AWS::StackName", json.dumps(name))
        # A stack's id ends in a UUID: https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutPermission.html
        self.assertLessEqual(len(name[0].replace("${Id}", "0" * 36)), 64)


class Organization(unittest.TestCase):
    """The sample of a service control policy."""

    def check(self, expected: str, action: str, resource: str, role: str, **context):
        documents = [json.loads((PROJECT / "infra" / "scp.json").read_text()), *EVERYTHING]
        principal = f"arn:aws:iam::{ACCOUNT}:role/{role}"
        self.assertEqual(decide(documents, action, resource, principal, **context), expected, f"{action} by {role}")

    def test_what_is_brigs_only_brig_changes(self):
        brig, member, admin = "brig/brig-contain-0123456789ab", "brig-member", "admin"
        group, tagged = f"{EC2}:security-group/sg-1", {"aws__ResourceTag/brig__role": "isolation"}
        for role, expected in ((brig, "Allow"), (member, "Allow"), (admin, "Deny")):
            self.check(expected, "ec2:CreateTags", f"{EC2}:instance/i-1", role, aws__TagKeys=["brig:state"])
            self.check("Allow", "ec2:CreateTags", f"{EC2}:instance/i-1", role, aws__TagKeys=["Name"])
            self.check(expected, "ec2:AuthorizeSecurityGroupEgress", group, role, **tagged)
            self.check("Allow", "ec2:AuthorizeSecurityGroupEgress", group, role)
            self.check(expected, "iam:DeleteRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/workload/web", role)
        # Without names DeleteTags deletes all tags, and those are what the other statements look at.
        self.check("Deny", "ec2:DeleteTags", SNAPSHOT, admin)
        self.check("Allow", "ec2:DeleteTags", SNAPSHOT, admin, aws__TagKeys=["Name"])
        evidence = {"aws__ResourceTag/brig__containment": "i-1-x"}
        self.check("Deny", "ec2:DeleteSnapshot", SNAPSHOT, admin, **evidence)
        self.check("Allow", "ec2:DeleteSnapshot", SNAPSHOT, admin)

    def test_backups_copy_the_tags_of_what_is_contained(self):
        # AWS Backup and Data Lifecycle Manager give what they make the source's tags, as roles of the account's own.
        backup, lifecycle = "AWSBackupDefaultServiceRole", "AWSDataLifecycleManagerDefaultRoleForAMIManagement"
        tags = ["Name", "brig:containment", "brig:state"]
        for role in (f"service-role/{backup}", f"service-role/{lifecycle}"):
            for made in (SNAPSHOT, f"arn:aws:ec2:{REGION}::image/ami-1"):
                self.check("Allow", "ec2:CreateTags", made, role, aws__TagKeys=tags)
            self.check("Deny", "ec2:CreateTags", f"{EC2}:instance/i-1", role, aws__TagKeys=tags)
            self.check("Deny", "ec2:CreateTags", f"{EC2}:security-group/sg-1", role, aws__TagKeys=["brig:role"])
        for role in ("admin", backup, "brig-backup"):
            self.check("Deny", "ec2:CreateTags", SNAPSHOT, role, aws__TagKeys=tags)

    def test_no_user_changes_iam_while_it_is_being_contained(self):
        documents = [json.loads((PROJECT / "infra" / "scp.json").read_text()), *EVERYTHING]
        user = f"arn:aws:iam::{ACCOUNT}:user"
        for principal, expected in ((f"{user}/alice", "Deny"), (f"{user}/break-glass/one", "Allow")):
            for action in ("iam:CreateAccessKey", "iam:DetachUserPolicy", "iam:CreateUser", "iam:UpdateAssumeRolePolicy"):
                self.assertEqual(decide(documents, action, f"{user}/alice", principal), expected, f"{principal} {action}")
            self.assertEqual(decide(documents, "s3:GetObject", "arn:aws:s3:::b/k", principal), "Allow")
        for role, expected in (("brig/brig-contain-0123456789ab", "Allow"), ("admin", "Deny")):
            self.check(expected, "iam:DeleteUserPermissionsBoundary", f"{user}/alice", role)

    def test_it_fits(self):
        # https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html
        text = json.dumps(json.loads((PROJECT / "infra" / "scp.json").read_text()), separators=(",", ":"))
        self.assertLess(len(text), 5120)


class Linted(unittest.TestCase):
    # What parliament says of the rendered policies, and why it stays.
    EXPLAINED = {
        "CREDENTIALS_EXPOSURE": "sts:AssumeRole, of the member role by its name alone",
        "PERMISSIONS_MANAGEMENT_ACTIONS": "iam:PutRolePolicy is how credentials are denied; PassRole how a profile is given back",
        "PRIVILEGE_ESCALATION": "iam:PutRolePolicy has no condition key for what is put: SECURITY.md, and ForeignPolicyRule",
        "RESOURCE_MISMATCH": "EC2 asks for each resource of a call: each has a statement, with conditions, of its own",
    }

    def test_a_linter_finds_nothing_that_is_not_explained(self):
        import parliament

        found = []
        for duty, documents in deployed()["policies"].items():
            for document in documents:
                analyzed = parliament.analyze_policy_string(json.dumps(document), include_community_auditors=True)
                found += [
                    f"{duty}: {finding.issue} {finding.detail} {finding.location}"
                    for finding in analyzed.findings
                    if finding.issue not in self.EXPLAINED
                ]
        self.assertEqual(found, [], "\n".join(found))


if __name__ == "__main__":
    unittest.main()
