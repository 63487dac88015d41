"""Identity providers of a realm: the issuers that it trusts for clients' assertions."""

from typing import Final
from urllib.parse import quote

from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from keyturn_credentials.domain.trusted_issuers import describe_issuer, issuers_of_realm, require_issuer
from keyturn_credentials.http.bodies import read_json
from keyturn_credentials.operations.trusted_issuers import TrustedIssuerOperations
from keyturn_credentials.queries.fetched_keys import FleetKeySets
from keyturn_credentials.queries.reading import Queries
from keyturn_credentials.web.client_keys import UNKNOWN, describe_key
from keyturn_credentials.web.gate import Call, Endpoint, Gate
from keyturn_credentials.web.realms import ANY_ROLE, MANAGE_REALM
from keyturn_shared.oauth.trusted_issuers import address_of

_ALL: Final = "/admin/realms/{realm}/identity-provider/instances"
_ONE: Final = f"{_ALL}/{{alias}}"


class IdentityProviderRoutes:
    """Handlers of Keycloak's IdentityProvidersResource and IdentityProviderResource, and of revocations."""

    def __init__(
        self, queries: Queries, operations: TrustedIssuerOperations, fetched: FleetKeySets, base_url: str
    ) -> None:
        self._queries = queries
        self._operations = operations
        self._fetched = fetched
        self._base_url = base_url

    def routes(self, gate: Gate) -> list[BaseRoute]:
        return [
            gate.route(
                _ALL, {"GET": Endpoint(self.list, ANY_ROLE), "POST": Endpoint(self.create, MANAGE_REALM)}
            ),
            gate.route(
                _ONE,
                {
                    "GET": Endpoint(self.get, ANY_ROLE),
                    "PUT": Endpoint(self.update, MANAGE_REALM),
                    "DELETE": Endpoint(self.delete, MANAGE_REALM),
                },
            ),
            gate.route(f"{_ONE}/keys", {"GET": Endpoint(self.keys, ANY_ROLE)}),
            gate.route(
                f"{_ONE}/keys/{{thumbprint}}/revoke", {"POST": Endpoint(self.revoke_key, MANAGE_REALM)}
            ),
            gate.route(f"{_ONE}/revoke-subject", {"POST": Endpoint(self.revoke_subject, MANAGE_REALM)}),
            gate.route(f"{_ONE}/reload-keys", {"GET": Endpoint(self.reload_keys, MANAGE_REALM)}),
        ]

    async def list(self, call: Call) -> Response:
        realm = await self._queries.realm(call.realm)
        return JSONResponse([describe_issuer(issuer) for issuer in issuers_of_realm(realm)])

    async def create(self, call: Call) -> Response:
        done = await self._operations.create(call.realm_target, await read_json(call.request))
        call.changed(done)
        path = f"/admin/realms/{quote(call.realm)}/identity-provider/instances/{quote(done.value.alias)}"
        return Response(status_code=201, headers={"Location": f"{self._base_url}{path}"})

    async def get(self, call: Call) -> Response:
        issuer = require_issuer(await self._queries.realm(call.realm), call.path("alias"))
        return JSONResponse(describe_issuer(issuer))

    async def update(self, call: Call) -> Response:
        representation = await read_json(call.request)
        call.changed(await self._operations.update(call.realm_target, call.path("alias"), representation))
        return Response(status_code=204)

    async def delete(self, call: Call) -> Response:
        call.changed(await self._operations.delete(call.realm_target, call.path("alias")))
        return Response(status_code=204)

    async def keys(self, call: Call) -> Response:
        """Return the keys that the fleet fetched, and the revoked ones. Times are NumericDate seconds."""
        realm = await self._queries.realm(call.realm)
        issuer = require_issuer(realm, call.path("alias"))
        health = await self._fetched.health_of(address_of(issuer.projected(), realm.allowed_networks))
        keys, revoked = () if health is None else health.keys, issuer.revoked_keys
        shown = [
            describe_key(key) | {"source": "jwks_url", "revoked_at": revoked.get(key.thumbprint)}
            for key in keys
        ]
        listed = {key.thumbprint for key in keys}
        shown += [
            {**UNKNOWN, "thumbprint": thumbprint, "revoked_at": revoked_at}
            for thumbprint, revoked_at in revoked.items()
            if thumbprint not in listed
        ]
        return JSONResponse(shown)

    async def revoke_key(self, call: Call) -> Response:
        done = await self._operations.revoke_key(
            call.realm_target, call.path("alias"), call.path("thumbprint")
        )
        call.changed(done)
        return Response(status_code=204)

    async def revoke_subject(self, call: Call) -> Response:
        subject = (await read_json(call.request)).get("subject")
        call.changed(await self._operations.revoke_subject(call.realm_target, call.path("alias"), subject))
        return Response(status_code=204)

    async def reload_keys(self, call: Call) -> Response:
        """Stop using the keys fetched so far. Keycloak's tools send a GET and expect a boolean."""
        call.changed(await self._operations.clear_cache(call.realm_target, call.path("alias")))
        return JSONResponse(True)
