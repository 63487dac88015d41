"""The policy for rotations of secrets: when they begin, and when the former secret may end."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.rotation import Kind, Rotation
from keyturn_credentials.domain.rotation_window import Window
from keyturn_credentials.domain.secrets import RotationPolicy
from keyturn_credentials.errors import InvalidRequestError

DEFAULT_OVERLAP_SECONDS: Final = 86_400
"""Overlap of a rotation of a client without a policy."""
MIN_ALERT_SECONDS: Final = 60
"""A use is recorded up to a minute late."""
MIN_SELF_SERVICE_INTERVAL: Final = 10
"""Seconds between two looks of an instance of a client that takes its secret itself, at least."""
MAX_AT_ONCE: Final = 100_000
MIN_KEY_PERIOD: Final = 10
"""Seconds between two rotations of a key by policy, at least."""
_LEAST_PART: Final = 10
"""A secret is rotated in the last nine tenths of its lifetime, and with a tenth of it left."""


@dataclass(frozen=True, slots=True)
class KeyPolicy:
    """``period``: seconds after which a policy asks for the client's next key; None: never. ``overlap``:
    seconds for which the former key is still accepted once the next one is in use. ``revoke_former``: a
    former key that the client still publishes is revoked then."""

    period: int | None = None
    overlap: int = DEFAULT_OVERLAP_SECONDS
    revoke_former: bool = False

    @property
    def patience(self) -> int:
        """Seconds until somebody is alerted that the client has not done what a rotation waits for."""
        return max(self.overlap, MIN_ALERT_SECONDS)

    def start_at(self, keys_since: float, share: int) -> float | None:
        """Return when a rotation begins by policy; None if none does. ``keys_since``: NumericDate seconds
        since when the client has its keys. ``share``: seconds by which this client is earlier."""
        if self.period is None:
            return None
        return keys_since + self.period - min(share, self.period // 2)


@dataclass(frozen=True, slots=True)
class RotationRules:
    """``policy``: None if secrets do not expire. ``retire_unused``: the former secret ends after the overlap
    even if the client has not used the new one. ``max_at_once``: rotations of the realm under way by policy;
    None: any number. ``jitter``: seconds by which clients begin earlier, each by its own share.
    ``self_service``: a client may take its new secret itself. ``disabled_limit``: seconds for which
    one waits for a client that is disabled; None: for ever."""

    policy: RotationPolicy | None
    automatic: bool = True
    retire_unused: bool = False
    window: Window | None = None
    jitter: int = 0
    max_at_once: int | None = None
    self_service: bool = True
    disabled_limit: int | None = None
    keys: KeyPolicy = KeyPolicy()

    @classmethod
    def from_attributes(
        cls, client_attributes: Mapping[str, str], realm_attributes: Mapping[str, str]
    ) -> Self:
        """Read the rules: each of the client's own, else its realm's. Raises InvalidRequestError."""
        both = {
            **realm_attributes,
            **{name: value for name, value in client_attributes.items() if value.strip()},
        }
        window = both.get(attributes.ROTATION_WINDOW, "").strip()
        limit = realm_attributes.get(attributes.ROTATION_MAX_AT_ONCE, "")
        for values in (client_attributes, realm_attributes):
            _check_key_overlap(values)
        return cls(
            policy=RotationPolicy.from_attributes(client_attributes, realm_attributes),
            automatic=_flag(both, attributes.ROTATION_AUTOMATIC, default=True),
            retire_unused=_flag(both, attributes.ROTATION_RETIRE_UNUSED, default=False),
            window=Window.parse(window, attributes.ROTATION_WINDOW) if window else None,
            jitter=_number(both.get(attributes.ROTATION_JITTER, ""), attributes.ROTATION_JITTER) or 0,
            max_at_once=_number(limit, attributes.ROTATION_MAX_AT_ONCE),
            self_service=_flag(both, attributes.ROTATION_SELF_SERVICE, default=True),
            disabled_limit=_number(
                both.get(attributes.ROTATION_DISABLED_LIMIT, ""), attributes.ROTATION_DISABLED_LIMIT
            ),
            keys=_key_policy(both),
        )

    @property
    def overlap(self) -> int:
        """Seconds for which both secrets are accepted once the new one is in use."""
        return self.shortened(
            DEFAULT_OVERLAP_SECONDS if self.policy is None else self.policy.rotated_expiration
        )

    @property
    def self_service_interval(self) -> int:
        """Seconds after which an instance should look again: twice within the overlap."""
        return max(self.overlap // 2, MIN_SELF_SERVICE_INTERVAL)

    def overlap_of(self, rotation: Rotation) -> int:
        """Seconds for which both are accepted in this rotation, now that the new one is in use. If the client
        takes it itself, long enough for each of its instances to look."""
        overlap = rotation.overlap
        if rotation.self_service and not self.retire_unused:
            overlap = max(overlap, 2 * MIN_SELF_SERVICE_INTERVAL)
        return self.shortened(overlap)

    def shortened(self, overlap: int) -> int:
        """Return the overlap, or less of it: the next rotation must begin after it, before the new secret
        expires."""
        return (
            overlap if self.policy is None else min(overlap, self.policy.expiration - margin_of(self.policy))
        )

    def start_at(self, client_uuid: str, expires_at: float) -> float | None:
        """Return when the rotation of a secret begins; None if no policy asks for one."""
        if self.policy is None or not self.automatic:
            return None
        latest = self.policy.expiration - margin_of(self.policy)
        return expires_at - min(lead_of(self.policy) + self._share(client_uuid), latest)

    def key_start_at(self, client_uuid: str, keys_since: float | None) -> float | None:
        """Return when a rotation of the client's key begins; None if no policy asks for one."""
        if keys_since is None or not self.automatic:
            return None
        return self.keys.start_at(keys_since, self._share(client_uuid))

    def reach(self, kind: Kind, now: float) -> float | None:
        """Return until when a secret expires, or since when a key is there, for a rotation of it to begin at
        ``now`` at the earliest; None if no policy asks for one."""
        if kind is Kind.SECRET:
            return None if self.policy is None else now + lead_of(self.policy) + self.jitter
        period = self.keys.period
        return None if period is None else now - period + min(self.jitter, period // 2)

    def rest_of(self, rotation: Rotation) -> int:
        """Return the seconds without a rotation by policy after this one was given up."""
        if rotation.kind is Kind.KEY:
            return max(rotation.overlap, MIN_ALERT_SECONDS)
        return rotation.overlap if self.policy is None else max(rotation.overlap, margin_of(self.policy))

    def _share(self, client_uuid: str) -> int:
        """Return the client's own part of the jitter, the same at every node and every time."""
        digest = hashlib.sha256(client_uuid.encode()).digest()
        return int.from_bytes(digest[:8]) % (self.jitter + 1)


def lead_of(policy: RotationPolicy) -> int:
    """Return the seconds before its expiry at which the rotation of a secret begins: early enough for the
    overlap, but not so early that one rotation follows the other."""
    margin = margin_of(policy)
    wanted = min(max(policy.rotated_expiration, margin), policy.expiration // 2)
    return min(max(policy.remaining_rotation, wanted), policy.expiration - margin)


def margin_of(policy: RotationPolicy) -> int:
    """Return the seconds of a tenth of the lifetime, at least one."""
    return max(1, policy.expiration // _LEAST_PART)


def least_of(policy: RotationPolicy) -> int:
    """Return the seconds that a secret has at least, whose rotation is to begin by itself."""
    return max(MIN_ALERT_SECONDS, margin_of(policy))


def _key_policy(values: Mapping[str, str]) -> KeyPolicy:
    period = _number(values.get(attributes.KEY_PERIOD, ""), attributes.KEY_PERIOD)
    overlap = _number(values.get(attributes.KEY_OVERLAP, ""), attributes.KEY_OVERLAP)
    if period is not None and period < MIN_KEY_PERIOD:
        raise InvalidRequestError(f"{attributes.KEY_PERIOD} must be at least {MIN_KEY_PERIOD} seconds")
    if overlap is None:
        overlap = DEFAULT_OVERLAP_SECONDS
    return KeyPolicy(
        period=period,
        overlap=overlap if period is None else min(overlap, period - period // _LEAST_PART),
        revoke_former=_flag(values, attributes.KEY_REVOKE_FORMER, default=False),
    )


def _check_key_overlap(values: Mapping[str, str]) -> None:
    """Raise InvalidRequestError if one place sets an overlap longer than the period. Where a realm and a
    client each set one of both, no change of either may stop the client's rotations: it is shortened."""
    period = _number(values.get(attributes.KEY_PERIOD, ""), attributes.KEY_PERIOD)
    overlap = _number(values.get(attributes.KEY_OVERLAP, ""), attributes.KEY_OVERLAP)
    if period is not None and overlap is not None and overlap > period:
        raise InvalidRequestError(f"{attributes.KEY_OVERLAP} must not exceed {attributes.KEY_PERIOD}")


def _flag(values: Mapping[str, str], name: str, *, default: bool) -> bool:
    value = values.get(name, "").strip().lower()
    if value not in ("", "true", "false"):
        raise InvalidRequestError(f"{name} must be true or false")
    return value == "true" if value else default


def _number(text: str, name: str) -> int | None:
    text = text.strip()
    if not text:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise InvalidRequestError(f"{name} must be a whole number")
    if name == attributes.ROTATION_MAX_AT_ONCE and not 0 < int(text) <= MAX_AT_ONCE:
        raise InvalidRequestError(f"{name} must be from 1 to {MAX_AT_ONCE}")
    return int(text)
