"""Client authentication (RFC 6749 section 2.3, RFC 7523, RFC 8705)."""

from dataclasses import replace

from keyturn_shared.errors import KeyturnError
from keyturn_shared.oauth.client_authentication.credentials import (
    Attempt,
    IssuedAssertion,
    Presented,
    UnverifiedAssertion,
)
from keyturn_shared.oauth.client_authentication.registry import EQUALIZED_AS, Verifiers
from keyturn_shared.oauth.entities import RealmState
from keyturn_shared.oauth.errors import (
    AdministratorElsewhereError,
    AuthenticatorMismatchError,
    ClientDisabledError,
    RefusedError,
    UnknownClientError,
    is_unavailable,
)
from keyturn_shared.oauth.ports import CredentialsInUse, ReadSet, Subject
from keyturn_shared.projection import ClientProjection


class Authenticator:
    """Verifies credentials. Every refusal takes the time of a complete verification. ``administrators``: True
    to verify administrators only, False to verify all other clients only."""

    def __init__(
        self, verifiers: Verifiers, last_used: CredentialsInUse, *, administrators: bool = False
    ) -> None:
        self._verifiers = verifiers
        self._last_used = last_used
        self._administrators = administrators

    async def authenticate(self, read_set: ReadSet, realm: RealmState, attempt: Attempt) -> ClientProjection:
        """Return the authenticated client, as of this decision. Raises RefusedError, JoseError, errors of
        ``is_unavailable``, and AdministratorElsewhereError."""
        presented = _in_realm(realm, attempt.presented)
        subject = _subject_of(presented)
        client_id = presented.client_id
        if subject is not None:
            client_id = await read_set.client_id_of(realm, subject) or client_id
        found = await self._find(read_set, realm, client_id)
        try:
            try:
                client = self._require_fitting(found, presented, attempt)
            except RefusedError:
                self._verifiers[EQUALIZED_AS[type(presented)]].equalize_time(presented)
                raise
            verifier = self._verifiers[client.authenticator]
            credential = await verifier.verify(realm, client, presented, attempt)
        except KeyturnError as error:
            if not is_unavailable(error):
                await read_set.equalize_time(realm, client_id, subject)
            raise
        attempt.credential = credential
        self.note_use(client.uuid, credential)
        return client

    def note_use(self, client_uuid: str, credential: str) -> None:
        """Note that a credential was accepted now."""
        self._last_used.note(client_uuid, credential)

    async def _find(self, read_set: ReadSet, realm: RealmState, client_id: str) -> ClientProjection | None:
        all_administer = realm.projection.administers
        if all_administer and not self._administrators:
            raise AdministratorElsewhereError(realm.projection.name)
        state = await read_set.client(realm, client_id)
        if state is None or (all_administer or state.projection.administers) is self._administrators:
            return None if state is None else state.projection
        if not self._administrators:
            raise AdministratorElsewhereError(client_id[:100])
        return None  # on a node: treat it like an unknown client

    def _require_fitting(
        self, client: ClientProjection | None, presented: Presented, attempt: Attempt
    ) -> ClientProjection:
        """Raise RefusedError for credentials that no verification can accept."""
        client = require_usable(client, attempt.client_id)
        if not self._verifiers[client.authenticator].fits(client, presented):
            raise AuthenticatorMismatchError(f"{attempt.method} with {client.authenticator}")
        return client


def require_usable(client: ClientProjection | None, client_id: str) -> ClientProjection:
    """Return the client of this id. Raises UnknownClientError if there is none, and ClientDisabledError."""
    if client is None:
        raise UnknownClientError(client_id[:100])
    if not client.enabled:
        raise ClientDisabledError(client_id[:100])
    return client


def _in_realm(realm: RealmState, presented: Presented) -> Presented:
    """Return an assertion by someone else with the issuer that the realm trusts. Without one it counts as the
    client's own, and is refused as such: its issuer is not the client."""
    if not isinstance(presented, IssuedAssertion):
        return presented
    issuer = realm.issuers.find(presented.token.claims, is_spiffe=presented.is_spiffe)
    if issuer is None and not presented.is_spiffe:
        return UnverifiedAssertion(presented.token, presented.client_id)
    return replace(presented, issuer=issuer)


def _subject_of(presented: Presented) -> Subject | None:
    """Return the subject by which the client is found, if the request does not name the client."""
    if not isinstance(presented, IssuedAssertion) or presented.issuer is None or presented.is_named:
        return None
    return Subject(presented.issuer.alias, presented.token.claims["sub"])
