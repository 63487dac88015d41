"""Judgement of Redis, by what was read of it."""

from dataclasses import replace
from typing import Any

import pytest
from redis.exceptions import (
    AuthenticationError,
    ConnectionError,  # noqa: A004 - the one of redis-py is meant
    NoPermissionError,
    ReadOnlyError,
)

from keyturn.doctor.redis_judgement import (
    LogInDatabase,
    judge_clock,
    judge_failure,
    judge_head,
    judge_server,
    judge_settings,
    judge_speed,
)
from keyturn_credentials.relay.event_log import FleetState
from keyturn_credentials.relay.redis_settings import CHECKS, Shortcoming
from keyturn_shared.fleet.head import Head
from keyturn_shared.position import Position
from keyturn_shared.signed_log.head import HeadStatement
from keyturn_shared.signed_log.keys import LogSigningKeys

_KEYS = LogSigningKeys.from_text(LogSigningKeys.generate_key())
_OTHERS = LogSigningKeys.from_text(LogSigningKeys.generate_key())
_LOG = "00000000-0000-4000-8000-000000000000"
_NOW = 1_000_000
_EVENT = "the-event"


def statement(keys: LogSigningKeys) -> bytes:
    return HeadStatement(_LOG, 5, 9, _NOW).signed(keys)


HEAD = Head(
    position=Position(5, 9),
    event_id=_EVENT,
    complete=True,
    trusted=True,
    lease_ms=10_000,
    margin_ms=1_000,
    waits_after=0,
    opened_at=0,
    base_sequence=0,
    stamped_at=_NOW - 1_000,
    replay_barrier=0,
    closed_nonce=None,
    statement=statement(_KEYS),
)
DATABASE = LogInDatabase(9, FleetState(5), _EVENT)


@pytest.mark.parametrize(
    ("head", "database", "codes"),
    [
        (HEAD, DATABASE, []),
        (HEAD, None, []),
        (None, DATABASE, ["redis_empty"]),
        (replace(HEAD, trusted=False), DATABASE, ["redis_not_vouched"]),
        (replace(HEAD, stamped_at=_NOW - 5_000), DATABASE, []),
        (replace(HEAD, stamped_at=_NOW - 5_001), DATABASE, ["relay_silent"]),
        (replace(HEAD, complete=False), DATABASE, ["redis_filling"]),
        (HEAD, replace(DATABASE, newest=10), ["redis_behind"]),
        (HEAD, replace(DATABASE, state=FleetState(6)), ["redis_of_another_log"]),
        (HEAD, replace(DATABASE, head_event_id="another"), ["redis_of_another_log"]),
        (HEAD, replace(DATABASE, head_event_id=None), ["redis_of_another_log"]),
        (replace(HEAD, statement=statement(_OTHERS)), DATABASE, ["log_key_foreign"]),
        (replace(HEAD, statement=b""), DATABASE, ["log_key_foreign"]),
        # The first cause only.
        (replace(HEAD, trusted=False, complete=False, stamped_at=0), DATABASE, ["redis_not_vouched"]),
    ],
)
def test_the_log_in_redis(head: Head | None, database: LogInDatabase | None, codes: list[str]) -> None:
    found = judge_head(head, _NOW, database, _KEYS.verification())
    assert [each.code for each in found] == codes


@pytest.mark.parametrize(
    ("info", "codes"),
    [
        ({}, []),
        ({"redis_version": "7.0.0"}, []),
        ({"redis_version": "8.2.3"}, []),
        ({"redis_version": "6.2.14"}, ["redis_version_old"]),
        ({"used_memory": 90, "maxmemory": 100}, ["redis_memory_almost_full"]),
        ({"used_memory": 89, "maxmemory": 100}, []),
        ({"used_memory": 10**12, "maxmemory": 0}, []),
    ],
)
def test_a_server(info: dict[str, Any], codes: list[str]) -> None:
    assert [each.code for each in judge_server(info)] == codes


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (AuthenticationError("WRONGPASS invalid username-password pair"), "redis_password_wrong"),
        (NoPermissionError("this user has no permissions to run the 'hset' command"), "redis_command_denied"),
        (ReadOnlyError("this Redis is a replica"), "redis_is_replica"),
        (ConnectionError("refused"), "redis_unreachable"),
        (TimeoutError(), "redis_unreachable"),
    ],
)
def test_a_failure_has_a_kind(error: Exception, code: str) -> None:
    assert judge_failure(error, place="there").code == code


def test_a_missing_right_is_named() -> None:
    error = NoPermissionError("this user has no permissions to run the 'script|load' command")
    assert "SCRIPT LOAD" in judge_failure(error, place="there").found


@pytest.mark.parametrize("setting", CHECKS)
def test_every_setting_that_is_checked_has_a_finding(setting: str) -> None:
    (finding,) = judge_settings([Shortcoming(setting, "bad", "good", "something happens")])
    assert setting in finding.found
    assert finding.is_problem == (
        setting in ("maxmemory-policy", "min-replicas-to-write", "min-replicas-max-lag")
    )


@pytest.mark.parametrize(("seconds", "slow"), [(0.001, False), (0.049, False), (0.05, True)])
def test_a_round_trip_is_slow_from_fifty_milliseconds(seconds: float, slow: bool) -> None:
    assert bool(list(judge_speed(seconds))) is slow


@pytest.mark.parametrize(
    ("theirs", "said"),
    [(100.0, None), (104.9, None), (96.0, None), (107.0, "ahead of"), (94.0, "behind")],
)
def test_a_clock_may_differ_by_less_than_five_seconds(theirs: float, said: str | None) -> None:
    """It was read between 100 and 101."""
    found = [each.found for each in judge_clock(theirs, 100.0, 101.0)]
    assert [said in each for each in found if said] == ([True] if said else [])
    assert bool(found) == bool(said)
