"""Checks of the answers to what moto does not know."""

import urllib.error
import urllib.request

from botocore.exceptions import ClientError

from .common import Corrected


class ProtocolChecks(Corrected):
    def test_what_is_missing_is_a_proper_error(self):
        self.run_instances()  # moto looks at a filter only where there is something to filter
        self.refused("InvalidParameterValue", self.interfaces_by, nonsense=["x"])
        filters = [{"Name": "nonsense", "Values": ["x"]}]
        self.refused("InvalidParameterValue", self.ec2.describe_instances, Filters=filters)
        self.refused("InvalidAction", self.ec2.get_console_screenshot, InstanceId="i-0123456789abcdef0")
        self.refused("InvalidAction", self.asg.describe_account_limits)

    def test_a_dry_run_changes_nothing(self):
        [instance] = self.run_instances()
        change = {"InstanceId": instance, "HttpEndpoint": "disabled"}
        with self.assertRaises(ClientError) as caught:
            self.ec2.modify_instance_metadata_options(DryRun=True, **change)
        self.assertEqual(caught.exception.response["Error"]["Code"], "DryRunOperation")
        [reservation] = self.ec2.describe_instances(InstanceIds=[instance])["Reservations"]
        self.assertEqual(reservation["Instances"][0]["MetadataOptions"]["HttpEndpoint"], "enabled")

    def test_an_action_that_does_not_exist(self):
        signed = "AWS4-HMAC-SHA256 Credential=test/20250101/eu-west-1/ec2/aws4_request, SignedHeaders=host, Signature=0"
        headers = {"Authorization": signed, "Content-Type": "application/x-www-form-urlencoded"}
        body = b"Action=DescribeNonsense&Version=2016-11-15"
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(urllib.request.Request(self.url, data=body, headers=headers))
        self.assertEqual(caught.exception.code, 400)
        self.assertIn("<Code>InvalidAction</Code>", caught.exception.read().decode())
