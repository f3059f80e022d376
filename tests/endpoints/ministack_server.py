"""Serve ministack, corrected towards AWS. Settings come from its own environment variables, and one from ours:

- IAM authorises calls about a role or an instance profile on its ARN, path included
  (https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html);
  ministack 1.5.33 leaves the path out, and knows no ARN of a profile.
- SNS delivers e-mail (https://docs.aws.amazon.com/sns/latest/dg/sns-email-notifications.html); ministack drops it. Here
  each mail becomes a text file in MAIL_FOLDER. No subscription has to be confirmed: nobody could.
- DynamoDB's calls carry the partition keys of the items that they name, dynamodb:LeadingKeys
  (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html); ministack knows no such key.
- What concerns users is in ministack_users.py.
"""

import itertools
import json
import os
import re
from pathlib import Path

import ministack.core.iam_actions as actions
from ministack.app import main
from ministack.services import iam, sns

import ministack_users

ministack_users.correct()
original = actions.extract_resource_arn


def extract_resource_arn(service, method, path, headers, body, query_params, region, account_id):
    if service == "iam":
        for parameter, held, kind in (
            ("InstanceProfileName", iam._instance_profiles, "instance-profile"),
            ("RoleName", iam._roles, "role"),
        ):
            if name := actions._query_param(query_params, parameter):
                known = held.get(name)
                return known["Arn"] if known else f"arn:aws:iam::{account_id}:{kind}/{name}"
    return original(service, method, path, headers, body, query_params, region, account_id)


actions.extract_resource_arn = extract_resource_arn

dynamodb_context = actions.dynamodb_service_context


def dynamodb_context_with_keys(body):
    context = dynamodb_context(body)
    asked = json.loads(body or b"{}")
    # Every table here has the partition key pk.
    named = [asked.get("Item", {}).get("pk"), asked.get("Key", {}).get("pk")]
    values = asked.get("ExpressionAttributeValues", {})
    if "pk = :pk" in asked.get("KeyConditionExpression", ""):
        named.append(values.get(":pk"))
    if keys := [key["S"] for key in named if key]:
        context["dynamodb:LeadingKeys"] = keys
    return context


actions.dynamodb_service_context = dynamodb_context_with_keys

fan_out = sns._fanout
numbers = itertools.count(1)


def deliver_mail_too(topic_arn, msg_id, message, subject, message_structure="", *others, **named):
    topic = sns._topic_by_arn_any_scope(topic_arn) or {"subscriptions": []}
    for subscription in topic["subscriptions"]:
        if subscription.get("protocol") == "email":
            text = sns._resolve_message_for_protocol(message, message_structure, "email")
            name = re.sub(r"[^A-Za-z0-9.-]+", "-", subject or "no subject").strip("-")[:80]
            head = f"To: {subscription.get('endpoint')}\nSubject: {subject}\n\n"
            (Path(os.environ["MAIL_FOLDER"]) / f"{next(numbers):03}-{name}.txt").write_text(head + text)
    return fan_out(topic_arn, msg_id, message, subject, message_structure, *others, **named)


sns._fanout = deliver_mail_too

if __name__ == "__main__":
    main()
