"""`make play`: what it prints is enough to work on its account, and a mail arrives where it says."""

import json
import os
import re
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import boto3

from common import deployed


class Playing(unittest.TestCase):
    """An account of `make play`, and the exports that it prints."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        binary = Path(os.environ["STACK_BINARIES"]) / "play"
        self.play = subprocess.Popen([binary, self.folder.name], stdout=subprocess.PIPE, text=True)
        lines = []
        for line in self.play.stdout:
            lines.append(line)
            if line.startswith("Ctrl-C"):
                break
        self.guide = "".join(lines)
        self.exports = dict(re.findall(r"export (\w+)=(\S+)", self.guide))

    def tearDown(self):
        self.play.kill()
        self.play.wait()
        self.play.stdout.close()
        self.folder.cleanup()

    def session_of_exports(self) -> boto3.Session:
        """A session whose clients know nothing but the two exports, as a person's shell has them."""
        self.assertEqual({"AWS_CONFIG_FILE", "AWS_PROFILE"}, set(self.exports))
        before = dict(os.environ)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        os.environ.clear()
        os.environ.update({**kept, **self.exports})
        self.addCleanup(lambda: (os.environ.clear(), os.environ.update(before)))
        return boto3.Session()


class Play(Playing):
    def test_the_two_exports_are_enough_and_the_mail_appears(self):
        session = self.session_of_exports()
        exempt = re.search(r"(i-[0-9a-f]{17})\s+db-1", self.guide)[1]
        [reservation] = session.client("ec2").describe_instances(InstanceIds=[exempt])["Reservations"]
        self.assertEqual(exempt, reservation["Instances"][0]["InstanceId"])
        mails = Path(re.search(r"text files in\n\s+(\S+)", self.guide)[1])
        entry = {
            "Source": "brig.abuse",
            "DetailType": "Abuse Report",
            "Detail": json.dumps({"instance_ids": [exempt]}),
        }
        session.client("events").put_events(Entries=[entry])
        deadline = time.monotonic() + 60
        while not (found := [mail for mail in mails.glob("*.txt") if exempt in mail.read_text()]):
            self.assertLess(time.monotonic(), deadline, "no mail within a minute")
            time.sleep(0.3)
        self.assertIn("Subject: [Brig]", found[0].read_text())
        answer = session.client("lambda").invoke(
            FunctionName=deployed()["outputs"]["ContainFunction"], Payload=json.dumps({"action": "status"})
        )
        self.assertIn("active", json.loads(answer["Payload"].read()))


if __name__ == "__main__":
    unittest.main()
