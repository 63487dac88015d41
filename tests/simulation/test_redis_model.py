"""The simulated Redis answers like a real one."""

import random
from functools import partial
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import ResponseError

from keyturn.stack.redis_server import EmbeddedRedis
from keyturn_shared.fleet.scripts import FLEET, source
from tests.simulation.redis_model.data import CommandError, Data
from tests.simulation.redis_model.scripts import ScriptEngine
from tests.simulation.redis_model.server import RedisServer
from tests.testkit.simulated_process import SimulatedClock

_KEYS = [b"a", b"b", b"c"]
_NAMES = [b"x", b"y", b"z"]
_ANY_COMMAND = "return redis.call(unpack(ARGV))"


def _random_command(draw: random.Random) -> list[bytes]:
    key, name = draw.choice(_KEYS), draw.choice(_NAMES)
    number = b"%d" % draw.randrange(8)
    return draw.choice(
        [
            [b"HSET", b"h" + key, name, number],
            [b"HSET", b"h" + key, name],
            [b"HSETNX", b"h" + key, name, number],
            [b"HGET", b"h" + key, name],
            [b"HMGET", b"h" + key, *_NAMES],
            [b"HGETALL", b"h" + key],
            [b"HVALS", b"h" + key],
            [b"HDEL", b"h" + key, name],
            [b"SET", b"s" + key, number, b"PX", b"100000"],
            [b"SET", b"s" + key, number, b"NX", b"PX", b"100000"],
            [b"GET", b"s" + key],
            [b"MGET", *(b"s" + each for each in _KEYS)],
            [b"PEXPIRE", b"s" + key, b"0"],
            [b"PTTL", b"hs" + key],
            [b"EXISTS", b"h" + key, b"s" + key, b"x" + key],
            [b"UNLINK", draw.choice([b"h", b"s", b"x", b"z"]) + key],
            [b"HGET", b"s" + key, name],
            [b"RENAME", b"s" + key, b"s" + draw.choice(_KEYS)],
            [
                b"XADD",
                b"x" + key,
                b"MAXLEN",
                b"~",
                b"1000",
                b"%d-%s" % (draw.randint(1, 3), number),
                name,
                b"v",
            ],
            [b"XRANGE", b"x" + key, b"%d-%s" % (draw.randint(1, 3), number), b"+", b"COUNT", b"2"],
            [b"XRANGE", b"x" + key, b"(%d-%s" % (draw.randint(1, 3), number), b"+"],
            [b"ZADD", b"z" + key, number, name],
            [b"ZADD", b"z" + key, b"1.5", name],
            [b"ZREM", b"z" + key, name],
            [b"ZSCORE", b"z" + key, name],
            [b"ZCARD", b"z" + key],
            [b"ZCOUNT", b"z" + key, b"-inf", number],
            [b"ZRANGE", b"z" + key, b"0", b"0", b"WITHSCORES"],
            [b"ZRANGEBYSCORE", b"z" + key, b"-inf", number, b"WITHSCORES", b"LIMIT", b"0", b"2"],
            [b"ZREMRANGEBYSCORE", b"z" + key, b"-inf", number],
        ]
    )


def _outcome(run: Any) -> Any:
    """Return the reply; for an error its first word, on which clients rely."""
    try:
        return run()
    except (CommandError, ResponseError) as error:
        return "error", "equal or smaller" in str(error)


@pytest.fixture
def model() -> RedisServer:
    clock = SimulatedClock(lambda: 0.0, wall=1_700_000_000.0)
    return RedisServer("0" * 40, Data(), clock, ScriptEngine(lambda name, text: text))


@pytest.mark.parametrize("seed", range(5))
def test_random_commands_have_the_same_replies(
    redis_server: EmbeddedRedis, model: RedisServer, seed: int
) -> None:
    draw = random.Random(seed)
    engine = ScriptEngine(lambda name, text: _ANY_COMMAND)
    with Redis.from_url(redis_server.url) as real:
        for _ in range(1500):
            command = _random_command(draw)
            expected = _outcome(partial(real.eval, _ANY_COMMAND, 0, *command))
            actual = _outcome(partial(engine.run, model, FLEET, "leave", [], command))
            assert actual == expected, command


_REPLIES = (
    "1", "-2.7", "'text'", "true", "false", "nil", "{}", "{1, 'two', 3.9}", "{'one', false, 'three'}",
    "{'one', nil, 'three'}", "{{'a', 'b'}, 1, {}, false, {2.5}}", "{{'deep', {'er', true}}, 'end'}",
    "redis.call('SET', 's', '1')", "{redis.call('SET', 's', '1')}", "redis.call('HGETALL', 'none')",
    "redis.call('HMGET', 'none', 'a', 'b')", "redis.error_reply('ERR said so')",
    "redis.pcall('HSET', 'h', 'a')",
)  # fmt: skip


@pytest.mark.parametrize("reply", _REPLIES)
def test_whatever_a_script_gives_comes_as_from_a_real_one(
    redis_server: EmbeddedRedis, model: RedisServer, reply: str
) -> None:
    engine = ScriptEngine(lambda name, text: f"return {reply}")
    with Redis.from_url(redis_server.url) as real:
        expected = _outcome(partial(real.eval, f"return {reply}", 0))
    actual = _outcome(partial(engine.run, model, FLEET, "leave", [], []))
    assert actual == expected
    assert type(actual) is type(expected)


_RUN_ID = "run id"
"""Stands for the process's own."""
_CLAIMANTS = "kt:{0}:claimants"
_HEAD, _EVENTS, _NODES, _VALUES = "kt:{0}:head", "kt:{0}:events", "kt:{0}:nodes", "kt:{0}:%d:projections"


def _random_script(draw: random.Random) -> tuple[str, list[str], list[Any]]:
    epoch, sequence, node = draw.randint(1, 3), draw.randint(1, 12), draw.choice("mn")
    values, event_id = _VALUES % epoch, f"event-{sequence}"
    field, value = draw.choice(["client:r:a", "realm:r"]), b"%d:{}" % sequence
    previous = draw.choice(["", f"event-{sequence - 1}", f"event-{sequence - 1}"])
    latest: list[Any] = [draw.choice(["", "later"]), draw.choice([0, sequence + 2]), "later"]
    event: list[Any] = [epoch, sequence, event_id, previous, b"{}", 1000, *latest]
    terms: list[Any] = [10_000, 1_000]
    seen: list[Any] = [_RUN_ID, 1_700_000_000_000, 10**15]
    known: list[Any] = draw.choice([[""], [1_600_000_000_000], [1_600_000_000_000, "m", "n"]])
    return draw.choice(
        [
            (
                "open_epoch",
                [_HEAD, _EVENTS, _CLAIMANTS, values],
                [epoch, sequence, event_id, b"{}", *terms, "", 0, 1000, *seen, b"{}", *known],
            ),
            ("stamp", [_HEAD], [epoch, 1_700_000_000_000, *terms, b"{}"]),
            (
                "carry_over",
                [_HEAD, _EVENTS, _CLAIMANTS, values, _VALUES % (epoch + 1)],
                [epoch, sequence, event_id, 1000, epoch + 1, b"{}", *terms, "", *seen, b"{}", *known],
            ),
            ("read_claimants", [_HEAD, _CLAIMANTS, _NODES], []),
            (
                "keep_claimants",
                [_HEAD, _CLAIMANTS, _NODES],
                [epoch, *seen, draw.choice("kl"), draw.choice(["admit", "forget", "returned"]), node],
            ),
            ("return_assertions", [_HEAD, "kt:{0}:jti:d", "kt:{0}:jti:e"], [epoch, 60_000, 60_000]),
            ("publish", [_HEAD, _EVENTS, values], [*event, field, value]),
            ("publish", [_HEAD, _EVENTS, values], [*event, field, b"9:"]),
            ("write_projections", [_HEAD, values], [epoch, *latest, field, value]),
            ("complete_epoch", [_HEAD, values], [epoch]),
            ("find_loss", [_HEAD, _EVENTS, values, _NODES], [epoch]),
            ("load", [_HEAD, values], [epoch, sequence, field]),
            ("renew", [_HEAD, _NODES], [node, epoch, sequence, "{}"]),
            ("leave", [_NODES], [node]),
            ("registry", [_HEAD, _NODES, _EVENTS], [draw.choice(["", sequence])]),
            ("read_head", [_HEAD], []),
            ("newest_epoch", [_HEAD, _EVENTS, _NODES], []),
            ("forget_projections", [_HEAD, values], [epoch]),
            ("close", [_HEAD, _NODES], [epoch, "nonce"]),
            ("sweep_nodes", [_NODES], [0]),
            (
                "claim_assertions",
                [_HEAD, _CLAIMANTS, "kt:{0}:jti:a", "kt:{0}:jti:" + draw.choice("ab"), "kt:{0}:jti:c"],
                [0, draw.choice(["", "m"]), 2, 60_000, draw.choice([1, 10**15]), 1, 60_000, 10**15],
            ),
            (
                "claim_assertions",
                [_HEAD, _CLAIMANTS, "kt:{0}:jti:a"],
                [0, "n", 1, 60_000, draw.choice([1, 10**15])],
            ),
        ]
    )


def _timeless(reply: Any, run_id: str) -> Any:
    """Return a reply without times and identities, which differ."""
    if isinstance(reply, list):
        return [_timeless(each, run_id) for each in reply]
    if isinstance(reply, bytes):
        if b"|" in reply:
            return [_timeless(each, run_id) for each in reply.split(b"|", 5)]
        if reply == run_id.encode():
            return _RUN_ID
        return "moment" if reply.isdigit() and len(reply) == 13 else reply
    return "moment" if isinstance(reply, int) and reply > 10**12 else reply


@pytest.mark.parametrize("seed", range(3))
def test_random_scripts_have_the_same_replies(
    redis_server: EmbeddedRedis, model: RedisServer, seed: int
) -> None:
    draw = random.Random(seed)
    with Redis.from_url(redis_server.url) as real:
        run_id = real.info("server")["run_id"]
        for _ in range(800):
            name, keys, drawn = _random_script(draw)
            with_real = [run_id if each == _RUN_ID else each for each in drawn]
            with_model = [model.run_id if each == _RUN_ID else each for each in drawn]
            expected = _outcome(partial(real.eval, source(name), len(keys), *keys, *with_real))
            actual = _outcome(partial(model.run, FLEET, name, keys, with_model))
            if name == "sweep_nodes":
                continue  # expired leases depend on the real clock
            assert _timeless(actual, model.run_id) == _timeless(expected, run_id), (name, drawn)
