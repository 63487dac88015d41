"""Reads realms and clients from Redis; with the log's public keys, checks their signatures as verifiers do.
Does not check that the epoch is trusted or complete: what it finds is shown, also during a refill."""

from redis.asyncio import Redis

from keyturn_shared.errors import KeyturnError
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.projection import (
    ClientProjection,
    RealmProjection,
    client_field,
    decode_client,
    decode_realm,
    realm_field,
)
from keyturn_shared.redis_failures import redis_answers
from keyturn_shared.signed_log.errors import ForgedError
from keyturn_shared.signed_log.head import read_head_statement
from keyturn_shared.signed_log.keys import LogVerificationKeys
from keyturn_shared.signed_log.verifier import LogVerifier

_LAYOUT = Layout()


class NotFoundError(KeyturnError):
    """The fleet knows no such realm or client, the client has no JWKS URL, or Redis has not been filled
    yet."""

    code = "not_found"


class Projections:
    """Reads projections. ``keys``: None skips signature checks; otherwise a projection without a valid
    signature raises ForgedError.

    Every method raises NotFoundError, RedisUnavailableError, ProjectionError and ForgedError.
    """

    def __init__(self, redis: Redis, keys: LogVerificationKeys | None) -> None:
        self._redis = redis
        self._keys = keys

    async def realm(self, name: str) -> RealmProjection:
        """Read a realm by its name."""
        value = await self._value(realm_field(name))
        if value is None:
            raise NotFoundError(f"realm {name} does not exist")
        return decode_realm(value)[1]

    async def client(self, realm: RealmProjection, client_id: str) -> ClientProjection:
        """Read a client by its client id."""
        value = await self._value(client_field(realm.id, client_id))
        if value is None:
            raise NotFoundError(f"realm {realm.name} has no client {client_id}")
        return decode_client(value)[1]

    async def _value(self, field: str) -> bytes | None:
        """Return a projection as it was signed; None if there is none."""
        with redis_answers("reading a projection"):
            epoch, statement, complete = await self._redis.hmget(
                _LAYOUT.head, ["epoch", "statement", "complete"]
            )
            if epoch is None:
                raise NotFoundError("this Redis is empty: no relay has filled it yet")
            value = await self._redis.hget(_LAYOUT.projections(int(epoch)), field)
            if value is None:
                # Only a complete epoch, still the newest after the read, shows that there is none.
                newest = await self._redis.hget(_LAYOUT.head, "epoch")
                if newest != epoch or _octets(complete or b"") != b"1":
                    raise NotFoundError("Redis is being refilled: try again")
                return None
        octets, signed = _octets(value), _octets(statement or b"")
        if self._keys is None:
            return octets
        try:
            log = read_head_statement(signed, self._keys).log
            return LogVerifier(self._keys, log).projection(field, octets)[1]
        except ForgedError as error:
            raise ForgedError(f"{field} in Redis is not trusted: {error.detail}") from error


def _octets(value: bytes | str) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
