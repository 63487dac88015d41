"""A node's cached form of a client's projection."""

import msgspec
import pytest

from keyturn_shared.jose.key_set import KeySet
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.oauth.cached_client import CachedClient, inline_keys
from keyturn_shared.projection import ClientProjection

KEY = SigningKey.generate("ES256", kid="k")
PROJECTION = ClientProjection(
    uuid="u",
    realm_id="r",
    client_id="worker",
    authenticator="client-jwt",
    jwks={"keys": [KEY.public_jwk]},
    scopes=("read",),
    revoked_thumbprints=frozenset({"t"}),
)


def test_everything_but_the_text_of_the_keys_is_kept() -> None:
    held = CachedClient.of(PROJECTION)
    expected = msgspec.structs.asdict(msgspec.structs.replace(PROJECTION, jwks=None))
    kept = msgspec.structs.asdict(held)
    inline = kept.pop("inline")
    assert kept == expected
    assert [key.kid for key in inline.keys] == ["k"]


def test_a_held_client_can_be_held_again() -> None:
    held = CachedClient.of(PROJECTION)
    assert inline_keys(held) is held.inline


@pytest.mark.parametrize(
    ("jwks", "keys"), [(None, KeySet(())), ({"keys": "none"}, None), ({"keys": []}, KeySet(()))]
)
def test_no_keys_and_keys_that_cannot_be_read_are_told_apart(
    jwks: dict[str, object] | None, keys: KeySet | None
) -> None:
    projection = msgspec.structs.replace(PROJECTION, jwks=jwks)
    assert inline_keys(projection) == keys
    assert CachedClient.of(projection).inline == keys
