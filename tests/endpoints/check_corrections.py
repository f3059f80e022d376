"""Checks of each correction in corrections/, over HTTP as the product sees it: `python check_corrections.py`.

With `--uncorrected` first, the same checks run against plain moto: what passes there needs no correction (any more).
"""

import sys
import unittest

# unittest finds the checks among the names of this module.
from checks.answers import ProtocolChecks
from checks.autoscaling import AutoScalingChecks
from checks.balancers import TargetChecks
from checks.groups import SecurityGroupChecks
from checks.instances import InstanceChecks
from checks.interfaces import InterfaceChecks
from checks.profiles import ProfileChecks
from checks.reach import ReachChecks
from checks.snapshots import SnapshotChecks

if __name__ == "__main__":
    unittest.main(argv=[item for item in sys.argv if item != "--uncorrected"])
