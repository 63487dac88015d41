"""Complaints of other servers' users, each as a test: docs/known-complaints.md has the list."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keyturn_credentials.keystores import KeyEntry, write_archive
from keyturn_credentials.store.database import Database
from keyturn_credentials.store.event_log import DatabaseEventLog
from keyturn_shared.clock import SystemClock
from keyturn_shared.jose.jwk import VerificationKey
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.projection import ClientProjection, client_field, decode_client, projection_value
from tests.testkit.admin_api import AdminApi
from tests.testkit.key_material import (
    JKS,
    KEY,
    PASSWORDS,
    PKCS12,
    STORE,
    certificate,
    key_pair,
    pem,
)
from tests.testkit.stored_projections import stored_projections

CREDENTIAL = "certificates/jwt.credential"
BY_JWT = {"clientId": "orders", "clientAuthenticatorType": "client-jwt"}
POLICY = {
    "keyturn.secret.expiration-period": "86400",
    "keyturn.secret.rotated-expiration-period": "3600",
}
FORM = {"keyAlias": "client", "storePassword": STORE.reveal(), "keyPassword": KEY.reveal()}


async def make(api: AdminApi, **representation: Any) -> str:
    await api.call("POST", "", json={"realm": "acme"})  # it may exist already
    uuid = await api.create("/acme/clients", {"clientId": "orders", **representation})
    return f"/acme/clients/{uuid}"


def thumbprints_of(client: ClientProjection) -> list[str]:
    """Of the client's inline keys."""
    keys = (client.jwks or {})["keys"]
    assert isinstance(keys, list)
    return [VerificationKey.from_jwk(jwk).thumbprint for jwk in keys]


async def projected(api: AdminApi) -> ClientProjection:
    """Return the verifiers' projection of the client."""
    realm_id = (await api.call("GET", "/acme")).json()["id"]
    field = client_field(realm_id, "orders")
    database = Database(api.settings.database_url)
    sequence, body = (await stored_projections(database, [field]))[field]
    await database.close()
    assert body is not None
    return decode_client(projection_value(sequence, body))[1]


async def told(api: AdminApi, path: str) -> str:
    """Return everything in events and audit."""
    parts = [(await api.call("GET", f"/acme/{log}")).text for log in ("event-log", "audit")]
    database = Database(api.settings.database_url)
    events = await DatabaseEventLog(database, SystemClock()).read(1, 1000)
    await database.close()
    return "".join([*parts, *(event.payload.decode() for event in events)])


async def test_keycloak_49239_49238_no_private_key_is_kept_in_the_database(
    api: AdminApi, tmp_path: Path
) -> None:
    path = await make(api, **BY_JWT)
    made = (await api.call("POST", f"{path}/{CREDENTIAL}/generate?keyType=P-256")).json()["privateKey"]
    entry = KeyEntry("client", key_pair(), (certificate(),))
    archive = write_archive(JKS, [entry], PASSWORDS, now=datetime.now(UTC))
    uploaded = await api.call(
        "POST",
        f"{path}/{CREDENTIAL}/upload",
        data={"keystoreFormat": "JKS", **FORM},
        files={"file": ("f", archive)},
    )
    assert uploaded.status_code == 200
    assert "privateKey" not in uploaded.json()
    kept = database(tmp_path)
    assert uploaded.json()["certificate"].encode() in kept
    for private in (made, key_pair().private_key_body.reveal()):
        assert private.encode() not in kept


async def test_keycloak_51240_51241_31892_50853_no_secret_is_in_events_or_audit(api: AdminApi) -> None:
    path = await make(api, secret="chosen-by-the-caller")
    secrets = ["chosen-by-the-caller"]
    secrets.append((await api.call("POST", f"{path}/client-secret")).json()["value"])
    await api.call("PUT", path, json={"secret": "chosen-by-the-caller-again"})
    await api.call("PUT", path, json={"clientAuthenticatorType": "client-jwt"})
    made = await api.call("POST", f"{path}/{CREDENTIAL}/generate?keyType=Ed25519")
    secrets += ["chosen-by-the-caller-again", made.json()["privateKey"]]
    everything = await told(api, path)
    assert "client_keys_changed" in everything
    for secret in secrets:
        assert secret not in everything


async def test_keycloak_49220_40646_who_may_only_view_clients_cannot_read_secrets(api: AdminApi) -> None:
    path = await make(api)
    viewer = {"clientId": "viewer", "attributes": {"keyturn.admin.roles": "view-clients"}}
    await api.create("/master/clients", viewer)
    secret = (await api.call("GET", f"{path}/client-secret")).json()["value"]
    for address in (path, f"{path}/client-secret", "/acme/clients", "/acme/clients?clientId=orders"):
        shown = await api.call("GET", address, client_id="viewer")
        assert shown.status_code == 200
        assert secret not in shown.text


@pytest.mark.parametrize(
    "file_format", ["JKS", "PKCS12", "Certificate PEM", "Public Key PEM", "JSON Web Key Set"]
)
async def test_keycloak_17832_37066_40499_14863_an_import_that_reports_success_is_in_force(
    api: AdminApi, file_format: str
) -> None:
    path = await make(api, **BY_JWT)
    await api.call("POST", f"{path}/{CREDENTIAL}/generate?keyType=Ed25519")
    before = await projected(api)
    entry = KeyEntry("client", key_pair(), (certificate(),))
    public = SigningKey(key_pair().reveal(), "ES256").public_jwk
    body = (await api.call("GET", f"{path}/{CREDENTIAL}")).json()["publicKey"]
    now = datetime.now(UTC)
    file = {
        "JKS": lambda: write_archive(JKS, [entry], PASSWORDS, now=now),
        "PKCS12": lambda: write_archive(PKCS12, [entry], PASSWORDS, now=now),
        "Certificate PEM": lambda: pem([certificate()]),
        "Public Key PEM": lambda: public_pem(),
        "JSON Web Key Set": lambda: json.dumps({"keys": [public]}).encode(),
    }[file_format]()
    uploaded = await api.call(
        "POST",
        f"{path}/{CREDENTIAL}/upload",
        data={"keystoreFormat": file_format, **FORM},
        files={"file": ("f", file)},
    )
    assert uploaded.status_code == 200, uploaded.text
    assert uploaded.json().get("publicKey") != body
    after = await projected(api)
    assert after != before
    thumbprint = VerificationKey.from_public_key(key_pair().public_key).thumbprint
    assert thumbprints_of(after) == [thumbprint]
    listed = (await api.call("GET", f"{path}/keys")).json()
    assert [key["thumbprint"] for key in listed] == [thumbprint]


async def test_keycloak_14863_a_key_that_a_jwks_url_would_hide_is_not_taken(api: AdminApi) -> None:
    given = {"use.jwks.url": "true", "jwks.url": "https://example.com/jwks"}
    path = await make(api, **BY_JWT, attributes=given)
    for call in ("generate", "upload"):
        refused = await api.call(
            "POST",
            f"{path}/{CREDENTIAL}/{call}",
            data={"keystoreFormat": "Certificate PEM"},
            files={"file": ("f", pem([certificate()]))},
        )
        assert refused.status_code == 400
        assert "no effect" in refused.json()["errorMessage"]


async def test_keycloak_10489_hydra_1712_3443_two_secrets_are_good_at_once(api: AdminApi) -> None:
    path = await make(api, attributes=POLICY)
    await api.call("POST", f"{path}/client-secret")
    assert len((await projected(api)).secrets) == 2


async def test_keycloak_49342_the_secret_that_is_shown_is_the_one_in_force(api: AdminApi) -> None:
    path = await make(api, attributes=POLICY)
    fleet = api.settings.fleet_ring()
    uuid = path.rpartition("/")[2]
    for _ in range(3):
        answered = (await api.call("POST", f"{path}/client-secret")).json()["value"]
        shown = (await api.call("GET", f"{path}/client-secret")).json()["value"]
        former = (await api.call("GET", f"{path}/client-secret/rotated")).json()["value"]
        in_client = (await api.call("GET", path)).json()["secret"]
        current, rotated = (await projected(api)).secrets
        assert answered == shown == in_client
        assert fleet.matches(shown, current.digest, f"client-secret:{uuid}")
        assert fleet.matches(former, rotated.digest, f"client-secret:{uuid}")


async def test_keycloak_50855_switching_rotation_off_ends_the_former_secret(api: AdminApi) -> None:
    path = await make(api, attributes=POLICY)
    current = (await api.call("POST", f"{path}/client-secret")).json()["value"]
    await api.call("PUT", path, json={"attributes": dict.fromkeys(POLICY, "")})
    assert (await api.call("GET", f"{path}/client-secret/rotated")).status_code == 404
    (left,) = (await projected(api)).secrets
    assert left.not_after is None
    assert (await api.call("GET", f"{path}/client-secret")).json()["value"] == current


async def test_keycloak_50855_switching_a_realms_rotation_off_lengthens_nothing(api: AdminApi) -> None:
    """A former secret still expires as planned; the next change of the client ends it at once."""
    await api.call("POST", "", json={"realm": "acme", "attributes": POLICY})
    path = await make(api)
    await api.call("POST", f"{path}/client-secret")
    before = (await projected(api)).secrets
    await api.call("PUT", "/acme", json={"attributes": dict.fromkeys(POLICY, "")})
    assert (await projected(api)).secrets == before
    assert before[1].not_after is not None
    await api.call("PUT", path, json={"name": "changed"})
    assert (await api.call("GET", f"{path}/client-secret/rotated")).status_code == 404
    assert [secret.not_after for secret in (await projected(api)).secrets] == [None]


async def test_keycloak_38576_an_assertion_may_not_be_allowed_to_live_for_long(api: AdminApi) -> None:
    path = await make(api, **BY_JWT)
    for seconds in ("3601", "0", "-1", "a"):
        given = {"token.endpoint.auth.signing.max.exp": seconds}
        assert (await api.call("PUT", path, json={"attributes": given})).status_code == 400


async def test_keycloak_14794_15616_keys_that_share_a_kid_are_all_kept(api: AdminApi) -> None:
    keys = [SigningKey.generate(alg, kid="same").public_jwk for alg in ("ES256", "RS256")]
    given = {"use.jwks.string": "true", "jwks.string": json.dumps({"keys": keys})}
    path = await make(api, **BY_JWT, attributes=given)
    listed = (await api.call("GET", f"{path}/keys")).json()
    assert [(key["kid"], key["kty"]) for key in listed] == [("same", "EC"), ("same", "RSA")]


async def test_keycloak_14263_a_new_key_under_an_old_kid_takes_its_place(api: AdminApi) -> None:
    path = await make(api, **BY_JWT)
    for _ in range(2):
        key = SigningKey.generate("ES256", kid="same")
        given = {"use.jwks.string": "true", "jwks.string": json.dumps({"keys": [key.public_jwk]})}
        await api.call("PUT", path, json={"attributes": given})
        kept = thumbprints_of(await projected(api))
        assert kept == [VerificationKey.from_jwk(key.public_jwk).thumbprint]


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/jwks",
        "https://[::1]/jwks",
        "https://[::ffff:10.0.0.1]/jwks",
        "https://169.254.169.254/latest/meta-data",
        "https://10.1.2.3/jwks",
        "https://2130706433/jwks",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
    ],
)
async def test_keycloak_45645_51219_47276_a_jwks_url_reaches_no_private_network(
    api: AdminApi, url: str
) -> None:
    path = await make(api, **BY_JWT)
    answer = (await api.call("POST", f"{path}/jwks-url/test", json={"url": url})).json()
    assert answer["keys"] == []
    assert answer["error"] in ("address_not_allowed", "host_not_allowed", "scheme_not_allowed", "invalid_url")


async def test_keycloak_49658_a_change_says_how_far_it_has_come(api: AdminApi) -> None:
    path = await make(api)
    changed = await api.call("POST", f"{path}/client-secret", headers={"Prefer": "wait=5"})
    assert changed.headers["keyturn-fleet"] == "nodes=0, applied=0, fenced=0, pending=0"
    assert changed.headers["preference-applied"] == "wait"


def database(directory: Path) -> bytes:
    """Return the content of its files, including overwritten data."""
    return b"".join(file.read_bytes() for file in directory.glob("keyturn.db*"))


def public_pem() -> bytes:
    return key_pair().public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
