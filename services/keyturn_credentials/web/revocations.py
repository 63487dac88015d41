"""Revocation of tokens by their clients, forwarded by nodes or sent by administrators."""

from collections.abc import Awaitable, Callable
from typing import Final

from starlette import requests
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.errors import ForbiddenError, LimitReachedError, NotFoundError
from keyturn_credentials.operations.token_revocation import TokenRevocationOperations
from keyturn_credentials.store.unit_of_work import Actor
from keyturn_shared.jose.errors import MalformedError
from keyturn_shared.oauth.tokens.revocation import REVOCATIONS_PATH, TokenToRevoke, open_revocation
from keyturn_shared.oauth.web.errors import oauth_error
from keyturn_shared.oauth.web.messages import NO_STORE, Headers, Reply, Request
from keyturn_shared.realm_rings import FleetRing
from keyturn_shared.sealing import SealError

_MAX_BYTES: Final = 4096
RETRY_SECONDS: Final = 60

FleetAnswer = Callable[[list[str], int], Awaitable[dict[str, str]]]
"""Returns the headers about the fleet's state of a change, by the caller's ``Prefer``."""


class Revocations:
    """Revokes, waits for the fleet, and answers. As a ``Revoke`` it is for administrators."""

    def __init__(self, operations: TokenRevocationOperations, fleet: FleetAnswer, ring: FleetRing) -> None:
        self._operations = operations
        self._fleet = fleet
        self._ring = ring

    def routes(self) -> list[BaseRoute]:
        return [Route(REVOCATIONS_PATH, self._handed_over, methods=["POST"])]

    async def __call__(self, request: Request, token: TokenToRevoke) -> Reply:
        prefer = [value.decode("latin-1") for name, value in request.headers if name == b"prefer"]
        return await self._revoke(token, prefer, request.address)

    async def _handed_over(self, request: requests.Request) -> Response:
        """Handle a node's encrypted request: the node has authenticated the client and checked that it owns
        the token."""
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > _MAX_BYTES:
                raise ForbiddenError("HTTP 403 Forbidden")
        try:
            token = open_revocation(body.decode("ascii"), self._ring)
        except (SealError, MalformedError, UnicodeDecodeError) as error:
            raise ForbiddenError("HTTP 403 Forbidden") from error
        reply = await self._revoke(token, request.headers.getlist("prefer"), None, by_node=True)
        response = Response(reply.body, reply.status)
        response.raw_headers[:0] = reply.headers
        return response

    async def _revoke(
        self, token: TokenToRevoke, prefer: list[str], address: str | None, *, by_node: bool = False
    ) -> Reply:
        actor = Actor(Principal(token.realm, token.client_uuid, token.client_id, frozenset()), address)
        try:
            done = await self._operations.revoke(actor, token, by_node=by_node)
        except NotFoundError:
            return Reply(200, headers=[*NO_STORE])  # the client is gone, and its tokens with it
        except LimitReachedError as error:
            retry: Headers = [(b"retry-after", str(RETRY_SECONDS).encode())]
            return oauth_error(429, "temporarily_unavailable", error.detail, retry)
        fleet = await self._fleet(prefer, done.sequence)
        headers = [(name.lower().encode(), value.encode()) for name, value in fleet.items()]
        return Reply(200, headers=[*NO_STORE, *headers])
