"""Judgement of Redis: what was read goes in, findings come out. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from redis.exceptions import AuthenticationError, NoPermissionError, ReadOnlyError

from keyturn.doctor.diagnoses import backends
from keyturn.doctor.findings import Finding
from keyturn_credentials.relay.event_log import FleetState
from keyturn_credentials.relay.reconciliation import belongs_together
from keyturn_credentials.relay.redis_settings import Shortcoming
from keyturn_shared.fleet.head import Head
from keyturn_shared.signed_log.errors import ForgedError
from keyturn_shared.signed_log.head import read_head_statement
from keyturn_shared.signed_log.keys import LogVerificationKeys

SLOW_SECONDS: Final = 0.05
"""Median of a round trip from which Redis is called slow."""
MEMORY_SHARE: Final = 0.9
"""Share of ``maxmemory`` from which memory is called almost full."""
CLOCK_SECONDS: Final = 5.0
"""Difference of two clocks from which it is reported: a third of the default ``KEYTURN_CLOCK_SKEW``."""
RELAY_SILENT_MS: Final = 5_000
OLDEST: Final = (7, 0)

_UNSAFE: Final = frozenset({"maxmemory-policy", "min-replicas-to-write", "min-replicas-max-lag"})
_QUOTED: Final = re.compile(r"'([a-z|_-]+)'")


def judge_failure(error: BaseException, *, place: str) -> Finding:
    """Return the finding for an exception of redis-py. ``place``: the URL without user and password."""
    if isinstance(error, AuthenticationError):
        return Finding(backends.REDIS_PASSWORD_WRONG, f"{place}: {error}")
    if isinstance(error, NoPermissionError):
        return denied([command_in(error)])
    if isinstance(error, ReadOnlyError):
        return Finding(backends.REDIS_IS_REPLICA, f"{place} is a replica")
    return Finding(backends.REDIS_UNREACHABLE, f"{place}: {error or type(error).__name__}")


def command_in(error: NoPermissionError) -> str:
    """Return the command that Redis names in its refusal, such as ``config|get``."""
    match = _QUOTED.search(str(error))
    return match.group(1) if match else "a command"


def denied(commands: Iterable[str]) -> Finding:
    names = ", ".join(sorted({name.upper().replace("|", " ") for name in commands}))
    return Finding(backends.REDIS_COMMAND_DENIED, f"the user may not run {names} on keyturn's keys")


def judge_server(info: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield what is wrong with a server. ``info``: of ``INFO``."""
    version = str(info.get("redis_version", ""))
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers and numbers < OLDEST:
        yield Finding(backends.REDIS_VERSION_OLD, f"Redis {version}")
    used, most = int(info.get("used_memory", 0)), int(info.get("maxmemory", 0))
    if most and used >= MEMORY_SHARE * most:
        yield Finding(
            backends.REDIS_MEMORY_ALMOST_FULL,
            f"{used // 1024**2} MiB of {most // 1024**2} MiB (maxmemory) are used",
        )


def judge_settings(wrong: Iterable[Shortcoming]) -> Iterator[Finding]:
    for each in wrong:
        unsafe = each.setting in _UNSAFE
        yield Finding(
            backends.REDIS_SETTING_UNSAFE if unsafe else backends.REDIS_SETTING_WEAK,
            f"{each.setting} is {each.found}, should be {each.wanted}: {each.consequence}",
        )


def judge_speed(seconds: float) -> Iterator[Finding]:
    if seconds >= SLOW_SECONDS:
        yield Finding(
            backends.REDIS_SLOW,
            f"a round trip takes {seconds * 1000:.0f} ms, {SLOW_SECONDS * 1000:.0f} ms or more",
        )


def judge_clock(theirs: float, before: float, after: float) -> Iterator[Finding]:
    """Yield a finding if a clock is far from this machine's. ``theirs``: read between ``before`` and
    ``after`` of this machine; all in seconds."""
    apart = max(before - theirs, theirs - after)
    if apart >= CLOCK_SECONDS:
        ahead = "ahead of" if theirs > after else "behind"
        yield Finding(backends.REDIS_CLOCK_DIFFERS, f"its clock is {apart:.0f} s {ahead} this machine's")


@dataclass(frozen=True, slots=True)
class LogInDatabase:
    """The database's side: newest sequence, record of Redis, and the id of the event at the head's
    sequence."""

    newest: int
    state: FleetState
    head_event_id: str | None


def judge_head(
    head: Head | None, now: int, log: LogInDatabase | None, keys: LogVerificationKeys
) -> Iterator[Finding]:
    """Yield what is wrong with the log in Redis, the first cause only: the rest follows from it.

    ``now``: ms of Redis' clock. ``log``: None if the database could not be read.
    """
    if head is None:
        yield Finding(backends.REDIS_EMPTY, "Redis has no event log")
        return
    if log is not None and not belongs_together(head, log.state, log.head_event_id):
        yield Finding(
            backends.REDIS_OF_ANOTHER_LOG,
            f"Redis is in epoch {head.position.epoch} at event {head.position.sequence}, which the database"
            f" (epoch {log.state.epoch}, {log.newest} events) does not have",
        )
        return
    if not head.trusted:
        yield Finding(backends.REDIS_NOT_VOUCHED, "no relay has vouched for this Redis process")
        return
    behind = 0 if log is None else log.newest - head.position.sequence
    silent = now - head.stamped_at
    if silent > RELAY_SILENT_MS:
        missing = f"; {behind} events are missing in Redis" if behind > 0 else ""
        yield Finding(backends.RELAY_SILENT, f"no relay has reported for {silent // 1000} s{missing}")
        return
    try:
        read_head_statement(head.statement, keys)
    except ForgedError as error:
        yield Finding(backends.LOG_KEY_FOREIGN, f"the relay's statement: {error.detail}")
        return
    if not head.complete:
        yield Finding(backends.REDIS_FILLING, f"epoch {head.position.epoch} is not complete")
    elif behind > 0:
        yield Finding(
            backends.REDIS_BEHIND,
            f"the database has {log.newest if log else 0} events, Redis {head.position.sequence}",
        )
