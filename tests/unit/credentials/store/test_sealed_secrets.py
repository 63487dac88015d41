"""Secrets that are read although some of them cannot be decrypted."""

import pytest

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.secrets import ClientSecrets, StoredSecret
from keyturn_credentials.store.sealed_secrets import open_readable_secrets, open_secrets, seal_secrets
from keyturn_shared.sealing import KeyRing, SealError
from keyturn_shared.secret import Secret

_RING = KeyRing.from_text(KeyRing.generate_key(), purpose="encryption")
_OTHER = KeyRing.from_text(KeyRing.generate_key(), purpose="encryption")
_CURRENT = StoredSecret("digest-1", 10.0, 99.0, Secret("the-current-secret"))
_FORMER = StoredSecret("digest-2", 5.0, 50.0, Secret("the-former-secret"))
_CLIENT = Client("uuid", "id", "orders", secrets=ClientSecrets(current=_CURRENT, rotated=_FORMER))


def test_secrets_that_can_be_decrypted_are_read_as_they_are() -> None:
    assert open_readable_secrets(_RING, "uuid", seal_secrets(_RING, _CLIENT)) == (_CLIENT.secrets, True)
    assert open_readable_secrets(_RING, "uuid", {}) == (ClientSecrets(), True)


@pytest.mark.parametrize("sealed", ["", "1", "1.x", "1.x.y", "not base64url", 5, []])
def test_of_others_everything_but_the_values_is_read(sealed: object) -> None:
    kept = seal_secrets(_RING, _CLIENT)
    kept["rotated"]["sealed"] = sealed
    with pytest.raises(SealError):
        open_secrets(_RING, "uuid", kept)
    secrets, is_readable = open_readable_secrets(_RING, "uuid", kept)
    assert not is_readable
    for found, stored in ((secrets.current, _CURRENT), (secrets.rotated, _FORMER)):
        assert found == StoredSecret(stored.digest, stored.created_at, stored.expires_at, None)


def test_a_key_that_is_missing_is_no_other_case() -> None:
    assert not open_readable_secrets(_OTHER, "uuid", seal_secrets(_RING, _CLIENT))[1]
