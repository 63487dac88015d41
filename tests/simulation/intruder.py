"""An attacker with full write access to Redis and the fleet keys, as on a node."""

import asyncio
from collections.abc import Callable
from typing import Final

from keyturn_shared.events import ClientUpdated, EpochOpened, encode_event
from keyturn_shared.fleet.layout import Layout
from keyturn_shared.projection import (
    ClientProjection,
    ProjectedSecret,
    RealmProjection,
    client_field,
    encode_projection,
    projection_value,
    realm_field,
)
from keyturn_shared.signed_log.envelope import attach, signature_of
from keyturn_shared.signed_log.head import HeadStatement
from keyturn_shared.signed_log.keys import LogSigningKeys
from keyturn_shared.signed_log.signer import LogSigner
from tests.simulation.actors import Actors, Fleet
from tests.simulation.clients import CLIENTS, REALM, REALM_ID, RING, Credential
from tests.simulation.redis_model.server import RedisServer
from tests.simulation.settings import LOG
from tests.simulation.surroundings import Surroundings

_LAYOUT: Final = Layout()
_HEAD: Final = _LAYOUT.head.encode()
_HIS_KEYS: Final = LogSigningKeys([b"h" * 32])
_HIS_SIGNER: Final = LogSigner(_HIS_KEYS, LOG)
HIS_SECRET: Final = "his secret"


class Intruder:
    """Random acts, drawn by weight; after each, the attacker's credential is presented to every node."""

    def __init__(self, fleet: Fleet, around: Surroundings, actors: Actors) -> None:
        self._fleet = fleet
        self._around = around
        self._draw = around.draw
        self._actors = actors
        self._kept: list[tuple[bytes, bytes]] = []
        self._statements: list[bytes] = []
        self._acts: dict[Callable[[RedisServer, bytes, int], str], float] = {
            self._forge_client: 6,
            self._invent_client: 3,
            self._move_client: 2,
            self._put_back: 3,
            self._withdraw: 1,
            self._forge_event: 3,
            self._open_epoch: 2,
            self._set_head_back: 1,
            self._set_head_forward: 1,
            self._report_for_nodes: 1,
        }

    async def run(self) -> None:
        while True:
            await asyncio.sleep(self._draw.expovariate(6.0))
            redis = self._around.redis.primary
            head = redis.data.hash(_HEAD, redis.now_ms) if redis.alive else {}
            if not head:
                continue
            projections = _LAYOUT.projections(int(head[b"epoch"])).encode()
            self._remember(redis, projections, head)
            (act,) = self._draw.choices(list(self._acts), list(self._acts.values()))
            self._around.trace(
                f"INTRUDER {act.__name__.strip('_')}: {act(redis, projections, int(head[b'sequence']))}"
            )
            for node in self._fleet.nodes:
                for client_id in (*CLIENTS, "invented"):
                    self._actors.present(node, Credential(client_id, secret=HIS_SECRET))

    def _remember(self, redis: RedisServer, projections: bytes, head: dict[bytes, bytes]) -> None:
        values = list(redis.data.hash(projections, redis.now_ms).items())
        if values:
            self._kept = [*self._kept[-40:], self._draw.choice(values)]
        self._statements = [*self._statements[-20:], head.get(b"statement", b"")]

    def _forge_client(self, redis: RedisServer, projections: bytes, sequence: int) -> str:
        client_id = self._draw.choice(CLIENTS)
        field = client_field(REALM_ID, client_id)
        redis.direct(b"HSET", projections, field.encode(), self._value(field, client_id, sequence + 1))
        return client_id

    def _invent_client(self, redis: RedisServer, projections: bytes, sequence: int) -> str:
        field = client_field(REALM_ID, "invented")
        redis.direct(b"HSET", projections, field.encode(), self._value(field, "invented", sequence))
        return field

    def _move_client(self, redis: RedisServer, projections: bytes, sequence: int) -> str:
        """Put validly signed data under another name or number."""
        if not self._kept:
            return "nothing yet"
        field, value = self._draw.choice(self._kept)
        target = client_field(REALM_ID, self._draw.choice(CLIENTS)).encode()
        number = b"%d" % (sequence + self._draw.randrange(3))
        redis.direct(b"HSET", projections, target, number + b":" + value.partition(b":")[2])
        return f"{field!r} to {target!r}"

    def _put_back(self, redis: RedisServer, projections: bytes, sequence: int) -> str:
        if not self._kept:
            return "nothing yet"
        field, value = self._draw.choice(self._kept)
        redis.direct(b"HSET", projections, field, value)
        return repr(field)

    def _withdraw(self, redis: RedisServer, projections: bytes, sequence: int) -> str:
        field = client_field(REALM_ID, self._draw.choice(CLIENTS)).encode()
        redis.direct(b"HDEL", projections, field)
        return repr(field)

    def _forge_event(self, redis: RedisServer, projections: bytes, sequence: int) -> str:
        """Forge the next event, so that nodes consider it applied."""
        event = ClientUpdated(
            sequence=sequence + 1,
            id="forged",
            occurred_at=0.0,
            touches=(),
            realm_id=REALM_ID,
            realm=REALM,
            client_uuid="",
            client_id="",
        )
        payload = _HIS_SIGNER.event(sequence + 1, encode_event(event))
        epoch = projections.split(b":")[2]
        return self._add(redis, epoch, sequence + 1, payload, b"sequence")

    def _open_epoch(self, redis: RedisServer, projections: bytes, sequence: int) -> str:
        """Open an epoch with a forged realm and clients, and a forged or formerly true statement."""
        epoch = b"%d" % (int(projections.split(b":")[2]) + 1)
        event = EpochOpened(sequence=sequence, id="forged", occurred_at=0.0, reason="redis_empty")
        said = self._add(redis, epoch, sequence, encode_event(event), b"epoch")
        key = _LAYOUT.projections(int(epoch)).encode()
        realm = encode_projection(RealmProjection(id=REALM_ID, name=REALM))
        redis.direct(b"HSET", key, realm_field(REALM).encode(), projection_value(sequence, realm))
        for client_id in CLIENTS:
            field = client_field(REALM_ID, client_id)
            redis.direct(b"HSET", key, field.encode(), self._value(field, client_id, sequence))
        his = HeadStatement(LOG, int(epoch), sequence, redis.now_ms).signed(_HIS_KEYS)
        statement = self._draw.choice([his, *self._statements])
        redis.direct(b"HSET", _HEAD, b"statement", statement)
        return said

    def _set_head_back(self, redis: RedisServer, projections: bytes, sequence: int) -> str:
        redis.direct(b"HSET", _HEAD, b"sequence", b"%d" % max(0, sequence - self._draw.randrange(1, 4)))
        return "the sequence"

    def _set_head_forward(self, redis: RedisServer, projections: bytes, sequence: int) -> str:
        """Claim events that the stream does not have, so that nodes pass over the next ones."""
        redis.direct(b"HSET", _HEAD, b"sequence", b"%d" % (sequence + self._draw.randrange(1, 4)))
        return "the sequence"

    def _report_for_nodes(self, redis: RedisServer, projections: bytes, sequence: int) -> str:
        redis.direct(b"DEL", _LAYOUT.nodes.encode())
        return "no node is known any more"

    def _add(self, redis: RedisServer, epoch: bytes, sequence: int, payload: bytes, moved: bytes) -> str:
        at = epoch + b"-%d" % sequence
        redis.direct(b"XADD", _LAYOUT.events.encode(), at, b"__data__", payload, b"published_at", b"0")
        redis.direct(b"HSET", _HEAD, moved, epoch if moved == b"epoch" else b"%d" % sequence)
        return at.decode()

    def _value(self, field: str, client_id: str, sequence: int) -> bytes:
        """Make a client with the attacker's secret: unsigned, signed with the attacker's key, or under the
        signature of another."""
        digest = RING.digest(HIS_SECRET, "client-secret:his")
        client = ClientProjection(
            uuid="his",
            realm_id=REALM_ID,
            client_id=client_id,
            secrets=(ProjectedSecret(digest=digest),),
            scopes=("forged",),
        )
        body = encode_projection(client)
        stolen = next((each for _, value in self._kept if (each := signature_of(value))), None)
        forms = [body, _HIS_SIGNER.projection(field, sequence, body)]
        if stolen is not None:
            forms.append(attach(body, stolen))
        return projection_value(sequence, self._draw.choice(forms))
