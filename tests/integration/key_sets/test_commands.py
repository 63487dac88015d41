"""``keyturn jwks``, as an operator runs it beside a fleet."""

import asyncio
import json
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from redis.asyncio import Redis

from keyturn.jwks.asking import run_inspect, run_refresh
from tests.integration.key_sets.fleet import fleet_of, make_jwk
from tests.integration.key_sets.jwks_server import JwksServer, Page
from tests.integration.verifier.filling import Filling, client_of, realm_of


class Ended(NamedTuple):
    code: int
    out: str
    err: str


async def jwks(redis_url: str, *arguments: str, directory: Path) -> Ended:
    """The command's end, in a directory where no stack runs."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "keyturn.cli", "jwks", *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", "KEYTURN_REDIS_URL": redis_url, "PYTHONPATH": ":".join(sys.path)},
        cwd=directory,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    return Ended(process.returncode or 0, out.decode(), err.decode())


async def test_an_operator_has_a_clients_keys_fetched_and_sees_how_its_url_does(
    redis_url: str, redis: Redis, server: JwksServer, tmp_path: Path
) -> None:
    url = server.url("/jwks")
    weak = {"kty": "RSA", "n": "AQAB", "e": "AQAB", "kid": "weak"}
    page = server.pages["/jwks"] = Page([make_jwk("k1"), weak])
    realm = realm_of("acme")
    filling = Filling.on(redis)
    await filling.open(realm, client_of(realm, "billing", jwks_url=url), client_of(realm, "other"))
    async with fleet_of(1, redis_url):
        refreshed = await jwks(redis_url, "refresh", "billing", "--realm", "acme", directory=tmp_path)
        assert refreshed.code == 0, refreshed
        assert "k1  EC ES256" in refreshed.out
        assert "1, 1 skipped" in refreshed.out
        page.status = 503
        failing = await jwks(redis_url, "refresh", "billing", "--realm", "acme", "--json", directory=tmp_path)
        health = json.loads(failing.out)
        assert failing.code == 1
        assert (health["failures"], health["failure"], health["keys"][0]["kid"]) == (1, "status", "k1")
        assert health["age"] >= 0
    shown = await jwks(redis_url, "inspect", url, directory=tmp_path)
    assert shown.code == 1
    assert "1 in a row: status: status 503" in shown.out
    again = await jwks(
        redis_url, "refresh", "billing", "--realm", "acme", "--seconds", "0.3", directory=tmp_path
    )
    assert again.code == 1
    assert "no fetcher has fetched it" in again.err


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

    assert await refused("billing", "acme") == "this Redis is not filled: no relay has been here"
    realm = realm_of("acme")
    await Filling.on(redis).open(realm, client_of(realm, "other"))
    assert await refused("billing", "nowhere") == "there is no realm nowhere"
    assert await refused("billing", "acme") == "realm acme has no client billing"
    assert await refused("other", "acme") == "client other has no JWKS URL"
    unknown = await asyncio.to_thread(run_inspect, "https://nobody.example/", "acme", tmp_path, as_json=False)
    assert (unknown, "not known" in capsys.readouterr().out) == (1, True)
    monkeypatch.setenv("KEYTURN_REDIS_URL", "")
    assert "set KEYTURN_REDIS_URL" in await refused("other", "acme")
