"""A client's configured keys, by Keycloak's attributes and their precedence."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.client_keys import (
    MAX_REVOKED_KEYS,
    MAX_REVOKED_UNKNOWN_KEYS,
    ClientKeys,
    check_revoked,
    is_thumbprint,
    keys_of,
    read_certificate,
    read_public_key,
)
from keyturn_credentials.errors import InvalidRequestError, LimitReachedError
from keyturn_shared.jose.jwk import VerificationKey
from tests.testkit.certificates import issue

ISSUED = issue(None)
PRIVATE = ec.generate_private_key(ec.SECP256R1())
SPKI = PRIVATE.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
PUBLIC = base64.b64encode(SPKI).decode()
PUBLIC_PEM = PRIVATE.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
KEY = VerificationKey.from_public_key(PRIVATE.public_key(), kid="inline")
JWKS = json.dumps({"keys": [KEY.public_jwk]})
BODY = base64.b64encode(ISSUED.der).decode()
CERTIFICATE, PUBLIC_KEY, KID = (f"jwt.credential.{name}" for name in ("certificate", "public.key", "kid"))


def configured(values: dict[str, str], **document: str) -> ClientKeys:
    return keys_of(Client("uuid", "realm", "orders", attributes=values, document=document))


def only_jwk(found: ClientKeys) -> dict[str, object]:
    assert found.jwks is not None
    jwks: object = found.jwks["keys"]
    assert isinstance(jwks, list)
    (jwk,) = jwks
    return dict(jwk)


def thumbprints(found: ClientKeys) -> list[str]:
    return [key.thumbprint for key in found.keys]


def test_a_client_without_any_has_none() -> None:
    assert configured({}) == ClientKeys()
    assert configured({CERTIFICATE: "", PUBLIC_KEY: ""}) == ClientKeys()


def test_a_url_comes_before_all_else_and_an_inline_set_before_a_certificate() -> None:
    all_of_them = {
        "use.jwks.url": "true",
        "jwks.url": " https://client.example/jwks ",
        "use.jwks.string": "true",
        "jwks.string": JWKS,
        CERTIFICATE: BODY,
    }
    assert configured(all_of_them) == ClientKeys("jwks_url", url="https://client.example/jwks")
    inline = configured(all_of_them | {"use.jwks.url": "false"})
    assert (inline.source, inline.url, inline.jwks) == ("jwks", None, {"keys": [KEY.public_jwk]})
    assert thumbprints(inline) == [KEY.thumbprint]
    certificate = configured(all_of_them | {"use.jwks.url": "false", "use.jwks.string": "false"})
    assert (certificate.source, thumbprints(certificate)) == ("certificate", [ISSUED.thumbprint])


@pytest.mark.parametrize("text", [BODY, ISSUED.pem.decode(), f"\n  {ISSUED.pem.decode()}  "])
def test_a_certificate_is_read_in_any_of_its_forms(text: str) -> None:
    found = configured({CERTIFICATE: text})
    assert (found.source, found.certificate) == ("certificate", ISSUED.certificate)
    assert thumbprints(found) == [ISSUED.thumbprint]
    assert "kid" not in only_jwk(found), (
        "it answers to its thumbprint and to the kid that Keycloak's adapters derive"
    )


@pytest.mark.parametrize(
    "text", [PUBLIC, PUBLIC_PEM, "\n".join(PUBLIC[at : at + 64] for at in range(0, 999, 64))]
)
def test_a_public_key_is_read_in_any_of_its_forms(text: str) -> None:
    found = configured({PUBLIC_KEY: text, KID: "mine"})
    assert (found.source, found.certificate, thumbprints(found)) == ("certificate", None, [KEY.thumbprint])
    assert only_jwk(found)["kid"] == "mine"
    assert found.keys[0].kid == "mine"


def test_a_kid_of_its_own_names_a_certificates_key_too() -> None:
    found = configured({CERTIFICATE: BODY, KID: "mine"})
    assert [key.kid for key in found.keys] == ["mine"]
    assert [key.kid for key in configured({CERTIFICATE: BODY, KID: ""}).keys] == [ISSUED.thumbprint]


WEAK = rsa.generate_private_key(65537, 1024).public_key()
WEAK_KEY = base64.b64encode(WEAK.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
P224 = ec.generate_private_key(ec.SECP224R1())


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({CERTIFICATE: BODY, PUBLIC_KEY: PUBLIC}, "mutually exclusive"),
        ({CERTIFICATE: "nonsense!"}, "neither PEM nor base64"),
        ({CERTIFICATE: PUBLIC}, f"{CERTIFICATE} is not an X.509 certificate"),
        ({CERTIFICATE: "  "}, f"{CERTIFICATE} is not an X.509 certificate"),
        ({CERTIFICATE: (ISSUED.pem + issue(None).pem).decode()}, "expected a single certificate or key"),
        ({PUBLIC_KEY: BODY}, f"{PUBLIC_KEY} is not a public key"),
        ({PUBLIC_KEY: "bm9uc2Vuc2U="}, f"{PUBLIC_KEY} is not a public key"),
        ({PUBLIC_KEY: WEAK_KEY}, f"{PUBLIC_KEY}: "),
        ({CERTIFICATE: base64.b64encode(issue(None, key=P224).der).decode()}, f"{CERTIFICATE}: "),
        ({CERTIFICATE: ISSUED.key_pem.decode()}, "received a private one"),
        ({PUBLIC_KEY: ISSUED.key_pem.decode()}, "received a private one"),
        ({CERTIFICATE: ISSUED.pem.decode() * 2}, "expected a single certificate or key"),
        ({"use.jwks.string": "true"}, "jwks.string: "),
        ({"use.jwks.string": "true", "jwks.string": "{}"}, "jwks.string: "),
        ({"use.jwks.string": "true", "jwks.string": '{"keys":[]}'}, "no usable key: it is empty"),
        ({"use.jwks.string": "true", "jwks.string": '{"keys":[7]}'}, "no usable key: invalid: not an object"),
        ({"use.jwks.url": "true"}, "use.jwks.url is set, but jwks.url is not"),
        ({"use.jwks.url": "true", "jwks.url": "  "}, "use.jwks.url is set, but jwks.url is not"),
        ({"use.jwks.url": "true", "jwks.url": "file:///etc/passwd"}, "jwks.url: "),
        ({"use.jwks.url": "true", "jwks.url": "/jwks"}, "jwks.url: "),
    ],
)
def test_what_is_no_key_is_refused_with_its_attribute(values: dict[str, str], message: str) -> None:
    with pytest.raises(InvalidRequestError) as refused:
        configured(values)
    assert message in refused.value.detail


def test_of_an_unusable_set_the_first_reasons_are_named() -> None:
    members = [1, {"kty": "x"}, 3, 4]
    with pytest.raises(InvalidRequestError) as refused:
        configured({"use.jwks.string": "true", "jwks.string": json.dumps({"keys": members})})
    assert refused.value.detail.count(";") == 2


def test_a_url_may_be_relative_to_the_clients_root() -> None:
    values = {"use.jwks.url": "true", "jwks.url": "/jwks"}
    assert configured(values, rootUrl="https://client.example/app/").url == "https://client.example/app/jwks"


def test_a_pem_names_its_attribute_when_it_is_read_alone() -> None:
    assert read_certificate(BODY, "x") == ISSUED.certificate
    assert read_public_key(PUBLIC, "x", kid="k").kid == "k"
    with pytest.raises(InvalidRequestError, match=r"x is not an X\.509 certificate"):
        read_certificate(PUBLIC, "x")


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("A" * 43, True),
        ("-_0" + "z" * 39 + "8", True),
        ("A" * 42, False),
        ("A" * 44, False),
        ("A" * 42 + "B", False),
        ("A" * 42 + "9", False),
        ("A" * 43 + "\n", False),
        ("+" + "A" * 42, False),
        ("", False),
    ],
)
def test_a_thumbprint_is_the_base64url_of_thirty_two_octets(text: str, is_one: bool) -> None:
    assert is_thumbprint(text) is is_one


@pytest.mark.parametrize(
    ("before", "after", "own", "fits"),
    [
        (0, MAX_REVOKED_UNKNOWN_KEYS, False, True),
        (0, MAX_REVOKED_UNKNOWN_KEYS + 1, False, False),
        (0, MAX_REVOKED_KEYS, True, True),
        (0, MAX_REVOKED_KEYS + 1, True, False),
        (MAX_REVOKED_KEYS + 5, MAX_REVOKED_KEYS + 5, False, True),
        (MAX_REVOKED_KEYS + 5, MAX_REVOKED_KEYS + 6, True, False),
    ],
)
def test_revoked_keys_are_limited_to_those_a_client_may_have_had(
    before: int, after: int, own: bool, fits: bool
) -> None:
    former, latter = (dict.fromkeys(map(str, range(count)), 1.0) for count in (before, after))
    if fits:
        check_revoked(former, latter, own=own)
    else:
        with pytest.raises(LimitReachedError, match=f"{before} keys of this client are revoked"):
            check_revoked(former, latter, own=own)
