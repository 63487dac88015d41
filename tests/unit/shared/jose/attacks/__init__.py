"""The attack suite: known attacks on JWT verifiers, and violations of the specifications.

There is one module per topic. A case has a name, a source and the code of its refusal.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Attack:
    """``attempt`` must raise JoseError with the code ``expected``; for a refused key, its reason."""

    name: str
    source: str
    expected: str
    attempt: Callable[[], object]
