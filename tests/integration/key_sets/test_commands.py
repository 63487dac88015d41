"""``keyturn jwks``, run by an operator next to a fleet."""

import asyncio
import json
import sys
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from redis.asyncio import Redis

from keyturn.jwks.client import run_inspect, run_refresh
from keyturn_shared.key_set_address import KeySetAddress
from keyturn_shared.key_sets.layout import KeySetLayout
from keyturn_shared.key_sets.record import KeySetRecord
from keyturn_shared.key_sets.seal import FetcherKeys, KeySetSeal
from keyturn_shared.projection import encode_projection, projection_value
from keyturn_shared.signed_log.keys import LogSigningKeys
from tests.integration.key_sets.fleet import fleet_of, make_jwk
from tests.testkit.filled_redis import SIGNER, Filling, client_of, realm_of
from tests.testkit.jwks_server import JwksServer, Page
from tests.testkit.key_set_seal import FETCHER_KEYS
from tests.testkit.waiting import in_time


class Ended(NamedTuple):
    code: int
    out: str
    err: str


async def jwks(redis_url: str, *arguments: str, directory: Path, **environment: str) -> Ended:
    """Run the command in a directory without a stack."""
    environment |= {"PATH": "/usr/bin:/bin", "KEYTURN_REDIS_URL": redis_url, "PYTHONPATH": ":".join(sys.path)}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "keyturn.cli", "jwks", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
        cwd=directory,
    )
    out, err = await in_time(process.communicate())
    return Ended(process.returncode or 0, out.decode(), err.decode())


async def test_an_operator_has_a_clients_keys_fetched_and_sees_how_its_url_does(
    redis_url: str, redis: Redis, server: JwksServer, tmp_path: Path
) -> None:
    url = server.url("/jwks")
    weak = {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "weak"}
    page = server.pages["/jwks"] = Page([make_jwk("k1"), weak])
    realm = realm_of("acme", fetcher_keys=(FETCHER_KEYS.public_keys,))
    filling = Filling.on(redis)
    await filling.open(realm, client_of(realm, "billing", jwks_url=url), client_of(realm, "other"))
    async with fleet_of(1, redis_url):
        refreshed = await jwks(redis_url, "refresh", "billing", "--realm", "acme", directory=tmp_path)
        assert refreshed.code == 0, refreshed
        assert "k1  EC ES256" in refreshed.out
        assert "1, 1 skipped" in refreshed.out
        assert "skipped: key 1 ('weak'): invalid" in refreshed.out
        page.status = 503
        failing = await jwks(redis_url, "refresh", "billing", "--realm", "acme", "--json", directory=tmp_path)
        health = json.loads(failing.out)
        assert failing.code == 1
        assert health["failures"] >= 1
        assert (health["failure"], health["keys"][0]["kid"]) == ("status", "k1")
        assert health["age"] >= 0
    shown = await jwks(redis_url, "inspect", url, directory=tmp_path)
    assert shown.code == 1
    assert " in a row: status: status 503" in shown.out
    again = await jwks(
        redis_url, "refresh", "billing", "--realm", "acme", "--seconds", "0.3", directory=tmp_path
    )
    assert again.code == 1
    assert "no fetcher fetched it" in again.err


async def test_an_operator_is_shown_what_fetchers_signed_and_told_where_nothing_was_checked(
    redis_url: str, redis: Redis, tmp_path: Path
) -> None:
    """An attacker writes a key set, and a realm that names their key as a fetcher's."""
    url = "https://orders.example/jwks"
    his = LogSigningKeys([b"h" * 32])
    record = KeySetRecord(url=url, keys=(make_jwk("k1"),), fetched_at=2000.0)
    realm = realm_of("master", fetcher_keys=(FETCHER_KEYS.public_keys,))
    filling = Filling.on(redis)
    await filling.open(realm)
    at = KeySetLayout().record(KeySetAddress.of(url).id)
    trusted = {"KEYTURN_LOG_VERIFICATION_KEYS": SIGNER.keys.public_keys}

    async def inspected(writer: LogSigningKeys, **environment: str) -> Ended:
        await redis.set(at, KeySetSeal(writer, FetcherKeys()).write(record))
        return await jwks(redis_url, "inspect", url, directory=tmp_path, **environment)

    true = await inspected(FETCHER_KEYS, **trusted)
    assert (true.code, true.err) == (0, "")
    assert "k1  EC ES256" in true.out
    forged = await inspected(his, **trusted)
    assert forged.code == 1
    assert "no fetcher has signed" in forged.out
    unchecked = await inspected(his)
    assert "k1  EC ES256" in unchecked.out
    assert "signatures are not checked" in unchecked.err
    naming_him = msgspec.structs.replace(realm, fetcher_keys=(his.public_keys,))
    value = projection_value(filling.sequence, encode_projection(naming_him))
    await redis.hset(KeySetLayout().projections(filling.epoch), "realm:master", value)
    refused = await inspected(his, **trusted)
    assert (refused.code, refused.out) == (2, "")
    assert "realm:master in Redis is not trusted" in refused.err


async def test_what_cannot_be_asked_for_is_said_in_one_line(
    redis_url: str,
    redis: Redis,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("KEYTURN_REDIS_URL", redis_url)

    async def refused(client: str, realm: str) -> str:
        code = await asyncio.to_thread(run_refresh, client, realm, tmp_path, as_json=False, seconds=1.0)
        out, err = capsys.readouterr()
        assert (code, out) == (2, "")
        return err.removeprefix("keyturn: ").rstrip()

    assert await refused("billing", "acme") == "this Redis is empty: no relay has filled it yet"
    realm = realm_of("acme")
    filling = Filling.on(redis)
    await filling.open(realm, client_of(realm, "other"), complete=False)
    for client, name in (("billing", "nowhere"), ("billing", "acme")):
        assert await refused(client, name) == "Redis is being refilled: try again"
    assert await refused("other", "acme") == "client other has no JWKS URL"
    assert await filling.channel.complete_epoch(filling.epoch)
    assert await refused("billing", "nowhere") == "realm nowhere does not exist"
    assert await refused("billing", "acme") == "realm acme has no client billing"
    assert await refused("other", "acme") == "client other has no JWKS URL"
    unknown = await asyncio.to_thread(run_inspect, "https://nobody.example/", "acme", tmp_path, as_json=False)
    assert (unknown, "not known" in capsys.readouterr().out) == (1, True)
    monkeypatch.setenv("KEYTURN_REDIS_URL", "")
    assert "set KEYTURN_REDIS_URL" in await refused("other", "acme")
