"""Each file that cannot be imported has its own error, and changes nothing."""

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from keyturn_credentials.keystores import (
    CertificateEntry,
    KeyEntry,
    KeyPairKind,
    KeyStoreFormat,
    write_archive,
)
from keyturn_shared.jose.signing import SigningKey
from tests.testkit import weak_certificates
from tests.testkit.admin_api import AdminApi
from tests.testkit.key_material import (
    JKS,
    KEY,
    PASSWORDS,
    PKCS12,
    STORE,
    certificate,
    issued,
    key_pair,
    pem,
)

NOW = datetime.now(UTC)
BOTH = {"storePassword": STORE.reveal(), "keyPassword": KEY.reveal()}
ALIAS = {"keyAlias": "client", **BOTH}


def archive(archive_format: KeyStoreFormat = JKS) -> bytes:
    entries: list[KeyEntry | CertificateEntry] = [
        KeyEntry("client", key_pair(), (certificate(),)),
        CertificateEntry("realm", certificate()),
    ]
    return write_archive(archive_format, entries, PASSWORDS, now=NOW)


def expired() -> bytes:
    return pem([issued("a", "a", begin=NOW - timedelta(days=2), end=NOW - timedelta(seconds=1))])


def not_yet_valid() -> bytes:
    return pem([issued("a", "a", begin=NOW + timedelta(days=1), end=NOW + timedelta(days=2))])


def two_certificates() -> bytes:
    return pem([certificate(subject="one"), certificate(KeyPairKind.ED25519, "other")])


def private_pem() -> bytes:
    return key_pair().reveal().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def private_key_set() -> bytes:
    key = json.loads(SigningKey.generate("ES256").export_private_jwk())
    return json.dumps({"keys": [SigningKey.generate("ES256").public_jwk, key]}).encode()


def secret_key_set() -> bytes:
    return json.dumps({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}).encode()


def encryption_key_set() -> bytes:
    return json.dumps({"keys": [SigningKey.generate("ES256").public_jwk | {"use": "enc"}]}).encode()


REFUSALS: dict[str, tuple[str, Callable[[], bytes], dict[str, str], str, str]] = {
    # fault: (format, file, form, code, part of the message)
    "wrong store password": ("JKS", archive, ALIAS | {"storePassword": "x"}, "wrong_store_password", "store"),
    "wrong store password, PKCS12": (
        "PKCS12",
        lambda: archive(PKCS12),
        ALIAS | {"storePassword": "x"},
        "wrong_store_password",
        "store password",
    ),
    "wrong key password": (
        "JKS",
        archive,
        ALIAS | {"keyPassword": "x"},
        "wrong_key_password",
        "key password",
    ),
    "no store password": ("JKS", archive, {"keyAlias": "client"}, "password_missing", "password"),
    "alias not there": (
        "JKS",
        archive,
        BOTH | {"keyAlias": "nobody"},
        "alias_not_found",
        "'client', 'realm'",
    ),
    "no alias among several": (
        "PKCS12",
        lambda: archive(PKCS12),
        BOTH,
        "alias_ambiguous",
        "'client', 'realm'",
    ),
    "PEM said to be JKS": (
        "JKS",
        lambda: pem([certificate()]),
        ALIAS,
        "other_format",
        "PEM of 'CERTIFICATE'",
    ),
    "archive said to be PEM": ("Certificate PEM", archive, {}, "other_format", "a JKS archive"),
    "PEM said to be a key set": (
        "JSON Web Key Set",
        lambda: pem([certificate()]),
        {},
        "other_format",
        "PEM of 'CERTIFICATE'",
    ),
    "certificate said to be a public key": (
        "Public Key PEM",
        lambda: pem([certificate()]),
        {},
        "other_format",
        "PEM of 'CERTIFICATE'",
    ),
    "BCFKS": ("BCFKS", archive, ALIAS, "key_store_format_not_supported", "no Python library"),
    "unknown format": ("PFX", archive, ALIAS, "key_store_format_not_supported", "supported: JKS"),
    "empty file": ("JKS", lambda: b"", ALIAS, "empty_file", "empty"),
    "expired certificate": ("Certificate PEM", expired, {}, "certificate_expired", "expired at"),
    "certificate not yet valid": (
        "Certificate PEM",
        not_yet_valid,
        {},
        "certificate_not_yet_valid",
        "valid from",
    ),
    "RSA of 1024 bits": (
        "Certificate PEM",
        lambda: b64encode(weak_certificates.RSA_1024),
        {},
        "weak_key",
        "1024",
    ),
    "signature over SHA-1": (
        "Certificate PEM",
        lambda: b64encode(weak_certificates.SIGNED_OVER_SHA1),
        {},
        "weak_signature",
        "SHA1",
    ),
    "two certificates that are no chain": ("Certificate PEM", two_certificates, {}, "broken_chain", "CN=one"),
    "private key as a certificate": (
        "Certificate PEM",
        private_pem,
        {},
        "private_key_present",
        "private key",
    ),
    "private key as a public key": ("Public Key PEM", private_pem, {}, "private_key_present", "private key"),
    "private key in a key set": ("JSON Web Key Set", private_key_set, {}, "private_key_present", "private"),
    "symmetric key in a key set": (
        "JSON Web Key Set",
        secret_key_set,
        {},
        "private_key_present",
        "symmetric",
    ),
    "key set without a key for signatures": (
        "JSON Web Key Set",
        encryption_key_set,
        {},
        "certificate_not_found",
        "no key that verifies",
    ),
    "empty key set": ("JSON Web Key Set", lambda: b'{"keys": []}', {}, "certificate_not_found", "no key"),
}


@pytest.fixture
async def path(api: AdminApi) -> str:
    client = {"clientId": "orders", "clientAuthenticatorType": "client-jwt"}
    path = f"/master/clients/{await api.create('/master/clients', client)}"
    made = await api.call("POST", f"{path}/certificates/jwt.credential/generate?keyType=P-256")
    assert made.status_code == 200
    return path


async def upload(
    api: AdminApi, path: str, file_format: str, file: bytes, form: dict[str, str], attr: str
) -> httpx.Response:
    return await api.call(
        "POST",
        f"{path}/certificates/{attr}/upload",
        data={"keystoreFormat": file_format, **form},
        files={"file": ("file", file)},
    )


async def test_every_refusal_is_precise_and_changes_nothing(
    api: AdminApi, path: str, subtests: pytest.Subtests
) -> None:
    before = await api.call("GET", path)
    keys = (await api.call("GET", f"{path}/keys")).json()
    events = len((await api.call("GET", "/master/event-log")).json())
    for wrong, (file_format, file, form, code, message) in REFUSALS.items():
        with subtests.test(wrong):
            refused = await upload(api, path, file_format, file(), form, "jwt.credential")
            assert refused.status_code == 400, refused.text
            problem = refused.json()
            assert refused.headers["content-type"] == "application/problem+json"
            assert problem["code"] == code, problem
            assert message in problem["errorMessage"], problem
            assert problem["error"]
            assert "keyturn-sequence" not in refused.headers
    after = await api.call("GET", path)
    assert (after.json(), after.headers["etag"]) == (before.json(), before.headers["etag"])
    assert (await api.call("GET", f"{path}/keys")).json() == keys
    assert len((await api.call("GET", "/master/event-log")).json()) == events


async def test_a_weak_key_of_a_set_is_skipped_and_told_of_wherever_the_set_is(
    api: AdminApi, path: str
) -> None:
    """In an upload and as jwks.string, as at a JWKS URL; a set with only weak keys is refused in both."""
    weak = {"kty": "RSA", "kid": "old", "e": "AQAB", "n": urlsafe_b64encode(b"\xff" * 128).decode()}
    good = SigningKey.generate("ES256").public_jwk
    text = json.dumps({"keys": [weak, good]})
    uploaded = await upload(
        api, path, "JSON Web Key Set", b"\xef\xbb\xbf" + text.encode(), {}, "jwt.credential"
    )
    assert uploaded.status_code == 200, uploaded.text
    told = "jwks.string: key 0 (old) is skipped: weak: RSA of 1024 bits"
    assert uploaded.headers["keyturn-notice"] == told
    in_attribute = {"use.jwks.string": "true", "jwks.string": "\ufeff" + text}
    changed = await api.call("PUT", path, json={"attributes": in_attribute})
    assert (changed.status_code, changed.headers["keyturn-notice"]) == (204, told)
    unrelated = await api.call("PUT", path, json={"name": "Orders"})
    assert (unrelated.status_code, "keyturn-notice" in unrelated.headers) == (204, False)
    by_keys = {"clientAuthenticatorType": "client-jwt", "attributes": in_attribute}
    created = await api.call("POST", "/master/clients", json={"clientId": "given", **by_keys})
    assert (created.status_code, created.headers["keyturn-notice"]) == (201, told)
    export = {"realm": "moved", "clients": [{"clientId": "moved", **by_keys}]}
    report = (await api.call("POST", "", params={"report": "true"}, json=export)).json()
    assert told in json.dumps(report)
    assert [key["kid"] for key in (await api.call("GET", f"{path}/keys")).json()] == [good["kid"]]
    alone = json.dumps({"keys": [weak]})
    refused = await upload(api, path, "JSON Web Key Set", alone.encode(), {}, "jwt.credential")
    assert (refused.status_code, refused.json()["code"]) == (400, "weak_key")
    assert "key 0 of the set: weak: RSA of 1024 bits" in refused.json()["errorMessage"]
    assert "weak: weak" not in refused.text


async def test_what_cannot_have_an_effect_is_refused(api: AdminApi, path: str) -> None:
    public = json.dumps({"keys": [SigningKey.generate("ES256").public_jwk]}).encode()
    elsewhere = await upload(api, path, "JSON Web Key Set", public, {}, "saml.signing")
    assert elsewhere.status_code == 400
    assert "only be imported for jwt.credential" in elsewhere.json()["errorMessage"]
    unknown = await upload(api, path, "Certificate PEM", pem([certificate()]), {}, "jwt.other")
    assert unknown.status_code == 404
    await api.call(
        "PUT", path, json={"attributes": {"use.jwks.url": "true", "jwks.url": "https://a.example/"}}
    )
    for file_format, file in (("JSON Web Key Set", public), ("Certificate PEM", pem([certificate()]))):
        refused = await upload(api, path, file_format, file, {}, "jwt.credential")
        assert refused.status_code == 400
        assert "would have no effect" in refused.json()["errorMessage"]


@pytest.mark.parametrize("content", [None, b"not multipart"])
async def test_what_is_no_form_is_refused(api: AdminApi, path: str, content: bytes | None) -> None:
    url = f"{path}/certificates/jwt.credential/upload"
    assert (await api.call("POST", url, content=content)).status_code == 415
    broken = {"Content-Type": "multipart/form-data; boundary=x"}
    assert (await api.call("POST", url, content=content, headers=broken)).status_code == 400
    for data, message in (
        ({}, "keystoreFormat cannot be null"),
        ({"keystoreFormat": "JKS"}, "file cannot be"),
    ):
        refused = await api.call("POST", url, data={**data, "other": "1"}, files={"none": ("a", b"b")})
        assert refused.status_code == 400
        assert message in refused.json()["errorMessage"]
