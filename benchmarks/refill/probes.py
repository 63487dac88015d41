"""Callers who know the right answer: they must get it or 503, never another."""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import httpx

from tests.testkit.client_population import REALM, client_id_of, secret_of

UNAVAILABLE: Final = 503
RIGHT: Final = {"known": 200, "revoked": 401, "wrong secret": 401, "unknown client": 401}
"""Right answer to each kind of probe."""


@dataclass
class Answers:
    """By kind and status. ``wrong``: answers that are neither the right one nor 503."""

    counts: Counter[tuple[str, int]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def note(self, kind: str, status: int, about: str) -> None:
        self.counts[kind, status] += 1
        if status not in (RIGHT[kind], UNAVAILABLE):
            self.wrong.append(f"{about} ({kind}) was answered {status}")

    @property
    def total(self) -> int:
        return self.counts.total()

    def describe(self) -> str:
        return ", ".join(f"{kind} {status}: {count}" for (kind, status), count in sorted(self.counts.items()))


class Prober:
    """Sends requests to the nodes in turn. ``revoked`` grows as secrets are ended everywhere."""

    def __init__(self, nodes: list[str], clients: int, known: list[int], seed: int = 1) -> None:
        self.answers = Answers()
        self.revoked: list[tuple[str, str]] = []
        self._nodes = nodes
        self._clients = clients
        self._known = known
        self._random = random.Random(seed)
        self._http = httpx.AsyncClient(trust_env=False, timeout=30)

    async def close(self) -> None:
        await self._http.aclose()

    async def warm(self) -> None:
        """Have every node cache the known clients."""
        for node in self._nodes:
            for number in self._known:
                status = await self._ask(node, client_id_of(number), secret_of(number))
                self.answers.note("known", status, client_id_of(number))

    async def run(self, until: Callable[[], bool], *, pause: float) -> None:
        """Send one request after the other, of every kind, until told to stop."""
        kinds = [self._known_client, self._known_client, self._any_client, self._wrong, self._unknown]
        while not until():
            kind = self._random.choice([*kinds, *([self._revoked] * 2 if self.revoked else [])])
            name, client_id, secret = kind()
            node = self._random.choice(self._nodes)
            self.answers.note(name, await self._ask(node, client_id, secret), client_id)
            await asyncio.sleep(pause)

    def _known_client(self) -> tuple[str, str, str]:
        number = self._random.choice(self._known)
        return "known", client_id_of(number), secret_of(number)

    def _any_client(self) -> tuple[str, str, str]:
        """Return a client that most likely no node has cached; never one whose secret is changed."""
        number = self._random.randrange(len(self._known) * 2, self._clients)
        return "known", client_id_of(number), secret_of(number)

    def _wrong(self) -> tuple[str, str, str]:
        number = self._random.choice(self._known)
        return "wrong secret", client_id_of(number), secret_of(number + 1)

    def _unknown(self) -> tuple[str, str, str]:
        return "unknown client", f"nobody-{self._random.random()}", "no secret of anybody"

    def _revoked(self) -> tuple[str, str, str]:
        client_id, secret = self._random.choice(self.revoked)
        return "revoked", client_id, secret

    async def _ask(self, node: str, client_id: str, secret: str) -> int:
        answer = await self._http.post(
            f"{node}/realms/{REALM}/protocol/openid-connect/token",
            data={"grant_type": "client_credentials"},
            auth=(client_id, secret),
        )
        return answer.status_code
