"""The credentials service in this process, with tokens signed by its realms' own keys."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypedDict

import httpx
from starlette.applications import Starlette

from keyturn_credentials.app import build_app
from keyturn_credentials.settings import CredentialsSettings
from keyturn_shared.clock import Clock, SystemClock
from keyturn_shared.sealing import KeyRing
from tests.testkit.admin_tokens import AdminTokens
from tests.testkit.migrated_database import put_schema

BASE_URL = "http://keyturn.test"
_QUIET_SECONDS = 0.03
ADMIN_ID = "admin"
ADMIN_SECRET = "the-first-admins-secret-is-long-enough"


def settings_for(database_url: str, redis_url: str, **more: Any) -> CredentialsSettings:
    """Return settings with new keys; the environment is ignored except for what a test sets itself."""
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


class Caller(TypedDict, total=False):
    """The caller's access token; by default the first administrator's."""

    realm: str
    client_id: str


@dataclass
class AdminApi:
    """An HTTP client of the running service that can act as any client of any realm."""

    app: Starlette
    settings: CredentialsSettings
    clock: Clock
    http: httpx.AsyncClient
    tokens: AdminTokens

    async def token(self, realm: str = "master", client_id: str = ADMIN_ID, **claims: Any) -> str:
        """Return an access token as a verifier would issue it."""
        return await self.tokens.issue(realm, client_id, **claims)

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
        """Make a call as that client; ``path`` begins after ``/admin/realms``, or with ``/admin/``."""
        bearer = {"Authorization": f"Bearer {await self.token(realm, client_id)}"}
        whole = path if path.startswith("/admin/") else f"/admin/realms{path}"
        return await self.http.request(method, whole, headers=bearer | (headers or {}), **request)

    async def create(self, path: str, representation: dict[str, Any]) -> str:
        """Send a POST, and return the id at the end of the Location."""
        response = await self.call("POST", path, json=representation)
        assert response.status_code == 201, response.text
        return response.headers["location"].rpartition("/")[2]

    def forget_keys(self) -> None:
        """Look the realms' keys up again, after a rotation."""
        self.tokens.forget_keys()


@asynccontextmanager
async def running(settings: CredentialsSettings, clock: Clock | None = None) -> AsyncIterator[AdminApi]:
    """Run the service, started and stopped like a server would."""
    used = clock or SystemClock()
    put_schema(settings.database_url)
    app = build_app(settings, clock=used)
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=BASE_URL) as http,
    ):
        yield AdminApi(app, settings, used, http, AdminTokens(settings, used))
        # The relay becomes quiet first, so that it shuts down cleanly.
        await asyncio.sleep(_QUIET_SECONDS)
