"""Judgement of the database: what was read goes in, findings come out. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from keyturn.doctor.diagnoses import backends
from keyturn.doctor.findings import Finding
from keyturn_credentials.domain.diagnosis import Diagnosis
from keyturn_credentials.store.error_causes import Cause
from keyturn_credentials.store.migrate import Schema

SLOW_SECONDS: Final = 0.1
"""Median of a round trip from which the database is called slow."""
OLDEST_POSTGRESQL: Final = 13
LEAST_FREE_BYTES: Final = 256 * 1024 * 1024
LEAST_FREE_SHARE: Final = 0.02
"""A disk is almost full if both less than this share and less than 5 GiB are free, or less than 256 MiB."""
_PLENTY_BYTES: Final = 5 * 1024**3

_READ_ONLY: Final = frozenset({"no_writable_server", "25006"})
_LOCKED: Final = ("SQLITE_BUSY", "SQLITE_LOCKED")


def judge_failure(cause: Cause, *, place: str) -> Finding:
    """Return the finding for an error of the driver. ``place``: the database, without a password."""
    read_only = cause.name in _READ_ONLY or cause.name.startswith("SQLITE_READONLY")
    diagnosis = backends.DATABASE_READ_ONLY if read_only else backends.DATABASE_UNREACHABLE
    if cause.name.startswith(_LOCKED):
        diagnosis = backends.DATABASE_LOCKED
    return Finding(diagnosis, f"{place}: {cause}")


def judge_schema(schema: Schema | None) -> Iterator[Finding]:
    """Yield what is wrong with the schema; None: the database is empty."""
    wrong: Mapping[Schema | None, tuple[Diagnosis, str]] = {
        None: (backends.DATABASE_EMPTY, "the database has no tables"),
        Schema.OLDER: (backends.DATABASE_SCHEMA_OLDER, "the schema is of an older release"),
        Schema.NEWER: (backends.DATABASE_SCHEMA_NEWER, "the schema is of a newer release"),
    }
    if schema in wrong:
        yield Finding(*wrong[schema])


def judge_speed(seconds: float) -> Iterator[Finding]:
    if seconds >= SLOW_SECONDS:
        yield Finding(
            backends.DATABASE_SLOW,
            f"a round trip takes {seconds * 1000:.0f} ms, {SLOW_SECONDS * 1000:.0f} ms or more",
        )


def judge_postgresql(settings: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what is wrong with a server. ``settings``: by name, ``reset_val`` of ``pg_settings``."""
    version = int(settings.get("server_version_num", "0")) // 10_000
    if 0 < version < OLDEST_POSTGRESQL:
        yield Finding(
            backends.DATABASE_VERSION_OLD,
            f"PostgreSQL {version}; keyturn needs {OLDEST_POSTGRESQL} or newer",
        )
    for name in ("fsync", "full_page_writes"):
        if settings.get(name) == "off":
            yield Finding(backends.DATABASE_NOT_DURABLE, f"{name} is off")
    if settings.get("synchronous_commit") == "off":
        yield Finding(backends.DATABASE_COMMIT_DEFAULT, "synchronous_commit is off by default")


def judge_disk(free: int, total: int, *, path: str) -> Iterator[Finding]:
    """Yield a finding if the disk of SQLite's file is almost full. Sizes are bytes."""
    little = free < LEAST_FREE_SHARE * total and free < _PLENTY_BYTES
    if free < LEAST_FREE_BYTES or little:
        yield Finding(
            backends.DATABASE_DISK_ALMOST_FULL,
            f"{free // 1024**2} MiB of {total // 1024**2} MiB are free on the disk of {path}",
        )


@dataclass(frozen=True, slots=True)
class SealedUnder:
    """Uses of keys in the database. ``encryption``: id of a key to the realms with data sealed under it;
    ``digests``: the same of the keys of digests. ``certain``: False if some data was not looked at."""

    encryption: Mapping[str, frozenset[str]]
    digests: Mapping[str, frozenset[str]]
    certain: bool = True


def judge_keys(
    uses: SealedUnder, ring: Sequence[str], fleet: Mapping[str, frozenset[str]]
) -> Iterator[Finding]:
    """Yield what the keys of the settings lack, and which of them are not needed.

    ``ring``: ids of the encryption keys, the first one encrypts. ``fleet``: ids of the keys that check
    digests of a realm, by the realm's name.
    """
    for key, realms in sorted(uses.encryption.items()):
        if key not in ring:
            yield Finding(
                backends.DATABASE_KEY_MISSING, f"data of {_named(realms)} is sealed under key {key}"
            )
        elif key != ring[0]:
            yield Finding(backends.DATABASE_KEY_FORMER, f"key {key} seals data of {_named(realms)}")
    if uses.encryption and uses.certain:
        for key in ring[1:]:
            if key not in uses.encryption:
                yield Finding(backends.DATABASE_KEY_UNUSED, f"key {key} seals nothing")
    for key, realms in sorted(uses.digests.items()):
        lacking = frozenset(realm for realm in realms if key not in fleet.get(realm, frozenset({key})))
        if lacking:
            yield Finding(
                backends.DATABASE_FLEET_KEY_MISSING,
                f"secrets of {_named(lacking)} have digests under key {key}",
            )


def _named(realms: frozenset[str]) -> str:
    names = sorted(realms)
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return (
        f"realm {', '.join(names[:3])}{more}" if len(names) == 1 else f"realms {', '.join(names[:3])}{more}"
    )
