"""``POST /realms/{realm}/rotation``: a client takes the new secret of its rotation, and confirms that.

Each of its instances may do so until the former secret ends. One that authenticates with the new secret
is not shown it again.

The client authenticates as at the token endpoint, with its secret or an assertion signed with it. An
assertion names this endpoint as its audience, and nothing else is accepted: uses are recorded here apart
from those at nodes, so none may be good at both.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Final

from keyturn_credentials.authorization.read_set import DatabaseReadSet
from keyturn_credentials.authorization.request_rate import RequestRate
from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.domain.rotation import Rotation
from keyturn_credentials.errors import ConflictError, CredentialsError, ForbiddenError, NotFoundError
from keyturn_credentials.operations.own_rotations import OwnRotationOperations
from keyturn_credentials.store.unit_of_work import Actor
from keyturn_shared.client_authenticators import CLIENT_AUTHENTICATORS
from keyturn_shared.errors import KeyturnError
from keyturn_shared.oauth.client_authentication.authenticator import Authenticator
from keyturn_shared.oauth.client_authentication.credentials import (
    Attempt,
    PresentedSecret,
    UnverifiedAssertion,
    read_credentials,
)
from keyturn_shared.oauth.entities import RealmState
from keyturn_shared.oauth.errors import (
    AdministratorElsewhereError,
    InvalidRequestError,
    MissingCredentialsError,
)
from keyturn_shared.oauth.ports import Decider, ReadSet
from keyturn_shared.oauth.realms import require_realm
from keyturn_shared.oauth.web.caller_address import CallerAddress
from keyturn_shared.oauth.web.errors import client_error, oauth_error
from keyturn_shared.oauth.web.form import Form, read_form, require_form_type
from keyturn_shared.oauth.web.messages import NO_STORE, Reply, Request, json_reply
from keyturn_shared.oauth.web.outcome_log import AuthenticationLog
from keyturn_shared.projection import ClientProjection

ROTATION: Final = "rotation"
"""The parameter that names the rotation to confirm."""
_STATUSES: Final[dict[type[CredentialsError], int]] = {
    ForbiddenError: 403,
    NotFoundError: 404,
    ConflictError: 409,
}


_Act = Callable[[Request, Actor, Form, Attempt], Awaitable[dict[str, Any]]]


class OwnRotationReadSet(DatabaseReadSet):
    """Realms whose clients' assertions name the endpoint of their own rotation as the audience."""

    async def realm(self, name: str) -> RealmState | None:
        state = await super().realm(name)
        if state is not None:
            state.audiences = frozenset({state.urls.rotation})
        return state


class OwnRotationEndpoint:
    """Answers clients. ``clients``, ``administrators``: authenticators, for the two halves of all clients."""

    def __init__(
        self,
        decider: Decider,
        clients: Authenticator,
        administrators: Authenticator,
        rotations: OwnRotationOperations,
        rate: RequestRate,
        addresses: CallerAddress,
        log: AuthenticationLog,
    ) -> None:
        self._decider = decider
        self._authenticators = (clients, administrators)
        self._rotations = rotations
        self._rate = rate
        self._addresses = addresses
        self._log = log

    async def show(self, request: Request) -> Reply:
        """Return the caller's rotation, and its new secret while the caller may take it."""
        return await self._answer(request, self._show)

    async def confirm(self, request: Request) -> Reply:
        """Note that the caller has stored its new secret."""
        return await self._answer(request, self._confirm)

    async def _show(self, request: Request, actor: Actor, form: Form, attempt: Attempt) -> dict[str, Any]:
        own = await self._rotations.read(actor, request.realm, attempt.credential)
        rotation = None if own.rotation is None else describe(own.rotation)
        shown: dict[str, Any] = {"rotation": rotation, "interval": own.interval}
        return shown if own.secret is None else shown | {"secret": own.secret.reveal()}

    async def _confirm(self, request: Request, actor: Actor, form: Form, attempt: Attempt) -> dict[str, Any]:
        rotation_id = form.get(ROTATION)
        if rotation_id is None:
            raise InvalidRequestError(f"Missing form parameter: {ROTATION}")
        confirmed = await self._rotations.confirm(actor, request.realm, rotation_id, attempt.credential)
        return {"rotation": describe(confirmed)}

    async def _answer(self, request: Request, act: _Act) -> Reply:
        attempt: Attempt | None = None
        try:
            require_form_type(request.header(b"content-type"))
            form = read_form(request.body)
            attempt = Attempt(read_credentials(request.authorization, form))
            self._log.admit(request, attempt)
            client = await self._authenticate(request.realm, attempt)
            self._log.admit(request, attempt)
        except KeyturnError as failure:
            error = self._log.refused(failure, request, attempt)
            return client_error(error, realm=request.realm, basic=b"basic" in request.schemes)
        self._log.accepted(attempt)
        if not self._rate.admits(client.uuid):
            again = (b"retry-after", b"10")
            return oauth_error(429, "temporarily_unavailable", "Too many requests; ask less often", [again])
        if CLIENT_AUTHENTICATORS[client.authenticator].credential != "secret":
            return oauth_error(403, ForbiddenError.code, "the client has no secret to take")
        principal = Principal(request.realm, client.uuid, client.client_id, frozenset())
        try:
            shown = await act(request, Actor(principal, self._addresses.of(request).nearest), form, attempt)
        except CredentialsError as error:
            if type(error) in _STATUSES:
                return oauth_error(_STATUSES[type(error)], error.code, error.detail)
            return client_error(error, realm=request.realm, basic=False)
        except KeyturnError as error:
            return client_error(error, realm=request.realm, basic=False)
        return json_reply(200, shown, NO_STORE)

    async def _authenticate(self, realm_name: str, attempt: Attempt) -> ClientProjection:
        if not isinstance(attempt.presented, PresentedSecret | UnverifiedAssertion):
            raise MissingCredentialsError("only a client that has a secret has one to take")

        async def decision(read_set: ReadSet) -> ClientProjection:
            realm = await require_realm(read_set, realm_name)
            clients, administrators = self._authenticators
            try:
                return await clients.authenticate(read_set, realm, attempt)
            except AdministratorElsewhereError:
                return await administrators.authenticate(read_set, realm, attempt)

        return await self._decider.decide(decision)


def describe(rotation: Rotation) -> dict[str, Any]:
    """Return what a client may know of its rotation. Times are NumericDate seconds, or null."""
    return {
        "id": rotation.id,
        "state": rotation.state.value,
        "paused": rotation.paused,
        "deadline": rotation.deadline,
        "retire_at": rotation.retire_at,
    }
