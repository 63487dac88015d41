"""Stages of a client's secrets before their expiry. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from keyturn_credentials.domain.secrets import ClientSecrets, RotationPolicy


class Stage(StrEnum):
    """EXPIRED: the current secret is no longer accepted. DUE: a rotation of it begins by policy, or, if none
    begins by itself, with the next change of the client. OVERLAPPING: the former secret is still accepted.
    IN_FORCE: none of these, only one secret is valid."""

    IN_FORCE = "in_force"
    DUE = "due"
    OVERLAPPING = "overlapping"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class SecretExpiry:
    """Times are NumericDate seconds.

    ``due_at``: when the secret becomes due for rotation, None if the policy does not require it.
    ``former_ends_at``: None without a former secret that ends at a known time.
    """

    stage: Stage
    created_at: float
    expires_at: float | None
    due_at: float | None
    former_ends_at: float | None


def expiry_of(secrets: ClientSecrets, policy: RotationPolicy | None, now: float) -> SecretExpiry | None:
    """Return the stage and the times; None for a client without a secret."""
    current, former = secrets.current, secrets.rotated
    if current is None:
        return None
    due_at = None
    if current.expires_at is not None and policy is not None and policy.remaining_rotation > 0:
        due_at = current.expires_at - policy.remaining_rotation
    overlaps = former is not None and former.is_valid(now)
    former_ends_at = former.expires_at if former is not None and overlaps else None
    if not current.is_valid(now):
        stage = Stage.EXPIRED
    elif due_at is not None and now >= due_at:
        stage = Stage.DUE
    else:
        stage = Stage.OVERLAPPING if overlaps else Stage.IN_FORCE
    return SecretExpiry(stage, current.created_at, current.expires_at, due_at, former_ends_at)
