"""Attacks on the endpoints of a running verifier: what has to fail although each signature may well hold.

One module for each front. A case has a name, a source, and the code that logs and metrics have to show; what
the caller sees is one of a few answers that give nothing away.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx

from tests.integration.attacks.scene import Scene

Send = Callable[[Scene], Awaitable[httpx.Response]]


@dataclass(frozen=True)
class EndpointAttack:
    """``send`` makes the attack on a scene. ``status``: of the answer. ``before``: outcomes that the requests
    count which lead to it."""

    name: str
    source: str
    expected: str
    send: Send
    status: int = 401
    before: frozenset[str] = frozenset()
