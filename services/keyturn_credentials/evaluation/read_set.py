"""Realms and clients for evaluations, from the database: what nodes are told of, and no private key."""

from collections.abc import Iterable

from msgspec.structs import replace

from keyturn_credentials.authorization.read_set import DatabaseReadSet
from keyturn_credentials.domain.projection_builder import Projector
from keyturn_credentials.domain.realm import KeyPurpose, KeyState, Realm, RealmKey
from keyturn_credentials.domain.realm_keys import is_further
from keyturn_credentials.evaluation.no_effects import UnsignedTokens
from keyturn_credentials.store.unit_of_work import Store
from keyturn_shared.jose.errors import InvalidKeyError, InvalidKeySetError
from keyturn_shared.oauth.entities import RealmState, TokenSigner
from keyturn_shared.oauth.errors import UnavailableError
from keyturn_shared.projection import ProjectedSigningKey


class EvaluationReadSet(DatabaseReadSet):
    """A ``ReadSet``. ``purpose``: of the keys in whose place tokens are previewed."""

    def __init__(
        self,
        store: Store,
        projector: Projector,
        base_url: str,
        mtls_base_url: str | None,
        purpose: KeyPurpose,
    ) -> None:
        super().__init__(store, projector, base_url, mtls_base_url)
        self._purpose = purpose

    def _state(self, realm: Realm, keys: Iterable[RealmKey]) -> RealmState:
        ordered = sorted(keys, key=lambda key: is_further(realm, key))
        projection = self._projector.project_realm(realm, ())
        projection = replace(projection, signing_keys=tuple(map(_published, ordered)))
        try:
            state = RealmState(projection, None, self._base_url, self._mtls_base_url)
            for key in ordered:
                if key.purpose is self._purpose and key.state is KeyState.ACTIVE:
                    state.signers.setdefault(key.alg, _in_place_of(key))
        except (InvalidKeyError, InvalidKeySetError) as error:
            raise UnavailableError(f"a signing key of the realm is unusable: {error.detail}") from error
        state.signer = next(iter(state.signers.values()), None)
        return state


def _published(key: RealmKey) -> ProjectedSigningKey:
    return ProjectedSigningKey(
        kid=key.kid, alg=key.alg, state=key.state.value, public_jwk=dict(key.public_jwk)
    )


def _in_place_of(key: RealmKey) -> TokenSigner:
    return TokenSigner(UnsignedTokens({**key.public_jwk, "alg": key.alg}))
