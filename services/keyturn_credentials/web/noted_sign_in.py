"""Signing in to the console, with audit entries."""

from collections.abc import Mapping
from typing import Any, Final

from keyturn_credentials.console.access import ConsoleAccess
from keyturn_credentials.console.sessions import ConsoleSession
from keyturn_credentials.domain.roles import Person, Principal
from keyturn_credentials.errors import UnauthenticatedError
from keyturn_credentials.http.proxied import CALLER_ADDRESS
from keyturn_credentials.oidc.errors import SignInError
from keyturn_credentials.oidc.flow import Flow, PersonSignIn
from keyturn_credentials.oidc.logout_token import Logout
from keyturn_credentials.operations.access_journal import Access, AccessJournal, named
from keyturn_credentials.store.unit_of_work import Actor
from keyturn_shared.secret import Secret

SIGNED_IN = "console_signed_in"
REFUSED = "console_sign_in_refused"
LOGGED_OUT = "console_sessions_ended"
_BY_PROVIDER: Final = (("by", "provider"),)


class NotedConsoleAccess(ConsoleAccess):
    """Access to the console. Who signs in, and who is refused, is noted for the audit log."""

    def __init__(self, *given: Any, journal: AccessJournal, **named_ones: Any) -> None:
        super().__init__(*given, **named_ones)
        self._journal = journal

    async def sign_in(self, realm: str, client_id: str, secret: Secret) -> tuple[ConsoleSession, str]:
        try:
            opened = await super().sign_in(realm, client_id, secret)
        except UnauthenticatedError:
            self._note_refused(named(realm), named(client_id), by="secret")
            raise
        self._note(opened[0], by="secret")
        return opened

    async def sign_in_by_ticket(self, text: str) -> tuple[ConsoleSession, str]:
        try:
            opened = await super().sign_in_by_ticket(text)
        except UnauthenticatedError:
            self._note_refused("", "", by="link")
            raise
        self._note(opened[0], by="link")
        return opened

    async def sign_in_person(
        self, sign_in: PersonSignIn, flow: Flow | None, answer: Mapping[str, str]
    ) -> tuple[ConsoleSession, str]:
        try:
            opened = await super().sign_in_person(sign_in, flow, answer)
        except SignInError as error:
            person = self._person(error.subject, "")
            details = (*_BY_PROVIDER, ("reason", error.reason.value))
            self._journal.note_refused(Access(REFUSED, self._actor(person), "", details=details))
            raise
        session = opened[0]
        assert session.person is not None  # noqa: S101 - a person has signed in
        person = self._person(session.person.subject, session.person.name)
        self._journal.note(Access(SIGNED_IN, self._actor(person), session.realm, details=_BY_PROVIDER))
        return opened

    async def log_out_person(self, logout: Logout) -> None:
        await super().log_out_person(logout)
        person = self._person(logout.subject or "", "")
        self._journal.note(Access(LOGGED_OUT, self._actor(person), "", details=_BY_PROVIDER))

    def _person(self, subject: str, name: str) -> Person:
        assert self.persons is not None  # noqa: S101 - there is a provider
        return Person(self.persons.configuration.issuer, subject, name)

    def _actor(self, person: Person) -> Actor:
        return Actor(Principal("", "", "", frozenset(), person), CALLER_ADDRESS.get())

    def _note(self, session: ConsoleSession, *, by: str) -> None:
        principal = Principal(session.realm, session.client_uuid, session.client_id, frozenset())
        actor = Actor(principal, CALLER_ADDRESS.get())
        self._journal.note(
            Access(SIGNED_IN, actor, session.realm, session.client_uuid, session.client_id, (("by", by),))
        )

    def _note_refused(self, realm: str, client_id: str, *, by: str) -> None:
        """Note a refusal. The author of the entry is who the caller has claimed to be."""
        actor = Actor(Principal(realm, "", client_id, frozenset()), CALLER_ADDRESS.get())
        self._journal.note_refused(Access(REFUSED, actor, realm, None, client_id or None, (("by", by),)))
