"""Fills Redis like the relay, from a test's data."""

import uuid
from dataclasses import dataclass, field
from typing import Any

import msgspec

from keyturn_shared.clock import SystemClock
from keyturn_shared.events import (
    ClientDeleted,
    ClientKeyRevoked,
    ClientUpdated,
    EpochOpened,
    Event,
    RealmKeysRotated,
    encode_event,
)
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.fleet.registry import FleetRegistry, FleetSummary, summarize
from keyturn_shared.fleet.relay_channel import LeaseTerms, Publication, Published, RelayChannel
from keyturn_shared.fleet.scripts import RedisScripts
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.projection import (
    ClientProjection,
    ProjectedSecret,
    ProjectedSigningKey,
    Projection,
    RealmProjection,
    SubjectProjection,
    client_field,
    encode_projection,
    realm_field,
    subject_field,
)
from keyturn_shared.realm_rings import FleetRing
from keyturn_shared.sealing import KeyRing
from keyturn_shared.signed_log.head import names_of
from tests.testkit.signed_log import signer_for

FLEET_KEY = KeyRing.generate_key()
RING = FleetRing.read(FLEET_KEY)
SIGNER = signer_for(FLEET_KEY)


def projected_secret(
    client_uuid: str, secret: str, *, not_after: float | None = None, sealed: bool = False
) -> ProjectedSecret:
    context = f"client-secret:{client_uuid}"
    return ProjectedSecret(
        digest=RING.digest(secret, context),
        not_after=not_after,
        sealed=RING.seal(secret.encode(), context) if sealed else None,
    )


def projected_key(key: SigningKey, state: Any = "active") -> ProjectedSigningKey:
    sealed = None if state == "retiring" else RING.seal(key.export_private_jwk(), f"signing-key:{key.kid}")
    return ProjectedSigningKey(
        kid=key.kid,
        alg=key.algorithm,
        state=state,
        public_jwk=key.public_jwk,
        sealed_private_jwk=sealed,
    )


def realm_of(name: str, **changes: Any) -> RealmProjection:
    fields: dict[str, Any] = {
        "id": f"id-of-{name}",
        "name": name,
        "signing_keys": (projected_key(SigningKey.generate()),),
    }
    return RealmProjection(**{**fields, **changes})


def client_of(realm: RealmProjection, client_id: str, **changes: Any) -> ClientProjection:
    """Make a client; ``secret`` and ``key`` are shortcuts for its credentials."""
    identifier = changes.pop("uuid", str(uuid.uuid4()))
    secret, key = changes.pop("secret", None), changes.pop("key", None)
    if secret is not None:
        sealed = changes.get("authenticator") == "client-secret-jwt"
        changes["secrets"] = (projected_secret(identifier, secret, sealed=sealed),)
    if key is not None:
        changes.setdefault("authenticator", "client-jwt")
        changes["jwks"] = {"keys": [key.public_jwk]}
        changes["jwks_source"] = "jwks"
    return ClientProjection(uuid=identifier, realm_id=realm.id, client_id=client_id, **changes)


class NamedSubject(SubjectProjection, frozen=True, kw_only=True):
    """A subject with what its field is made of."""

    alias: str
    subject: str


def subject_of(client: ClientProjection) -> NamedSubject:
    """Make the subject by which a client with an exact one is found."""
    identity = client.federated
    assert identity is not None
    return NamedSubject(
        realm_id=client.realm_id,
        client_id=client.client_id,
        alias=identity.alias,
        subject=identity.subject,
    )


def field_of(projection: Projection) -> str:
    if isinstance(projection, RealmProjection):
        return realm_field(projection.name)
    if isinstance(projection, NamedSubject):
        return subject_field(projection.realm_id, projection.alias, projection.subject)
    assert isinstance(projection, ClientProjection)
    return client_field(projection.realm_id, projection.client_id)


def signed(projection: Projection, sequence: int) -> bytes:
    return SIGNER.projection(field_of(projection), sequence, encode_projection(projection))


@dataclass
class Filling:
    """The data, and the relay that writes it."""

    redis: Any
    channel: RelayChannel
    registry: FleetRegistry
    epoch: int = 0
    sequence: int = 0
    truth: dict[str, Projection] = field(default_factory=dict)
    last_event_id: str = ""

    @classmethod
    def on(cls, redis: Any, *, lease: float = 10.0, margin: float = 1.0) -> "Filling":
        scripts = RedisScripts(redis)
        return cls(redis, RelayChannel(scripts, LeaseTerms(lease, margin)), FleetRegistry(scripts))

    async def open(self, *projections: Projection, fresh: bool = True, complete: bool = True) -> None:
        """Open a new epoch with all current data."""
        for projection in projections:
            self.truth[field_of(projection)] = projection
        self.epoch = await self.channel.newest_epoch() + max(1, self.epoch + 1)
        self.sequence += 1
        event = EpochOpened(sequence=self.sequence, id=str(uuid.uuid4()), occurred_at=0, reason="test")
        seen = await self.channel.look()
        opened = await self.channel.open_epoch(
            self.epoch,
            self.sequence,
            event.id,
            SIGNER.event(self.sequence, encode_event(event)),
            seen=seen,
            closed_nonce=None,
            fresh=fresh,
            statement=self._statement(seen.at),
        )
        assert opened
        await self._admit_everybody()
        self.last_event_id = event.id
        await self.write(*self.truth.values())
        if complete:
            assert await self.channel.complete_epoch(self.epoch)

    async def write(self, *projections: Projection) -> None:
        """Write projections without an event, as in a refill."""
        batch = [(field_of(each), self.sequence, signed(each, self.sequence)) for each in projections]
        assert await self.channel.write_projections(self.epoch, batch)

    async def publish(self, event: Event, *projections: Projection, gone: tuple[str, ...] = ()) -> int:
        """Publish an event with its changes; return its sequence."""
        sequence = self.sequence + 1
        touches = tuple(field_of(each) for each in projections) + gone
        event = msgspec.structs.replace(event, sequence=sequence, id=str(uuid.uuid4()), touches=touches)
        changes: list[tuple[str, int, bytes | None]] = [
            (field_of(each), sequence, signed(each, sequence)) for each in projections
        ]
        changes += [(name, sequence, None) for name in gone]
        payload = SIGNER.event(sequence, encode_event(event))
        publication = Publication(sequence, event.id, self.last_event_id, payload, tuple(changes))
        assert await self.channel.publish(self.epoch, [publication]) == [Published.PUBLISHED]
        self.sequence, self.last_event_id = sequence, event.id
        for each in projections:
            self.truth[field_of(each)] = each
        for name in gone:
            self.truth.pop(name, None)
        return sequence

    async def change(self, realm: RealmProjection, client: ClientProjection) -> int:
        """Change a client."""
        return await self.publish(ClientUpdated(**_about(realm, client)), client)

    async def revoke_key(self, realm: RealmProjection, client: ClientProjection, thumbprint: str) -> int:
        revoked = msgspec.structs.replace(
            client, revoked_thumbprints=client.revoked_thumbprints | {thumbprint}
        )
        return await self.publish(ClientKeyRevoked(**_about(realm, client), thumbprint=thumbprint), revoked)

    async def delete(self, realm: RealmProjection, client: ClientProjection) -> int:
        return await self.publish(ClientDeleted(**_about(realm, client)), gone=(field_of(client),))

    async def rotate(self, realm: RealmProjection) -> int:
        active = next(key.kid for key in realm.signing_keys if key.state == "active")
        event = RealmKeysRotated(
            sequence=0, id="", occurred_at=0, realm_id=realm.id, realm=realm.name, active_kid=active
        )
        return await self.publish(event, realm)

    async def carry_over(self) -> None:
        """Act like the relay when another Redis process has everything this one had."""
        seen = await self.channel.look()
        assert seen.head is not None
        self.epoch += 1
        event = EpochOpened(sequence=self.sequence, id=str(uuid.uuid4()), occurred_at=0, reason="test")
        assert await self.channel.carry_over(
            seen.head,
            self.epoch,
            SIGNER.event(self.sequence, encode_event(event)),
            seen=seen,
            closed_nonce=None,
            statement=self._statement(seen.at),
        )
        await self._admit_everybody()

    async def _admit_everybody(self) -> None:
        """Admit every node: no relay manages the claimants, as with an earlier release."""
        await self.redis.hdel(Layout().head, "claims_gated")

    def _statement(self, at: int) -> bytes:
        recent = names_of([(self.sequence, self.last_event_id)])
        return SIGNER.head(self.epoch, sequence=self.sequence, at=at, recent=recent)

    async def summary(self, sequence: int) -> FleetSummary:
        return summarize(await self.registry.view(sequence), sequence)


def _about(realm: RealmProjection, client: ClientProjection) -> dict[str, Any]:
    return {
        "sequence": 0,
        "id": "",
        "occurred_at": SystemClock().now(),
        "realm_id": realm.id,
        "realm": realm.name,
        "client_uuid": client.uuid,
        "client_id": client.client_id,
    }
