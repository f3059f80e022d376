"""Corrections to moto 5.2.5 where it departs from AWS in ways that matter to containment.

Each function replaces one behaviour, and names the AWS page that it restores. The product must never be bent to an
emulator; the emulator is bent here instead. Each module lists its own functions in CORRECTIONS, in the order in which
they apply; `tests/endpoints/checks` has the checks of each.
"""

import moto

from . import answers, autoscaling, balancers, filters, groups, instances, interfaces, profiles, reach, snapshots

MOTO_VERSION = "5.2.5"
AREAS = (interfaces, filters, groups, instances, profiles, snapshots, autoscaling, balancers, reach, answers)


def apply_all() -> None:
    """Apply every correction of every area, once, before the server starts."""
    if moto.__version__ != MOTO_VERSION:
        raise RuntimeError(
            f"the corrections are written against moto {MOTO_VERSION}, but {moto.__version__} is installed: "
            "install the pinned version, or review every correction against the new one"
        )
    for area in AREAS:
        for correction in area.CORRECTIONS:
            correction()
