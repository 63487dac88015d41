"""Minimum length of secrets that sign: the algorithm requires it. Pure."""

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.client import Client
from keyturn_credentials.errors import InvalidRequestError
from keyturn_shared.jose.algorithms import HMAC_ALGORITHMS


def check_signing_secret(before: Client | None, after: Client) -> None:
    """Raise InvalidRequestError if the current secret is too short for the client's algorithm (RFC 7518
    section 3.2).

    ``before``: None for a new client. Unchanged values are not checked, since an earlier build accepted any.
    """
    current = after.secrets.current
    if not after.signs_with_secret or not after.is_confidential:
        return
    if current is None or current.secret is None or (before is not None and _is_as_it_was(before, after)):
        return
    name, needed = _least(after.signing_alg)
    octets = len(current.secret.reveal().encode())
    if octets < needed:
        raise InvalidRequestError(
            f"{name} needs a secret of at least {needed} bytes, but this one has {octets}: send a longer one"
            f" with the change, or regenerate it as client-secret-jwt before {attributes.SIGNING_ALG} is set"
        )


def _is_as_it_was(before: Client, after: Client) -> bool:
    return (
        before.is_confidential
        and (before.authenticator, before.signing_alg) == (after.authenticator, after.signing_alg)
        and before.secrets.current == after.secrets.current
    )


def _least(alg: str | None) -> tuple[str, int]:
    """Return the allowed algorithm with the lowest requirement, and that requirement in octets."""
    allowed = [each for each in HMAC_ALGORITHMS if alg in (None, each.name)]
    least = min(allowed or HMAC_ALGORITHMS, key=lambda each: each.size)
    return least.name, least.size
