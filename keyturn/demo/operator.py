"""The demo's operator: an administrator that calls the admin API at the public base URL."""

from dataclasses import dataclass
from typing import Any, Final

import httpx

from keyturn.local.errors import StackError
from keyturn.local.local_file import LocalStack

PREFER_WAIT: Final = {"Prefer": "wait=10"}
RESPONSE_TIMEOUT_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True)
class Change:
    """The response to a change. ``sequence``: its event. ``fleet``: the ``Keyturn-Fleet`` header.
    ``confirmed``: no node was pending."""

    sequence: int
    fleet: str
    confirmed: bool


class Operator:
    """Calls the admin API as the first admin. Raises StackError for transport failures and unexpected
    statuses; malformed responses raise KeyError, TypeError or ValueError."""

    def __init__(self, local: LocalStack, http: httpx.AsyncClient) -> None:
        self._local = local
        self._http = http

    async def log_in(self) -> None:
        """Get an admin token by client_credentials, and use it from now on."""
        admin = self._local.admin
        answer = await self._call(
            "POST",
            f"/realms/{admin.realm}/protocol/openid-connect/token",
            data={"grant_type": "client_credentials"},
            auth=httpx.BasicAuth(admin.client_id, admin.client_secret),
        )
        self._http.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    async def make_realm(self, realm: str) -> None:
        """Create the realm if it does not exist."""
        if (await self._call("GET", f"/admin/realms/{realm}", allowed_status=404)).status_code == 404:
            await self._call("POST", "/admin/realms", json={"realm": realm, "enabled": True})

    async def replace_client(self, realm: str, client_id: str, jwks_url: str) -> str:
        """Recreate a private_key_jwt client with a JWKS URL. Return its uuid."""
        path = f"/admin/realms/{realm}/clients"
        for client in (await self._call("GET", path, params={"clientId": client_id})).json():
            await self._call("DELETE", f"{path}/{client['id']}")
        representation = {
            "clientId": client_id,
            "clientAuthenticatorType": "client-jwt",
            "serviceAccountsEnabled": True,
            "attributes": {"use.jwks.url": "true", "jwks.url": jwks_url},
        }
        answer = await self._call("POST", path, json=representation, headers=PREFER_WAIT)
        return answer.headers["Location"].rsplit("/", 1)[1]

    async def issuer(self, realm: str) -> str:
        document = await self._call("GET", f"/realms/{realm}/.well-known/openid-configuration")
        return str(document.json()["issuer"])

    async def clear_keys_cache(self, realm: str, uuid: str) -> Change:
        return await self._change(f"/admin/realms/{realm}/clients/{uuid}/clear-keys-cache")

    async def revoke_key(self, realm: str, uuid: str, thumbprint: str) -> Change:
        return await self._change(f"/admin/realms/{realm}/clients/{uuid}/keys/{thumbprint}/revoke")

    async def fleet(self, realm: str) -> dict[str, Any]:
        """Return the fleet document; ``nodes`` lists each node and the last event it applied."""
        answer = await self._call("GET", f"/admin/realms/{realm}/fleet")
        document: dict[str, Any] = answer.json()
        return document

    async def _change(self, path: str) -> Change:
        answer = await self._call("POST", path, headers=PREFER_WAIT)
        return Change(
            int(answer.headers["Keyturn-Sequence"]),
            answer.headers.get("Keyturn-Fleet", ""),
            answer.headers.get("Preference-Applied") == "wait",
        )

    async def _call(
        self, method: str, path: str, *, allowed_status: int | None = None, **options: Any
    ) -> httpx.Response:
        try:
            answer = await self._http.request(method, f"{self._local.base_url}{path}", **options)
        except httpx.HTTPError as error:
            raise StackError(f"{method} {path}: {error!r}") from error
        if answer.is_error and answer.status_code != allowed_status:
            raise StackError(f"{method} {path} answered {answer.status_code}: {answer.text[:300]}")
        return answer
