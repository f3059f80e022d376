"""Dashboard and alarms: every metric that they name is one that somebody writes, and every text that they name is there."""

import json
import re
import unittest

import boto3
from common import PROJECT, REGION, deployed, powers, template

# AWS's own, by namespace: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
# and https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html.
AWS = {
    "AWS/SQS": {"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"},
    "AWS/Lambda": {"Errors", "Throttles", "Duration", "ConcurrentExecutions"},
}


def dashboard() -> dict:
    name = deployed()["resources"]["Dashboard"][1]
    return json.loads(boto3.client("cloudwatch").get_dashboard(DashboardName=name)["DashboardBody"])


def charted() -> list[tuple[str, str, dict[str, str]]]:
    """Namespace, name and dimensions of each metric of the dashboard, as it was deployed."""
    found = []
    for widget in dashboard()["widgets"]:
        for metric in widget["properties"]["metrics"]:
            namespace, name, *rest = [part for part in metric if isinstance(part, str)]
            found.append((namespace, name, dict(zip(rest[::2], rest[1::2], strict=True))))
    return found


def alarms() -> dict[str, list[tuple[str, str, dict]]]:
    """The same of each alarm, by its name without the stack's; from the template, since the endpoint has not all of them."""
    found = {}
    for resource in template("template.yaml")["Resources"].values():
        if resource["Type"] != "AWS::CloudWatch::Alarm":
            continue
        properties = resource["Properties"]
        stats = [entry["MetricStat"]["Metric"] for entry in properties.get("Metrics", []) if "MetricStat" in entry]
        name = properties["AlarmName"]["Fn::Sub"].removeprefix("${AWS::StackName}-")
        found[name] = [
            (metric["Namespace"], metric["MetricName"], {d["Name"]: d["Value"] for d in metric["Dimensions"]})
            for metric in stats or [properties]
        ]
    return found


class Watching(unittest.TestCase):
    def check(self, namespace: str, name: str, dimensions: dict):
        if namespace == "Brig":
            self.assertIn(name, powers()["metrics"])
            self.assertEqual(dimensions, {"service": "brig"}, name)
        else:
            self.assertIn(name, AWS[namespace])
            self.assertEqual(len(dimensions), 1, name)

    def test_every_metric_of_the_dashboard_is_written_by_somebody(self):
        self.assertGreater(len(charted()), 30)
        for namespace, name, dimensions in charted():
            self.check(namespace, name, dimensions)

    def test_every_metric_of_an_alarm_is_written_by_somebody(self):
        self.assertGreater(len(alarms()), 12)
        for metrics in alarms().values():
            for namespace, name, dimensions in metrics:
                self.check(namespace, name, dimensions)

    def test_every_count_that_the_code_writes_is_on_the_dashboard(self):
        shown = {name for namespace, name, _ in charted() if namespace == "Brig"}
        self.assertEqual(sorted({*powers()["metrics"]} - shown), ["time_to_done"])

    def test_the_dashboard_shows_this_stacks_queues_and_functions_and_all_of_them(self):
        resources = deployed()["resources"]
        of = lambda kind: {physical.split("/")[-1] for type_, physical in resources.values() if type_ == kind}  # noqa: E731
        shown = {value for _, _, dimensions in charted() for value in dimensions.values()} - {"brig"}
        self.assertEqual(shown, of("AWS::SQS::Queue") | {deployed()["outputs"][f] for f in ("ContainFunction", "ReleaseFunction")})

    def test_it_is_of_one_region_and_overlaps_nowhere(self):
        seen = set()
        for widget in dashboard()["widgets"]:
            self.assertEqual(widget["properties"]["region"], REGION)
            self.assertLessEqual(widget["x"] + widget["width"], 24)
            for x in range(widget["x"], widget["x"] + widget["width"]):
                for y in range(widget["y"], widget["y"] + widget["height"]):
                    self.assertNotIn((x, y), seen, widget["properties"]["title"])
                    seen.add((x, y))

    def test_the_link_is_to_the_console_of_the_partition(self):
        name = deployed()["resources"]["Dashboard"][1]
        self.assertEqual(name, f"brig-{REGION}")
        link = deployed()["outputs"]["DashboardLink"]
        self.assertEqual(
            link, f"https://{REGION}.console.aws.amazon.com/cloudwatch/home?region={REGION}#dashboards/dashboard/{name}"
        )

        def chosen(value, partition: str):
            if isinstance(value, str):
                return value
            condition, yes, no = value["Fn::If"]
            [(_, expected)] = enumerate(template("template.yaml")["Conditions"][condition]["Fn::Equals"][1:])
            return chosen(yes if partition == expected else no, partition)

        domain = template("template.yaml")["Outputs"]["DashboardLink"]["Value"]["Fn::Sub"][1]["Domain"]
        for partition, expected in (
            ("aws", "aws.amazon.com"),
            ("aws-cn", "amazonaws.cn"),
            ("aws-us-gov", "amazonaws-us-gov.com"),
        ):
            self.assertEqual(chosen(domain, partition), expected)

    def test_operations_explains_every_alarm_and_no_other(self):
        section = (PROJECT / "OPERATIONS.md").read_text().split("\n## 4. Alarms\n")[1].split("\n## ")[0]
        explained = re.findall(r"^\| `<stack>-([\w-]+)`", section, re.M)
        self.assertEqual(sorted(explained), sorted(alarms()))


if __name__ == "__main__":
    unittest.main()
