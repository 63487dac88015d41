"""Writes of a revocation, of secrets, keys and single tokens, and its permissions."""

import base64
import json
from dataclasses import replace

import pytest

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.client_keys import MAX_REVOKED_KEYS, MAX_REVOKED_UNKNOWN_KEYS
from keyturn_credentials.domain.roles import Principal, Role
from keyturn_credentials.errors import (
    ForbiddenError,
    InvalidRequestError,
    LimitReachedError,
    NotFoundError,
)
from keyturn_credentials.operations.client_keys import (
    ClientKeyOperations,
    certificate_attributes,
    inline_jwks_attributes,
    with_keys,
    with_revoked_key,
)
from keyturn_credentials.operations.permissions import CONFIGURE_CLIENTS
from keyturn_credentials.operations.secret_issuer import SecretIssuer
from keyturn_credentials.operations.secrets import SecretOperations
from keyturn_credentials.operations.targets import ClientTarget
from keyturn_credentials.operations.token_revocation import (
    MAX_REVOKED_TOKENS,
    TokenRevocationOperations,
    revoke_token,
)
from keyturn_credentials.store.unit_of_work import Actor
from keyturn_shared.events import (
    ClientKeyRevoked,
    ClientKeysCacheCleared,
    ClientKeysChanged,
    ClientSecretRevoked,
    ClientSecretRotated,
    TokenRevoked,
)
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.oauth.tokens.revocation import TokenToRevoke
from keyturn_shared.realm_rings import FleetRing
from tests.unit.credentials.operations.scene import ACTOR, CLIENT, Asked, Scene, target

CONFIGURER = Actor(Principal("acme", "caller", "caller", frozenset({Role.CONFIGURE_CLIENTS})))
VIEWER = Actor(Principal("acme", "caller", "caller", frozenset({Role.VIEW_CLIENTS})))
ITSELF = Actor(Principal("acme", CLIENT.uuid, "orders", frozenset()))
KEY = SigningKey.generate("ES256", kid="one")
JWKS = json.dumps({"keys": [KEY.verification_key.public_jwk]})
DAY = 86_400


def of(actor: Actor) -> ClientTarget:
    return replace(target(), actor=actor)


def thumbprint(number: int) -> str:
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).decode().rstrip("=")


def keys_of(scene: Scene) -> ClientKeyOperations:
    return ClientKeyOperations(scene.changes)


def secrets_of(scene: Scene) -> SecretOperations:
    return SecretOperations(scene.changes, SecretIssuer(FleetRing([b"f" * 32])))


async def test_a_revoked_key_is_refused_for_ever_and_the_event_names_it(scene: Scene) -> None:
    done = await keys_of(scene).revoke(of(CONFIGURER), thumbprint(1))
    expected = replace(CLIENT, version=2, revoked_keys={thumbprint(1): scene.clock.time})
    assert (done.sequence, done.value, await scene.client()) == (3, expected, expected)
    (event,) = await scene.log()
    assert isinstance(event, ClientKeyRevoked)
    assert event.thumbprint == thumbprint(1)
    assert (await scene.audited(3)).details == {"thumbprint": thumbprint(1)}
    _, body = await scene.projected("client:realm-id:orders") or (0, None)
    assert thumbprint(1).encode() in (body or b"")


async def test_keys_are_set_with_who_set_them(scene: Scene) -> None:
    permission = Asked()
    values = inline_jwks_attributes(JWKS)
    done = await keys_of(scene).set_keys(
        of(CONFIGURER), permission, values, source="jwks", details={"kids": ["one"]}
    )
    assert done.value.attributes == {"use.jwks.string": "true", "jwks.string": JWKS}
    assert await scene.client() == done.value
    assert [principal for principal, _, _ in permission.about] == [CONFIGURER.principal] * 2
    (event,) = await scene.log()
    assert isinstance(event, ClientKeysChanged)
    assert event.source == "jwks"
    assert (await scene.audited(3)).details == {"kids": ["one"]}


async def test_a_clearing_is_no_revision_of_the_client(scene: Scene) -> None:
    done = await keys_of(scene).clear_cache(of(CONFIGURER))
    assert done.value == CLIENT
    assert await scene.client() == replace(CLIENT, keys_not_before=done.sequence)
    assert [type(event) for event in await scene.log()] == [ClientKeysCacheCleared]


async def test_a_new_secret_is_current_at_once_and_is_the_one_that_is_returned(scene: Scene) -> None:
    done = await secrets_of(scene).regenerate(of(CONFIGURER))
    client = await scene.client()
    assert client is not None
    assert client.secrets.current is not None
    assert client.secrets.current.secret == done.value
    (event,) = await scene.log()
    assert isinstance(event, ClientSecretRotated)
    assert event.former_valid_until is None


async def test_a_former_secret_is_valid_for_as_long_as_the_event_says_unless_it_is_revoked(
    scene: Scene,
) -> None:
    policy = {attributes.POLICY_EXPIRATION: "1000", attributes.POLICY_ROTATED_EXPIRATION: "100"}
    await keys_of(scene).set_keys(of(CONFIGURER), Asked(), dict(policy), source="jwks")
    for _ in range(2):
        await secrets_of(scene).regenerate(of(CONFIGURER))
    *_, event = await scene.log()
    assert isinstance(event, ClientSecretRotated)
    assert event.former_valid_until == scene.clock.time + 100
    done = await secrets_of(scene).revoke_rotated(of(CONFIGURER))
    client = await scene.client()
    assert client == done.value
    assert client.secrets.rotated is None
    assert client.secrets.current is not None
    *_, event = await scene.log()
    assert isinstance(event, ClientSecretRevoked)


async def test_nothing_is_revoked_or_made_without_the_role(scene: Scene) -> None:
    with pytest.raises(ForbiddenError):
        await keys_of(scene).revoke(of(VIEWER), thumbprint(1))
    with pytest.raises(ForbiddenError):
        await keys_of(scene).clear_cache(of(VIEWER))
    with pytest.raises(ForbiddenError):
        await secrets_of(scene).regenerate(of(VIEWER))
    with pytest.raises(ForbiddenError):
        await secrets_of(scene).revoke_rotated(of(VIEWER))
    with pytest.raises(ForbiddenError):
        await keys_of(scene).set_keys(of(VIEWER), CONFIGURE_CLIENTS, {}, source="jwks")
    assert (await scene.client(), await scene.log()) == (CLIENT, [])


@pytest.mark.parametrize(
    "text", ["", "A" * 42, "A" * 44, "A" * 42 + "B", "A" * 42 + "=", "A" * 43 + "\n", "!" * 43]
)
def test_what_is_no_thumbprint_is_not_revoked(text: str) -> None:
    with pytest.raises(InvalidRequestError, match="a thumbprint must be"):
        with_revoked_key(CLIENT, text, (), 1.0)


def test_keys_that_nobody_has_can_be_revoked_until_there_are_many() -> None:
    many = {thumbprint(number): 1.0 for number in range(MAX_REVOKED_UNKNOWN_KEYS - 1)}
    client = replace(CLIENT, revoked_keys=many, attributes=plain(inline_jwks_attributes(JWKS)))
    client = with_revoked_key(client, thumbprint(5_000), (), 2.0)
    assert len(client.revoked_keys) == MAX_REVOKED_UNKNOWN_KEYS
    with pytest.raises(LimitReachedError):
        with_revoked_key(client, thumbprint(5_001), (), 2.0)
    with_revoked_key(client, thumbprint(5_000), (), 2.0)
    assert (
        thumbprint(5_001)
        in with_revoked_key(client, thumbprint(5_001), [thumbprint(5_001)], 2.0).revoked_keys
    )
    own = KEY.verification_key.thumbprint
    assert own in with_revoked_key(client, own, (), 2.0).revoked_keys


def test_of_keys_that_a_client_has_very_many_can_be_revoked() -> None:
    client = replace(CLIENT, revoked_keys={thumbprint(number): 1.0 for number in range(MAX_REVOKED_KEYS - 1)})
    client = with_revoked_key(client, thumbprint(20_000), [thumbprint(20_000)], 2.0)
    with pytest.raises(LimitReachedError):
        with_revoked_key(client, thumbprint(20_001), [thumbprint(20_001)], 2.0)


def plain(values: dict[str, str | None] | dict[str, str]) -> dict[str, str]:
    return {name: text for name, text in values.items() if text is not None}


async def test_keys_that_no_node_could_read_are_not_set(scene: Scene) -> None:
    with pytest.raises(InvalidRequestError, match=r"jwks\.string"):
        await keys_of(scene).set_keys(
            of(CONFIGURER), Asked(), inline_jwks_attributes("nonsense"), source="jwks"
        )
    assert (await scene.client(), await scene.log()) == (CLIENT, [])


def test_attributes_are_checked_as_they_are_set() -> None:
    with pytest.raises(InvalidRequestError, match="XX256"):
        with_keys(CLIENT, {attributes.SIGNING_ALG: "XX256"})
    with pytest.raises(InvalidRequestError, match="attribute note"):
        with_keys(CLIENT, {"note": "x" * 70_000})
    large = replace(CLIENT, attributes={"stored.before": "x" * 1_100_000})
    with pytest.raises(InvalidRequestError, match="together"):
        with_keys(large, {"more": "y"})
    stored = replace(CLIENT, attributes={"stored.before": "x" * 70_000})
    assert with_keys(stored, {"more": "y"}).attributes["more"] == "y", "only what is set now is judged alone"


@pytest.mark.parametrize(("prefix", "removed"), [("jwt.credential", True), ("x509", False)])
def test_a_certificate_replaces_what_was_configured_under_its_prefix(prefix: str, removed: bool) -> None:
    values = certificate_attributes(prefix, certificate="c", public_key="p", kid="k")
    assert {name: values[f"{prefix}.{name}"] for name in ("certificate", "public.key", "kid")} == {
        "certificate": "c",
        "public.key": "p",
        "kid": "k",
    }
    assert (set(values) >= {"use.jwks.string", "jwks.string"}) is removed
    assert all(values[name] is None for name in set(values) & {"use.jwks.string", "jwks.string"})
    assert set(certificate_attributes(prefix).values()) == {None}


def test_an_inline_set_replaces_certificate_public_key_and_kid() -> None:
    assert inline_jwks_attributes("{}") == {
        "jwt.credential.certificate": None,
        "jwt.credential.public.key": None,
        "jwt.credential.kid": None,
        "use.jwks.string": "true",
        "jwks.string": "{}",
    }


def token(**changes: object) -> TokenToRevoke:
    members = {
        "realm": "acme",
        "realm_id": "realm-id",
        "client_uuid": "uuid",
        "client_id": "orders",
        "digest": "d" * 32,
        "expires_at": 1_000_060.0,
        **changes,
    }
    return TokenToRevoke(**members)  # type: ignore[arg-type]  # as the test has them


def tokens_of(scene: Scene) -> TokenRevocationOperations:
    return TokenRevocationOperations(scene.changes, scene.projector)


async def test_a_revoked_token_is_remembered_until_it_has_expired(scene: Scene) -> None:
    done = await tokens_of(scene).revoke(ITSELF, token())
    assert done.value == replace(CLIENT, revoked_tokens={"d" * 32: 1_000_060.0})
    assert await scene.client() == done.value, "it is no revision: nobody could overwrite it"
    (event,) = await scene.log()
    assert isinstance(event, TokenRevoked)
    assert (event.token_digest, event.expires_at) == ("d" * 32, 1_000_060.0)
    assert (await scene.audited(3)).details == {"token_digest": "d" * 32}


@pytest.mark.parametrize("realm_id", [None, "realm-id"])
async def test_a_node_forwards_what_a_client_revokes(scene: Scene, realm_id: str | None) -> None:
    done = await tokens_of(scene).revoke(ITSELF, token(realm_id=realm_id), by_node=True)
    assert done.sequence == 3


@pytest.mark.parametrize(
    ("actor", "asked", "by_node", "error"),
    [
        pytest.param(ACTOR, {}, False, ForbiddenError, id="of another client"),
        pytest.param(ITSELF, {"digest": "d" * 31}, False, InvalidRequestError, id="a short digest"),
        pytest.param(ITSELF, {"digest": "d" * 33}, False, InvalidRequestError, id="a long digest"),
        pytest.param(ITSELF, {"realm_id": "other"}, False, NotFoundError, id="of another realm"),
        pytest.param(ITSELF, {"realm_id": ""}, False, NotFoundError, id="of a realm without id"),
        pytest.param(ITSELF, {"client_id": "else"}, True, ForbiddenError, id="of another client id"),
    ],
)
async def test_what_nobody_may_or_can_ask_for_is_refused(
    scene: Scene, actor: Actor, asked: dict[str, object], by_node: bool, error: type[Exception]
) -> None:
    with pytest.raises(error):
        await tokens_of(scene).revoke(actor, token(**asked), by_node=by_node)
    assert (await scene.client(), await scene.log()) == (CLIENT, [])


async def test_an_administrators_tokens_are_not_revoked_through_a_node(scene: Scene) -> None:
    strong = Client("strong", "realm-id", "strong", attributes={"keyturn.admin.roles": "view-clients"})
    async with scene.store.change(ACTOR) as transaction:
        await scene.write(transaction, Asked(), (None, scene.made(strong)))
    asked = token(client_uuid="strong", client_id="strong")
    itself = Actor(Principal("acme", "strong", "strong", strong.admin_roles))
    with pytest.raises(ForbiddenError):
        await tokens_of(scene).revoke(itself, asked, by_node=True)
    assert (await tokens_of(scene).revoke(itself, asked)).sequence == 4


def test_tokens_are_forgotten_when_no_clock_lets_them_live_any_more() -> None:
    remembered = replace(CLIENT, revoked_tokens={"a" * 32: 400.0, "b" * 32: 400.1})
    after = revoke_token(remembered, token(expires_at=2_000.0), 1_000.0).value
    assert after.revoked_tokens == {"b" * 32: 400.1, "d" * 32: 2_000.0}


def test_a_token_is_remembered_for_no_longer_than_any_can_live() -> None:
    after = revoke_token(CLIENT, token(expires_at=1e12), 1_000.0).value
    assert after.revoked_tokens == {"d" * 32: 1_000.0 + DAY + 600}


def test_a_token_can_be_revoked_again_however_many_there_are() -> None:
    full = {f"{number:032}": 9_000.0 for number in range(MAX_REVOKED_TOKENS - 1)} | {"d" * 32: 9_000.0}
    client = replace(CLIENT, revoked_tokens=full)
    assert revoke_token(client, token(expires_at=9_500.0), 1_000.0).value.revoked_tokens["d" * 32] == 9_500.0
    with pytest.raises(LimitReachedError):
        revoke_token(client, token(digest="e" * 32), 1_000.0)
    fewer = replace(client, revoked_tokens=dict(list(full.items())[1:]))
    assert (
        len(revoke_token(fewer, token(digest="e" * 32), 1_000.0).value.revoked_tokens) == MAX_REVOKED_TOKENS
    )
