"""Attacks on the endpoints of a running verifier: they must fail even if every signature is valid.

There is one module per topic. A case has a name, a source, and the code that logs and metrics must show; the
caller gets one of a few answers that reveal nothing.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx

from tests.testkit.attacked_node import Scene

Send = Callable[[Scene], Awaitable[httpx.Response]]


@dataclass(frozen=True)
class EndpointAttack:
    """An attack on a scene. ``status``: of the answer. ``before``: outcomes of the requests that lead to
    it."""

    name: str
    source: str
    expected: str
    send: Send
    status: int = 401
    before: frozenset[str] = frozenset()
