"""Deploys infra/template.yaml at the endpoint that AWS_ENDPOINT_URL names, with a binary that is built already, and runs
a command, which finds outputs and rendered policies in the file that STACK_OUTPUTS names.

    python stack.py [--everything | --mail] BOOTSTRAP COMMAND [ARGUMENT ...]

With --everything each parameter is set on which a statement of a policy depends; else the mode is, to enforce, and with
--mail an address that is notified.
"""

import io
import json
import os
import re
import sys
import tempfile
import time
import uuid
import zipfile
from pathlib import Path

import boto3

sys.path.append(str(Path(__file__).resolve().parent.parent / "endpoints"))

from run import run  # noqa: E402

# Every statement that depends on a parameter is there.
EVERYTHING = {
    "Mode": "enforce",
    "PolicyParameterArn": "arn:aws:ssm:us-east-1:123456789012:parameter/*",
    "MemberRoleName": "brig-member",
    "Escalate": "timeouts,public-address,remote-acl",
    "IpRanges": "http://127.0.0.1:9/ip-ranges.json",
    "ForensicProfile": "ir/forensic",
    "ForensicRole": "ir/forensic",
    "AllowStop": "true",
    "FlowLogGroupArns": "arn:aws:logs:us-east-1:123456789012:log-group:flow-*",
    "FlowLogBucketArns": "arn:aws:s3:::flow-logs,arn:aws:s3:::archive",
    "BreakGlassRoleArns": "arn:aws:iam::123456789012:role/break-glass-*",
    "CustomActions": "arn:aws:securityhub:us-east-1:123456789012:action/custom/Contain",
    "NotificationEmail": "oncall@example.com",
    "MakeChatTopic": "true",
}
# What each option deploys; without one only the mode is set.
SETTINGS = {
    "--everything": EVERYTHING,
    "--mail": {"Mode": "enforce", "NotificationEmail": "oncall@example.com"},
}
INFRA = Path(__file__).resolve().parents[2] / "infra"
TEMPLATE = INFRA / "template.yaml"


def package(bootstrap: bytes) -> bytes:
    """The zip that `cargo lambda build --output-format zip` makes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, bootstrap)
    return buffer.getvalue()


def supported(template: str) -> str:
    """Without what this endpoint cannot do: it speaks no TLS, it refuses alarms of more than one metric, it hands a number
    that is a parameter to the poller as a text, where CloudFormation makes it what the property's type is, and in conditions
    it joins no list, so that an empty one would count as given."""
    template = re.sub(r"!Equals \[!Join \['', !Ref (\w+)\], ''\]", r"!Equals [!Select [0, !Ref \1], '']", template)
    template = template.replace("aws:SecureTransport: 'false'", "aws:SecureTransport: 'never'")
    template = template.replace("MaximumConcurrency: !Ref MaximumConcurrency", "MaximumConcurrency: 10")
    blocks = re.split(r"(?m)^(?=(?:  )?\w+:$)", template)
    return "".join(block for block in blocks if "AWS::CloudWatch::Alarm" not in block or "\n      Metrics:" not in block)


def deploy(bootstrap: Path, name: str = "brig", **parameters: str) -> "Stack":
    """Deploys the binaries of both functions, which stand side by side."""
    s3 = boto3.client("s3")
    bucket = f"brig-code-{uuid.uuid4().hex[:12]}"
    s3.create_bucket(Bucket=bucket)
    for binary in (bootstrap, bootstrap.with_name("investigate")):
        s3.put_object(Bucket=bucket, Key=f"{binary.name}.zip", Body=package(binary.read_bytes()))
    # What `sam package` does.
    template = TEMPLATE.read_text()
    for folder, binary in (("lambda", "bootstrap"), ("investigate", "investigate")):
        template = template.replace(f"CodeUri: ../crates/{folder}", f"CodeUri: s3://{bucket}/{binary}.zip")
    # Too long for the call itself, as for every template of more than 51,200 bytes.
    s3.put_object(Bucket=bucket, Key="template.yaml", Body=supported(template).encode())
    return create(name, f"{s3.meta.endpoint_url}/{bucket}/template.yaml", Architecture="x86_64", **parameters)


def create(name: str, template_url: str | None = None, template: str | None = None, **parameters: str) -> "Stack":
    """Makes a stack of a template and waits for it."""
    cloudformation = boto3.client("cloudformation")
    cloudformation.create_stack(
        StackName=name,
        **({"TemplateURL": template_url} if template_url else {"TemplateBody": template}),
        Capabilities=["CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    )
    for _ in range(300):
        [stack] = cloudformation.describe_stacks(StackName=name)["Stacks"]
        if not stack["StackStatus"].endswith("IN_PROGRESS"):
            break
        time.sleep(0.2)
    if stack["StackStatus"] != "CREATE_COMPLETE":
        events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
        failed = [
            f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}"
            for event in events
            if event["ResourceStatus"].endswith("FAILED")
        ]
        raise RuntimeError(f"{stack['StackStatus']}: {stack.get('StackStatusReason')}\n" + "\n".join(failed))
    lock(stack)
    return Stack(name, {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])})


def lock(stack: dict) -> None:
    """Object Lock and versioning of the buckets of evidence, which CloudFormation here drops
    (https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-s3-bucket.html)."""
    for output in stack.get("Outputs", []):
        if output["OutputKey"] == "EvidenceBucketName":
            s3 = boto3.client("s3")
            s3.put_bucket_versioning(
                Bucket=output["OutputValue"], VersioningConfiguration={"Status": "Enabled"}
            )
            s3.put_object_lock_configuration(
                Bucket=output["OutputValue"], ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"}
            )


class Stack:
    """A stack that is there."""

    def __init__(self, name: str, outputs: dict[str, str]):
        self.name, self.outputs = name, outputs

    def resources(self) -> dict[str, tuple[str, str]]:
        """Type and physical id by logical id."""
        pages = boto3.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self.name)
        return {
            resource["LogicalResourceId"]: (resource["ResourceType"], resource["PhysicalResourceId"])
            for page in pages
            for resource in page["StackResourceSummaries"]
        }

    def policies(self, role: str) -> list[dict]:
        """Every policy document of a role, the inline ones first."""
        iam = boto3.client("iam")
        name = role.rsplit("/", 1)[-1]
        documents = [
            iam.get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]
        ]
        for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
            arn = policy["PolicyArn"]
            version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
            document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
            documents.append(json.loads(document) if isinstance(document, str) else document)
        return documents

    def inline(self, role: str) -> int:
        """How many of them are inline."""
        return len(boto3.client("iam").list_role_policies(RoleName=role.rsplit("/", 1)[-1])["PolicyNames"])


def main() -> int:
    """Deploys, tells the command where to read what was deployed, and runs it."""
    settings = SETTINGS.get(sys.argv[1])
    bootstrap, *command = sys.argv[2:] if settings else sys.argv[1:]
    settings = dict(settings or {"Mode": "enforce"})
    if sys.argv[1] == "--everything":
        key = boto3.client("kms").create_key(KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")
        settings["EvidenceSigningKeyArn"] = key["KeyMetadata"]["Arn"]
    stack = deploy(Path(bootstrap), **settings)
    roles = {duty: stack.outputs[f"{duty.title()}RoleArn"] for duty in ("contain", "release", "investigate")}
    policies = {duty: stack.policies(arn) for duty, arn in roles.items()}
    inline = {duty: stack.inline(arn) for duty, arn in roles.items()}
    binaries = str(Path(bootstrap).resolve().parent)
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"resources": stack.resources(), "outputs": stack.outputs, "policies": policies, "inline": inline}, file)
        file.flush()
        environment = {**os.environ, "STACK_OUTPUTS": file.name, "STACK_BINARIES": binaries}
        return run(command, environment)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main())
