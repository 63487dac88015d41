"""Key pairs and certificates: generated, downloaded, uploaded, refused, revoked."""

import base64
import json
import textwrap
from datetime import UTC, datetime
from typing import Any

import httpx
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
    load_pem_private_key,
)

from keyturn_credentials.keystores import (
    ArchivePasswords,
    KeyEntry,
    KeyPairKind,
    KeyStoreFormat,
    generate_key_pair,
    self_signed_certificate,
    write_archive,
)
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.keystores.jks import read_jks
from keyturn_shared.keystores.pkcs12 import read_pkcs12
from keyturn_shared.secret import Secret
from tests.secrecy.recorder import Recorder

CERTIFICATES = "certificates/jwt.credential"


def use_keys(recorder: Recorder, realm: str) -> None:
    uuid = recorder.create(
        f"/{realm}/clients", {"clientId": "with-keys", "clientAuthenticatorType": "client-jwt"}
    )
    path = f"/{realm}/clients/{uuid}"
    _generate(recorder, path)
    _download(recorder, path)
    _upload(recorder, path)
    _be_refused(recorder, path)
    keys = recorder.admin("GET", f"{path}/keys").json()
    recorder.admin("POST", f"{path}/keys/{keys[0]['thumbprint']}/revoke")
    recorder.admin("POST", f"{path}/clear-keys-cache")
    recorder.admin("POST", f"/{realm}/clear-keys-cache")
    password = recorder.new_secret("a password in a JWKS URL")
    url = f"http://user:{password}@127.0.0.1:1/jwks"
    recorder.admin("POST", f"{path}/jwks-url/test", json={"url": url})
    recorder.admin("PUT", path, json={"attributes": {"use.jwks.url": "true", "jwks.url": url}})


def _generate(recorder: Recorder, path: str) -> None:
    def shown(answer: httpx.Response) -> None:
        recorder.note_key("a generated key", _read_key(answer.json()["privateKey"]))

    for kind in ("RSA-2048", "P-256", "P-521", "Ed25519"):
        answer = recorder.admin("POST", f"{path}/{CERTIFICATES}/generate?keyType={kind}", shows=shown)
        assert answer.status_code == 200, answer.text
        recorder.admin("GET", f"{path}/{CERTIFICATES}")


def _download(recorder: Recorder, path: str) -> None:
    for name in ("JKS", "PKCS12"):
        passwords = {
            "storePassword": recorder.new_secret("a store password"),
            "keyPassword": recorder.new_secret("a key password"),
        }
        order = {"format": name, "keyAlias": "one", "keyType": "P-256", **passwords}
        made = recorder.admin(
            "POST",
            f"{path}/{CERTIFICATES}/generate-and-download",
            json=order,
            shows=lambda answer, name=name, passwords=passwords: recorder.note_key(
                "a downloaded key", _key_in_archive(name, answer.content, passwords)
            ),
        )
        assert made.status_code == 200, made.text
        recorder.admin("POST", f"{path}/{CERTIFICATES}/download", json=order)
    order = {"format": "NONE", "storePassword": recorder.new_secret("a password for no format")}
    recorder.admin("POST", f"{path}/{CERTIFICATES}/download", json=order)


def _upload(recorder: Recorder, path: str) -> None:
    for file_format in (KeyStoreFormat.JKS, KeyStoreFormat.PKCS12):
        pair = generate_key_pair(KeyPairKind.P_256)
        recorder.note_key("an uploaded key", pair.reveal())
        store, key = recorder.new_secret("a store password"), recorder.new_secret("a key password")
        certificate = self_signed_certificate(pair, "uploaded", now=datetime.now(UTC))
        archive = write_archive(
            file_format,
            [KeyEntry("one", pair, (certificate,))],
            ArchivePasswords(store=Secret(store), key=Secret(key)),
            now=datetime.now(UTC),
        )
        form = {"keystoreFormat": file_format.value, "keyAlias": "one", "storePassword": store}
        answer = _send(recorder, path, form | {"keyPassword": key}, archive)
        assert answer.status_code == 200, answer.text
        wrong = recorder.new_secret("a wrong password")
        assert _send(recorder, path, form | {"storePassword": wrong}, archive).status_code == 400
        _send(recorder, path, form | {"keyPassword": wrong}, archive)
        _send(recorder, path, form | {"keyAlias": recorder.new_secret("an alias")}, archive[:-20])


def _be_refused(recorder: Recorder, path: str) -> None:
    """Send private keys where public ones belong."""
    key = recorder.new_key("a key in an uploaded JWKS")
    private = json.loads(SigningKey(key, "ES256").export_private_jwk())
    jwks = json.dumps({"keys": [private]})
    assert _send(recorder, path, {"keystoreFormat": "JSON Web Key Set"}, jwks.encode()).status_code == 400
    armoured = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    for name in ("Certificate PEM", "Public Key PEM"):
        assert _send(recorder, path, {"keystoreFormat": name}, armoured.encode()).status_code == 400
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    body = base64.b64encode(der).decode()
    wrapped = "\n".join(textwrap.wrap(body, 64))
    attributes: list[dict[str, Any]] = [
        {"jwt.credential.private.key": body},
        {"saml.signing.private.key": body, "saml.encryption.private.key": armoured},
        {"use.jwks.string": "true", "jwks.string": jwks},
        {"use.jwks.string": "false", "jwks.string": jwks},
        {"jwks.string": json.dumps(private)},
        {"jwt.credential.public.key": body, "jwt.credential.certificate": ""},
        {"jwt.credential.certificate": armoured},
        {"saml.signing.certificate": armoured},
        {"use.jwks.url": "true", "jwks.url": "http://127.0.0.1:1/", "jwt.credential.certificate": wrapped},
        {"note": armoured},
    ]
    for values in attributes:
        recorder.admin("PUT", path, json={"attributes": values})
    recorder.admin("PUT", path, json={"description": armoured})
    recorder.admin("PUT", path, json={"jwks": {"keys": [private]}})
    mapper = {"name": "x", "protocolMapper": "oidc-hardcoded-claim-mapper"}
    recorder.admin("PUT", path, json={"protocolMappers": [{**mapper, "config": {"claim.value": armoured}}]})
    recorder.admin("POST", f"{path}/protocol-mappers/models", json={**mapper, "config": {"other": [private]}})


def _send(recorder: Recorder, path: str, form: dict[str, str], file: bytes) -> httpx.Response:
    url = f"{path}/{CERTIFICATES}/upload"
    return recorder.admin("POST", url, data=form, files={"file": ("file", file)})


def _read_key(text: str) -> Any:
    if text.startswith("-----"):
        return load_pem_private_key(text.encode(), None)
    return load_der_private_key(base64.b64decode(text), None)


def _key_in_archive(name: str, archive: bytes, passwords: dict[str, str]) -> Any:
    store = Secret(passwords["storePassword"])
    entries = read_jks(archive, store) if name == "JKS" else read_pkcs12(archive, store)
    protected = next(entry.protected_key for entry in entries if entry.alias == "one")
    assert protected is not None
    return load_der_private_key(protected.open(Secret(passwords["keyPassword"])), None)
