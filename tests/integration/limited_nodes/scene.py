"""The credentials service, a node with the fleet keys, and one with the keys of realm ``acme``."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from keyturn_credentials.settings import CredentialsSettings
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.sealing import KeyRing
from keyturn_shared.signed_log.keys import LogSigningKeys
from tests.testkit.admin_api import BASE_URL, AdminApi, settings_for
from tests.testkit.nodes import RunningNode, running_node

SECRET = "a secret that is long enough for every HMAC there is, up to HS512: 64 octets"
DIGEST_ONLY = "keyturn.secret.digest-only"
REALMS = ("acme", "beta")
WAIT = {"Prefer": "wait=30"}
FLEET_KEY = KeyRing.generate_key()
LOG_KEYS = LogSigningKeys.generate_key()


def service_settings(directory: Path, redis_url: str, **more: Any) -> CredentialsSettings:
    values = {"fleet_keys": FLEET_KEY, "log_signing_keys": LOG_KEYS, "realm_seals": True, **more}
    return settings_for(f"sqlite+aiosqlite:///{directory}/keyturn.db", redis_url, **values)


@asynccontextmanager
async def full_node(api: AdminApi, **more: Any) -> AsyncIterator[RunningNode]:
    """``fleet_keys`` is among them if different from the service's."""
    keys = {"fleet_keys": api.settings.fleet_keys, **more}
    async with running_node(
        api.settings.redis_url,
        public_url=BASE_URL,
        credentials=api.app,
        log_verification_keys=LogSigningKeys.from_text(LOG_KEYS).public_keys,
        **keys,
    ) as node:
        yield node


@asynccontextmanager
async def limited_node(api: AdminApi, realm_keys: str, **more: Any) -> AsyncIterator[RunningNode]:
    async with full_node(api, fleet_keys=None, realm_keys=SecretStr(realm_keys), **more) as node:
        yield node


@dataclass
class Limited:
    """Realms ``acme`` and ``beta`` with the same clients, ``by-secret``, ``by-secret-jwt`` and ``by-key``.
    ``realm_keys``: those of the limited node."""

    api: AdminApi
    full: RunningNode
    limited: RunningNode
    realm_keys: str
    key: SigningKey
    ids: dict[str, str]

    async def change(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Make a change and return once both nodes have applied it."""
        return await change(self.api, method, path, **request)


async def change(api: AdminApi, method: str, path: str, **request: Any) -> httpx.Response:
    answer = await api.call(method, path, headers=WAIT, **request)
    assert answer.status_code < 300, answer.text
    return answer


async def make_client(api: AdminApi, realm: str, client_id: str, authenticator: str, **more: Any) -> str:
    """Create a client; return its id."""
    body = {"clientId": client_id, "clientAuthenticatorType": authenticator, **more}
    made = await change(api, "POST", f"/{realm}/clients", json=body)
    return str(made.headers["location"].rpartition("/")[2])


async def make_realm(api: AdminApi, name: str, key: SigningKey) -> str:
    """Create a realm with a client of each kind; return its id."""
    await change(api, "POST", "", json={"realm": name})
    await make_client(api, name, "by-secret", "client-secret", secret=SECRET)
    await make_client(api, name, "by-secret-jwt", "client-secret-jwt", secret=SECRET)
    inline = {"use.jwks.string": "true", "jwks.string": json.dumps({"keys": [key.public_jwk]})}
    await make_client(api, name, "by-key", "client-jwt", attributes=inline)
    return await id_of(api, name)


async def id_of(api: AdminApi, realm: str) -> str:
    return str((await api.call("GET", f"/{realm}")).json()["id"])


def realm_keys(api: AdminApi, *realm_ids: str) -> str:
    """Return the output of ``keyturn realm-keys``."""
    return ",".join(map(api.settings.fleet_ring().keys_of, realm_ids))
