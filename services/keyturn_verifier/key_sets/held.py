"""The key sets a node holds parsed, so that a check costs neither Redis nor parsing."""

import asyncio
from dataclasses import dataclass
from typing import Final

from keyturn_shared.jose.algorithms import SIGNATURE_ALGORITHMS
from keyturn_shared.jose.errors import InvalidKeySetError
from keyturn_shared.jose.jwk import Thumbprint, VerificationKey
from keyturn_shared.jose.key_set import KeySet
from keyturn_shared.key_sets.record import KeySetRecord

_PARSED_AT_ONCE: Final = 8
"""Keys that are parsed on the event loop, well under a millisecond; more go to a thread."""


@dataclass(slots=True)
class HeldKeySet:
    """A record and its keys, parsed. ``touched_at``: when this node last told Redis that it is in use, on the
    elapsed clock."""

    record: KeySetRecord
    keys: KeySet
    touched_at: float = float("-inf")

    def candidates(self, kid: str | Thumbprint | None, algorithm: str) -> tuple[VerificationKey, ...]:
        """The keys a token with this kid and alg can mean; see ``KeySet.candidates``."""
        return self.keys.candidates(kid, SIGNATURE_ALGORITHMS[algorithm])


class HeldKeySets:
    """At most ``capacity`` key sets by id. Each is replaced whole; those in use keep what they took."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._held: dict[str, HeldKeySet] = {}

    def __len__(self) -> int:
        return len(self._held)

    def __contains__(self, key_set_id: str) -> bool:
        return key_set_id in self._held

    def get(self, key_set_id: str) -> HeldKeySet | None:
        return self._held.get(key_set_id)

    async def admit(self, key_set_id: str, record: KeySetRecord) -> HeldKeySet:
        """Hold the record unless a newer one is held; what is held then. Parses only keys that are new."""
        held = self._held.get(key_set_id)
        keys = await _parsed(record, held)
        held = self._held.get(key_set_id)  # parsing may have taken a while
        if held is not None and held.record.generation >= record.generation:
            return held
        touched_at = held.touched_at if held is not None else float("-inf")
        self._held.pop(key_set_id, None)
        while len(self._held) >= self._capacity:
            self._held.pop(next(iter(self._held)))
        fresh = self._held[key_set_id] = HeldKeySet(record, keys, touched_at)
        return fresh


async def _parsed(record: KeySetRecord, held: HeldKeySet | None) -> KeySet:
    if held is not None and held.record.content == record.content:
        return held.keys

    def parse() -> KeySet:
        return KeySet.from_members({"keys": list(record.keys)}, max_keys=len(record.keys))

    try:
        return parse() if len(record.keys) <= _PARSED_AT_ONCE else await asyncio.to_thread(parse)
    except InvalidKeySetError:
        return KeySet(())
