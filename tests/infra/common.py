"""What the tests of the deployed template share. `make test` deploys it and says where to read what was deployed."""

import functools
import json
import os
import subprocess
from pathlib import Path

import boto3

PROJECT = Path(__file__).resolve().parents[2]
ACCOUNT, REGION = "123456789012", "us-east-1"


@functools.cache
def deployed() -> dict:
    """Outputs, resources, and the rendered policies by duty."""
    return json.loads(Path(os.environ["STACK_OUTPUTS"]).read_text())


@functools.cache
def powers() -> dict:
    """What the code says that it needs."""
    binary = Path(os.environ["STACK_BINARIES"]) / "powers"
    return json.loads(subprocess.run([binary], check=True, capture_output=True, text=True).stdout)


def template(name: str) -> dict:
    """A template of infra/, its short forms read as their long ones."""
    import yaml

    class Loader(yaml.SafeLoader):
        """Knows CloudFormation's tags."""

    def construct(loader: yaml.SafeLoader, tag: str, node: yaml.Node):
        function = tag if tag in ("Ref", "Condition") else f"Fn::{tag}"
        if isinstance(node, yaml.ScalarNode):
            return {function: loader.construct_scalar(node)}
        if isinstance(node, yaml.SequenceNode):
            return {function: loader.construct_sequence(node, deep=True)}
        return {function: loader.construct_mapping(node, deep=True)}

    Loader.add_multi_constructor("!", construct)
    return yaml.load((PROJECT / "infra" / name).read_text(), Loader)  # noqa: S506


def statements(documents: list[dict], effect: str) -> list[dict]:
    return [item for document in documents for item in document["Statement"] if item["Effect"] == effect]


def listed(value) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def allowed(documents: list[dict]) -> set[str]:
    """The actions that documents allow, on whatever."""
    return {action for item in statements(documents, "Allow") for action in listed(item["Action"])}


# A denial must bite even where this is allowed.
EVERYTHING = [{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}]
BRIG = f"arn:aws:sts::{ACCOUNT}:assumed-role/brig-contain-x/brig-contain"


def asked(principal: str, action: str, resource: str, context: dict, principal_keys: dict | None = None):
    """A request as IAM sees it, from loopback over TLS."""
    from ministack.core.iam_evaluator import EvalContext

    return EvalContext(
        principal_arn=principal,
        principal_type="AssumedRole",
        principal_account=principal.split(":")[4],
        action=action,
        resource_arn=resource,
        region=REGION,
        source_ip="127.0.0.1",
        secure_transport=True,
        service_context=context,
        **({"principal_keys": principal_keys} if principal_keys else {}),
        # Not in the request's context at all, unless given.
        tag_keys=None,
    )


def decide(
    documents: list[dict], action: str, resource: str, principal: str = BRIG, **context: str | list[str]
) -> str:
    """Allow, Deny or ImplicitDeny, as IAM would say with these keys in the request's context (`__` is a colon)."""
    from ministack.core.iam_evaluator import evaluate, parse_policy_document

    keys = {key.replace("__", ":").lower(): value for key, value in context.items()}
    request = asked(principal, action, resource, keys)
    return evaluate(request, [parse_policy_document(json.dumps(document)) for document in documents]).decision


class Patterns:
    """The patterns of a stack's rules, by logical id."""

    def __init__(self, resources: dict[str, tuple[str, str]]):
        self.client = boto3.client("events")
        rules = {
            logical: self.client.describe_rule(Name=physical.split("|")[-1])
            for logical, (kind, physical) in resources.items()
            if kind == "AWS::Events::Rule"
        }
        # A rule on a schedule has none.
        self.patterns = {logical: rule["EventPattern"] for logical, rule in rules.items() if rule.get("EventPattern")}

    def catching(self, document: dict) -> list[str]:
        """The rules that catch an event. What is no event of EventBridge's reaches no rule."""
        if not {"source", "detail-type", "account", "region", "time", "id"} <= document.keys():
            return []
        text = json.dumps({"resources": [], **document})
        return [
            logical
            for logical, pattern in self.patterns.items()
            if self.client.test_event_pattern(EventPattern=pattern, Event=text)["Result"]
        ]

    def calls(self) -> list[str]:
        """The calls that the rule on drift names."""
        return json.loads(self.patterns["DriftRule"])["detail"]["eventName"]
