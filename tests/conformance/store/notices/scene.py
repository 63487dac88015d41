"""Instances of the service on one database with notices, whose time and receiver a test controls."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.notices import Notice
from keyturn_credentials.operations.certificate_ends import CertificateEnds
from keyturn_credentials.operations.notice_changes import NoticeWriter
from keyturn_credentials.operations.notice_judgement import NoticeJudgement
from keyturn_credentials.operations.notice_sender import NoticeSender, Result
from keyturn_credentials.operations.notice_sweep import NoticeSweep
from keyturn_credentials.operations.targets import ClientTarget
from keyturn_credentials.operations.wiring import Operations
from keyturn_credentials.store.unit_of_work import Store
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.key_sets.inspection import FetchedKey, KeySetHealth
from keyturn_shared.network.fetcher import FetchPolicy, GuardedFetcher
from keyturn_shared.network.receiver import Receiver
from keyturn_shared.network.refusal import FetchRefused, Reason
from keyturn_shared.standard_webhooks import WebhookKeys
from tests.conformance.store.conftest import ACTOR
from tests.testkit.clocks import SetClock

DAY: Final = 86_400
URL: Final = "https://client.example/jwks"
BY_URL: Final = {"use.jwks.url": "true", "jwks.url": URL}
BY_HAND: Final = {
    "keyturn.secret.expiration-period": str(10 * DAY),
    "keyturn.rotation.automatic": "false",
}
"""Attributes of a client whose secret ends in ten days, and nothing replaces it."""
FAILING: Final = KeySetHealth(
    url=URL,
    networks=(),
    keys=(),
    skipped=0,
    skipped_keys=(),
    last_success=None,
    last_change=None,
    fresh_until=None,
    stale_until=None,
    last_attempt=1.0,
    attempts=1,
    failures=1,
    failure="timeout",
    failure_detail=None,
    polled=True,
    next_poll=None,
)
BASE_URL: Final = "http://keyturn.test"


@dataclass
class Fetched:
    """The health of JWKS URLs in Redis: the same for all of them."""

    health: KeySetHealth | None = None
    answers: bool = True

    async def healths(self, urls: Sequence[str], networks: tuple[str, ...]) -> list[KeySetHealth | None]:
        if not self.answers:
            raise RedisUnavailableError("it is away")
        return [self.health for _ in urls]


class Posted(GuardedFetcher):
    """Keeps what is sent instead of sending it. ``status``: of the answers; None: nobody answers."""

    def __init__(self) -> None:
        self.status: int | None = 204
        self.bodies: list[bytes] = []
        self.ids: list[str] = []

    async def post(self, url: str, body: bytes, *, headers: Mapping[str, str], policy: FetchPolicy) -> int:
        self.bodies.append(body)
        self.ids.append(headers["webhook-id"])
        if self.status is None:
            raise FetchRefused(Reason.TIMEOUT)
        return self.status


@dataclass
class Instance:
    """The part of one instance of the service that keeps notices."""

    sweep: NoticeSweep
    sender: NoticeSender

    async def round(self) -> None:
        while not await self.sweep.step():
            pass


@dataclass
class Scene:
    clock: SetClock
    store: Store
    operations: Operations
    fetched: Fetched
    posted: Posted
    instances: list[Instance] = field(default_factory=list)

    def instance(self, store: Store, *, announces: bool = True) -> Instance:
        sweep = NoticeSweep(
            store,
            self.clock,
            NoticeJudgement(store, self.clock, self.fetched.healths),
            NoticeWriter(store, announces=announces, base_url=BASE_URL),
            CertificateEnds(store),
        )
        receiver = Receiver("https://receiver.example/", WebhookKeys([b"k" * 32]))
        sender = NoticeSender(store, self.clock, self.posted, receiver, jitter=lambda: 1.0)
        return Instance(sweep, sender)

    async def create(self, client_id: str, **members: Any) -> str:
        """Create a client in the realm."""
        representation = {"clientId": client_id, **members}
        return (await self.operations.clients.create(ACTOR, "acme", representation)).value[0].uuid

    async def change(self, uuid: str, **members: Any) -> None:
        await self.operations.clients.update(ClientTarget(ACTOR, "acme", uuid), members)

    async def client(self, uuid: str) -> Client:
        async with self.store.find() as reading:
            realm = await reading.realms.get("acme")
            assert realm is not None
            found = await reading.clients.get(realm.id, uuid)
            assert found is not None
            return found

    async def notices(self) -> list[Notice]:
        """Return all open notices, the oldest first."""
        async with self.store.find() as reading:
            return await reading.notices.page(0, most=10_000)

    async def codes(self) -> list[str]:
        return sorted(notice.code for notice in await self.notices())

    async def after(self, *, days: float = 0.0) -> list[str]:
        """Let time pass and the first instance sweep; return the codes of the open notices."""
        self.clock.time += days * DAY
        await self.instances[0].round()
        return await self.codes()

    async def send(self, *, seconds: float = 0.0) -> list[Result]:
        self.clock.time += seconds
        return await self.instances[0].sender.send_due()


def still_used(seconds: float, now: float) -> KeySetHealth:
    """Return the health of a URL that keeps failing, whose earlier keys are used for so long."""
    return replace(
        FAILING,
        failures=5,
        stale_until=now + seconds,
        keys=(FetchedKey("k1", "a-thumbprint", "EC", None, None),),
    )
