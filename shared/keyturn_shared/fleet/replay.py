"""Single use of assertions across the fleet (RFC 7523 section 3, rule 7)."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache

from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.replies import as_text
from keyturn_shared.fleet.scripts import Argument, Scripts
from keyturn_shared.projection import ClientProjection, ProjectedIssuer, RealmProjection

Mark = tuple[str, float]
"""A key in Redis, and the seconds for which it must be kept."""


class UnexpectedClaimantError(RedisUnavailableError):
    """The relay has not admitted this node yet, or considers it dead."""


class UseOutcome(IntEnum):
    """Outcome of marking an assertion. BEFORE_BARRIER: Redis lost its memory after the assertion was
    issued."""

    USED = 0
    MARKED = 1
    BEFORE_BARRIER = 2


_OUTCOMES = tuple(UseOutcome)


@dataclass(frozen=True, slots=True)
class AssertionUse:
    """An assertion about to be accepted.

    ``issuers``: the names of its signer, the last of which is its own alone; it is marked under each, and
    counts as used if any of the marks exists. ``remember_seconds``: until this node would refuse it anyway.
    ``issued_at``: NumericDate, the latest moment at which it can have been issued.
    """

    issuers: tuple[str, ...]
    jti: str
    remember_seconds: float
    issued_at: float


def issuers_of(realm: str, client: ClientProjection) -> tuple[str, ...]:
    """Return the names under which a client's assertions are marked as used.

    One consists of what the assertion itself names, realm and client id: otherwise a client recreated with
    the same id and key would accept it again. The other is the client's UUID: it survives a renamed realm,
    and nodes of earlier releases know only this one.
    """
    return _digest_of(realm, client.client_id), client.uuid


def names_of_issuer(realm: RealmProjection, issuer: ProjectedIssuer) -> tuple[str, ...]:
    """Return the names under which assertions by a trusted issuer are marked as used, by the same rule: one
    of what they name, and the issuer's id, which is unique within its realm alone."""
    return _digest_of(realm.name, "", issuer.issuer), _digest_of(realm.id, "", "", issuer.id)


@lru_cache(maxsize=4096)
def _digest_of(realm: str, *named: str) -> str:
    return hashlib.blake2b(json.dumps([realm, *named]).encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, slots=True)
class MarkedUses:
    """Outcome for each assertion, in order, with its marks, and the epoch in which they were made."""

    epoch: int
    outcomes: tuple[UseOutcome, ...]
    marks: list[list[Mark]]


class AssertionRegistry:
    """The fleet's memory of used assertions.

    ``leeway_seconds``: the greatest difference between two clocks. ``claimant``: the node that marks
    assertions and can restore its marks; without one, assertions issued before a loss are always refused.
    Raises RedisUnavailableError, also when Redis is not trusted, and UnexpectedClaimantError.
    """

    def __init__(
        self,
        scripts: Scripts,
        leeway_seconds: float,
        layout: Layout | None = None,
        *,
        claimant: str = "",
    ) -> None:
        self._scripts = scripts
        self._leeway = leeway_seconds
        self._layout = layout or Layout()
        self._claimant = claimant

    async def mark_used(self, uses: Sequence[AssertionUse]) -> MarkedUses:
        """Mark assertions as used, many in one round trip."""
        keys = [self._layout.head, self._layout.claimants]
        arguments: list[Argument] = [round(self._leeway * 1000), self._claimant]
        marks_of_all = [self.marks(use) for use in uses]
        for use, marks in zip(uses, marks_of_all, strict=True):
            keys += [key for key, _ in marks]
            remember = max(1, round(marks[0][1] * 1000))
            arguments += [len(marks), remember, round(use.issued_at * 1000)]
        reply = await self._scripts.run("claim_assertions", keys, arguments)
        outcome = as_text(reply[0])
        if outcome == "unexpected":
            raise UnexpectedClaimantError("this node has not yet been admitted to mark assertions as used")
        if outcome != "claimed":
            raise RedisUnavailableError("Redis is not yet trusted to remember used assertions")
        outcomes = tuple([_OUTCOMES[int(result)] for result in reply[2:]])
        return MarkedUses(int(reply[1]), outcomes, marks_of_all)

    async def find(self, use: AssertionUse) -> UseOutcome:
        """Return what marking this assertion would result in now, and mark nothing."""
        keys = [self._layout.head, *(key for key, _ in self.marks(use))]
        arguments = [round(self._leeway * 1000), round(use.issued_at * 1000)]
        reply = await self._scripts.run("find_assertions", keys, arguments)
        if as_text(reply[0]) != "found":
            raise RedisUnavailableError("Redis is not yet trusted to remember used assertions")
        return _OUTCOMES[int(reply[1])]

    def marks(self, use: AssertionUse) -> list[Mark]:
        """Return the marks of an assertion. A node whose clock is behind would accept it for longer than this
        one."""
        remember = max(0.0, use.remember_seconds) + self._leeway
        return [(key, remember) for key in self._layout.assertions(use.issuers, use.jti)]

    async def restore_marks(self, epoch: int, marks: Sequence[Mark]) -> bool:
        """Restore marks in the Redis of that epoch. Return False when the epoch is over."""
        keys = [self._layout.head, *(key for key, _ in marks)]
        arguments: list[Argument] = [epoch, *(max(1, round(seconds * 1000)) for _, seconds in marks)]
        return as_text(await self._scripts.run("return_assertions", keys, arguments)) == "returned"
