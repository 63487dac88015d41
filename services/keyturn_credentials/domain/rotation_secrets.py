"""Changes that the steps of a rotation make to a client's secrets. Pure."""

from collections.abc import Callable
from dataclasses import replace

from keyturn_credentials.domain.rotation import Reason, Rotation, State
from keyturn_credentials.domain.rotation_frame import BOTH_ACCEPTED, Act, Step
from keyturn_credentials.domain.rotation_rules import RotationRules, least_of
from keyturn_credentials.domain.secrets import ClientSecrets, StoredSecret
from keyturn_shared.secret import Secret


def secrets_after(
    secrets: ClientSecrets,
    step: Step,
    rules: RotationRules,
    now: float,
    *,
    make: Callable[[], StoredSecret],
    digests_only: bool = False,
    signs: bool = False,
) -> ClientSecrets:
    """Return the client's secrets after a step. ``make`` makes a successor, stored in full. ``digests_only``:
    the realm stores only digests, except of secrets that the client signs with."""
    rotation = step.after
    match step.act:
        case Act.PREPARE:
            after = prepare(secrets, make(), rotation, rules, now)
        case Act.EXTEND:
            after = extend(secrets, rotation)
        case Act.START_OVERLAP:
            after = start_overlap(secrets, rotation, rules, now)
        case Act.HOLD:
            after = hold(secrets)
        case Act.RETIRE | Act.FINISH:
            after = retire(secrets, rules, now)
        case Act.RESTORE:
            after = restore(secrets, rotation, rules, now)
        case _:
            after = secrets
    if not digests_only or step.act in (Act.NOTHING, Act.HOLD, Act.RESTORE):
        return after
    if rotation.state is State.RETIRED and not rotation.is_taken:
        return await_delivery(after, rotation, rules)
    if signs or not (rotation.is_taken or step.act in (Act.EXTEND, Act.DELIVER, Act.FINISH)):
        return after
    return forget_plain(after)


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
        rotated=replace(former, expires_at=rotation.retire_at, rotation=None, promised=False),
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
    """Remove the expiry of the successor and the end of the former secret."""
    current, former = secrets.current, secrets.rotated
    return ClientSecrets(
        current=None if current is None else replace(current, expires_at=None),
        rotated=None if former is None else replace(former, expires_at=None),
    )


def retire(secrets: ClientSecrets, rules: RotationRules, now: float) -> ClientSecrets:
    """Drop the former secret. The successor gets its expiry, if it has none yet."""
    current = secrets.current
    if current is None:
        return ClientSecrets()
    ends = _expiry(rules, now) if current.expires_at is None else current.expires_at
    return ClientSecrets(current=replace(current, expires_at=ends, rotation=None))


def restore(secrets: ClientSecrets, rotation: Rotation, rules: RotationRules, now: float) -> ClientSecrets:
    """Make the former secret the only one again, or the current one if there is no successor, with the expiry
    that it had, or a later one: it lives until a policy can rotate it. One that has ended stays so."""
    is_begun = rotation.state is State.ROLLED_BACK or rotation.has_begun
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
    restored = replace(kept, expires_at=ends, rotation=None, promised=False)
    return ClientSecrets(restored) if is_begun else replace(secrets, current=restored)


def is_undelivered(secrets: ClientSecrets, rotation: Rotation) -> bool:
    """Return whether the successor is stored in full, and its client is not known to have it."""
    current = secrets.current
    if current is None or current.rotation != rotation.id or rotation.state is State.PLANNED:
        return False
    is_whole = current.secret is not None or current.undecrypted is not None
    return is_whole and not rotation.is_taken


def secret_to_take(secrets: ClientSecrets, rotation: Rotation, *, digests_only: bool) -> Secret | None:
    """Return the successor, for instances of its client to take until the former secret ends; where the realm
    stores digests only, until the first one is known to have it. A paused rotation shows none."""
    current = secrets.current
    if rotation.state not in BOTH_ACCEPTED or rotation.paused or (digests_only and rotation.is_taken):
        return None
    return current.secret if current is not None and current.rotation == rotation.id else None


def await_delivery(secrets: ClientSecrets, rotation: Rotation, rules: RotationRules) -> ClientSecrets:
    """Leave the successor to its rotation until the client has it. It does not expire before, unless the
    rules retire unused ones."""
    current = secrets.current
    if current is None or current.secret is None or rotation.is_taken:
        return secrets
    ends = current.expires_at if rules.retire_unused else None
    return replace(secrets, current=replace(current, expires_at=ends, rotation=rotation.id))


def forget_plain(secrets: ClientSecrets) -> ClientSecrets:
    """Keep only the digest of a successor that has been delivered."""
    if secrets.current is None:
        return secrets
    return replace(secrets, current=replace(secrets.current, secret=None, undecrypted=None))


def _expiry(rules: RotationRules, now: float) -> float | None:
    return None if rules.policy is None else now + rules.policy.expiration
