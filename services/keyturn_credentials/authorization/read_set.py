"""Realms and clients for the checks of ``keyturn_shared.oauth``, read from the database.

Nothing comes from Redis, so write access to Redis has no effect on administrators.
"""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from typing import Final, TypeVar

from msgspec.structs import replace

from keyturn_credentials.domain.projection_builder import Projector
from keyturn_credentials.domain.realm import KeyPurpose, KeyState, Realm, RealmKey
from keyturn_credentials.store.unit_of_work import Reading, Store
from keyturn_shared.jose.errors import InvalidKeyError, InvalidKeySetError
from keyturn_shared.oauth.entities import ClientState, RealmState
from keyturn_shared.oauth.errors import UnavailableError
from keyturn_shared.oauth.ports import ReadSet, Subject
from keyturn_shared.projection import MAX_NAME_LENGTH, ProjectedSigningKey

T = TypeVar("T")

_MAX_STATES: Final = 256
"""Realms of which the state is kept for as long as their rows stay the same."""


class DatabaseReadSet:
    """A ``ReadSet``. Every read sees the committed state. Raises StoreUnavailableError."""

    def __init__(self, store: Store, projector: Projector, base_url: str, mtls_base_url: str | None) -> None:
        self._store = store
        self._projector = projector
        self._base_url = base_url
        self._mtls_base_url = mtls_base_url
        self._states: OrderedDict[str, tuple[Realm, list[RealmKey], RealmState]] = OrderedDict()

    async def realm(self, name: str) -> RealmState | None:
        if not _may_be_a_name(name):
            return None
        async with self._store.find() as reading:
            realm = await reading.realms.get(name)
            keys = [] if realm is None else await self._keys(reading, realm.id)
        if realm is None:
            return None
        kept = self._states.get(realm.id)
        # Compared as a whole: a row that differs in anything makes another state.
        if kept is None or kept[0] != realm or kept[1] != keys:
            kept = self._states[realm.id] = (realm, keys, self._state(realm, keys))
        self._states.move_to_end(realm.id)
        if len(self._states) > _MAX_STATES:
            self._states.popitem(last=False)
        return kept[2]

    async def client(self, realm: RealmState, client_id: str) -> ClientState | None:
        if not _may_be_a_name(client_id):
            return None
        async with self._store.find() as reading:
            client = await reading.clients.find(realm.projection.id, client_id)
        return None if client is None else ClientState(self._projector.view_client(client))

    async def client_id_of(self, realm: RealmState, subject: Subject) -> str | None:
        """Return None: administrators authenticate with credentials of their own."""
        return None

    async def equalize_time(self, realm: RealmState, client_id: str, subject: Subject | None = None) -> None:
        """Do nothing: the client was read whether it exists or not."""

    async def _keys(self, reading: Reading, realm_id: str) -> list[RealmKey]:
        return await reading.realms.keys(realm_id)

    def _state(self, realm: Realm, keys: Iterable[RealmKey]) -> RealmState:
        projection = self._projector.project_realm(realm, ())
        signing = replace(projection, signing_keys=tuple(map(_signing_key, keys)))
        try:
            return RealmState(signing, self._store.encryption, self._base_url, self._mtls_base_url)
        except (InvalidKeyError, InvalidKeySetError) as error:
            raise UnavailableError(f"a signing key of the realm is unusable: {error.detail}") from error


class DatabaseDecider:
    """A ``Decider``: the database is authoritative, so no lease is needed."""

    def __init__(self, read_set: ReadSet) -> None:
        self._read_set = read_set

    def require_lease(self) -> None:
        """Do nothing: there is no lease."""

    async def decide(self, decision: Callable[[ReadSet], Awaitable[T]]) -> T:
        return await decision(self._read_set)


def _signing_key(key: RealmKey) -> ProjectedSigningKey:
    """Project a key. Only administrators' keys sign here; clients' keys are known for verification only."""
    signs = key.purpose is KeyPurpose.ADMINISTRATORS
    return ProjectedSigningKey(
        kid=key.kid,
        alg=key.alg,
        state=key.state.value if signs else KeyState.RETIRING.value,
        public_jwk=dict(key.public_jwk),
        sealed_private_jwk=key.sealed_private_jwk if signs else None,
    )


def _may_be_a_name(text: str) -> bool:
    return 0 < len(text) <= MAX_NAME_LENGTH and "\0" not in text
