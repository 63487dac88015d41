"""Expiry: clients' secrets and certificates, realms' keys, and rotations that wait for a person."""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from keyturn.doctor.cause_texts import at_most, findings_of
from keyturn.doctor.findings import AreaReport
from keyturn.doctor.scene import Scene
from keyturn.terminal_text import counted
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.notice_causes import (
    Cause,
    judge_certificate,
    judge_readable,
    judge_realm_keys,
    judge_rotation,
    judge_secret,
)
from keyturn_credentials.domain.notice_lead import lead_seconds
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.rotation import Kind, Rotation, State
from keyturn_credentials.store.ending_credentials import CERTIFICATE_ENDS, SECRET_ENDS, Ending, find_ending
from keyturn_credentials.store.unit_of_work import Reading

_MOST: Final = 1_000
_SHOWN: Final = 20
_OPEN: Final = [state for state in State if state.is_open]
_Judge = Callable[[Client, Sequence[Rotation]], Iterator[Cause]]


async def check_expiry(scene: Scene, report: AreaReport) -> None:
    """Check what ends with time. Raises StoreUnavailableError."""
    now, realms = scene.clock.now(), 0
    async with scene.store.read() as reading:
        for realm in await reading.realms.all():
            realms += 1
            causes = list(judge_realm_keys(realm, await reading.realms.keys(realm.id), now))
            causes += await _of_credentials(reading, realm, now)
            causes += await _of_rotations(reading, realm)
            report.extend(at_most(list(findings_of(realm, causes, now)), _SHOWN))
    report.summary = counted(realms, "realm")


async def _of_credentials(reading: Reading, realm: Realm, now: float) -> list[Cause]:
    def secret(client: Client, under_way: Sequence[Rotation]) -> Iterator[Cause]:
        return judge_secret(realm, client, now, rotates=_rotates(under_way, Kind.SECRET))

    def certificate(client: Client, under_way: Sequence[Rotation]) -> Iterator[Cause]:
        return judge_certificate(realm, client, now, rotates=_rotates(under_way, Kind.KEY))

    until = now + lead_seconds(realm.attributes)
    kinds: tuple[tuple[Ending, _Judge], ...] = ((SECRET_ENDS, secret), (CERTIFICATE_ENDS, certificate))
    causes: list[Cause] = []
    for ending, judge in kinds:
        found = await find_ending(reading, realm.id, ending, until=until, most=_MOST)
        under_way = await reading.rotations.open_of_clients([client.uuid for client in found])
        for client in found:
            causes += judge(client, under_way.get(client.uuid, ()))
            causes += judge_readable(realm, client)
    return list({cause.identity: cause for cause in causes}.values())


async def _of_rotations(reading: Reading, realm: Realm) -> list[Cause]:
    found = await reading.rotations.of_realm(realm.id, _OPEN, most=_MOST)
    alerting = [each for each in found if each.alert is not None]
    named = await reading.clients.by_uuid(realm.id, {each.client_uuid for each in alerting})
    return [cause for each in alerting for cause in judge_rotation(each, named.get(each.client_uuid))]


def _rotates(under_way: Sequence[Rotation], kind: Kind) -> bool:
    return any(rotation.kind is kind for rotation in under_way)
