"""A credentials service and a node with the same realm, and clients of every kind that can be evaluated."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any, Final

import httpx

from keyturn_shared.jose.signing import SigningKey
from tests.testkit.admin_api import ADMIN_ID, BASE_URL, AdminApi
from tests.testkit.jwks_server import JwksServer, Page
from tests.testkit.nodes import ASSERTION_TYPE, RunningNode, basic, good_claims
from tests.testkit.secret_signing import sign_with_secret

REALM: Final = "acme"
ISSUER: Final = f"{BASE_URL}/realms/{REALM}"
SECRET: Final = "a secret that is long enough for everything"
API: Final = "https://orders.example.com"
KEY, OTHER_KEY, URL_KEY = (SigningKey.generate(kid=kid) for kid in ("first", "second", "published"))
_KEEPERS: Final = ("keeper-1", "keeper-2", "keeper-3")
WAIT: Final = {"Prefer": "wait=30"}
_OUTCOME: Final = re.compile(r'keyturn_(authentications|verifications)_total\{.*outcome="(\w+)"\} ([\d.]+)')


def _clients(jwks_url: str) -> Iterable[dict[str, Any]]:
    keys = {"use.jwks.string": "true", "jwks.string": json.dumps({"keys": [KEY.public_jwk]})}
    yield {
        "clientId": "by-secret",
        "optionalClientScopes": ["orders.read"],
        "attributes": {"keyturn.audiences": f"{API},https://other"},
    }
    post = {"client.secret.authentication.allowed.method": "client_secret_post"}
    yield {"clientId": "by-post", "attributes": post}
    yield {"clientId": "gateway", "attributes": {"keyturn.resource.audiences": f"{API},https://other"}}
    yield {"clientId": "disabled", "enabled": False}
    yield {"clientId": "no-account", "serviceAccountsEnabled": False}
    yield {"clientId": "odd-alg", "attributes": {"access.token.signed.response.alg": "PS512"}}
    yield {"clientId": "by-mac", "clientAuthenticatorType": "client-secret-jwt"}
    yield {"clientId": "by-key", "clientAuthenticatorType": "client-jwt", "attributes": keys}
    strict = {"token.endpoint.auth.signing.alg": "RS256"}
    yield {"clientId": "by-rsa", "clientAuthenticatorType": "client-jwt", "attributes": keys | strict}
    url = {"use.jwks.url": "true", "jwks.url": jwks_url}
    yield {"clientId": "by-url", "clientAuthenticatorType": "client-jwt", "attributes": url}
    broken = {"use.jwks.url": "true", "jwks.url": f"{jwks_url}/nowhere"}
    yield {"clientId": "by-broken-url", "clientAuthenticatorType": "client-jwt", "attributes": broken}


@dataclass
class Scene:
    """``uuids``: of the clients, by client id. ``keepers``: administrators in turn, none of whom asks too
    often."""

    api: AdminApi
    node: RunningNode
    server: JwksServer
    uuids: dict[str, str] = field(default_factory=dict)
    keepers: Iterator[str] = field(default_factory=lambda: cycle(_KEEPERS))

    async def make(self) -> None:
        """Make realm and clients, in force at the node."""
        self.server.pages["/keys"] = Page([URL_KEY.public_jwk])
        await self.api.call("POST", "", json={"realm": REALM})
        for keeper in _KEEPERS:
            roles = {"keyturn.admin.roles": "manage-clients"}
            await self.api.create("/master/clients", {"clientId": keeper, "attributes": roles})
        for client in _clients(self.server.url("/keys")):
            made = {"secret": SECRET, **client}
            answer = await self.api.call("POST", f"/{REALM}/clients", json=made, headers=WAIT)
            assert answer.status_code == 201, answer.text
            self.uuids[client["clientId"]] = answer.headers["location"].rpartition("/")[2]

    def path(self, client_id: str) -> str:
        return f"/{REALM}/clients/{self.uuids[client_id]}"

    async def change(self, method: str, path: str, **request: Any) -> httpx.Response:
        answer = await self.api.call(method, path, headers=WAIT, **request)
        assert answer.status_code < 300, answer.text
        return answer

    async def evaluation(self, client_id: str, *, caller: str = ADMIN_ID, **members: Any) -> dict[str, Any]:
        answer = await self.ask(client_id, caller=caller, **members)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def ask(self, client_id: str, *, caller: str = ADMIN_ID, **members: Any) -> httpx.Response:
        return await self.api.call("POST", f"{self.path(client_id)}/evaluate", json=members, client_id=caller)

    async def token(self, client_id: str = "by-secret", **form: str) -> str:
        """Return an access token from the node."""
        form = {"client_id": client_id, "client_secret": SECRET, **form}
        answer = await self.node.token(REALM, form)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    async def sent_to_the_node(self, client_id: str, members: dict[str, Any]) -> tuple[bool, str]:
        """Send the same request to the node. Return whether it was accepted, and the code it recorded."""
        form: dict[str, Any] = {
            "grant_type": "client_credentials",
            **{name: members[name] for name in ("scope", "resource", "audience") if name in members},
        }
        headers = {}
        if "client_secret" in members and members.get("authentication_method") != "client_secret_post":
            headers["Authorization"] = basic(client_id, members["client_secret"])
        elif "client_secret" in members:
            form |= {"client_id": client_id, "client_secret": members["client_secret"]}
        if "client_assertion" in members:
            form |= {
                "client_id": client_id,
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": members["client_assertion"],
            }
        before = await self._outcomes()
        answer = await self.node.http.post(f"{_PROTOCOL}/token", data=form, headers=headers)
        return answer.status_code == 200, await self._outcome_since(before)

    async def verified_by_the_node(self, token: str, audience: str | None) -> tuple[bool, str]:
        """Ask the node about an access token. Return whether it is active, and the code."""
        question: dict[str, Any] = {"tokens": [token]} | ({"audience": audience} if audience else {})
        answer = await self.node.http.post(
            f"/realms/{REALM}/verify", json=question, headers={"Authorization": basic("gateway", SECRET)}
        )
        assert answer.status_code == 200, answer.text
        (result,) = answer.json()["results"]
        return bool(result["active"]), result.get("error", "accepted")

    async def _outcomes(self) -> dict[str, float]:
        text = (await self.node.http.get("/metrics")).text
        found: dict[str, float] = {}
        for _, outcome, count in _OUTCOME.findall(text):
            found[outcome] = found.get(outcome, 0.0) + float(count)
        return found

    async def _outcome_since(self, before: dict[str, float]) -> str:
        after = await self._outcomes()
        (outcome,) = (name for name, count in after.items() if count > before.get(name, 0.0))
        return outcome


_PROTOCOL: Final = f"/realms/{REALM}/protocol/openid-connect"


def signed(client_id: str, key: SigningKey = KEY, *, typ: str = "JWT", **changes: Any) -> str:
    """Sign an assertion; None removes a claim."""
    claims = {
        name: value for name, value in (good_claims(client_id, ISSUER) | changes).items() if value is not None
    }
    return key.sign_compact(key.header_segment(typ), claims)


def signed_with_secret(client_id: str, secret: str = SECRET, **changes: Any) -> str:
    return sign_with_secret(secret, "HS256", good_claims(client_id, ISSUER) | changes)


def failed(evaluation: dict[str, Any]) -> dict[str, Any]:
    """Return the step that failed."""
    (step,) = (each for each in evaluation["steps"] if each["result"] == "failed")
    return dict(step)


def results(evaluation: dict[str, Any]) -> dict[str, str]:
    return {step["check"]: step["result"] for step in evaluation["steps"]}
