"""Secrets that cannot be decrypted are read without their values, and written as they were."""

from dataclasses import replace

import pytest

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.secrets import ClientSecrets, StoredSecret
from keyturn_credentials.store.sealed_secrets import open_secrets, seal_keys_of, seal_secrets
from keyturn_shared.sealing import KeyRing
from keyturn_shared.secret import Secret

_RING = KeyRing.from_text(KeyRing.generate_key(), purpose="encryption")
_OTHER = KeyRing.from_text(KeyRing.generate_key(), purpose="encryption")
_CURRENT = StoredSecret("1.of-fleet.1", 10.0, 99.0, Secret("the-current-secret"))
_FORMER = StoredSecret("1.of-fleet.2", 5.0, 50.0, Secret("the-former-secret"))
_CLIENT = Client("uuid", "id", "orders", secrets=ClientSecrets(current=_CURRENT, rotated=_FORMER))


def test_secrets_that_can_be_decrypted_are_read_as_they_are() -> None:
    found = open_secrets(_RING, "uuid", seal_secrets(_RING, _CLIENT))
    assert found == _CLIENT.secrets
    assert found.is_readable
    assert open_secrets(_RING, "uuid", {}) == ClientSecrets()


@pytest.mark.parametrize("sealed", ["", "1", "1.x", "1.x.y", "not base64url", 5, []])
def test_of_another_everything_but_the_value_is_read_and_it_is_written_as_it_was(sealed: object) -> None:
    kept = seal_secrets(_RING, _CLIENT)
    kept["rotated"]["sealed"] = sealed
    found = open_secrets(_RING, "uuid", kept)
    assert found.current == _CURRENT
    assert found.rotated == replace(_FORMER, secret=None, undecrypted=sealed)
    assert not found.is_readable
    again = seal_secrets(_RING, replace(_CLIENT, secrets=found))
    assert again["rotated"] == kept["rotated"]
    assert "of-fleet" in seal_keys_of(again)


def test_the_value_is_back_with_the_key_that_was_missing() -> None:
    kept = seal_secrets(_RING, _CLIENT)
    without = open_secrets(_OTHER, "uuid", kept)
    assert not without.is_readable
    changed = seal_secrets(_OTHER, replace(_CLIENT, secrets=without))
    assert seal_keys_of(changed) == seal_keys_of(kept)
    assert open_secrets(_RING, "uuid", changed) == _CLIENT.secrets
