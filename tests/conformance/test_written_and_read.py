"""Verifiers can read everything that the credentials service accepts: a writer reaches each limit of a
reader."""

import base64
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

import pytest
from pydantic import AnyHttpUrl, SecretStr

from keyturn_credentials.domain.bounds import MAX_ATTRIBUTE_BYTES
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.client_keys import MAX_REVOKED_KEYS, keys_of
from keyturn_credentials.domain.grants import MAX_GRANT_BYTES
from keyturn_credentials.domain.projection_builder import Projector
from keyturn_credentials.domain.realm import MAX_ACCESS_TOKEN_LIFESPAN, Realm
from keyturn_credentials.domain.representation import change_client, client_from
from keyturn_credentials.domain.secrets import MAX_SECRET_CHARACTERS, check_chosen
from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.settings import CredentialsSettings
from keyturn_shared.clock import SystemClock
from keyturn_shared.http_server.heads import MAX_HEAD_BYTES
from keyturn_shared.jose import strict_json
from keyturn_shared.jose.claims import check_times
from keyturn_shared.jose.compact import MAX_KID_CHARACTERS, MAX_TOKEN_BYTES, parse_compact
from keyturn_shared.jose.key_set import MAX_KEY_SET_BYTES, MAX_KEYS
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.oauth.cached_client import CachedClient
from keyturn_shared.oauth.entities import RealmState
from keyturn_shared.oauth.sender_constraint.dpop import MAX_PROOF_BYTES
from keyturn_shared.oauth.tokens.access_tokens import AccessTokenIssuer
from keyturn_shared.oauth.tokens.grant import decide_grant
from keyturn_shared.projection import (
    MAX_NAME_LENGTH,
    MAX_PUBLIC_URL_LENGTH,
    ClientProjection,
    RealmProjection,
    decode_client,
    encode_projection,
    projection_value,
)
from keyturn_shared.sealing import KeyRing
from keyturn_verifier.settings import VerifierSettings
from tests.testkit.certificates import issue
from tests.testkit.filled_redis import RING, projected_key

OTHER_FIELDS_BYTES = 4 * 1024
"""Size of the other fields in a request's head."""
KEY = SigningKey.generate()


def projected(client: Client) -> ClientProjection:
    """Return the client as a verifier reads it from Redis."""
    ring = KeyRing.from_text(KeyRing.generate_key(), purpose="encryption")
    body = encode_projection(Projector(ring, RING).project_client(Realm("1", "r"), client))
    return decode_client(projection_value(1, body))[1]


def public_url(characters: int) -> str:
    return "https://id.example/" + "x" * (characters - len("https://id.example/"))


def scopes_that_just_fit() -> list[str]:
    frame = len('["",[]]')
    return [f"{number}".ljust(1023, "x") for number in range(5)] + [
        "x" * (MAX_GRANT_BYTES - frame - 5 * 1024)
    ]


def audiences_that_just_fit() -> str:
    frame = len('["",[]]')
    first = ["x" * 1021] * 5  # with its quotes and a comma each takes 1024 bytes
    return ",".join([*first, "x" * (MAX_GRANT_BYTES - frame - 5 * 1024 - 2)])


@pytest.mark.parametrize(
    "granted",
    [
        {"defaultClientScopes": scopes_that_just_fit()},
        {"attributes": {"keyturn.audiences": audiences_that_just_fit()}},
    ],
    ids=["scopes", "audiences"],
)
def test_the_longest_access_token_is_one_that_verifiers_read(granted: dict[str, Any]) -> None:
    """All names have maximum length, with the largest signature, two bindings, and everything granted."""
    client_id = "\U0001f511" * MAX_NAME_LENGTH
    settings = VerifierSettings(
        public_url=AnyHttpUrl(public_url(MAX_PUBLIC_URL_LENGTH)),
        fleet_keys=SecretStr(KeyRing.generate_key()),
        fetcher_enabled=False,
    )
    realm = RealmProjection(
        id="1", name="r" * MAX_NAME_LENGTH, signing_keys=(projected_key(SigningKey.generate("RS256")),)
    )
    state = RealmState(realm, RING, settings.base_url)
    held = CachedClient.of(
        projected(client_from({"clientId": client_id, **granted}, uuid="u" * 36, realm_id="1"))
    )
    grant = decide_grant(state.profile(held), None, ())
    confirmation = {"x5t#S256": "x" * 43, "jkt": "x" * 43}
    issued = AccessTokenIssuer(SystemClock()).issue(state, held, grant, confirmation)
    assert MAX_TOKEN_BYTES * 0.85 < len(issued.token) <= MAX_TOKEN_BYTES
    parse_compact(issued.token)
    with pytest.raises(InvalidRequestError, match=str(MAX_GRANT_BYTES + 1)):
        more = {name: _longer(value) for name, value in granted.items()}
        client_from({"clientId": client_id, **more}, uuid="1", realm_id="1")


def _longer(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: text + "x" for name, text in value.items()}
    return [*value[:-1], value[-1] + "x"]


def test_the_longest_token_and_its_proof_fit_the_head_of_a_request() -> None:
    assert MAX_TOKEN_BYTES + MAX_PROOF_BYTES + OTHER_FIELDS_BYTES <= MAX_HEAD_BYTES


def test_the_longest_secret_fits_the_head_and_the_body_of_a_request() -> None:
    """In Basic every octet is percent-encoded, and the result is encoded in base64 (RFC 6749 section
    2.3.1)."""
    secret = "%" * MAX_SECRET_CHARACTERS
    assert check_chosen(secret).reveal() == secret
    with pytest.raises(InvalidRequestError):
        check_chosen(secret + "x")
    pair = f"{quote_plus(chr(0x1F511) * MAX_NAME_LENGTH)}:{quote_plus(secret)}"
    basic = base64.b64encode(pair.encode())
    assert len(basic) + OTHER_FIELDS_BYTES <= MAX_HEAD_BYTES
    assert len(pair) < VerifierSettings.model_fields["request_body_limit"].default


@pytest.mark.parametrize("settings", [VerifierSettings, CredentialsSettings])
def test_a_public_url_may_be_so_long_and_no_longer_in_both_services(settings: Callable[..., Any]) -> None:
    keys = {"fleet_keys": KeyRing.generate_key(), "encryption_keys": KeyRing.generate_key()}
    settings(public_url=AnyHttpUrl(public_url(MAX_PUBLIC_URL_LENGTH)), **keys)
    with pytest.raises(ValueError, match=str(MAX_PUBLIC_URL_LENGTH)):
        settings(public_url=public_url(MAX_PUBLIC_URL_LENGTH + 1), **keys)


def with_inline_keys(count: int, padding: int = 0) -> dict[str, Any]:
    jwks = {"keys": [SigningKey.generate().public_jwk for _ in range(count)], "note": "x" * padding}
    text = strict_json.encode(jwks).decode()
    return {
        "clientId": "orders",
        "clientAuthenticatorType": "client-jwt",
        "attributes": {"use.jwks.string": "true", "jwks.string": text},
    }


def test_as_many_inline_keys_as_are_taken_are_read_and_no_more_are_taken() -> None:
    client = client_from(with_inline_keys(MAX_KEYS), uuid="1", realm_id="1")
    assert len(keys_of(client).keys) == MAX_KEYS
    held = CachedClient.of(projected(client))
    assert held.inline is not None
    assert len(held.inline.keys) == MAX_KEYS
    with pytest.raises(InvalidRequestError, match=f"{MAX_KEYS + 1} keys, more than {MAX_KEYS}"):
        keys_of(client_from(with_inline_keys(MAX_KEYS + 1), uuid="1", realm_id="1"))


def test_an_inline_key_set_is_as_long_as_one_from_a_url_at_most() -> None:
    fixed = len(with_inline_keys(1)["attributes"]["jwks.string"])
    room = MAX_KEY_SET_BYTES - fixed
    assert MAX_KEY_SET_BYTES > MAX_ATTRIBUTE_BYTES
    keys_of(client_from(with_inline_keys(1, room), uuid="1", realm_id="1"))
    with pytest.raises(InvalidRequestError, match=str(MAX_KEY_SET_BYTES)):
        keys_of(client_from(with_inline_keys(1, room + 100), uuid="1", realm_id="1"))


def test_a_kid_is_as_long_as_one_in_a_header_at_most() -> None:
    """Verifiers would skip a key with a longer kid, and the client would have none."""

    def certified(kid: str) -> dict[str, Any]:
        text = base64.b64encode(issue(None).der).decode()
        return {
            "clientId": "orders",
            "clientAuthenticatorType": "client-jwt",
            "attributes": {"jwt.credential.certificate": text, "jwt.credential.kid": kid},
        }

    client = client_from(certified("k" * MAX_KID_CHARACTERS), uuid="1", realm_id="1")
    held = CachedClient.of(projected(client))
    assert held.inline is not None
    assert [key.kid for key in held.inline.keys] == ["k" * MAX_KID_CHARACTERS]
    with pytest.raises(InvalidRequestError, match=f"a kid of {MAX_KID_CHARACTERS + 1} characters"):
        projected(client_from(certified("k" * (MAX_KID_CHARACTERS + 1)), uuid="1", realm_id="1"))


def test_as_many_revoked_keys_as_are_taken_are_read() -> None:
    revoked = {f"{number:042}A": 0.0 for number in range(MAX_REVOKED_KEYS)}
    client = Client("1", "1", "orders", revoked_keys=revoked)
    assert CachedClient.of(projected(client)).revoked_thumbprints == revoked.keys()


def test_the_longest_lifespan_is_one_that_is_read() -> None:
    now = SystemClock().now()
    client = Client("1", "1", "orders")
    changed = change_client(client, {"attributes": {"access.token.lifespan": str(MAX_ACCESS_TOKEN_LIFESPAN)}})
    lifespan = projected(changed).access_token_lifespan
    assert lifespan == MAX_ACCESS_TOKEN_LIFESPAN
    check_times({"exp": now + lifespan, "iat": now}, now=now, lifetime_cap=None)
