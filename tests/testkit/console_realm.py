"""A realm as after some weeks of use, made over the admin API of a running stack."""

import json
import time
import uuid

import httpx

from keyturn_shared.jose.signing import SigningKey
from tests.testkit.local_stack import Admin, RunningStack, ask_token, token_url
from tests.testkit.threaded_key_server import KeyServer

DAY = 86_400
REALM = "shop"
POLICY = {
    "keyturn.secret.expiration-period": str(90 * DAY),
    "keyturn.secret.rotated-expiration-period": str(7 * DAY),
    "keyturn.secret.remaining-rotation-period": str(14 * DAY),
}
AREAS = ("basket", "catalogue", "loyalty", "prices", "returns", "stock", "tax")
PLACES = ("de", "fr", "pl", "us")


class Scene:
    """``uuids``: client id to the client's id. ``rotation``: id of the one of gift-cards."""

    def __init__(self, stack: RunningStack, keys: KeyServer) -> None:
        self.stack = stack
        self.keys = keys
        self.admin = Admin(stack, REALM)
        self.uuids: dict[str, str] = {}
        self.rotation = ""
        self.signing: dict[str, SigningKey] = {}

    def make(self) -> None:
        """Create everything, in a few seconds."""
        self.admin.make_realm()
        self.admin.call("PUT", "", json={"attributes": POLICY, "displayName": "The shop"})
        self._many()
        self._with_secrets()
        self._with_keys()

    def client(self, client_id: str, **representation: object) -> str:
        self.uuids[client_id] = self.admin.make_client(client_id, **representation)
        return self.uuids[client_id]

    def _many(self) -> None:
        """Create clients whose secrets expire on many days."""
        for number, name in enumerate(f"{area}-{place}" for area in AREAS for place in PLACES):
            own = {"keyturn.secret.expiration-period": str((3 + number * 5 // 4) * DAY + 3600 * number)}
            self.client(name, attributes=own if number % 3 else {})

    def _with_secrets(self) -> None:
        orders = self.client("orders", name="Order service")
        ask_token(self.stack.node_urls[0], REALM, "orders", self.admin.secret(orders)).raise_for_status()
        self.admin.call("POST", f"/clients/{orders}/client-secret")
        ask_token(self.stack.node_urls[0], REALM, "orders", self.admin.secret(orders)).raise_for_status()
        due = {"keyturn.secret.expiration-period": str(9 * DAY)}
        due["keyturn.secret.remaining-rotation-period"] = due["keyturn.secret.expiration-period"]
        self.client("reporting", name="Monthly reports", attributes=due)
        self.client("legacy-export", attributes={"keyturn.secret.expiration-period": "1"})
        cards = self.client("gift-cards", name="Gift cards")
        self.rotation = self.admin.call("POST", f"/clients/{cards}/rotations", json={}).json()["id"]
        partner = self.client("partner-feed", name="Partner feed")
        self.admin.call("PUT", f"/clients/{partner}", json={"enabled": False})
        self.client("notifications", clientAuthenticatorType="client-secret-jwt")
        dn = {"x509.subjectdn": "CN=checkout,OU=Payments,O=Example"}
        self.client("checkout", clientAuthenticatorType="client-x509", attributes=dn)

    def _with_keys(self) -> None:
        first, second = self._key("billing-2026-10"), self._key("billing-2026-11")
        url = self.keys.serve("/billing/jwks.json", first.public_jwk, second.public_jwk)
        self.client("billing", name="Billing", **by_jwt({"use.jwks.url": "true", "jwks.url": url}))
        self.ask("billing", second)
        url = self.keys.fail("/shipping/jwks.json")
        self.client("shipping", **by_jwt({"use.jwks.url": "true", "jwks.url": url}))
        self.ask("shipping", first)
        payments = [self._key(f"payments-{number}") for number in (1, 2, 3)]
        inline = json.dumps({"keys": [key.public_jwk for key in payments]})
        uuid_ = self.client("payments", **by_jwt({"use.jwks.string": "true", "jwks.string": inline}))
        thumbprint = self.admin.call("GET", f"/clients/{uuid_}/keys").json()[0]["thumbprint"]
        self.admin.call("POST", f"/clients/{uuid_}/keys/{thumbprint}/revoke")
        certified = self.client("inventory", name="Inventory", clientAuthenticatorType="client-jwt")
        path = f"/clients/{certified}/certificates/jwt.credential/generate?keyType=P-256"
        self.admin.call("POST", path)

    def _key(self, kid: str) -> SigningKey:
        self.signing[kid] = SigningKey.generate("ES256", kid=kid)
        return self.signing[kid]

    def ask(self, client_id: str, key: SigningKey, node: int = 0) -> httpx.Response:
        """Request a token from a node with private_key_jwt (RFC 7523)."""
        issuer = f"{self.stack.base_url}/realms/{REALM}"
        now = int(time.time())
        claims = {"iss": client_id, "sub": client_id, "aud": issuer, "jti": str(uuid.uuid4())}
        assertion = key.sign_compact(key.header_segment("JWT"), claims | {"iat": now, "exp": now + 30})
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": assertion,
        }
        return httpx.post(
            token_url(self.stack.node_urls[node], REALM), data=form, trust_env=False, timeout=20
        )


def by_jwt(attributes: dict[str, str]) -> dict[str, object]:
    return {"clientAuthenticatorType": "client-jwt", "attributes": attributes}
