"""The attack suite: what has been tried against JWT verifiers, and what the specifications forbid.

One module for each front. A case has a name, a source and the code it is to be refused with.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Attack:
    """``attempt`` has to raise JoseError with the code ``expected``; for a refused key, its reason."""

    name: str
    source: str
    expected: str
    attempt: Callable[[], object]
