"""Beginnings of rotations by policy. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.rotation import Kind
from keyturn_credentials.domain.rotation_rules import RotationRules
from keyturn_credentials.errors import InvalidRequestError


def own_rotation_at(client: Client) -> float | None:
    """Return when the rotation of the client's secret begins by its own policy; None without one, and while
    a rotation is under way."""
    current = client.secrets.current
    if current is None or current.expires_at is None or current.rotation is not None:
        return None
    if not client.attributes.get(attributes.POLICY_EXPIRATION, "").strip():
        return None
    try:
        rules = RotationRules.from_attributes(client.attributes, {})
    except InvalidRequestError:  # written by an earlier build
        return None
    return rules.start_at(client.uuid, current.expires_at)


def own_key_rotation_at(client: Client) -> float | None:
    """Return when the rotation of the client's key begins by its own policy; None without one."""
    if client.keys_since is None or not client.attributes.get(attributes.KEY_PERIOD, "").strip():
        return None
    try:
        rules = RotationRules.from_attributes(client.attributes, {})
    except InvalidRequestError:  # written by an earlier build
        return None
    return rules.key_start_at(client.uuid, client.keys_since)


class Effect(StrEnum):
    """ROTATES: the client keeps the former credential until it uses the new one. ROTATES_STRICTLY: the former
    one ends after the overlap, used or not. EXPIRES: no rotation begins, so the client is locked out."""

    ROTATES = "rotates"
    ROTATES_STRICTLY = "rotates_strictly"
    EXPIRES = "expires"


@dataclass(frozen=True, slots=True)
class Planned:
    """The next thing that a policy does to a client's secret or key. Times are NumericDate seconds.
    ``expires_at``: None for a key, which does not expire."""

    client_uuid: str
    client_id: str
    at: float
    expires_at: float | None
    effect: Effect
    kind: Kind = Kind.SECRET


def plan_for(client: Client, rules: RotationRules, now: float) -> Planned | None:
    """Return what will happen to the client's secret; None if it does not expire or has expired."""
    current = client.secrets.current
    if current is None or current.expires_at is None or not current.is_valid(now):
        return None
    if not client.needs_secret:  # it expires, and locks nobody out
        return None
    start_at = rules.start_at(client.uuid, current.expires_at)
    if start_at is None:
        at, effect = current.expires_at, Effect.EXPIRES
    else:
        at, effect = max(start_at, now), _rotation_under(rules)
    return Planned(client.uuid, client.client_id, at, current.expires_at, effect)


def plan_for_key(client: Client, rules: RotationRules, now: float) -> Planned | None:
    """Return when the client will be asked for its next key, if no rotation of it is under way; None if no
    policy does."""
    start_at = rules.key_start_at(client.uuid, client.keys_since) if client.has_own_keys else None
    if start_at is None:
        return None
    at = max(start_at, now)
    return Planned(client.uuid, client.client_id, at, None, _rotation_under(rules), Kind.KEY)


def within(planned: Iterable[Planned | None], until: float) -> list[Planned]:
    """Return what happens until then, soonest first."""
    found = [entry for entry in planned if entry is not None and entry.at <= until]
    return sorted(found, key=lambda entry: (entry.at, entry.client_id))


def _rotation_under(rules: RotationRules) -> Effect:
    return Effect.ROTATES_STRICTLY if rules.retire_unused else Effect.ROTATES
