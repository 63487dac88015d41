"""Access tokens for callers of the agent: cached, renewed early, and requested once for all."""

from collections.abc import Callable

import httpx

from keyturn.client.access_token import AccessToken
from keyturn.client.credentials import ClientCredentials
from keyturn_shared.runtime.single_flight import SingleFlight

MAX_KINDS = 100
"""Combinations of scope and resource."""

Kind = tuple[str | None, str | None]
"""Scope and resource, each as requested."""


class TooManyKindsError(Exception):
    """A caller requests more combinations of scope and resource than the agent keeps."""


class Tokens:
    """Tokens by scope and resource. ``make``: makes the credentials for one of these."""

    def __init__(self, make: Callable[[str | None, str | None], ClientCredentials]) -> None:
        self._make = make
        self._kinds: dict[Kind, ClientCredentials] = {}
        self._flights: SingleFlight[Kind, AccessToken] = SingleFlight()

    async def get(self, http: httpx.AsyncClient, kind: Kind) -> AccessToken:
        """Return a token. Raises NoTokenError, SignerError, errors of httpx, and TooManyKindsError."""
        credentials = self._kinds.get(kind)
        if credentials is not None:
            return await self._flights.run(kind, lambda _: credentials.token(http))
        if len(self._kinds) >= MAX_KINDS:
            raise TooManyKindsError
        new = self._make(*kind)
        token = await self._flights.run(kind, lambda _: new.token(http))
        self._kinds.setdefault(kind, new)  # not before: a refused scope takes no place
        return token
