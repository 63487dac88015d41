"""Operations on the issuers that a realm trusts for clients' assertions."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from keyturn_credentials.domain.realm import Realm, RealmKey
from keyturn_credentials.domain.trusted_issuer_changes import (
    with_changed_issuer,
    with_cleared_keys,
    with_new_issuer,
    with_revoked_key,
    with_revoked_subject,
    without_issuer,
)
from keyturn_credentials.domain.trusted_issuers import TrustedIssuer, require_issuer
from keyturn_credentials.operations.changes import Change, Changes, Done, RealmChange
from keyturn_credentials.operations.permissions import MANAGE_REALM
from keyturn_credentials.operations.targets import RealmTarget
from keyturn_shared.events import RealmKeysCacheCleared, RealmUpdated

_SHOWN: Final = 255
"""Characters of a subject in the audit entry of its revocation."""


class TrustedIssuerOperations:
    """Each is one event of the realm: whoever sets an issuer can act as the clients that name it. They raise
    the errors of ``Changes``, InvalidRequestError and LimitReachedError."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    async def create(self, target: RealmTarget, representation: Mapping[str, Any]) -> Done[TrustedIssuer]:
        def decide(realm: Realm, keys: list[RealmKey], now: float) -> RealmChange[TrustedIssuer]:
            after, issuer = with_new_issuer(realm, representation)
            return Change(
                after=after, event=RealmUpdated, value=issuer, details=_details(issuer.alias, "created")
            )

        return await self._changes.change_realm(target, MANAGE_REALM, decide)

    async def update(self, target: RealmTarget, alias: str, representation: Mapping[str, Any]) -> Done[Realm]:
        """Apply a PUT."""
        return await self._change(
            target, alias, "changed", lambda realm, now: with_changed_issuer(realm, alias, representation)
        )

    async def delete(self, target: RealmTarget, alias: str) -> Done[Realm]:
        return await self._change(target, alias, "deleted", lambda realm, now: without_issuer(realm, alias))

    async def revoke_key(self, target: RealmTarget, alias: str, thumbprint: str) -> Done[Realm]:
        """Refuse the key with this RFC 7638 thumbprint forever, whatever the issuer publishes."""
        return await self._change(
            target,
            alias,
            "key_revoked",
            lambda realm, now: with_revoked_key(realm, alias, thumbprint, now),
            thumbprint=thumbprint,
        )

    async def revoke_subject(self, target: RealmTarget, alias: str, subject: object) -> Done[Realm]:
        """Refuse assertions about this subject forever, whatever clients name it or match it."""
        return await self._change(
            target,
            alias,
            "subject_revoked",
            lambda realm, now: with_revoked_subject(realm, alias, subject, now),
            subject=str(subject)[:_SHOWN],
        )

    async def clear_cache(self, target: RealmTarget, alias: str) -> Done[Realm]:
        """Stop using keys of the issuer whose fetch began before this event."""

        def decide(realm: Realm, keys: list[RealmKey], now: float) -> RealmChange[Realm]:
            require_issuer(realm, alias)
            return Change(
                after=realm,
                event=RealmKeysCacheCleared,
                value=realm,
                details=_details(alias, "keys_cleared"),
                with_sequence=partial(_cleared, alias),
            )

        return await self._changes.change_realm(target, MANAGE_REALM, decide, is_revision=False)

    async def _change(
        self,
        target: RealmTarget,
        alias: str,
        action: str,
        change: Callable[[Realm, float], Realm],
        **details: str,
    ) -> Done[Realm]:
        def decide(realm: Realm, keys: list[RealmKey], now: float) -> RealmChange[Realm]:
            after = change(realm, now)
            return Change(
                after=after, event=RealmUpdated, value=after, details=_details(alias, action) | details
            )

        return await self._changes.change_realm(target, MANAGE_REALM, decide)


def _details(alias: str, action: str) -> dict[str, str]:
    return {"identity_provider": alias, "action": action}


def _cleared(alias: str, realm: Realm, sequence: int) -> Realm:
    return with_cleared_keys(realm, alias, sequence)
