"""A person's browser between the console and the identity provider."""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from keyturn_credentials.settings import CredentialsSettings
from tests.testkit.admin_api import BASE_URL, AdminApi, settings_for
from tests.testkit.identity_provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider

SESSION = "keyturn_session"
FLOW = "keyturn_sign_in"
ROLES = {
    "admins": {"master": ["admin"]},
    "viewers": {"master": ["view-clients"]},
    "shop": {"shop": ["manage-clients"]},
    "two": {"shop": ["view-clients"], "acme": ["manage-realm"]},
}


def person_settings(database_url: str, redis_url: str, issuer: str, **more: Any) -> CredentialsSettings:
    """Return settings with this provider."""
    own = {
        "console_oidc_issuer": issuer,
        "console_oidc_name": "Example ID",
        "console_oidc_client_id": CLIENT_ID,
        "console_oidc_client_secret": CLIENT_SECRET,
        "console_oidc_roles": json.dumps(ROLES),
        "console_oidc_allowed_networks": "127.0.0.0/8",
    }
    return settings_for(database_url, redis_url, **{**own, **more})


@dataclass
class Browser:
    """A browser with its own cookies. ``asked``: the parameters of the last authorization request."""

    api: AdminApi
    provider: IdentityProvider
    http: httpx.AsyncClient
    asked: dict[str, str] = field(default_factory=dict)

    async def begin(self, return_to: str | None = None) -> httpx.Response:
        """Follow the link on the sign-in page as far as the provider."""
        query = {} if return_to is None else {"return_to": return_to}
        answer = await self.http.get("/console/oidc/sign-in", params=query)
        if answer.status_code == 303:
            self.asked = dict(parse_qsl(urlsplit(answer.headers["location"]).query))
        return answer

    async def come_back(self, **query: str) -> httpx.Response:
        """Open the callback with state and issuer as the provider gives them, unless ``query`` says other
        ones; an empty one is left out."""
        usual = {"state": self.asked.get("state", ""), "iss": self.provider.issuer, "code": "code-1"}
        given = {name: value for name, value in {**usual, **query}.items() if value}
        return await self.http.get("/console/oidc/callback", params=given)

    def issue(self, token: str | None = None, *, code: str = "code-1", **claims: Any) -> None:
        """Have the provider issue a code for an ID token with these claims, or for this token."""
        signed = token or self.provider.sign(self.provider.claims(**{"nonce": self.asked["nonce"], **claims}))
        self.provider.issue(code, self.asked["code_challenge"], id_token=signed, token_type="Bearer")

    async def sign_in(self, return_to: str | None = None, **claims: Any) -> httpx.Response:
        """Sign in from the link to the callback; return its answer."""
        await self.begin(return_to)
        self.issue(**claims)
        return await self.come_back()

    async def session(self) -> dict[str, Any] | None:
        """Return the session as the console sees it, None without one."""
        answer = await self.http.get("/console/session")
        return None if answer.status_code == 204 else dict(answer.json())

    async def change(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Make a change as a page of the console does."""
        session = await self.session()
        assert session is not None
        headers = {"X-CSRF-Token": session["csrf"], "Origin": BASE_URL}
        return await self.http.request(method, f"/admin/realms{path}", headers=headers, **request)


def has_session(answer: httpx.Response) -> bool:
    """Return whether an answer gives a session."""
    return any(value.startswith(f"{SESSION}=") for value in answer.headers.get_list("set-cookie"))
