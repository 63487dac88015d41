"""Asking the fleet's Redis, and its fetchers through it: nothing is fetched from here."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from redis.asyncio import Redis
from redis.exceptions import RedisError

from keyturn.jwks.showing import as_json as show_json
from keyturn.jwks.showing import as_text as show_text
from keyturn.services import run_configured
from keyturn.stack import local_file
from keyturn.stack.data_directory import DataDirectory
from keyturn_shared.clock import SystemClock
from keyturn_shared.errors import ConfigurationError, KeyturnError, RedisUnavailableError
from keyturn_shared.fleet.scripts import RedisScripts
from keyturn_shared.key_sets.address import KeySetAddress
from keyturn_shared.key_sets.inspection import KeySetHealth, KeySetInspector
from keyturn_shared.key_sets.layout import KeySetLayout
from keyturn_shared.projection import (
    ClientProjection,
    RealmProjection,
    client_field,
    decode_client,
    decode_realm,
    realm_field,
)
from keyturn_shared.redis_client import connect
from keyturn_verifier.key_sets.channel import SCRIPTS_PACKAGE, KeySetChannel
from keyturn_verifier.key_sets.policy import KeySetPolicy
from keyturn_verifier.key_sets.refreshing import refresh

_LAYOUT = KeySetLayout()


class NotFoundError(KeyturnError):
    """The fleet knows no such realm or client, or the client has no JWKS URL."""

    code = "not_found"


class JwksSettings(BaseSettings):
    """What of the fleet's settings the commands need."""

    model_config = SettingsConfigDict(env_prefix="KEYTURN_", extra="ignore", hide_input_in_errors=True)

    redis_url: str | None = None
    jwks_min_interval: float = Field(default=10.0, gt=0)


def run_inspect(url: str, realm: str | None, data_dir: Path, *, as_json: bool) -> int:
    """Print what is known of a URL; the exit code."""

    async def ask(redis: Redis, _: JwksSettings) -> int:
        networks = () if realm is None else (await _realm(redis, realm)).jwks_allowed_networks
        health = await KeySetInspector(redis).inspect(KeySetAddress.of(url, networks))
        return _show(health, url, as_json=as_json)

    return _run(ask, data_dir)


def run_refresh(client_id: str, realm: str, data_dir: Path, *, as_json: bool, seconds: float) -> int:
    """Have a client's URL fetched and print what is known then; the exit code."""

    async def ask(redis: Redis, settings: JwksSettings) -> int:
        found = await _realm(redis, realm)
        client = await _client(redis, found, client_id)
        if client.jwks_url is None:
            raise NotFoundError(f"client {client_id} has no JWKS URL")
        address = KeySetAddress.of(client.jwks_url, found.jwks_allowed_networks)
        policy = KeySetPolicy.for_interval(settings.jwks_min_interval)
        channel = KeySetChannel(RedisScripts(redis, SCRIPTS_PACKAGE), policy, "keyturn-jwks")
        outcome = await refresh(channel, address, SystemClock(), timeout=seconds)
        if outcome.record is None and outcome.retry_after:
            sys.stderr.write(f"keyturn: not fetched: allowed again in {outcome.retry_after:.0f} s\n")
        elif outcome.record is None:
            sys.stderr.write(f"keyturn: no fetcher has fetched it within {seconds:g} s\n")
        health = await KeySetInspector(redis).inspect(address)
        shown = _show(health, client.jwks_url, as_json=as_json)
        return 1 if outcome.record is None else shown

    return _run(ask, data_dir)


def _run(ask: Callable[[Redis, JwksSettings], Awaitable[int]], data_dir: Path) -> int:
    code = 0

    def work() -> None:
        nonlocal code
        settings = JwksSettings()
        code = asyncio.run(connected(settings))

    async def connected(settings: JwksSettings) -> int:
        redis = connect(_redis_url(settings, data_dir))
        try:
            return await ask(redis, settings)
        finally:
            with contextlib.suppress(RedisError, OSError):
                await redis.aclose()

    return run_configured(work) or code


def _redis_url(settings: JwksSettings, data_dir: Path) -> str:
    if settings.redis_url:
        return settings.redis_url
    local = local_file.read(DataDirectory(data_dir).local_file)
    if local is None:
        raise ConfigurationError(f"set KEYTURN_REDIS_URL: no stack runs on {os.fspath(data_dir)}")
    return local.redis_url


def _show(health: KeySetHealth | None, url: str, *, as_json: bool) -> int:
    show = show_json if as_json else show_text
    sys.stdout.write(show(health, url, SystemClock().now()) + "\n")
    return 0 if health is not None and not health.failures and health.keys else 1


async def _realm(redis: Redis, name: str) -> RealmProjection:
    value = await _projection(redis, realm_field(name))
    if value is None:
        raise NotFoundError(f"there is no realm {name}")
    return decode_realm(value)[1]


async def _client(redis: Redis, realm: RealmProjection, client_id: str) -> ClientProjection:
    value = await _projection(redis, client_field(realm.id, client_id))
    if value is None:
        raise NotFoundError(f"realm {realm.name} has no client {client_id}")
    return decode_client(value)[1]


async def _projection(redis: Redis, field: str) -> bytes | None:
    try:
        epoch = await redis.hget(_LAYOUT.head, "epoch")
        if epoch is None:
            raise NotFoundError("this Redis is not filled: no relay has been here")
        value = await redis.hget(_LAYOUT.projections(int(epoch)), field)
    except (RedisError, OSError, TimeoutError) as error:
        raise RedisUnavailableError(f"reading a projection: {error}") from error
    return None if value is None else bytes(value)  # type: ignore[arg-type]  # clients here decode nothing
