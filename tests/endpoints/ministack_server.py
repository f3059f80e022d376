"""Serve ministack, corrected towards AWS where policies are judged. Settings come from its own environment variables.

IAM authorises calls about a role or an instance profile on its ARN, path included
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html);
ministack 1.5.33 leaves the path out, and knows no ARN of a profile.
"""

import ministack.core.iam_actions as actions
from ministack.app import main
from ministack.services import iam

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

if __name__ == "__main__":
    main()
