"""Compares a secret with the digests in a client's projection. Pure except for the key rings."""

from typing import Final

from keyturn_shared.clock import Clock
from keyturn_shared.fleet.last_used import name_of_secret
from keyturn_shared.oauth.client_authentication.credentials import Attempt, Presented, PresentedSecret
from keyturn_shared.oauth.entities import RealmState
from keyturn_shared.oauth.errors import SecretExpiredError, WrongSecretError
from keyturn_shared.projection import ClientProjection, ProjectedSecret, secret_context
from keyturn_shared.realm_rings import RealmRings
from keyturn_shared.sealing import KeyRing

_COMPARISONS: Final = 2
"""A client has at most two secrets. Every check makes as many comparisons, however many it has."""


class SecretCheck:
    """Checks secrets in the same time whether the client has two, one or none, or does not exist."""

    def __init__(self, rings: RealmRings, clock: Clock) -> None:
        self._rings = rings
        self._clock = clock
        # The comparison takes the same time whatever the key.
        self._dummy_ring = KeyRing([bytes(32)], purpose="dummy")
        self._dummy_digest = self._dummy_ring.digest("", secret_context("dummy"))

    def fits(self, client: ClientProjection, presented: Presented) -> bool:
        return isinstance(presented, PresentedSecret) and client.secret_transport in (
            "any",
            presented.method.removeprefix("client_secret_"),
        )

    async def verify(
        self, realm: RealmState, client: ClientProjection, presented: PresentedSecret, attempt: Attempt
    ) -> str:
        """Return the name of the client's secret that matches. Raises WrongSecretError, SecretExpiredError
        when only an expired secret matches, and SealError when a digest was made under a key that this node
        does not have."""
        secret, now = presented.secret.reveal(), self._clock.now()
        context = secret_context(client.uuid)
        matched: ProjectedSecret | None = None
        expired = False
        ring = self._rings.require(client.realm_id)
        for projected in client.secrets:
            if ring.matches(secret, projected.digest, context):
                over = projected.not_after is not None and now >= projected.not_after
                expired = expired or over
                matched = matched if over else projected
        self._compare_in_vain(secret, _COMPARISONS - len(client.secrets))
        if matched is not None:
            return name_of_secret(matched.digest)
        if expired:
            raise SecretExpiredError(client.client_id)
        raise WrongSecretError(client.client_id)

    def equalize_time(self, presented: PresentedSecret) -> None:
        self._compare_in_vain(presented.secret.reveal(), _COMPARISONS)

    def _compare_in_vain(self, presented: str, times: int) -> None:
        for _ in range(times):
            self._dummy_ring.matches(presented, self._dummy_digest, secret_context("dummy"))
