"""A client's projection as a node keeps it."""

import sys
from typing import Final, Self

from keyturn_shared.jose.errors import InvalidKeySetError
from keyturn_shared.jose.key_set import KeySet
from keyturn_shared.projection import ClientProjection

_MEMBERS: Final = ClientProjection.__struct_fields__
_NO_KEYS: Final = KeySet(())


class HeldClient(ClientProjection, frozen=True, kw_only=True, gc=False):
    """A projection whose inline keys are read and whose ``jwks`` is let go.

    A node keeps very many of these, and the text of a key would be a quarter of what each takes. ``inline``:
    None when the JWK Set cannot be read.
    """

    inline: KeySet | None = _NO_KEYS

    @classmethod
    def of(cls, projection: ClientProjection) -> Self:
        """What a node keeps of a projection that it has read."""
        members = {name: getattr(projection, name) for name in _MEMBERS}
        members["jwks"] = None
        members["realm_id"] = sys.intern(projection.realm_id)  # one text for all clients of a realm
        return cls(**members, inline=inline_keys(projection))


def inline_keys(client: ClientProjection) -> KeySet | None:
    """The keys that stand in a projection itself, perhaps none; None when they cannot be read."""
    if isinstance(client, HeldClient):
        return client.inline
    try:
        return _NO_KEYS if client.jwks is None else KeySet.from_members(client.jwks)
    except InvalidKeySetError:
        return None
