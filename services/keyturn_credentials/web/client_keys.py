"""A client's keys: ``…/clients/{uuid}/keys``, revocation, and clearing of fetched ones."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.client_keys import keys_of
from keyturn_credentials.errors import LimitReachedError
from keyturn_credentials.operations.changes import Done
from keyturn_credentials.operations.client_keys import ClientKeyOperations
from keyturn_credentials.queries.fetched_keys import FleetKeySets
from keyturn_credentials.queries.reading import Queries
from keyturn_credentials.web.clients import CONFIGURE, VIEW
from keyturn_credentials.web.gate import Call, Endpoint, Gate
from keyturn_shared.jose.jwk import VerificationKey
from keyturn_shared.key_sets.inspection import FetchedKey

UNKNOWN: Final[Mapping[str, Any]] = dict.fromkeys(
    ("kid", "thumbprint", "kty", "crv", "bits", "alg", "use", "source", "since", "not_after", "revoked_at")
)


class ClientKeyRoutes:
    """Handlers of keyturn's own endpoints for keys."""

    def __init__(self, queries: Queries, operations: ClientKeyOperations, fetched: FleetKeySets) -> None:
        self._queries = queries
        self._operations = operations
        self._fetched = fetched

    def routes(self, gate: Gate) -> list[BaseRoute]:
        path = "/admin/realms/{realm}/clients/{uuid}"
        return [
            gate.route(f"{path}/keys", {"GET": Endpoint(self.list, VIEW)}),
            gate.route(f"{path}/keys/{{thumbprint}}/revoke", {"POST": Endpoint(self.revoke, CONFIGURE)}),
            gate.route(f"{path}/clear-keys-cache", {"POST": Endpoint(self.clear_cache, CONFIGURE)}),
        ]

    async def list(self, call: Call) -> Response:
        """Return the keys in use and the revoked ones, which need not be in use any more.

        ``since``: when the client was given the key, or a fetch first brought it; ``not_after``: the end of
        its certificate. Times are NumericDate seconds.
        """
        realm, client, set_at = await self._queries.client_with_key_time(call.realm, call.client_uuid)
        configured = keys_of(client)
        keys: Sequence[VerificationKey | FetchedKey] = configured.keys
        if configured.url is not None:
            health = await self._fetched.health(configured.url, realm.allowed_networks)
            keys = () if health is None else health.keys
        revoked = client.revoked_keys
        shown = [
            describe_key(key, since=set_at)
            | {"source": configured.source, "revoked_at": revoked.get(key.thumbprint)}
            | _describe_certificate(configured.certificate)
            for key in keys
        ]
        listed = {key.thumbprint for key in keys}
        shown += [
            {**UNKNOWN, "certificate": None, "thumbprint": thumbprint, "revoked_at": revoked_at}
            for thumbprint, revoked_at in revoked.items()
            if thumbprint not in listed
        ]
        return JSONResponse(shown)

    async def revoke(self, call: Call) -> Response:
        try:
            call.changed(await self._revoke(call))
        except LimitReachedError:
            # The limit is higher for the client's own keys, so the ones at its URL are looked up.
            call.changed(await self._revoke(call, seen=await self._seen(call)))
        return Response(status_code=204)

    async def _revoke(self, call: Call, *, seen: frozenset[str] = frozenset()) -> Done[Client]:
        return await self._operations.revoke(call.client_target, call.path("thumbprint"), seen=seen)

    async def _seen(self, call: Call) -> frozenset[str]:
        """Return thumbprints of the keys that the client's URL served last, if known."""
        realm, client = await self._queries.client(call.realm, call.client_uuid)
        if client.jwks_url is None:
            return frozenset()
        health = await self._fetched.health(client.jwks_url, realm.allowed_networks)
        return frozenset() if health is None else frozenset(key.thumbprint for key in health.keys)

    async def clear_cache(self, call: Call) -> Response:
        call.changed(await self._operations.clear_cache(call.client_target))
        return Response(status_code=204)


def describe_key(key: VerificationKey | FetchedKey, *, since: float | None = None) -> dict[str, Any]:
    """Describe a key in use. ``since``: of a key that was not fetched."""
    return {
        **UNKNOWN,
        "kid": key.kid,
        "thumbprint": key.thumbprint,
        "kty": key.kty,
        "crv": key.crv,
        "bits": key.bits,
        "alg": key.alg,
        "use": key.use,
        "since": key.since if isinstance(key, FetchedKey) else since,
    }


def _describe_certificate(certificate: x509.Certificate | None) -> dict[str, Any]:
    if certificate is None:
        return {"not_after": None, "certificate": None}
    ends_at = certificate.not_valid_after_utc.timestamp()
    described = {
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
        "serial": f"{certificate.serial_number:x}",
        "not_before": certificate.not_valid_before_utc.timestamp(),
        "not_after": ends_at,
        "sha256": certificate.fingerprint(SHA256()).hex(),
    }
    return {"not_after": ends_at, "certificate": described}
