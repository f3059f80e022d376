"""IAM users of ministack 1.5.33, corrected towards AWS.

- Calls about a user, or about a key of it, are authorised on the user's ARN, path included, and carry `iam:PermissionsBoundary` and `iam:PolicyARN`
  (https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html).
- `AWSDenyAll` exists, and denies everything (https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AWSDenyAll.html).
- SSH public keys, service-specific credentials and signing certificates exist; here they have an id, a status and a date
  (https://docs.aws.amazon.com/IAM/latest/APIReference/API_Operations.html).
- Ten managed policies are attached to a user at most (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html).
"""

import json
from contextvars import ContextVar

import ministack.core.iam_actions as actions
import ministack.core.iam_evaluator as evaluator
from ministack.core import router
from ministack.services import iam

DENY_ALL = "AWSDenyAll"
MOST_ATTACHED = 10
# AWS's names: what the list and its members are called, the id's element, its prefix, the date's element.
KINDS = {
    "SSHPublicKey": ("SSHPublicKeys", "SSHPublicKeyId", "APKA", "UploadDate", "UploadSSHPublicKey"),
    "ServiceSpecificCredential": (
        "ServiceSpecificCredentials", "ServiceSpecificCredentialId", "ACCA", "CreateDate",
        "CreateServiceSpecificCredential",
    ),
    "SigningCertificate": ("Certificates", "CertificateId", "CERT", "UploadDate", "UploadSigningCertificate"),
}

held: dict[tuple[str, str], list[dict]] = {}
asked: ContextVar[dict] = ContextVar("asked", default={})
original_arn, original_evaluate = actions.extract_resource_arn, evaluator.evaluate


def extract_resource_arn(service, method, path, headers, body, query_params, region, account_id):
    name = actions._query_param(query_params, "UserName")
    key = iam._access_keys.get(actions._query_param(query_params, "AccessKeyId"))
    if service == "iam" and (name := name or (key or {}).get("UserName")):
        user = iam._users.get(name)
        boundary = actions._query_param(query_params, "PermissionsBoundary") or (user or {}).get("PermissionsBoundary")
        policy = actions._query_param(query_params, "PolicyArn")
        asked.set({"iam:permissionsboundary": boundary, "iam:policyarn": policy})
        return user["Arn"] if user else f"arn:aws:iam::{account_id}:user/{name}"
    asked.set({})
    return original_arn(service, method, path, headers, body, query_params, region, account_id)


def evaluate(context, *others):
    context.service_context.update({key: value for key, value in asked.get().items() if value})
    return original_evaluate(context, *others)


def credentials(kind):
    listed, element, prefix, date, make = KINDS[kind]

    def shown(user, one):
        return (
            f"<UserName>{user}</UserName><{element}>{one['id']}</{element}><Status>{one['status']}</Status>"
            f"<{date}>{one['date']}</{date}><ServiceName>codecommit.amazonaws.com</ServiceName>"
            f"<ServiceUserName>{user}</ServiceUserName><CertificateBody>x</CertificateBody>"
            f"<Fingerprint>x</Fingerprint><SSHPublicKeyBody>x</SSHPublicKeyBody>"
        )

    def answer(name, inner):
        return iam._xml(200, f"{name}Response", f"<{name}Result>{inner}</{name}Result>", ns="iam")

    def missing(user):
        return iam._error(404, "NoSuchEntity", f"The user with name {user} cannot be found.", ns="iam")

    def create(p):
        user = iam._p(p, "UserName")
        if user not in iam._users:
            return missing(user)
        one = {"id": iam._gen_id(prefix), "status": "Active", "date": iam._now()}
        held.setdefault((kind, user), []).append(one)
        wrapper = "Certificate" if kind == "SigningCertificate" else kind
        return answer(make, f"<{wrapper}>{shown(user, one)}</{wrapper}>")

    def list_all(p):
        user = iam._p(p, "UserName")
        if user not in iam._users:
            return missing(user)
        members = "".join(f"<member>{shown(user, one)}</member>" for one in held.get((kind, user), []))
        name = f"List{kind}s"
        return answer(name, f"<{listed}>{members}</{listed}><IsTruncated>false</IsTruncated>")

    def update(p):
        user, wanted = iam._p(p, "UserName"), iam._p(p, element)
        for one in held.get((kind, user), []):
            if one["id"] == wanted:
                one["status"] = iam._p(p, "Status")
                return iam._xml(200, f"Update{kind}Response", "", ns="iam")
        return iam._error(404, "NoSuchEntity", f"{wanted} cannot be found.", ns="iam")

    return {make: create, f"List{kind}s": list_all, f"Update{kind}": update}


original_attach = iam._attach_user_policy


def attach_user_policy(p):
    attached = (iam._users.get(iam._p(p, "UserName")) or {}).get("AttachedPolicies", [])
    if len(attached) >= MOST_ATTACHED and iam._p(p, "PolicyArn") not in attached:
        return iam._error(409, "LimitExceeded", "Cannot exceed quota for PoliciesPerUser: 10", ns="iam")
    return original_attach(p)


def correct() -> None:
    """Applies all of it."""
    actions.extract_resource_arn = extract_resource_arn
    evaluator.evaluate = evaluate
    document = {"Version": "2012-10-17", "Statement": [{"Sid": "DenyAll", "Effect": "Deny", "Action": ["*"], "Resource": "*"}]}
    record = iam._make_aws_managed_record(DENY_ALL, json.dumps(document), description="Deny all access.")
    iam._aws_managed_policies[record["Arn"]] = record
    iam._IAM_HANDLERS["AttachUserPolicy"] = attach_user_policy
    for kind in KINDS:
        iam._IAM_HANDLERS.update(credentials(kind))
