"""The credentials service in this process, with tokens signed by its realms' own keys."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.applications import Starlette

from keyturn_credentials.app import build_app
from keyturn_credentials.domain.projecting import signing_key_context
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.store.engine import Engines
from keyturn_credentials.store.realms import Realms
from keyturn_shared.clock import Clock, SystemClock
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.sealing import KeyRing

BASE_URL = "http://keyturn.test"
_QUIET_SECONDS = 0.03
ADMIN_ID = "admin"
ADMIN_SECRET = "the-first-admins-secret-is-long-enough"


def settings_for(database_url: str, redis_url: str, **more: Any) -> CredentialsSettings:
    """Settings with fresh keys; nothing of the environment but what a test sets itself."""
    values = {
        "database_url": database_url,
        "redis_url": redis_url,
        "public_url": BASE_URL,
        "encryption_keys": KeyRing.generate_key(),
        "fleet_keys": KeyRing.generate_key(),
        "bootstrap_admin_client_id": ADMIN_ID,
        "bootstrap_admin_client_secret": ADMIN_SECRET,
        **more,
    }
    return CredentialsSettings(**values)


@dataclass
class AdminApi:
    """An HTTP client of the running service that can be any client of any realm."""

    app: Starlette
    settings: CredentialsSettings
    clock: Clock
    http: httpx.AsyncClient
    _keys: dict[str, SigningKey] = field(default_factory=dict)

    async def token(self, realm: str = "master", client_id: str = ADMIN_ID, **claims: Any) -> str:
        """An access token as a verifier would issue it."""
        key = self._keys.get(realm) or await self._signing_key(realm)
        issuer = f"{BASE_URL}/realms/{realm}"
        now = int(self.clock.now())
        members = {"iss": issuer, "sub": client_id, "aud": issuer, "client_id": client_id, "azp": client_id}
        members |= {"iat": now, "exp": now + 300, "jti": "1"}
        return key.sign_compact(key.header_segment("at+jwt"), members | claims)

    async def call(
        self,
        method: str,
        path: str,
        *,
        realm: str = "master",
        client_id: str = ADMIN_ID,
        headers: dict[str, str] | None = None,
        **request: Any,
    ) -> httpx.Response:
        """A call as that client; ``path`` begins after ``/admin/realms``."""
        bearer = {"Authorization": f"Bearer {await self.token(realm, client_id)}"}
        return await self.http.request(
            method, f"/admin/realms{path}", headers=bearer | (headers or {}), **request
        )

    async def create(self, path: str, representation: dict[str, Any]) -> str:
        """POST, and the id at the end of the Location."""
        response = await self.call("POST", path, json=representation)
        assert response.status_code == 201, response.text
        return response.headers["location"].rpartition("/")[2]

    def forget_keys(self) -> None:
        """Look the realms' keys up again, after they were rotated."""
        self._keys.clear()

    async def _signing_key(self, realm: str) -> SigningKey:
        engines = Engines(self.settings.database_url)
        try:
            async with engines.reading() as connection:
                realms = Realms(connection)
                found = await realms.get(realm)
                assert found is not None, realm
                keys = await realms.keys(found.id)
        finally:
            await engines.close()
        active = next(key for key in keys if key.state == "active")
        assert active.sealed_private_jwk is not None
        context = signing_key_context(active.kid)
        opened = self.settings.encryption_ring().open(active.sealed_private_jwk, context)
        self._keys[realm] = SigningKey.from_private_jwk(opened)
        return self._keys[realm]


@asynccontextmanager
async def running(settings: CredentialsSettings, clock: Clock | None = None) -> AsyncIterator[AdminApi]:
    """The service, started and stopped as a server would."""
    used = clock or SystemClock()
    app = build_app(settings, clock=used)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=BASE_URL) as http,
    ):
        yield AdminApi(app, settings, used, http)
        # The relay is let go quiet first, so that it says goodbye to Redis in good order.
        await asyncio.sleep(_QUIET_SECONDS)
