"""The verifiers: clients authenticate in every way, correctly and not, and tokens are checked."""

import json
import time
import uuid
from typing import Any

from keyturn_shared.jose.signing import SigningKey
from tests.secrecy.recorder import Recorder, token_path
from tests.testkit.secret_signing import sign_with_secret

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def use_tokens(recorder: Recorder, realm: str, known: dict[str, str]) -> None:
    secret, symmetric = known["client-secret"], known["client-secret-jwt"]
    token = recorder.token(realm, "client-secret", secret)
    key = SigningKey(recorder.new_key("a client's own key"), "ES256")
    jwks = json.dumps({"keys": [key.public_jwk]})
    own_key = {
        "clientId": "own-key",
        "clientAuthenticatorType": "client-jwt",
        "attributes": {"use.jwks.string": "true", "jwks.string": jwks},
    }
    recorder.create(f"/{realm}/clients", own_key)
    by_secret = sign_with_secret(symmetric, "HS256", _claims(recorder, realm, "client-secret-jwt"))
    for signed in (_signed(recorder, realm, key), recorder.note_token(by_secret)):
        for _ in range(2):  # the second time it is refused, as replayed
            _ask(recorder, realm, client_assertion=signed, client_assertion_type=ASSERTION_TYPE)
    basic = ("client-secret", secret)
    for path in ("token/introspect", "verify", "forward-auth"):
        _check(recorder, realm, path, token, basic)
    _be_refused(recorder, realm, secret, token)
    cookie = recorder.send(
        "POST",
        "/console/session",
        json=_sign_in(recorder),
        # It begins with the version and key id that all encrypted values begin with.
        shows=lambda answer: recorder.note(
            "a console cookie", next(iter(answer.cookies.values())).rpartition(".")[2]
        ),
    )
    assert cookie.status_code == 200, cookie.text
    recorder.http.cookies.clear()
    recorder.send("POST", "/console/session", json=_sign_in(recorder) | {"client_secret": token})
    recorder.send("POST", "/console/session", json={"ticket": recorder.new_secret("a ticket that is none")})


def _be_refused(recorder: Recorder, realm: str, secret: str, token: str) -> None:
    wrong = recorder.new_secret("a wrong client secret")
    for name in ("client-secret", "nobody", "own-key"):
        recorder.send("POST", token_path(realm), data=_GRANT, auth=(name, wrong))
    _ask(recorder, realm, client_id="client-secret", client_secret=wrong)
    _ask(recorder, realm, client_id="client-secret", client_secret=secret, client_assertion=token)
    recorder.send("POST", f"{token_path(realm)}?client_secret={secret}", data=_GRANT)
    recorder.send("POST", token_path("nowhere"), data=_GRANT, auth=("client-secret", secret))
    recorder.send("GET", f"/realms/{realm}/{wrong}")
    recorder.send("POST", token_path(realm), content=f"client_secret={secret}&%".encode())
    basic = {"Authorization": f"Basic {secret}"}
    recorder.send("POST", token_path(realm), data=_GRANT, headers=basic)
    for sent in (f"{token[:-3]}AAA", f"{token}.{wrong}", wrong):
        _check(recorder, realm, "forward-auth", sent, ("client-secret", secret))
        _check(recorder, realm, "verify", sent, ("client-secret", secret))
        _ask(recorder, realm, client_assertion=sent, client_assertion_type=ASSERTION_TYPE)


_GRANT = {"grant_type": "client_credentials"}


def _ask(recorder: Recorder, realm: str, **form: str) -> None:
    answer = recorder.send("POST", token_path(realm), data=_GRANT | form, shows=lambda _: None)
    if answer.is_success:
        recorder.note_token(answer.json()["access_token"])


def _check(recorder: Recorder, realm: str, path: str, token: str, basic: tuple[str, str]) -> None:
    if path == "forward-auth":
        recorder.send("GET", f"/realms/{realm}/{path}", headers={"Authorization": f"Bearer {token}"})
    elif path == "verify":
        recorder.send("POST", f"/realms/{realm}/{path}", json={"tokens": [token]}, auth=basic)
    else:
        recorder.send(
            "POST", f"/realms/{realm}/protocol/openid-connect/{path}", data={"token": token}, auth=basic
        )


def _signed(recorder: Recorder, realm: str, key: SigningKey) -> str:
    return recorder.note_token(key.sign_compact(key.header_segment(), _claims(recorder, realm, "own-key")))


def _claims(recorder: Recorder, realm: str, client_id: str) -> dict[str, Any]:
    now = int(time.time())
    issuer = f"{recorder.stack.base_url}/realms/{realm}"
    times = {"iat": now, "exp": now + 50}
    return {"iss": client_id, "sub": client_id, "aud": issuer, "jti": str(uuid.uuid4()), **times}


def _sign_in(recorder: Recorder) -> dict[str, str]:
    admin = recorder.stack.local["admin"]
    return {name: admin[name] for name in ("realm", "client_id", "client_secret")}
