"""Hostile variations of assertions, each with the code of its refusal."""

from typing import Final

from tests.integration.workload.attack import Attack
from tests.integration.workload.attacks_on_claims import AUDIENCES, CONDITIONS, SVIDS, TEXTS, TIMES
from tests.integration.workload.attacks_on_identity import ISSUERS, KEYS, SUBJECTS

ATTACKS: Final[list[Attack]] = [
    *(*ISSUERS, *KEYS, *SUBJECTS),
    *(*AUDIENCES, *TIMES, *TEXTS, *CONDITIONS, *SVIDS),
]
