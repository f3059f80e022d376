"""What the tests of the deployed template share. `make test` deploys it and says where to read what was deployed."""

import functools
import json
import os
import subprocess
from pathlib import Path

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


def statements(documents: list[dict], effect: str) -> list[dict]:
    return [item for document in documents for item in document["Statement"] if item["Effect"] == effect]


def listed(value) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


BRIG = f"arn:aws:sts::{ACCOUNT}:assumed-role/brig-contain-x/brig-contain"


def decide(
    documents: list[dict], action: str, resource: str, principal: str = BRIG, **context: str | list[str]
) -> str:
    """Allow, Deny or ImplicitDeny, as IAM would say with these keys in the request's context (`__` is a colon)."""
    from ministack.core.iam_evaluator import EvalContext, evaluate, parse_policy_document

    keys = {key.replace("__", ":").lower(): value for key, value in context.items()}
    asked = EvalContext(
        principal_arn=principal,
        principal_type="AssumedRole",
        principal_account=ACCOUNT,
        action=action,
        resource_arn=resource,
        region=REGION,
        source_ip="127.0.0.1",
        secure_transport=True,
        service_context=keys,
        # Not in the request's context at all, unless given.
        tag_keys=None,
    )
    return evaluate(asked, [parse_policy_document(json.dumps(document)) for document in documents]).decision
