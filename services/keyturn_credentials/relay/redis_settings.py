"""Settings of Redis that the fleet's guarantee or availability depends on. Pure: takes values that were
already read."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

SETTINGS_READ: Final = (
    "maxmemory",
    "maxmemory-policy",
    "min-replicas-to-write",
    "min-replicas-max-lag",
    "appendonly",
)
"""Names of the settings that ``shortcomings`` checks, as in redis.conf."""

REPLICAS: Final = "replicas"
"""Stands for the number of replicas, which is not a setting."""

CHECKS: Final = (*SETTINGS_READ, REPLICAS)
"""Names of everything in which ``shortcomings`` may find one."""


@dataclass(frozen=True, slots=True)
class Shortcoming:
    """An unsuitable setting and its possible consequence."""

    setting: str
    found: str
    wanted: str
    consequence: str


def shortcomings(
    found: Mapping[str, str], *, replicated: bool, lease_seconds: float, replicas: int = 0
) -> list[Shortcoming]:
    """Return what is wrong with this Redis. ``replicated``: a failover can promote another server.
    ``replicas``: how many it has now. Missing settings are not judged: a provider may hide them. If only
    ``maxmemory`` is missing, a policy that evicts is reported, with that doubt."""
    wrong: list[Shortcoming] = []

    def expect(setting: str, right: bool, wanted: str, consequence: str) -> None:
        if setting in found and not right:
            wrong.append(Shortcoming(setting, found[setting], wanted, consequence))

    doubt = "" if "maxmemory" in found else "if memory is limited (maxmemory is hidden), "
    expect(
        "maxmemory-policy",
        found.get("maxmemory") == "0" or found.get("maxmemory-policy") == "noeviction",
        "noeviction",
        f"{doubt}a client whose projection is evicted is refused as unknown, and a used assertion may be"
        " forgotten",
    )
    if replicated:
        expect(
            "min-replicas-to-write",
            _number(found, "min-replicas-to-write") >= 1,
            "1 or more",
            "a primary that is cut off keeps granting leases, and revocations do not reach its nodes",
        )
        expect(
            "min-replicas-max-lag",
            0 < _number(found, "min-replicas-max-lag") < lease_seconds,
            f"1 or more seconds, and less than the lease ({lease_seconds:g} s)",
            "a primary that is cut off keeps granting leases for longer than a lease lasts",
        )
        needed = _number(found, "min-replicas-to-write") + 1
        if needed > 1 and replicas < needed:
            # Warned in advance: when the primary is lost, a replica becomes the primary and needs replicas of
            # its own.
            consequence = "when the primary is lost, its successor rejects writes: all nodes are fenced"
            wrong.append(Shortcoming(REPLICAS, str(replicas), f"{needed} or more", consequence))
    else:
        expect(
            "appendonly",
            found.get("appendonly") == "yes",
            "yes",
            "a restart loses the record of used assertions: assertions issued before it are refused, and"
            " calls that wait for the fleet take longer",
        )
    return wrong


def _number(found: Mapping[str, str], setting: str) -> int:
    text = found.get(setting, "")
    return int(text) if text.isdigit() else 0
