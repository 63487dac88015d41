"""``POST /realms/{realm}/rotation``: a client sees its rotation, takes the new secret, or registers its next
key.

Each of its instances may take the secret until the former one ends. One that authenticates with the new
secret is not shown it again.

The client authenticates as at the token endpoint, with its secret or an assertion. An
assertion names this endpoint as its audience, and nothing else is accepted: uses are recorded here apart
from those at nodes, so none may be good at both.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

from keyturn_credentials.authorization.next_key import read_next_key_proof
from keyturn_credentials.authorization.read_set import DatabaseReadSet
from keyturn_credentials.authorization.request_rate import RequestRate
from keyturn_credentials.domain.realm import RealmKey
from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.domain.rotation import Kind
from keyturn_credentials.errors import ConflictError, CredentialsError, ForbiddenError, NotFoundError
from keyturn_credentials.operations.own_rotations import OwnRotation, OwnRotationOperations
from keyturn_credentials.store.unit_of_work import Actor, Reading
from keyturn_shared.client_authenticators import CLIENT_AUTHENTICATORS
from keyturn_shared.clock import Clock
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


_KINDS: Final = {"secret": Kind.SECRET, "keys": Kind.KEY}
KEYS_A_SECOND: Final = 0.1
KEYS_AT_ONCE: Final = 5
"""A registered key is a change that every node applies."""


@dataclass(frozen=True, slots=True)
class _Call:
    """A request of a client that has authenticated. ``audience``: this endpoint's URL."""

    realm: str
    actor: Actor
    form: Form
    attempt: Attempt
    kind: Kind
    audience: str


_Act = Callable[[_Call], Awaitable[dict[str, Any]]]


class OwnRotationReadSet(DatabaseReadSet):
    """Realms whose clients' assertions name the endpoint of their own rotation as the audience. They have no
    keys: no token is issued or checked here."""

    async def realm(self, name: str) -> RealmState | None:
        state = await super().realm(name)
        if state is not None:
            state.audiences = frozenset({state.urls.rotation})
        return state

    async def _keys(self, reading: Reading, realm_id: str) -> list[RealmKey]:
        return []


class OwnRotationEndpoint:
    """Answers clients. ``clients``, ``administrators``: authenticators, for the two halves of all clients."""

    def __init__(
        self,
        decider: Decider,
        clients: Authenticator,
        administrators: Authenticator,
        rotations: OwnRotationOperations,
        clock: Clock,
        addresses: CallerAddress,
        log: AuthenticationLog,
        *,
        clock_skew: float,
    ) -> None:
        self._decider = decider
        self._authenticators = (clients, administrators)
        self._rotations = rotations
        self._rate = RequestRate(clock.elapsed)
        self._key_rate = RequestRate(clock.elapsed, a_second=KEYS_A_SECOND, at_once=KEYS_AT_ONCE)
        self._clock = clock
        self._clock_skew = clock_skew
        self._addresses = addresses
        self._log = log

    async def show(self, request: Request) -> Reply:
        """Return the caller's rotation, and its new secret while the caller may take it."""
        return await self._answer(request, self._show, self._rate)

    async def confirm(self, request: Request) -> Reply:
        """Note that the caller has stored its new secret."""
        return await self._answer(request, self._confirm, self._rate)

    async def register(self, request: Request) -> Reply:
        """Register the caller's next public key."""
        return await self._answer(request, self._register, self._key_rate)

    async def _show(self, call: _Call) -> dict[str, Any]:
        own = await self._rotations.read(call.actor, call.realm, call.kind, call.attempt.credential)
        shown = _describe(own)
        return shown if own.secret is None else shown | {"secret": own.secret.reveal()}

    async def _confirm(self, call: _Call) -> dict[str, Any]:
        rotation_id = call.form.get(ROTATION)
        if rotation_id is None:
            raise InvalidRequestError(f"Missing form parameter: {ROTATION}")
        if call.kind is not Kind.SECRET:
            raise ConflictError("the client has no secret to take")
        own = await self._rotations.confirm(call.actor, call.realm, rotation_id, call.attempt.credential)
        return _describe(own)

    async def _register(self, call: _Call) -> dict[str, Any]:
        presented = call.attempt.presented
        if call.kind is not Kind.KEY or not isinstance(presented, UnverifiedAssertion):
            raise ForbiddenError("the client does not authenticate with keys of its own")
        jwk = read_next_key_proof(
            presented.token.claims,
            presented.client_id,
            call.audience,
            self._clock.now(),
            clock_skew=self._clock_skew,
        )
        return _describe(await self._rotations.register(call.actor, call.realm, jwk, call.attempt.credential))

    async def _answer(self, request: Request, act: _Act, rate: RequestRate) -> Reply:
        attempt: Attempt | None = None
        try:
            require_form_type(request.header(b"content-type"))
            form = read_form(request.body)
            attempt = Attempt(read_credentials(request.authorization, form))
            self._log.admit(request, attempt)
            client, audience = await self._authenticate(request.realm, attempt)
            self._log.admit(request, attempt)
        except KeyturnError as failure:
            error = self._log.refused(failure, request, attempt)
            return client_error(error, realm=request.realm, basic=b"basic" in request.schemes)
        self._log.accepted(attempt.method)
        if not rate.admits(client.uuid):
            again = (b"retry-after", b"10")
            return oauth_error(429, "temporarily_unavailable", "Too many requests; ask less often", [again])
        kind = _KINDS.get(CLIENT_AUTHENTICATORS[client.authenticator].credential)
        if kind is None:
            return oauth_error(403, ForbiddenError.code, "the client has no secret and no keys of its own")
        principal = Principal(request.realm, client.uuid, client.client_id, frozenset())
        actor = Actor(principal, self._addresses.of(request).nearest)
        try:
            shown = await act(_Call(request.realm, actor, form, attempt, kind, audience))
        except CredentialsError as error:
            for refusal, status in _STATUSES.items():
                if isinstance(error, refusal):
                    return oauth_error(status, error.code, error.detail)
            return client_error(error, realm=request.realm, basic=False)
        except KeyturnError as error:
            return client_error(error, realm=request.realm, basic=False)
        return json_reply(200, shown, NO_STORE)

    async def _authenticate(self, realm_name: str, attempt: Attempt) -> tuple[ClientProjection, str]:
        """Return the client, and the audience of its assertions."""
        if not isinstance(attempt.presented, PresentedSecret | UnverifiedAssertion):
            raise MissingCredentialsError("only a client with a secret or keys of its own has a rotation")

        async def decision(read_set: ReadSet) -> tuple[ClientProjection, str]:
            realm = await require_realm(read_set, realm_name)
            clients, administrators = self._authenticators
            try:
                client = await clients.authenticate(read_set, realm, attempt)
            except AdministratorElsewhereError:
                client = await administrators.authenticate(read_set, realm, attempt)
            return client, realm.urls.rotation

        return await self._decider.decide(decision)


def _describe(own: OwnRotation) -> dict[str, Any]:
    """Return what a client may know of its rotation. Times are NumericDate seconds, or null."""
    rotation = own.rotation
    if rotation is None:
        return {"rotation": None, "interval": own.interval}
    waits_for = None if own.waits_for is None else own.waits_for.value
    described = {
        "id": rotation.id,
        "kind": rotation.kind.value,
        "state": rotation.state.value,
        "paused": rotation.paused,
        "waits_for": waits_for,
        "deadline": rotation.deadline,
        "retire_at": rotation.retire_at,
    }
    return {"rotation": described, "interval": own.interval}
