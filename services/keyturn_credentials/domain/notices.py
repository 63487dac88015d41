"""A notice: something that needs a person, from when it is found until its cause is gone. Pure."""

import uuid
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from keyturn_credentials.domain.notice_causes import Cause
from keyturn_credentials.domain.notice_kinds import KINDS
from keyturn_credentials.domain.realm import Realm


class DeliveryState(StrEnum):
    """State of the webhook that tells of the opening. GIVEN_UP: the receiver did not take it for a day, or
    wants no more."""

    PENDING = "pending"
    DELIVERED = "delivered"
    GIVEN_UP = "given_up"


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """``realm``: its name. ``since``: when it opened, ``ends_at``: see ``Cause``; in NumericDate seconds.
    ``number``: its place in the order of opening, 0 before it is stored. ``delivery``: None if no webhook was
    made."""

    id: str
    realm_id: str
    realm: str
    subject: str
    code: str
    since: float
    client_uuid: str | None = None
    client_id: str | None = None
    kid: str | None = None
    rotation_id: str | None = None
    ends_at: float | None = None
    detail: str = ""
    delivery: DeliveryState | None = None
    number: int = 0

    @property
    def identity(self) -> tuple[str, str]:
        """Subject and code, by which its cause is recognised."""
        return self.subject, self.code


def notice_of(realm: Realm, cause: Cause, now: float) -> Notice:
    """Return the notice of a cause that has none."""
    bare = Notice(
        id=str(uuid.uuid4()),
        realm_id=realm.id,
        realm=realm.name,
        subject=cause.subject,
        code=cause.kind.code,
        since=now,
        client_uuid=cause.client_uuid,
        kid=cause.kid,
        rotation_id=cause.rotation_id,
    )
    return updated(bare, realm, cause)


def updated(notice: Notice, realm: Realm, cause: Cause) -> Notice:
    """Return the notice with what can change while its cause remains."""
    return replace(
        notice, realm=realm.name, client_id=cause.client_id, ends_at=cause.ends_at, detail=cause.detail
    )


def describe(notice: Notice) -> dict[str, Any]:
    """Return the members of a notice, as callers and receivers get them. Its kind must be known."""
    kind = KINDS[notice.code]
    return {
        "id": notice.id,
        "code": kind.code,
        "severity": kind.severity.value,
        "realm": notice.realm,
        "client_uuid": notice.client_uuid,
        "client_id": notice.client_id,
        "kid": notice.kid,
        "rotation_id": notice.rotation_id,
        "since": notice.since,
        "ends_at": notice.ends_at,
        "text": kind.means,
        "advice": kind.advice,
        "detail": notice.detail,
    }
