"""Judgement of what needs a person: what ends and nothing replaces, what keeps failing, what waits.

Pure. ``keyturn doctor`` and the notices both ask here, so they never disagree. Times are NumericDate seconds.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from keyturn_credentials.domain import notice_kinds
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.client_keys import certificate_ends_at
from keyturn_credentials.domain.diagnosis import Diagnosis
from keyturn_credentials.domain.notice_lead import lead_seconds
from keyturn_credentials.domain.realm import KeyState, Realm, RealmKey
from keyturn_credentials.domain.realm_keys import rotation_period
from keyturn_credentials.domain.rotation import Kind, Rotation
from keyturn_credentials.domain.rotation_planning import Effect, plan_for
from keyturn_credentials.domain.rotation_rules import RotationRules
from keyturn_credentials.errors import InvalidRequestError
from keyturn_shared.key_sets.inspection import KeySetHealth

OVERDUE_SECONDS: Final = 3_600.0
"""Delay of the rotation of a realm's key from which it is reported: upkeep looks every minute."""
KEEPS_FAILING: Final = 3
"""Failures in a row from which a JWKS URL, whose earlier keys are still used, is reported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Something that needs a person. ``subject``: what it concerns, unique within the realm for each kind.
    ``ends_at``: when it ends, ended, or should have been replaced; None if no time is known. ``detail``: a
    few words more. Nothing in it is secret."""

    kind: Diagnosis
    subject: str
    client_uuid: str | None = None
    client_id: str | None = None
    kid: str | None = None
    rotation_id: str | None = None
    ends_at: float | None = None
    detail: str = ""

    @property
    def identity(self) -> tuple[str, str]:
        """Subject and code, by which it is recognised."""
        return self.subject, self.kind.code


def judge_client(
    realm: Realm,
    client: Client,
    rotations: Iterable[Rotation],
    health: KeySetHealth | None,
    now: float,
) -> Iterator[Cause]:
    """Yield everything about a client that needs a person. ``rotations``: its open ones. ``health``: of its
    JWKS URL; None if no client needed it recently."""
    under_way = list(rotations)
    yield from judge_readable(realm, client)
    kinds = {rotation.kind for rotation in under_way}
    yield from judge_secret(realm, client, now, rotates=Kind.SECRET in kinds)
    yield from judge_certificate(realm, client, now, rotates=Kind.KEY in kinds)
    yield from judge_url(realm, client, health, now)
    for rotation in under_way:
        yield from judge_rotation(rotation, client)


def judge_readable(realm: Realm, client: Client) -> Iterator[Cause]:
    """Yield a cause unless the client's secrets, current and former, can be decrypted."""
    if not client.secrets.is_readable and realm.enabled and client.enabled:
        detail = "its stored secret cannot be decrypted"
        yield _of(client, notice_kinds.SECRET_UNREADABLE, ends_at=None, detail=detail)


def judge_secret(realm: Realm, client: Client, now: float, *, rotates: bool) -> Iterator[Cause]:
    """Yield a cause if the client's secret has ended, or ends soon and nothing replaces it. ``rotates``: a
    rotation of it is open."""
    current = client.secrets.current
    if current is None or current.expires_at is None:
        return
    if not _matters(realm, client) or not client.needs_secret:
        return
    left = current.expires_at - now
    if left <= 0:
        yield _of(client, notice_kinds.SECRET_ENDED, ends_at=current.expires_at)
    elif left <= lead_seconds(realm.attributes) and not rotates and not _begins_by_policy(realm, client, now):
        yield _of(client, notice_kinds.SECRET_ENDING, ends_at=current.expires_at)


def judge_certificate(realm: Realm, client: Client, now: float, *, rotates: bool) -> Iterator[Cause]:
    """Yield a cause if the client's certificate has ended, or ends soon and no rotation is open."""
    ends_at = certificate_ends_at(client) if _matters(realm, client) else None
    if ends_at is None:
        return
    if ends_at <= now:
        yield _of(client, notice_kinds.CERTIFICATE_ENDED, ends_at=ends_at)
    elif ends_at - now <= lead_seconds(realm.attributes) and not rotates:
        yield _of(client, notice_kinds.CERTIFICATE_ENDING, ends_at=ends_at)


def judge_url(realm: Realm, client: Client, health: KeySetHealth | None, now: float) -> Iterator[Cause]:
    """Yield a cause if the client's JWKS URL fails and its keys may not be used, or keeps failing."""
    url = client.jwks_url
    if health is None or url is None or not health.failures or not (realm.enabled and client.enabled):
        return
    detail = f"host {host_of(url)}"
    if health.stale_until is None or now >= health.stale_until or not health.keys:
        yield _of(client, notice_kinds.KEY_SET_UNUSABLE, ends_at=health.stale_until, detail=detail)
    elif health.failures >= KEEPS_FAILING:
        yield _of(client, notice_kinds.KEY_SET_FAILING, ends_at=health.stale_until, detail=detail)


def judge_rotation(rotation: Rotation, client: Client | None) -> Iterator[Cause]:
    """Yield a cause if the rotation is open and has an alert. ``client``: None if it is not known."""
    if rotation.alert is None or not rotation.state.is_open:
        return
    yield Cause(
        kind=notice_kinds.ROTATION_ALERT,
        subject=f"rotation:{rotation.id}",
        client_uuid=rotation.client_uuid,
        client_id=None if client is None else client.client_id,
        rotation_id=rotation.id,
        detail=f"rotation {rotation.id} of its {rotation.kind.value}: {rotation.alert.value}",
    )


def judge_realm_keys(realm: Realm, keys: Iterable[RealmKey], now: float) -> Iterator[Cause]:
    """Yield a cause for each of the realm's keys that signs for longer than the realm's period."""
    try:
        period = rotation_period(realm)
    except InvalidRequestError:  # written by an earlier release
        return
    for key in keys:
        due_at = key.state_since + period
        if key.state is KeyState.ACTIVE and now - due_at >= OVERDUE_SECONDS:
            yield Cause(
                kind=notice_kinds.REALM_KEY_OVERDUE,
                subject=f"key:{key.kid}",
                kid=key.kid,
                ends_at=due_at,
                detail=f"{key.alg} key {key.kid}",
            )


def host_of(url: str) -> str:
    """Return the host of a URL, whose other parts may be secret."""
    try:
        return urlsplit(url).hostname or "unknown"
    except ValueError:
        return "unknown"


def _of(client: Client, kind: Diagnosis, *, ends_at: float | None, detail: str = "") -> Cause:
    return Cause(
        kind=kind,
        subject=f"client:{client.uuid}",
        client_uuid=client.uuid,
        client_id=client.client_id,
        ends_at=ends_at,
        detail=detail,
    )


def _matters(realm: Realm, client: Client) -> bool:
    return realm.enabled and client.enabled and client.is_confidential


def _begins_by_policy(realm: Realm, client: Client, now: float) -> bool:
    try:
        plan = plan_for(client, RotationRules.from_attributes(client.attributes, realm.attributes), now)
    except InvalidRequestError:  # written by an earlier release
        return False
    return plan is not None and plan.effect is not Effect.EXPIRES
