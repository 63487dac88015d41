"""Projections survive a round trip, and unreadable ones are reported."""

import pytest

from keyturn_shared.projection import (
    ClientProjection,
    ProjectedSecret,
    ProjectedSigningKey,
    ProjectionError,
    RealmProjection,
    client_field,
    decode_client,
    decode_realm,
    encode_projection,
    projection_value,
    realm_field,
)

REALM = RealmProjection(
    id="r1",
    name="acme",
    signing_keys=(ProjectedSigningKey(kid="k", alg="ES256", state="active", public_jwk={"kty": "EC"}),),
)
CLIENT = ClientProjection(
    uuid="u1",
    realm_id="r1",
    client_id="billing: ü",
    secrets=(ProjectedSecret(digest="1.ab.cd", not_after=5.5),),
    revoked_thumbprints=frozenset({"t"}),
)


def test_a_realm_and_a_client_read_back_with_their_sequence() -> None:
    assert decode_realm(projection_value(7, encode_projection(REALM))) == (7, REALM)
    assert decode_client(projection_value(8, encode_projection(CLIENT))) == (8, CLIENT)


def test_fields_added_later_do_not_disturb_this_reader() -> None:
    assert decode_realm(b'3:{"id":"r1","name":"acme","added":1}') == (
        3,
        RealmProjection(id="r1", name="acme"),
    )


@pytest.mark.parametrize("value", [b"", b"{}", b":{}", b"x:{}", b"1:", b"1:[]", b'1:{"uuid":1}'])
def test_what_is_no_projection_is_refused(value: bytes) -> None:
    with pytest.raises(ProjectionError):
        decode_client(value)
    with pytest.raises(ProjectionError):
        decode_realm(value)


def test_a_realm_made_again_under_the_same_name_has_other_client_fields() -> None:
    assert client_field("id-1", "a") != client_field("id-2", "a")
    assert realm_field("acme") == "realm:acme"
