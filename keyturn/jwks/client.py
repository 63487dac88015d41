"""Access to the fleet's Redis, and through it to the fetchers: nothing is fetched from here."""

import asyncio
import contextlib
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict
from redis.asyncio import Redis

from keyturn.jwks.projections import NotFoundError, Projections
from keyturn.jwks.rendering import as_json as show_json
from keyturn.jwks.rendering import as_text as show_text
from keyturn.local import local_file, secrets_file
from keyturn.local.data_directory import DataDirectory
from keyturn.services import run_configured
from keyturn.wrapped_keys.unwrapping import settings_with_keys
from keyturn_shared.clock import SystemClock
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.fleet.scripts import RedisScripts
from keyturn_shared.key_set_address import KeySetAddress
from keyturn_shared.key_sets.inspection import KeySetHealth, KeySetInspector
from keyturn_shared.key_sets.seal import FetcherKeys, KeySetSeal
from keyturn_shared.projection import RealmProjection
from keyturn_shared.redis_client import connect
from keyturn_shared.redis_failures import REDIS_FAILURES
from keyturn_shared.signed_log.keys import LogSigningKeys, LogVerificationKeys
from keyturn_verifier.key_sets.manual_refresh import refresh
from keyturn_verifier.key_sets.policy import KeySetPolicy
from keyturn_verifier.key_sets.redis_repository import SCRIPTS_PACKAGE, KeySetRepository

_EVERYWHERE = "master"
"""A realm that every deployment has; all realms name the same fetchers."""


class JwksSettings(BaseSettings):
    """The settings of the fleet that the commands need."""

    model_config = SettingsConfigDict(env_prefix="KEYTURN_", extra="ignore", hide_input_in_errors=True)

    redis_url: str | None = None
    jwks_min_interval: float = Field(default=10.0, gt=0)
    log_verification_keys: str | None = None
    log_signing_keys: SecretStr | None = None
    fleet_keys: SecretStr | None = None

    def log_keys(self) -> LogVerificationKeys | None:
        """Return the log's public keys, from the settings of any service; None without any. Raises
        ConfigurationError."""
        if self.log_verification_keys is not None:
            return LogVerificationKeys.from_text(self.log_verification_keys)
        if self.log_signing_keys is not None:
            return LogSigningKeys.from_text(self.log_signing_keys.get_secret_value()).verification()
        if self.fleet_keys is not None:
            return LogSigningKeys.derived_from(self.fleet_keys.get_secret_value()).verification()
        return None


class Asked(NamedTuple):
    """The Redis to ask. ``log_keys``: None if nothing can be checked."""

    redis: Redis
    log_keys: LogVerificationKeys | None
    min_interval: float

    @property
    def projections(self) -> Projections:
        return Projections(self.redis, self.log_keys)

    async def inspector(self, realm: RealmProjection | None) -> KeySetInspector:
        """Make an inspector that trusts the fetchers named by this realm, or else by any realm."""
        if self.log_keys is None:
            sys.stderr.write(
                "keyturn: signatures are not checked: KEYTURN_LOG_VERIFICATION_KEYS is not set\n"
            )
            return KeySetInspector(self.redis, None)
        return KeySetInspector(self.redis, _seal(realm or await self.projections.realm(_EVERYWHERE)))


def run_inspect(url: str, realm: str | None, data_dir: Path, *, as_json: bool) -> int:
    """Print a URL's health. Return the exit code."""

    async def ask(asked: Asked) -> int:
        found = None if realm is None else await asked.projections.realm(realm)
        networks = () if found is None else found.jwks_allowed_networks
        inspector = await asked.inspector(found)
        health = await inspector.inspect(KeySetAddress.of(url, networks))
        return _show(health, url, as_json=as_json)

    return _run(ask, data_dir)


def run_refresh(client_id: str, realm: str, data_dir: Path, *, as_json: bool, seconds: float) -> int:
    """Have a client's URL fetched, and print its health. Return the exit code."""

    async def ask(asked: Asked) -> int:
        found = await asked.projections.realm(realm)
        client = await asked.projections.client(found, client_id)
        if client.jwks_url is None:
            raise NotFoundError(f"client {client_id} has no JWKS URL")
        address = KeySetAddress.of(client.jwks_url, found.jwks_allowed_networks)
        policy = KeySetPolicy.for_interval(asked.min_interval)
        scripts = RedisScripts(asked.redis, SCRIPTS_PACKAGE)
        channel = KeySetRepository(scripts, policy, "keyturn-jwks", _seal(found))
        outcome = await refresh(channel, address, SystemClock(), timeout=seconds)
        if outcome.record is None and outcome.retry_after:
            sys.stderr.write(
                f"keyturn: not fetched: the next fetch is allowed in {outcome.retry_after:.0f} s\n"
            )
        elif outcome.record is None:
            sys.stderr.write(f"keyturn: no fetcher fetched it within {seconds:g} s\n")
            if address.networks:
                sys.stderr.write(
                    "keyturn: if a realm has its own networks, a client must use the URL first\n"
                )
        health = await (await asked.inspector(found)).inspect(address)
        shown = _show(health, client.jwks_url, as_json=as_json)
        return 1 if outcome.record is None else shown

    return _run(ask, data_dir)


def _run(ask: Callable[[Asked], Awaitable[int]], data_dir: Path) -> int:
    code = 0

    def work() -> None:
        nonlocal code
        settings = settings_with_keys(JwksSettings, instead=["log_verification_keys", "log_signing_keys"])
        code = asyncio.run(connected(settings))

    async def connected(settings: JwksSettings) -> int:
        url, log_keys = _where(settings, data_dir)
        redis = connect(url)
        try:
            return await ask(Asked(redis, log_keys, settings.jwks_min_interval))
        finally:
            with contextlib.suppress(*REDIS_FAILURES):
                await redis.aclose()

    return run_configured(work) or code


def _where(settings: JwksSettings, data_dir: Path) -> tuple[str, LogVerificationKeys | None]:
    """Return the URL of Redis and the log's public keys: the configured ones, or those of the local stack."""
    if settings.redis_url:
        return settings.redis_url, settings.log_keys()
    directory = DataDirectory(data_dir)
    local = local_file.read(directory.local_file)
    if local is None:
        raise ConfigurationError(f"set KEYTURN_REDIS_URL: no stack is running in {os.fspath(data_dir)}")
    signing = secrets_file.load(directory.secrets_file).log_signing_keys.reveal()
    return local.redis_url, LogSigningKeys.from_text(signing).verification()


def _show(health: KeySetHealth | None, url: str, *, as_json: bool) -> int:
    show = show_json if as_json else show_text
    sys.stdout.write(show(health, url, SystemClock().now()) + "\n")
    return 0 if health is not None and not health.failures and health.keys else 1


def _seal(realm: RealmProjection) -> KeySetSeal:
    """Make a checker that trusts the fetchers named by the realm, and signs nothing."""
    fetchers = FetcherKeys()
    fetchers.learn(realm.fetcher_keys)
    return KeySetSeal(None, fetchers)
