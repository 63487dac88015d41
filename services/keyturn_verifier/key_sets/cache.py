"""Cache of parsed key sets, so that a check costs neither a Redis call nor parsing."""

import asyncio
from dataclasses import dataclass
from typing import Final

from keyturn_shared.jose.algorithms import SIGNATURE_ALGORITHMS
from keyturn_shared.jose.errors import InvalidKeySetError
from keyturn_shared.jose.jwk import Thumbprint
from keyturn_shared.jose.key_set import Candidates, KeySet
from keyturn_shared.key_sets.record import KeySetRecord

_PARSED_AT_ONCE: Final = 8
"""Up to this many keys are parsed on the event loop, in well under a millisecond; more go to a thread."""


@dataclass(slots=True)
class CachedKeySet:
    """A record and its parsed keys. ``touched_at``: when this node last told Redis that the set is in use, in
    seconds of the elapsed clock."""

    record: KeySetRecord
    keys: KeySet
    touched_at: float = float("-inf")

    def candidates(self, kid: str | Thumbprint | None, algorithm: str) -> Candidates:
        """Return the keys a token with this kid and alg may have been signed with; see
        ``KeySet.candidates``."""
        return self.keys.candidates(kid, SIGNATURE_ALGORITHMS[algorithm])


class KeySetCache:
    """At most ``capacity`` key sets by id. A set is replaced whole, so a check keeps the set it started
    with."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._cached: dict[str, CachedKeySet] = {}

    def __len__(self) -> int:
        return len(self._cached)

    def __contains__(self, key_set_id: str) -> bool:
        return key_set_id in self._cached

    def get(self, key_set_id: str) -> CachedKeySet | None:
        return self._cached.get(key_set_id)

    async def admit(self, key_set_id: str, record: KeySetRecord) -> CachedKeySet:
        """Cache the record unless a newer one is cached, and return the cached set. Parses only new keys."""
        cached = self._cached.get(key_set_id)
        keys = await _parsed(record, cached)
        cached = self._cached.get(key_set_id)  # another record may have been admitted during parsing
        if cached is not None and cached.record.generation >= record.generation:
            return cached
        touched_at = cached.touched_at if cached is not None else float("-inf")
        self._cached.pop(key_set_id, None)
        while len(self._cached) >= self._capacity:
            self._cached.pop(next(iter(self._cached)))
        fresh = self._cached[key_set_id] = CachedKeySet(record, keys, touched_at)
        return fresh


async def _parsed(record: KeySetRecord, cached: CachedKeySet | None) -> KeySet:
    if cached is not None and cached.record.content == record.content:
        return cached.keys

    def parse() -> KeySet:
        return KeySet.from_members({"keys": list(record.keys)}, max_keys=len(record.keys))

    try:
        return parse() if len(record.keys) <= _PARSED_AT_ONCE else await asyncio.to_thread(parse)
    except InvalidKeySetError:
        return KeySet(())
