"""Realms: their own private keys, and those in a Keycloak export."""

import json
import sqlite3
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from keyturn_credentials.domain.projection_builder import signing_key_context
from keyturn_shared.jose.base64url import decode_text
from keyturn_shared.sealing import KeyRing
from tests.secrecy.recorder import Recorder

ALGORITHMS = ("ES256", "RS256", "EdDSA", "PS256")
PRIVATE_MEMBERS = ("d", "p", "q", "dp", "dq", "qi")


def use_realms(recorder: Recorder) -> None:
    """Use realms with signing keys of every kind, rotated; one from a whole export, and one deleted."""
    for alg in ALGORITHMS:
        name = f"keys-{alg}"
        recorder.create("", {"realm": name, "attributes": {"keyturn.signing.algorithm": alg}})
        recorder.admin("POST", f"/{name}/keys/rotate")
        recorder.admin("GET", f"/{name}/keys")
        recorder.send("GET", f"/realms/{name}/protocol/openid-connect/certs")
    recorder.admin("DELETE", f"/keys-{ALGORITHMS[-1]}")
    key = recorder.new_key("a realm key in an export")
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    provider = {"name": "rsa", "config": {"privateKey": ["".join(pem.splitlines()[1:-1])], "priority": ["1"]}}
    export = {
        "realm": "exported",
        "privateKey": pem,
        "codeSecret": recorder.new_secret("a code secret"),
        "components": {"org.keycloak.keys.KeyProvider": [provider]},
        "smtpServer": {"host": "mail.example", "password": recorder.new_secret("a mail password")},
        "identityProviders": [{"config": {"clientSecret": recorder.new_secret("an identity provider's")}}],
        "users": [{"credentials": [{"type": "password", "value": recorder.new_secret("a user's password")}]}],
        "clients": [{"clientId": "x", "secret": recorder.new_secret("a secret in a realm's export")}],
    }
    recorder.admin("POST", "", json=export)
    recorder.admin("PUT", "/exported", json=export)
    recorder.admin("GET", "/exported")


def note_realm_keys(recorder: Recorder, database: Path, encryption_keys: str) -> int:
    """Note the realms' current private keys, read like the service reads them; return their number."""
    ring = KeyRing.from_text(encryption_keys, purpose="encryption")
    with sqlite3.connect(database) as connection:
        rows = connection.execute(
            "SELECT kid, sealed_private_jwk FROM realm_keys WHERE sealed_private_jwk IS NOT NULL"
            " UNION ALL"
            " SELECT kid, sealed_private_jwk FROM admin_keys WHERE sealed_private_jwk IS NOT NULL"
        ).fetchall()
    for kid, sealed in rows:
        private = json.loads(ring.open(sealed, signing_key_context(kid)))
        assert private["kid"] == kid
        numbers = [decode_text(private[name]) for name in PRIVATE_MEMBERS if name in private]
        recorder.needles.add_numbers("a realm's signing key", numbers)
    return len(rows)
