"""Changes that the steps of a rotation make to a client's secrets. Pure."""

from dataclasses import replace

from keyturn_credentials.domain.rotation import Reason, Rotation, State
from keyturn_credentials.domain.rotation_rules import RotationRules, least_of
from keyturn_credentials.domain.secrets import ClientSecrets, StoredSecret


def prepare(
    secrets: ClientSecrets, new: StoredSecret, rotation: Rotation, rules: RotationRules, now: float
) -> ClientSecrets:
    """Make ``new`` current beside the former secret.

    Neither expires before the new one is in use, unless the rules retire unused ones. Then the former secret
    has its end from the beginning, so that it ends on time whatever becomes of this service.
    """
    expires_at = _expiry(rules, now)
    former = secrets.current
    if rotation.reason is Reason.COMPROMISED or former is None or not former.is_valid(now):
        return ClientSecrets(current=replace(new, expires_at=expires_at))
    if not rules.retire_unused:
        expires_at = None
    return ClientSecrets(
        current=replace(new, expires_at=expires_at, rotation=rotation.id),
        rotated=replace(former, expires_at=rotation.retire_at, rotation=None),
    )


def extend(secrets: ClientSecrets, rotation: Rotation) -> ClientSecrets:
    """Remove the expiry of the current secret while its rotation waits."""
    if secrets.current is None:
        return secrets
    return replace(secrets, current=replace(secrets.current, expires_at=None, rotation=rotation.id))


def start_overlap(
    secrets: ClientSecrets, rotation: Rotation, rules: RotationRules, now: float
) -> ClientSecrets:
    """Give the successor its expiry, and the former secret its end. An expired one stays expired."""
    current, former = secrets.current, secrets.rotated
    if former is not None and not former.is_valid(now):
        former = None
    return ClientSecrets(
        current=None if current is None else replace(current, expires_at=_expiry(rules, now)),
        rotated=None if former is None else replace(former, expires_at=rotation.retire_at),
    )


def hold(secrets: ClientSecrets) -> ClientSecrets:
    """Remove the expiry of the successor and the end of the former secret while their rotation is paused."""
    current, former = secrets.current, secrets.rotated
    return ClientSecrets(
        current=None if current is None else replace(current, expires_at=None),
        rotated=None if former is None else replace(former, expires_at=None),
    )


def retire(secrets: ClientSecrets) -> ClientSecrets:
    """Drop the former secret."""
    current = secrets.current
    return ClientSecrets(current=None if current is None else replace(current, rotation=None))


def restore(secrets: ClientSecrets, rotation: Rotation, rules: RotationRules, now: float) -> ClientSecrets:
    """Make the former secret the only one again, or the current one if there is no successor, with the expiry
    that it had, or a later one: it lives until a policy can rotate it. One that has ended stays so."""
    is_begun = rotation.state is State.ROLLED_BACK
    kept = secrets.rotated if is_begun else secrets.current
    if kept is None or not kept.is_valid(now):
        return secrets
    ends = kept.expires_at
    if is_begun or kept.rotation is not None:
        ends = rotation.former_expires_at
    if ends is not None:
        ends = (
            None
            if rules.policy is None
            else max(ends, now + rules.rest_of(rotation) + least_of(rules.policy))
        )
    restored = replace(kept, expires_at=ends, rotation=None)
    return ClientSecrets(restored) if is_begun else replace(secrets, current=restored)


def forget_plain(secrets: ClientSecrets) -> ClientSecrets:
    """Keep only the digest of a successor that has been delivered."""
    if secrets.current is None:
        return secrets
    return replace(secrets, current=replace(secrets.current, secret=None))


def _expiry(rules: RotationRules, now: float) -> float | None:
    return None if rules.policy is None else now + rules.policy.expiration
