"""Client secrets: chosen, generated, rotated, revoked, imported, refused."""

import json

import httpx

from tests.secrecy.recorder import Recorder

POLICY = {
    "keyturn.secret.expiration-period": "86400",
    "keyturn.secret.rotated-expiration-period": "3600",
}


def use_secrets(recorder: Recorder, realm: str) -> dict[str, str]:
    """Use clients of every kind with a secret; return their ids and newest secrets."""
    known: dict[str, str] = {}

    def shown(answer: httpx.Response) -> None:
        known["newest"] = recorder.note("a shown client secret", answer.json()["value"])

    for name in ("client-secret", "client-secret-jwt"):
        chosen = recorder.new_secret(f"a chosen secret of {name}")
        body = {"clientId": name, "clientAuthenticatorType": name, "secret": chosen, "attributes": POLICY}
        path = f"/{realm}/clients/{recorder.create(f'/{realm}/clients', body)}"
        recorder.admin("GET", f"{path}/client-secret", shows=shown)
        recorder.admin("POST", f"{path}/client-secret", shows=shown)
        recorder.admin("POST", f"{path}/client-secret", shows=shown)
        recorder.admin("GET", f"{path}/client-secret/rotated", shows=shown)
        recorder.admin("DELETE", f"{path}/client-secret/rotated")
        recorder.admin("GET", f"{path}/client-secret/rotated")
        recorder.admin("PUT", path, json={"secret": recorder.new_secret("a secret changed by PUT")})
        recorder.admin("GET", f"{path}/client-secret", shows=shown)
        known[name] = known["newest"]
        _evaluate(recorder, path, known["newest"])
        recorder.admin(
            "GET", f"{path}/installation/providers/keycloak-oidc-keycloak-json", shows=lambda _: None
        )
    deleted = recorder.create(f"/{realm}/clients", {"clientId": "deleted"})
    recorder.admin("GET", f"/{realm}/clients/{deleted}/client-secret", shows=shown)
    recorder.admin("DELETE", f"/{realm}/clients/{deleted}")
    _be_refused(recorder, realm)
    _import(recorder, realm)
    _view(recorder, realm)
    return known


def use_digests_only(recorder: Recorder, realm: str) -> None:
    """Use a realm that stores digests only."""
    recorder.create("", {"realm": realm, "attributes": {"keyturn.secret.digest-only": "true"}})

    def shown(answer: httpx.Response) -> None:
        recorder.note("a secret shown once", answer.json().get("secret") or answer.json()["value"])

    uuid = recorder.create(f"/{realm}/clients", {"clientId": "once"}, shows=shown)
    recorder.admin("GET", f"/{realm}/clients/{uuid}/client-secret")
    recorder.admin("GET", f"/{realm}/clients/{uuid}")
    recorder.admin("POST", f"/{realm}/clients/{uuid}/client-secret", shows=shown)


def _be_refused(recorder: Recorder, realm: str) -> None:
    """Send requests that contain a secret and fail."""
    refused = [
        {"clientId": "client-secret", "secret": recorder.new_secret("a secret of a client there is")},
        {"clientId": "refused", "secret": recorder.new_secret("a secret with a bad end") + "\n"},
        {"clientId": "refused", "secret": recorder.new_secret("a secret that is too long") * 30},
        {"clientId": "refused", "secret": {"value": recorder.new_secret("a secret in an object")}},
        {"clientId": 1, "secret": recorder.new_secret("a secret beside a bad id")},
    ]
    for body in refused:
        assert recorder.admin("POST", f"/{realm}/clients", json=body).status_code >= 400
    broken = f'{{"clientId": "broken", "secret": "{recorder.new_secret("a secret in broken JSON")}"'
    recorder.admin("POST", f"/{realm}/clients", content=broken.encode())
    recorder.admin("PUT", f"/{realm}/clients/{recorder.new_secret('a secret in a path')}", json={})
    recorder.admin("GET", f"/{realm}/clients?q={recorder.new_secret('a secret in a query')}")
    recorder.admin("GET", f"/{realm}/clients", token=recorder.new_secret("a bearer token that is none"))


def _evaluate(recorder: Recorder, path: str, secret: str) -> None:
    """Paste secrets into evaluations, also where none belongs."""
    wrong = recorder.new_secret("a secret that is evaluated")
    for member in ("client_secret", "client_assertion", "access_token", "authentication_method"):
        recorder.admin("POST", f"{path}/evaluate", json={member: secret})
        recorder.admin("POST", f"{path}/evaluate", json={member: wrong})
        recorder.admin("POST", f"{path}/evaluate", json={member: f"{wrong}.{wrong}.{wrong}"})
    recorder.admin("POST", f"{path}/evaluate", json={wrong: "a member with the name of a secret"})
    recorder.admin("POST", f"{path}/evaluate", content=f'{{"client_secret": "{wrong}"'.encode())


def _import(recorder: Recorder, realm: str) -> None:
    client = {
        "clientId": "imported",
        "secret": recorder.new_secret("an imported secret"),
        "registrationAccessToken": recorder.new_secret("an imported registration token"),
        "attributes": {
            "client.secret.rotated": recorder.new_secret("an imported rotated secret"),
            "client.secret.rotated.expiration.time": "4102444800",
        },
    }
    refused = {"clientId": "saml", "protocol": "saml", "secret": recorder.new_secret("a refused secret")}
    document = json.loads(json.dumps({"ifResourceExists": "OVERWRITE", "clients": [client, refused]}))
    for _ in range(2):
        answer = recorder.admin("POST", f"/{realm}/partialImport", json=document)
        assert answer.json()["added"] + answer.json()["overwritten"] == 1, answer.text


def _view(recorder: Recorder, realm: str) -> None:
    """Read as an admin with view permission only."""
    secret = recorder.new_secret("the viewer's secret")
    viewer = {"clientId": "viewer", "secret": secret, "attributes": {"keyturn.admin.roles": "view-clients"}}
    recorder.create(f"/{realm}/clients", viewer)
    token = recorder.token(realm, "viewer", secret)
    clients = recorder.admin("GET", f"/{realm}/clients", token=token).json()
    assert len(clients) > 2
    for client in clients:
        path = f"/{realm}/clients/{client['id']}"
        recorder.admin("GET", path, token=token)
        recorder.admin("GET", f"{path}/client-secret", token=token)
        recorder.admin("POST", f"{path}/client-secret", token=token)
        recorder.admin("GET", f"{path}/installation/providers/keycloak-oidc-keycloak-json", token=token)
