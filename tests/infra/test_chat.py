"""infra/chat.yaml: what a channel may do, and buttons that read what messages have and ask for what Brig understands. The
endpoint knows no chat channel: its resources are read from the template, and the rest is deployed."""

import json
import re
import unittest

import boto3
from common import ACCOUNT, PROJECT, REGION, decide, deployed, powers, template
from stack import INFRA, create

FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function"


def without_channels() -> str:
    """The template without what the endpoint does not know."""
    blocks = re.split(r"(?m)^(?=(?:  )?\w+:$)", (INFRA / "chat.yaml").read_text())
    return "".join(block for block in blocks if "Type: AWS::Chatbot::" not in block)


def buttons() -> dict[str, dict]:
    resources = template("chat.yaml")["Resources"]
    return {name: it["Properties"] for name, it in resources.items() if it["Type"] == "AWS::Chatbot::CustomAction"}


def command(button: dict) -> str:
    return button["Definition"]["CommandText"]["Fn::Sub"].replace("${Stack}", "brig").replace("${AWS::Region}", REGION)


class Channel(unittest.TestCase):
    def stack(self, name: str, release: str):
        return create(
            name,
            template=without_channels(),
            ChatTopicArn=deployed()["outputs"]["ChatTopicArn"],
            SlackWorkspaceId="T0123ABCD",
            SlackChannelId="C0123ABCD",
            AllowRelease=release,
        )

    def test_it_may_invoke_the_function_that_contains_and_the_other_one_only_where_that_is_asked_for(self):
        for release, expected in (("false", "ImplicitDeny"), ("true", "Allow")):
            stack = self.stack(f"brig-chat-{release}", release)
            documents = stack.policies(stack.outputs["ChannelRoleArn"])
            self.assertEqual(decide(documents, "lambda:InvokeFunction", f"{FUNCTION}:brig-contain"), "Allow")
            self.assertEqual(decide(documents, "lambda:InvokeFunction", f"{FUNCTION}:brig-release"), expected)
            self.assertEqual(decide(documents, "lambda:InvokeFunction", f"{FUNCTION}:other"), "ImplicitDeny")
            self.assertEqual(decide(documents, "lambda:UpdateFunctionCode", f"{FUNCTION}:brig-contain"), "ImplicitDeny")

    def test_the_guardrail_is_that_policy_and_never_awss_default(self):
        resources = template("chat.yaml")["Resources"]
        channels = [it["Properties"] for it in resources.values() if it["Type"].endswith("ChannelConfiguration")]
        self.assertEqual(len(channels), 2)
        for channel in channels:
            self.assertEqual(channel["GuardrailPolicies"], [{"Ref": "MayInvoke"}])
            self.assertEqual(channel["SnsTopicArns"], [{"Ref": "ChatTopicArn"}])
            self.assertEqual(len(channel["CustomizationResourceArns"]), len(buttons()))
        self.assertEqual(template("chat.yaml")["Parameters"]["UserRoleRequired"]["Default"], "true")

    def test_each_button_reads_what_messages_have_and_its_command_uses_nothing_else(self):
        self.assertEqual(sorted(buttons()), ["AnswerNo", "AnswerYes", "Release", "Show"])
        for name, button in buttons().items():
            with self.subTest(name):
                [attached] = button["Attachments"]
                self.assertEqual(attached["NotificationType"], "Custom")
                prefix = "event.metadata.additionalContext."
                for variable in attached["Variables"].values():
                    self.assertTrue(variable.startswith(prefix), variable)
                    self.assertIn(variable.removeprefix(prefix), powers()["chat"])
                for criterion in attached["Criteria"]:
                    self.assertIn(criterion["VariableName"], attached["Variables"])
                used = set(re.findall(r"\$(\w+)", command(button)))
                self.assertLessEqual(used, set(attached["Variables"]))

    def test_each_command_is_one_that_brig_understands(self):
        values = {"question": "3f2a9c0d1e4b", "instance": "i-0123456789abcdef0", "account": ACCOUNT, "region": REGION}
        client = boto3.client("lambda")
        for name, button in buttons().items():
            with self.subTest(name):
                function = re.search(r"--function-name (\S+)", command(button))[1]
                payload = command(button).split("--payload ")[1]
                for variable, value in values.items():
                    payload = payload.replace(f"${variable}", value)
                answer = client.invoke(FunctionName=function, Payload=json.dumps(json.loads(payload)))
                said = json.loads(answer["Payload"].read())
                # There is no such question and no such containment; what is asked for is clear all the same.
                if "question" in button["Attachments"][0]["Variables"]:
                    self.assertIn('"3f2a9c0d1e4b" does not wait for an answer', said["errorMessage"])
                else:
                    self.assertNotIn("errorType", said, said)

    def test_operations_names_every_button(self):
        text = (PROJECT / "OPERATIONS.md").read_text()
        for button in buttons().values():
            self.assertIn(f"`{button['Attachments'][0]['ButtonText']}`", text)


if __name__ == "__main__":
    unittest.main()
