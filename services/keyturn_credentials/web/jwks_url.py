"""``…/clients/{uuid}/jwks-url/test``: what fetching a client's keys gives at this moment."""

import asyncio
import re
from collections.abc import Iterable
from ipaddress import ip_network
from typing import Any, Final

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from keyturn_credentials.domain.client_keys import keys_of
from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.operations.recording import require_client, require_realm
from keyturn_credentials.settings import Network
from keyturn_credentials.store.transaction import Store
from keyturn_credentials.web.bodies import read_json
from keyturn_credentials.web.clients import CONFIGURE
from keyturn_credentials.web.gate import Call, Endpoint, Gate
from keyturn_shared.jose.errors import InvalidKeySetError
from keyturn_shared.jose.key_set import KeySet
from keyturn_shared.network import FetchPolicy, FetchRefused, GuardedFetcher

_AT_ONCE: Final = 4
_USER_INFORMATION: Final = re.compile(r"//[^/?#]*@")
"""Refused in a JWKS URL; a password that was sent in this way is not shown again."""


class JwksUrlRoutes:
    """``networks``: private ones in which the URLs of every realm may lie."""

    def __init__(self, store: Store, fetcher: GuardedFetcher, networks: Iterable[Network]) -> None:
        self._store = store
        self._fetcher = fetcher
        self._networks = tuple(networks)
        self._turn = asyncio.Semaphore(_AT_ONCE)

    def routes(self, gate: Gate) -> list[BaseRoute]:
        path = "/admin/realms/{realm}/clients/{uuid}/jwks-url/test"
        return [gate.route(path, {"POST": Endpoint(self.test, CONFIGURE)})]

    async def test(self, call: Call) -> Response:
        """Fetch now, through the fetcher's guards: ``{"keys": […]}`` or the reason why there are none.

        ``{"url": …}`` in the body is tried instead of the client's own. Nothing is stored.
        """
        chosen = (await read_json(call.request)).get("url") if await call.request.body() else None
        if chosen is not None and not isinstance(chosen, str):
            raise InvalidRequestError("url is a string")
        async with self._store.find() as reading:
            realm = require_realm(await reading.realms.get(call.realm))
            client = require_client(await reading.clients.get(realm.id, call.client_uuid))
        url = chosen or keys_of(client).url
        if url is None:
            raise InvalidRequestError("the client has no JWKS URL; send one to test as url")
        networks = (*self._networks, *(ip_network(network) for network in realm.allowed_networks))
        shown = _USER_INFORMATION.sub("//", url)
        return JSONResponse({"url": shown, **await self._fetch(url, networks)})

    async def _fetch(self, url: str, networks: tuple[Network, ...]) -> dict[str, Any]:
        try:
            async with self._turn:
                result = await self._fetcher.fetch(url, policy=FetchPolicy(allowed_networks=networks))
            key_set = KeySet.from_json(result.body)
        except FetchRefused as error:
            return {"keys": [], "error": error.reason.value, "detail": error.detail}
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
