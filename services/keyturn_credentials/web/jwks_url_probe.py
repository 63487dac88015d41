"""``…/clients/{uuid}/jwks-url/test``: a test fetch of a client's keys."""

import asyncio
import re
from collections.abc import Iterable
from ipaddress import ip_network
from typing import Any, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from keyturn_credentials.domain.client_keys import keys_of
from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.http.bodies import read_json
from keyturn_credentials.queries.reading import Queries
from keyturn_credentials.web.clients import CONFIGURE
from keyturn_credentials.web.fetch_failures import shown_failure
from keyturn_credentials.web.gate import Call, Endpoint, Gate
from keyturn_shared.jose.errors import InvalidKeySetError
from keyturn_shared.jose.key_set import KeySet
from keyturn_shared.network.addresses import Network
from keyturn_shared.network.fetcher import FetchPolicy, GuardedFetcher
from keyturn_shared.network.refusal import FetchRefused
from keyturn_shared.network.target import read_target
from keyturn_shared.runtime.admission import leave_place

_MAX_CONCURRENT: Final = 4
_USER_INFORMATION: Final = re.compile(r"//[^/?#]*@")
"""Refused in a JWKS URL; a password sent this way is not shown again."""


class JwksUrlRoutes:
    """``networks``: private ones that the URLs of every realm may reach."""

    def __init__(self, queries: Queries, fetcher: GuardedFetcher, networks: Iterable[Network]) -> None:
        self._queries = queries
        self._fetcher = fetcher
        self._networks = tuple(networks)
        self._turn = asyncio.Semaphore(_MAX_CONCURRENT)

    def routes(self, gate: Gate) -> list[BaseRoute]:
        path = "/admin/realms/{realm}/clients/{uuid}/jwks-url/test"
        return [gate.route(path, {"POST": Endpoint(self.test, CONFIGURE)})]

    async def test(self, call: Call) -> Response:
        """Fetch now, through the fetcher's guards: ``{"keys": […]}`` or the reason why there are none.
        ``{"url": …}`` in the body is tried instead of the client's own. Nothing is stored."""
        chosen = (await read_json(call.request)).get("url") if await call.request.body() else None
        if chosen is not None and not isinstance(chosen, str):
            raise InvalidRequestError("url must be a string")
        realm, client = await self._queries.client(call.realm, call.client_uuid)
        url = chosen or keys_of(client).url
        if url is None:
            raise InvalidRequestError("the client has no JWKS URL; send one to test as url")
        networks = (*self._networks, *(ip_network(network) for network in realm.allowed_networks))
        shown = _USER_INFORMATION.sub("//", url)
        return JSONResponse({"url": shown, **await self._fetch(url, networks, call.principal)})

    async def _fetch(self, url: str, networks: tuple[Network, ...], principal: Principal) -> dict[str, Any]:
        try:
            read_target(url)  # any caller may know what is wrong with the URL itself
        except FetchRefused as error:
            return {"keys": [], "error": error.reason.value, "detail": error.detail}
        leave_place()
        try:
            async with self._turn:
                result = await self._fetcher.fetch(url, policy=FetchPolicy(allowed_networks=networks))
            key_set = KeySet.from_json(result.body)
        except FetchRefused as error:
            reason, detail = shown_failure(error.reason.value, error.detail, principal)
            return {"keys": [], "error": reason, "detail": detail}
        except InvalidKeySetError as error:
            return {"keys": [], "error": error.code, "detail": error.detail}
        return {
            "keys": [
                {
                    "kid": key.kid,
                    "thumbprint": key.thumbprint,
                    "kty": key.kty,
                    "crv": key.crv,
                    "bits": key.bits,
                    "alg": key.alg,
                    "use": key.use,
                }
                for key in key_set.keys
            ],
            "skipped": [
                {"kid": skipped.kid, "reason": skipped.reason.value, "detail": skipped.detail}
                for skipped in key_set.skipped
            ],
        }
