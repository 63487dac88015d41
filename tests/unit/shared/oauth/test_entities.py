"""A realm with its keys, as it is read again and again."""

import pytest

from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.oauth.entities import RealmState
from keyturn_shared.sealing import KeyRing, SealError
from tests.testkit.filled_redis import RING, projected_key, realm_of

BASE_URL = "https://id.example"
KEY = SigningKey.generate("RS256", kid="rsa")


def read(ring: KeyRing | None, key: SigningKey = KEY) -> RealmState:
    return RealmState(realm_of("acme", signing_keys=(projected_key(key),)), ring, BASE_URL)


def test_a_private_key_is_loaded_once_however_often_its_realm_is_read() -> None:
    first, second = read(RING), read(RING)
    assert first.signing_key is not None
    assert second.signing_key is first.signing_key
    assert read(RING, SigningKey.generate("RS256", kid="rsa")).signing_key is not first.signing_key


def test_a_key_that_is_loaded_still_needs_the_right_ring() -> None:
    assert read(RING).signing_key is not None
    with pytest.raises(SealError):
        read(KeyRing.from_text(KeyRing.generate_key(), purpose="fleet"))
    assert read(None).signing_key is None
