"""Generated credentials fit their client, and the consequences of a change are announced."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key

from tests.testkit.admin_api import AdminApi, running, settings_for
from tests.testkit.nodes import TestClock

ALG = "token.endpoint.auth.signing.alg"


@pytest.fixture
def clock() -> TestClock:
    return TestClock()


@pytest.fixture
async def api(tmp_path: Path, redis_url: str, clock: TestClock) -> AsyncIterator[AdminApi]:
    settings = settings_for(f"sqlite+aiosqlite:///{tmp_path}/keyturn.db", redis_url)
    async with running(settings, clock) as started:
        yield started


async def make(api: AdminApi, authenticator: str, **attributes: str) -> str:
    made = {"clientId": "orders", "clientAuthenticatorType": authenticator, "attributes": attributes}
    return f"/master/clients/{await api.create('/master/clients', made)}"


def name_of(private_key: str) -> str:
    key = load_der_private_key(base64.b64decode(private_key), None)
    match key:
        case RSAPrivateKey():
            return "RSA"
        case EllipticCurvePrivateKey():
            return key.curve.name
        case Ed25519PrivateKey():
            return "Ed25519"
        case _:
            raise AssertionError(type(key))


@pytest.mark.parametrize(
    ("alg", "made", "other"),
    [
        ("ES256", "secp256r1", "RSA-2048"),
        ("ES384", "secp384r1", "P-256"),
        ("ES512", "secp521r1", "P-256"),
        ("EdDSA", "Ed25519", "P-256"),
        ("PS256", "RSA", "Ed25519"),
        ("", "RSA", None),
    ],
)
async def test_the_key_pair_that_is_made_is_of_the_clients_algorithm(
    api: AdminApi, alg: str, made: str, other: str | None
) -> None:
    path = f"{await make(api, 'client-jwt', **{ALG: alg})}/certificates/jwt.credential"
    generated = await api.call("POST", f"{path}/generate")
    assert generated.status_code == 200, generated.text
    assert name_of(generated.json()["privateKey"]) == made
    if other is not None:
        before = (await api.call("GET", path)).json()
        refused = await api.call("POST", f"{path}/generate?keyType={other}")
        assert refused.status_code == 400
        assert alg in refused.json()["errorMessage"]
        archive: dict[str, Any] = {"format": "PKCS12", "keyPassword": "k", "storePassword": "s"}
        download = await api.call("POST", f"{path}/generate-and-download", json={**archive, "keyType": other})
        assert download.status_code == 400
        assert (await api.call("GET", path)).json() == before


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512", ""])
async def test_a_secret_that_is_made_is_long_enough_to_sign_with(api: AdminApi, alg: str) -> None:
    """RFC 7518 section 3.2: as many octets as the hash, 64 for HS512."""
    path = await make(api, "client-secret-jwt", **{ALG: alg})
    first = (await api.call("GET", f"{path}/client-secret")).json()["value"]
    second = (await api.call("POST", f"{path}/client-secret")).json()["value"]
    assert min(len(first), len(second)) >= 64
    assert first != second


async def test_a_secret_that_a_change_will_replace_is_said_to_be_due(api: AdminApi, clock: TestClock) -> None:
    policy = {
        "keyturn.secret.expiration-period": "100",
        "keyturn.secret.remaining-rotation-period": "50",
        "keyturn.rotation.automatic": "false",
    }
    path = await make(api, "client-secret", **policy)
    assert "keyturn-notice" not in (await api.call("GET", path)).headers
    clock.ahead += 60
    before = await api.call("GET", path)
    assert before.headers["keyturn-notice"] == "the next change to this client gives it a new secret"
    assert (await api.call("PUT", path, json={"description": "x"})).status_code == 204
    after = await api.call("GET", path)
    assert "keyturn-notice" not in after.headers
    assert after.json()["secret"] != before.json()["secret"]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic YTpi"}, {"Authorization": "Bearer "}])
async def test_a_caller_without_a_token_is_told_of_no_error(api: AdminApi, headers: dict[str, str]) -> None:
    """RFC 6750 section 3.1."""
    nothing = await api.http.get("/admin/realms", headers=headers)
    assert (nothing.status_code, nothing.headers["www-authenticate"]) == (401, 'Bearer realm="keyturn"')
    assert nothing.json()["code"] == "missing_token"
    assert nothing.json()["error"] == "HTTP 401 Unauthorized", "Keycloak's own words"


async def test_a_token_that_does_not_hold_is_told_apart_from_none(api: AdminApi) -> None:
    bad = await api.http.get("/admin/realms", headers={"Authorization": "Bearer x"})
    assert bad.headers["www-authenticate"] == 'Bearer realm="keyturn", error="invalid_token"'
    assert (bad.json()["code"], bad.json()["error"]) == ("invalid_token", "HTTP 401 Unauthorized")


def signing(secret: str, alg: str = "") -> dict[str, Any]:
    return {
        "clientId": "signer",
        "clientAuthenticatorType": "client-secret-jwt",
        "secret": secret,
        "attributes": {ALG: alg},
    }


@pytest.mark.parametrize(("alg", "needed"), [("", 32), ("HS256", 32), ("HS384", 48), ("HS512", 64)])
async def test_a_chosen_secret_is_long_enough_to_sign_with(api: AdminApi, alg: str, needed: int) -> None:
    """RFC 7518 section 3.2: otherwise no assertion of the client could be accepted."""
    short, enough = signing("s" * (needed - 1), alg), signing("s" * needed, alg)
    refused = await api.call("POST", "/master/clients", json=short)
    assert refused.status_code == 400
    assert f"at least {needed} bytes, but this one has {needed - 1}" in refused.json()["errorMessage"]
    path = f"/master/clients/{await api.create('/master/clients', enough)}"
    assert (await api.call("PUT", path, json={"secret": "t" * (needed - 1)})).status_code == 400
    assert (await api.call("GET", f"{path}/client-secret")).json()["value"] == enough["secret"]
    assert (await api.call("PUT", path, json={"secret": "t" * needed})).status_code == 204


async def test_a_kept_secret_has_to_fit_a_new_algorithm_or_authenticator(api: AdminApi) -> None:
    path = f"/master/clients/{await api.create('/master/clients', signing('s' * 43))}"
    refused = await api.call("PUT", path, json={"attributes": {ALG: "HS512"}})
    assert refused.status_code == 400
    assert "HS512 needs a secret of at least 64 bytes" in refused.json()["errorMessage"]
    assert ALG not in (await api.call("GET", path)).json()["attributes"]
    assert (await api.call("POST", f"{path}/client-secret")).status_code == 200
    assert (await api.call("PUT", path, json={"attributes": {ALG: "HS512"}})).status_code == 204

    other = {"clientId": "other", "secret": "short"}
    path = f"/master/clients/{await api.create('/master/clients', other)}"
    switch = {"clientAuthenticatorType": "client-secret-jwt"}
    assert (await api.call("PUT", path, json=switch)).status_code == 400
    assert (await api.call("PUT", path, json=switch | {"secret": "s" * 32})).status_code == 204


async def test_an_import_refuses_a_client_whose_secret_is_too_short_and_says_so(api: AdminApi) -> None:
    export = {"clients": [signing("s" * 63, "HS512"), {"clientId": "fine", "secret": "short"}]}
    report = (await api.call("POST", "/master/partialImport", json=export)).json()
    lines = {line["resourceName"]: line for line in report["results"]}
    assert {name: line["action"] for name, line in lines.items()} == {"signer": "REFUSED", "fine": "ADDED"}
    assert "HS512 needs a secret of at least 64 bytes, but this one has 63" in str(lines["signer"])
