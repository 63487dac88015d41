"""Certificates through the admin API: generated, uploaded, downloaded; no private key is stored."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import pkcs12

from keyturn_shared.jose.signing import SigningKey
from tests.integration.credentials.certificate_files import certificate_pem
from tests.testkit.admin_api import AdminApi


@pytest.fixture
async def path(api: AdminApi) -> str:
    uuid = await api.create(
        "/master/clients", {"clientId": "orders", "clientAuthenticatorType": "client-jwt"}
    )
    return f"/master/clients/{uuid}"


async def test_a_generated_private_key_is_in_the_answer_and_nowhere_else(api: AdminApi, path: str) -> None:
    made = await api.call("POST", f"{path}/certificates/jwt.credential/generate?keyType=P-256")
    assert made.status_code == 200, made.text
    assert "keyturn-sequence" in made.headers
    assert made.json()["privateKey"]
    shown = (await api.call("GET", f"{path}/certificates/jwt.credential")).json()
    assert shown["certificate"] == made.json()["certificate"]
    assert "privateKey" not in shown
    client = (await api.call("GET", path)).json()
    assert made.json()["privateKey"] not in json.dumps(client)
    keys = (await api.call("GET", f"{path}/keys")).json()
    assert [key["source"] for key in keys] == ["certificate"]


async def test_an_uploaded_certificate_becomes_the_clients_key(api: AdminApi, path: str) -> None:
    text = certificate_pem()
    for call in ("upload", "upload-certificate"):
        response = await api.call(
            "POST",
            f"{path}/certificates/jwt.credential/{call}",
            data={"keystoreFormat": "Certificate PEM"},
            files={"file": ("orders.pem", text)},
        )
        assert response.status_code == 200, response.text
        assert response.json()["certificate"] in text.replace("\n", "")


async def test_an_archive_may_be_uploaded_without_a_file_name(api: AdminApi, path: str) -> None:
    order = {"format": "PKCS12", "keyType": "P-256", "keyAlias": "orders"}
    order |= {"keyPassword": "geheim", "storePassword": "geheim"}
    url = f"{path}/certificates/jwt.credential"
    made = await api.call("POST", f"{url}/generate-and-download", json=order)
    shown = (await api.call("GET", url)).json()["certificate"]
    await api.call("POST", f"{url}/generate?keyType=P-256")
    response = await api.call(
        "POST",
        f"{url}/upload",
        data={"keystoreFormat": "PKCS12", "keyAlias": "orders", "storePassword": "geheim"},
        files={"file": (None, made.content, "application/octet-stream")},
    )
    assert response.status_code == 200, response.text
    assert response.json()["certificate"] == shown


async def test_a_certificate_without_effect_is_refused(api: AdminApi, path: str) -> None:
    await api.call(
        "PUT", path, json={"attributes": {"use.jwks.url": "true", "jwks.url": "https://example.com/jwks"}}
    )
    response = await api.call(
        "POST",
        f"{path}/certificates/jwt.credential/upload",
        data={"keystoreFormat": "Certificate PEM"},
        files={"file": ("orders.pem", certificate_pem())},
    )
    assert response.status_code == 400
    assert "no effect" in response.json()["errorMessage"]


async def test_an_uploaded_key_set_takes_the_place_of_the_certificate(api: AdminApi, path: str) -> None:
    await api.call("POST", f"{path}/certificates/jwt.credential/generate?keyType=Ed25519")
    key = SigningKey.generate("ES256", kid="one")
    upload: dict[str, Any] = {"data": {"keystoreFormat": "JSON Web Key Set"}}
    url = f"{path}/certificates/jwt.credential/upload"
    private = json.dumps({"keys": [json.loads(key.export_private_jwk())]})
    refused = await api.call("POST", url, files={"file": ("jwks.json", private)}, **upload)
    assert refused.status_code == 400
    assert "private" in refused.json()["errorMessage"]
    assert (await api.call("GET", f"{path}/keys")).json()[0]["source"] == "certificate"

    public = json.dumps({"keys": [key.public_jwk]})
    assert (await api.call("POST", url, files={"file": ("jwks.json", public)}, **upload)).status_code == 200
    assert [(k["kid"], k["source"]) for k in (await api.call("GET", f"{path}/keys")).json()] == [
        ("one", "jwks")
    ]
    attributes = (await api.call("GET", path)).json()["attributes"]
    assert "jwt.credential.certificate" not in attributes


async def test_an_archive_has_the_private_key_once(api: AdminApi, path: str) -> None:
    config = {"format": "PKCS12", "storePassword": "store", "keyPassword": "store", "keyAlias": "orders"}
    url = f"{path}/certificates/jwt.credential"
    made = await api.call("POST", f"{url}/generate-and-download", json=config | {"keyType": "P-384"})
    assert made.status_code == 200, made.text
    key, certificate, others = pkcs12.load_key_and_certificates(made.content, b"store")
    assert key is not None
    assert certificate is not None
    assert key.public_key() == certificate.public_key()
    assert len(others) == 1  # the realm's
    later = await api.call("POST", f"{url}/download", json=config | {"realmCertificate": False})
    stored = pkcs12.load_pkcs12(later.content, b"store")
    assert stored.key is None
    assert [entry.certificate for entry in stored.additional_certs] == [certificate]


@pytest.mark.parametrize(
    ("call", "config", "status"),
    [
        ("download", {"format": "JKS", "storePassword": "secret"}, 404),
        ("download", {"format": "jks", "storePassword": "secret"}, 406),
        ("generate-and-download", {"format": "BCFKS", "storePassword": "s", "keyPassword": "k"}, 406),
        ("generate-and-download", {"format": "JKS", "storePassword": "s"}, 400),
        ("generate-and-download", {"format": "JKS", "keySize": 1024, "keyPassword": "k"}, 400),
    ],
)
async def test_an_archive_that_cannot_be_made_changes_nothing(
    api: AdminApi, path: str, call: str, config: dict[str, object], status: int
) -> None:
    more = {"keyType": "P-256"} if "keySize" not in config else {}
    response = await api.call("POST", f"{path}/certificates/jwt.credential/{call}", json=config | more)
    assert response.status_code == status, response.text
    assert (await api.call("GET", f"{path}/certificates/jwt.credential")).json() == {}


async def test_a_url_is_tested_through_the_guards(api: AdminApi, path: str) -> None:
    response = await api.call("POST", f"{path}/jwks-url/test", json={"url": "https://169.254.169.254/jwks"})
    assert response.status_code == 200
    assert response.json()["keys"] == []
    assert response.json()["error"] == "address_not_allowed"
