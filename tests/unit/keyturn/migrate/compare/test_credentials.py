"""A client's credential comes from the source or from the operator's directory, or there is none."""

import json
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from keyturn.migrate.compare.credentials import Keys, NoCredentialError, credential_of
from keyturn_credentials.domain.export_reading import ExportedClient, read_export
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.jose.signing import SigningKey

ISSUER = "https://id/realms/acme"
NOW = 1_800_000_000.0


def client(**members: Any) -> ExportedClient:
    (read,) = read_export({"clients": [{"clientId": "a/b", "secret": "the secret: of it"} | members]})
    return read


def by_key(**attributes: str) -> ExportedClient:
    return client(clientAuthenticatorType="client-jwt", attributes=attributes)


def signing(alg: object) -> dict[str, Any]:
    return {"attributes": {"token.endpoint.auth.signing.alg": alg}}


def write_pem(file: Path) -> ec.EllipticCurvePrivateKey:
    key = ec.generate_private_key(ec.SECP384R1())
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return key


def test_a_secret_is_sent_as_the_client_may_send_it() -> None:
    form, auth = credential_of(client(), Keys(None)).authorize(ISSUER, {"x": "y"})
    assert (form, auth) == ({"client_id": "a/b", "x": "y", "client_secret": "the secret: of it"}, None)
    only_basic = client(attributes={"client.secret.authentication.allowed.method": "client_secret_basic"})
    form, auth = credential_of(only_basic, Keys(None)).authorize(ISSUER, {"x": "y"})
    assert form == {"x": "y"}
    assert auth is not None


def test_a_secret_signs_where_the_client_signs_with_it() -> None:
    by_secret = client(
        clientAuthenticatorType="client-secret-jwt",
        secret="s" * 64,
        attributes={"token.endpoint.auth.signing.alg": "HS512"},
    )
    form, _ = credential_of(by_secret, Keys(None), lambda: NOW).authorize(ISSUER, {})
    claims = jwt.decode(
        form["client_assertion"],
        "s" * 64,
        ["HS512"],
        audience=ISSUER,
        options={"verify_exp": False, "verify_iat": False},
    )
    assert (claims["iss"], claims["sub"], claims["exp"]) == ("a/b", "a/b", NOW + 30)


def test_a_pem_signs_with_the_algorithm_of_its_kind_and_names_no_kid(tmp_path: Path) -> None:
    key = write_pem(tmp_path / "a%2Fb.pem")
    keys = Keys(tmp_path)
    credential = credential_of(by_key(), keys)
    first, second = (credential.authorize(ISSUER, {})[0]["client_assertion"] for _ in range(2))
    assert jwt.get_unverified_header(first) == {"alg": "ES384", "typ": "JWT"}
    claims = [jwt.decode(each, key.public_key(), ["ES384"], audience=ISSUER) for each in (first, second)]
    assert claims[0]["jti"] != claims[1]["jti"]
    assert list(keys.digests()) == ["a%2Fb.pem"]


def test_a_jwk_signs_under_its_kid(tmp_path: Path) -> None:
    key = SigningKey.generate("ES256", kid="mine")
    (tmp_path / "a%2Fb.jwk").write_bytes(key.export_private_jwk())
    keys = Keys(tmp_path)
    form, _ = credential_of(by_key(), keys).authorize(ISSUER, {})
    assert jwt.get_unverified_header(form["client_assertion"])["kid"] == "mine"
    assert keys.digests() == {"a%2Fb.jwk": key.verification_key.thumbprint}


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"secret": None}, "the secret is not in the export"),
        ({"secret": "**********"}, "the secret is not in the export"),
        ({"publicClient": True}, "public or bearer-only"),
        ({"clientAuthenticatorType": "client-jwt"}, "its key is not in the directory"),
        ({"clientAuthenticatorType": "client-x509"}, "its certificate and key are not in the directory"),
        ({"clientAuthenticatorType": "of-its-own"}, "cannot be imitated"),
        ({"clientId": "ü" * 100, "clientAuthenticatorType": "client-jwt"}, "its key is not in the directory"),
        ({"clientAuthenticatorType": "client-secret-jwt", **signing("RS256")}, "RS256 does not sign with"),
        ({"clientAuthenticatorType": "client-secret-jwt", **signing("none")}, "none does not sign with"),
        ({"clientAuthenticatorType": "client-secret-jwt", **signing(5)}, "is not a text"),
        ({"clientAuthenticatorType": "client-jwt", **signing(["ES256"])}, "is not a text"),
    ],
)
def test_without_a_credential_there_is_a_reason(members: dict[str, Any], reason: str, tmp_path: Path) -> None:
    for keys in (Keys(None), Keys(tmp_path)):
        with pytest.raises(NoCredentialError, match=reason):
            credential_of(client(**members), keys)


@pytest.mark.parametrize("suffix", [".pem", ".jwk"])
def test_an_unusable_file_is_named_and_not_quoted(suffix: str, tmp_path: Path) -> None:
    (tmp_path / f"a%2Fb{suffix}").write_text(json.dumps({"kty": "EC", "d": "private-part"}))
    with pytest.raises(ConfigurationError, match=rf"a%2Fb\{suffix} is not") as refused:
        credential_of(by_key(), Keys(tmp_path))
    assert "private-part" not in str(refused.value)


def test_a_key_that_does_not_fit_the_clients_algorithm_is_named(tmp_path: Path) -> None:
    write_pem(tmp_path / "a%2Fb.pem")
    alg = {"token.endpoint.auth.signing.alg": "RS256"}
    with pytest.raises(ConfigurationError, match="does not fit RS256"):
        credential_of(by_key(**alg), Keys(tmp_path))


def test_a_client_id_leads_to_no_other_directory(tmp_path: Path) -> None:
    write_pem(tmp_path / "outside.pem")
    (tmp_path / "keys").mkdir()
    (read,) = read_export({"clients": [{"clientId": "../outside", "clientAuthenticatorType": "client-jwt"}]})
    with pytest.raises(NoCredentialError):
        credential_of(read, Keys(tmp_path / "keys"))


def test_a_directory_of_keys_exists(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="is not a directory"):
        Keys(tmp_path / "none")
