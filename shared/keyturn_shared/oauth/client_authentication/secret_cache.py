"""Clients that were authenticated by secret in the Authorization header (RFC 6749 section 2.3.1): a bounded
cache, so that a resource server that asks about many tokens is authenticated once."""

import hashlib
import os
from collections import OrderedDict
from collections.abc import Callable
from math import inf
from typing import Final

from keyturn_shared.fleet.last_used import name_of_secret
from keyturn_shared.oauth.entities import ClientState, RealmState
from keyturn_shared.oauth.weak_states import WeakStates

CAPACITY: Final = 4096


class AuthenticatedClient:
    """A client and the credential that it has shown. ``states``: its own and that of its realm.
    ``refused_from``: seconds since 1970."""

    __slots__ = ("client_id", "credential", "refused_from", "states")

    def __init__(self, realm: RealmState, state: ClientState, credential: str) -> None:
        """``credential``: name of its secret (``keyturn_shared.fleet.last_used``)."""
        self.states = WeakStates(realm, state)
        self.client_id: str = state.projection.client_id
        self.credential = credential
        ends = [
            secret.not_after
            for secret in state.projection.secrets
            if name_of_secret(secret.digest) == credential
        ]
        self.refused_from = min((end for end in ends if end is not None), default=inf)


class SecretCache:
    """The ``capacity`` most recently used of them. ``now``: seconds since 1970.

    Entries are found by a BLAKE2b of the header under a key that only this process has, so they say nothing
    about a secret. A wrong secret finds none, and is compared in the same time as ever. An entry ends with
    the states of its realm and client, which any event about either of them marks as superseded.
    """

    def __init__(self, now: Callable[[], float], capacity: int = CAPACITY) -> None:
        self._now = now
        self._capacity = capacity
        self._key = os.urandom(32)
        self._clients: OrderedDict[bytes, AuthenticatedClient] = OrderedDict()

    def find(self, realm_name: str, authorization: str) -> AuthenticatedClient | None:
        """Return the client if its authentication by this header still holds. The caller must hold a lease at
        the same instant."""
        name = self._name(realm_name, authorization)
        client = self._clients.get(name)
        if client is None:
            return None
        if not client.states.is_current or self._now() >= client.refused_from:
            del self._clients[name]
            return None
        self._clients.move_to_end(name)
        return client

    def keep(self, realm_name: str, authorization: str, client: AuthenticatedClient) -> None:
        """Keep a client that was authenticated by this header with these states."""
        self._clients[self._name(realm_name, authorization)] = client
        if len(self._clients) > self._capacity:
            self._clients.popitem(last=False)

    def _name(self, realm_name: str, authorization: str) -> bytes:
        # A realm's name has no line feed, and a header has none either.
        text = f"{realm_name}\n{authorization}".encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, key=self._key, digest_size=32).digest()
