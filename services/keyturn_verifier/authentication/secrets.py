"""Compares a presented secret with the digests in a client's projection. Pure but for the key ring."""

from typing import Final

from keyturn_shared.projection import ClientProjection, ProjectedSecret
from keyturn_shared.sealing import KeyRing
from keyturn_shared.secret import Secret
from keyturn_verifier.errors import SecretExpiredError, WrongSecretError

_COMPARISONS: Final = 2
"""A client has at most two secrets. Every check compares as often, whatever there is to compare with."""


class SecretCheck:
    """Checks secrets in the same time whether the client has one, two or none, or does not exist."""

    def __init__(self, ring: KeyRing) -> None:
        self._ring = ring
        self._decoy = ring.digest("", _context("decoy"))

    def check(self, client: ClientProjection, secret: Secret, now: float) -> ProjectedSecret:
        """Which of the client's secrets it is.

        Raises WrongSecretError, SecretExpiredError when only an expired secret matches, and SealError when a
        digest was made under a fleet key this node does not have.
        """
        presented = secret.reveal()
        context = _context(client.uuid)
        matched: ProjectedSecret | None = None
        expired = False
        for projected in client.secrets:
            if self._ring.matches(presented, projected.digest, context):
                over = projected.not_after is not None and now >= projected.not_after
                expired = expired or over
                matched = matched if over else projected
        self._compare_in_vain(presented, _COMPARISONS - len(client.secrets))
        if matched is not None:
            return matched
        if expired:
            raise SecretExpiredError(client.client_id)
        raise WrongSecretError(client.client_id)

    def spend(self, secret: Secret) -> None:
        """Take as long as ``check`` does, for nothing."""
        self._compare_in_vain(secret.reveal(), _COMPARISONS)

    def _compare_in_vain(self, presented: str, times: int) -> None:
        for _ in range(times):
            self._ring.matches(presented, self._decoy, _context("decoy"))


def _context(client_uuid: str) -> str:
    return f"client-secret:{client_uuid}"
