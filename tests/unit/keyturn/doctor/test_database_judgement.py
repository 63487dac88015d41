"""Judgement of a database, by what was read of it."""

import pytest

from keyturn.doctor.database_judgement import (
    SealedUnder,
    judge_disk,
    judge_failure,
    judge_keys,
    judge_postgresql,
    judge_schema,
    judge_speed,
)
from keyturn_credentials.store.error_causes import Cause
from keyturn_credentials.store.migrate import Schema

_MIB = 1024**2
_GIB = 1024**3
_DURABLE = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "server_version_num": "160004",
}


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("no_writable_server", "database_read_only"),
        ("25006", "database_read_only"),
        ("SQLITE_READONLY_DBMOVED", "database_read_only"),
        ("SQLITE_BUSY", "database_locked"),
        ("28P01", "database_unreachable"),
        ("ConnectionRefusedError", "database_unreachable"),
    ],
)
def test_a_failure_has_a_kind(name: str, code: str) -> None:
    finding = judge_failure(Cause(name, "its meaning", "the driver's own text"), place="there")
    assert (finding.code, finding.found) == (code, f"there: its meaning ({name})")


@pytest.mark.parametrize(
    ("schema", "codes"),
    [
        (Schema.CURRENT, []),
        (Schema.OLDER, ["database_schema_older"]),
        (Schema.NEWER, ["database_schema_newer"]),
        (None, ["database_empty"]),
    ],
)
def test_only_the_current_schema_is_right(schema: Schema | None, codes: list[str]) -> None:
    assert [each.code for each in judge_schema(schema)] == codes


@pytest.mark.parametrize(("seconds", "slow"), [(0.0, False), (0.099, False), (0.1, True), (2.0, True)])
def test_a_round_trip_is_slow_from_a_tenth_of_a_second(seconds: float, slow: bool) -> None:
    assert bool(list(judge_speed(seconds))) is slow


@pytest.mark.parametrize(
    ("changed", "codes"),
    [
        ({}, []),
        ({"fsync": "off"}, ["database_not_durable"]),
        ({"full_page_writes": "off"}, ["database_not_durable"]),
        ({"synchronous_commit": "off"}, ["database_commit_default"]),
        ({"synchronous_commit": "local"}, []),
        ({"server_version_num": "120019"}, ["database_version_old"]),
        ({"server_version_num": "130000"}, []),
    ],
)
def test_settings_of_postgresql(changed: dict[str, str], codes: list[str]) -> None:
    assert [each.code for each in judge_postgresql(_DURABLE | changed)] == codes


@pytest.mark.parametrize(
    ("free", "total", "full"),
    [
        (255 * _MIB, 10 * _GIB, True),
        (257 * _MIB, 10 * _GIB, False),
        (900 * _MIB, 100 * _GIB, True),
        (3 * _GIB, 100 * _GIB, False),
        (6 * _GIB, 10_000 * _GIB, False),
    ],
)
def test_a_disk_is_almost_full_by_share_and_by_size(free: int, total: int, full: bool) -> None:
    assert bool(list(judge_disk(free, total, path="keyturn.db"))) is full


ACME, BETA = frozenset({"acme"}), frozenset({"beta"})


@pytest.mark.parametrize(
    ("encryption", "ring", "codes"),
    [
        ({"k1": ACME}, ["k1"], []),
        ({"k1": ACME}, ["k2"], ["database_key_missing"]),
        ({"k1": ACME, "k2": BETA}, ["k2", "k1"], ["database_key_former"]),
        ({"k1": ACME}, ["k2", "k1"], ["database_key_former"]),
        ({"k1": ACME}, ["k1", "k2"], ["database_key_unused"]),
        ({}, ["k1", "k2"], []),
    ],
)
def test_keys_that_are_missing_former_or_unused(
    encryption: dict[str, frozenset[str]], ring: list[str], codes: list[str]
) -> None:
    assert [each.code for each in judge_keys(SealedUnder(encryption, {}), ring, {})] == codes


def test_no_key_is_called_unused_while_some_data_was_not_looked_at() -> None:
    uses = SealedUnder({"k1": ACME}, {}, certain=False)
    assert list(judge_keys(uses, ["k1", "k2"], {})) == []


def test_a_missing_fleet_key_names_only_the_realms_that_need_it() -> None:
    uses = SealedUnder({}, {"f1": ACME | BETA})
    fleet = {"acme": frozenset({"f1"}), "beta": frozenset({"f2"})}
    (finding,) = judge_keys(uses, [], fleet)
    assert (finding.code, "beta" in finding.found, "acme" in finding.found) == (
        "database_fleet_key_missing",
        True,
        False,
    )
