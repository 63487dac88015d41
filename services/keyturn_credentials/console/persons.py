"""Sessions of persons: their roles at each call, and their end at the provider's demand."""

import hashlib
from collections.abc import Iterable
from typing import Final

from msgspec.structs import replace

from keyturn_credentials.console.sessions import ConsoleSession, SessionPerson, SessionSealer
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.roles import Person, Principal, Role
from keyturn_credentials.errors import UnauthenticatedError
from keyturn_credentials.oidc.configuration import OidcConfiguration
from keyturn_credentials.oidc.errors import Refusal, SignInError
from keyturn_credentials.oidc.flow import FLOW_SECONDS, SignedIn, provider_key
from keyturn_credentials.oidc.logout_token import Logout
from keyturn_credentials.oidc.role_mapping import Roles
from keyturn_credentials.store.ended_sign_ins import KEPT_SECONDS, end, ended_among, of_realm, spend
from keyturn_credentials.store.unit_of_work import SYSTEM, Reading, Store

_UNAUTHORIZED: Final = "HTTP 401 Unauthorized"
_KEPT_LONGER_SECONDS: Final = 3600.0
"""Time for which an end is remembered after it can matter, in case an instance's clock is behind."""


class Persons:
    """Sessions of the persons of one provider. The database remembers the ends of sessions, so that every
    instance knows them, and a lost Redis revives none. Every method raises StoreUnavailableError."""

    def __init__(self, store: Store, sealer: SessionSealer, configuration: OidcConfiguration) -> None:
        self.configuration = configuration
        self._store = store
        self._sealer = sealer
        self._provider = provider_key(configuration)

    async def open(self, signed_in: SignedIn) -> tuple[ConsoleSession, str]:
        """Create a session and its cookie. Raises SignInError for a person without a role, and for a sign-in
        that was completed before."""
        person = SessionPerson(
            provider=self._provider,
            subject=signed_in.subject,
            name=signed_in.name,
            groups=signed_in.groups,
            sid=None if signed_in.sid is None else self._digest("sid", signed_in.sid),
            asked_at=signed_in.flow.began,
            seen=0.0,
        )
        async with self._store.find() as reading:
            # What ends from here on is later than this, whatever the clocks of other instances show.
            person = replace(person, seen=await self._seen(reading, person))
            roles = await self._roles(reading, person)
        if not roles:
            raise SignInError(Refusal.NO_ROLE, "no group with a role", subject=signed_in.subject)
        principal = self._principal(person, roles)
        async with self._store.change(SYSTEM) as transaction:
            begun = self._digest("sign-in", signed_in.flow.state)
            if not await spend(transaction, begun, seconds=FLOW_SECONDS + _KEPT_LONGER_SECONDS):
                raise SignInError(
                    Refusal.NOT_STARTED, "the sign-in was completed before", subject=signed_in.subject
                )
        return self._sealer.open_person_session(principal.realm, person, self.configuration.session_seconds)

    async def principal_of(self, person: SessionPerson) -> Principal:
        """Return the person with its current roles: those of its groups at the sign-in, by the current
        settings. Raises UnauthenticatedError if none is left."""
        async with self._store.find() as reading:
            roles = await self._roles(reading, person)
        if not roles:
            raise UnauthenticatedError(_UNAUTHORIZED)
        return self._principal(person, roles)

    async def is_over(self, session: ConsoleSession, person: SessionPerson) -> bool:
        """Return whether the session has ended: signed out, ended by the provider, older than the settings
        allow, or of another provider."""
        if person.provider != self._provider:
            return True
        if self._sealer.clock.now() >= session.began_at + self.configuration.session_seconds:
            return True
        certain = {self._digest("session", session.number)}
        certain |= {person.sid} if person.sid is not None else set()
        async with self._store.find() as reading:
            ended = await ended_among(reading, certain | self._dated(person))
        return any(digest in certain or _ends(at, person) for digest, at in ended.items())

    async def end(self, session: ConsoleSession) -> None:
        """End a session for every holder of its cookie."""
        async with self._store.change(SYSTEM) as transaction:
            await end(transaction, [self._digest("session", session.number)], seconds=KEPT_SECONDS)

    async def log_out(self, logout: Logout) -> bool:
        """End the sessions that the provider has ended, on every instance. Return False for a logout token
        that was used before."""
        digests = []
        if logout.sid is not None:
            digests.append(self._digest("sid", logout.sid))
            if logout.subject is not None:  # for sessions whose sid the provider has not told
                digests.append(self._without_sid(logout.subject))
        elif logout.subject is not None:
            digests.append(self._digest("sub", logout.subject))
        async with self._store.change(SYSTEM) as transaction:
            usable = max(0.0, logout.until - transaction.now) + _KEPT_LONGER_SECONDS
            if not await spend(transaction, self._digest("jti", logout.number), seconds=usable):
                return False
            await end(transaction, digests, seconds=KEPT_SECONDS)
        return True

    def _principal(self, person: SessionPerson, roles: Roles) -> Principal:
        return Principal.of_person(Person(self.configuration.issuer, person.subject, person.name), roles)

    async def _roles(self, reading: Reading, person: SessionPerson) -> dict[str, frozenset[Role]]:
        """Return the person's roles in realms that are enabled, and have not ended their tokens since the
        sign-in began."""
        mapped = self.configuration.roles.roles_of(person.groups)
        realms = [
            realm
            for realm in await _existing(reading, mapped)
            if realm.enabled and person.asked_at >= realm.not_before
        ]
        ended = await ended_among(reading, {of_realm(realm.id) for realm in realms})
        over = {digest for digest, at in ended.items() if _ends(at, person)}
        return {realm.name: mapped[realm.name] for realm in realms if of_realm(realm.id) not in over}

    async def _seen(self, reading: Reading, person: SessionPerson) -> float:
        """Return the last end of anything like the session that begins, 0 if nothing has ended."""
        mapped = self.configuration.roles.roles_of(person.groups)
        of_realms = {of_realm(realm.id) for realm in await _existing(reading, mapped)}
        return max((await ended_among(reading, of_realms | self._dated(person))).values(), default=0.0)

    def _dated(self, person: SessionPerson) -> set[str]:
        """Return what ends those sessions of the person that had begun before."""
        of_subject = self._digest("sub", person.subject)
        return {of_subject} if person.sid is not None else {of_subject, self._without_sid(person.subject)}

    def _without_sid(self, subject: str) -> str:
        return self._digest("sub without sid", subject)

    def _digest(self, kind: str, value: str) -> str:
        return hashlib.sha256(f"{kind}\0{self._provider}\0{value}".encode()).hexdigest()


async def _existing(reading: Reading, names: Iterable[str]) -> list[Realm]:
    found = [await reading.realms.get(name) for name in names]
    return [realm for realm in found if realm is not None]


def _ends(at: float, person: SessionPerson) -> bool:
    """Return whether something that ended then has ended for a session: it ended after the sign-in began, or
    after all that had ended before the session."""
    return at >= person.asked_at or at > person.seen
