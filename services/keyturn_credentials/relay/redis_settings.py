"""Settings of Redis that the fleet's guarantee, or its ease, depends on. Pure: what was read goes in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

ASKED: Final = (
    "maxmemory",
    "maxmemory-policy",
    "min-replicas-to-write",
    "min-replicas-max-lag",
    "appendonly",
)
"""Names of the settings that ``shortcomings`` looks at, as in redis.conf."""


@dataclass(frozen=True, slots=True)
class Shortcoming:
    """A setting that is not as it should be, and what may come of it."""

    setting: str
    found: str
    wanted: str
    consequence: str


def shortcomings(found: Mapping[str, str], *, replicated: bool, lease_seconds: float) -> list[Shortcoming]:
    """What is wrong with this Redis. ``replicated``: another server may take its place. Settings that are
    not among those found are let pass: a provider may hide them."""
    wrong: list[Shortcoming] = []

    def expect(setting: str, right: bool, wanted: str, consequence: str) -> None:
        if setting in found and not right:
            wrong.append(Shortcoming(setting, found[setting], wanted, consequence))

    expect(
        "maxmemory-policy",
        found.get("maxmemory") == "0" or found.get("maxmemory-policy") == "noeviction",
        "noeviction",
        "a client whose projection is evicted is refused as unknown, and a used assertion may be forgotten",
    )
    if replicated:
        expect(
            "min-replicas-to-write",
            _number(found, "min-replicas-to-write") >= 1,
            "1 or more",
            "a primary that is cut off goes on giving leases, and revocations do not reach their nodes",
        )
        expect(
            "min-replicas-max-lag",
            0 < _number(found, "min-replicas-max-lag") < lease_seconds,
            f"less than the lease, {lease_seconds:g}",
            "a primary that is cut off goes on giving leases for longer than a lease lasts",
        )
    else:
        expect(
            "appendonly",
            found.get("appendonly") == "yes",
            "yes",
            "a restart forgets used assertions: clients are asked for new ones, and waits take longer",
        )
    return wrong


def _number(found: Mapping[str, str], setting: str) -> int:
    text = found.get(setting, "")
    return int(text) if text.isdigit() else 0
