"""Client secrets and the policy by which they expire and overlap. Pure: time and randomness are arguments."""

import secrets as _random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Self

from keyturn_credentials.domain import attributes
from keyturn_credentials.errors import InvalidRequestError
from keyturn_shared.secret import Secret

SECRET_BYTES: Final = 32
MAX_SECRET_CHARACTERS: Final = 1024


def generate_secret() -> Secret:
    """256 random bits as 43 base64url characters."""
    return Secret(_random.token_urlsafe(SECRET_BYTES))


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """A client secret as the store keeps it.

    ``digest`` is what verifiers compare with. ``secret`` is None where the realm keeps digests only. Times
    are NumericDate seconds; ``expires_at`` None means never.
    """

    digest: str
    created_at: float
    expires_at: float | None = None
    secret: Secret | None = None

    def is_valid(self, now: float) -> bool:
        return self.expires_at is None or now < self.expires_at


@dataclass(frozen=True, slots=True)
class ClientSecrets:
    """The secret in force, and the former one while it still overlaps."""

    current: StoredSecret | None = None
    rotated: StoredSecret | None = None


@dataclass(frozen=True, slots=True)
class RotationPolicy:
    """Periods in seconds, as in Keycloak's secret-rotation executor.

    ``expiration``: how long a new secret is valid. ``rotated_expiration``: how long the former one stays
    valid beside it (0: not at all). ``remaining_rotation``: a change of the client within that time before
    the secret's expiry rotates it.
    """

    expiration: int
    rotated_expiration: int = 0
    remaining_rotation: int = 0

    @classmethod
    def from_attributes(
        cls, client_attributes: Mapping[str, str], realm_attributes: Mapping[str, str]
    ) -> Self | None:
        """The client's own policy, else its realm's, else None. Raises InvalidRequestError."""
        for source in (client_attributes, realm_attributes):
            if source.get(attributes.POLICY_EXPIRATION, "").strip():
                return cls._parse(source)
        return None

    @classmethod
    def _parse(cls, source: Mapping[str, str]) -> Self:
        expiration = _seconds(source, attributes.POLICY_EXPIRATION)
        rotated = _seconds(source, attributes.POLICY_ROTATED_EXPIRATION)
        remaining = _seconds(source, attributes.POLICY_REMAINING_ROTATION)
        if expiration <= 0:
            raise InvalidRequestError(f"{attributes.POLICY_EXPIRATION} must be more than 0 seconds")
        if rotated > expiration or remaining > expiration:
            raise InvalidRequestError(
                f"{attributes.POLICY_ROTATED_EXPIRATION} and {attributes.POLICY_REMAINING_ROTATION}"
                f" must not be longer than {attributes.POLICY_EXPIRATION}"
            )
        return cls(expiration, rotated, remaining)


class Due(StrEnum):
    """What the policy asks for when a client is changed. STAMP: the secret has no expiry yet, give it one."""

    NOTHING = "nothing"
    STAMP = "stamp"
    ROTATE = "rotate"
    FORGET_ROTATED = "forget_rotated"


def judge(secrets: ClientSecrets, policy: RotationPolicy | None, now: float) -> Due:
    """What is due when a client is changed at ``now``. Without a policy a former secret is not kept."""
    if secrets.current is None:
        return Due.NOTHING
    if policy is None:
        return Due.FORGET_ROTATED if secrets.rotated or secrets.current.expires_at else Due.NOTHING
    if secrets.current.expires_at is None:
        return Due.STAMP
    if now >= secrets.current.expires_at - policy.remaining_rotation:
        return Due.ROTATE
    return Due.NOTHING


def put_in_force(
    secrets: ClientSecrets, new: StoredSecret, policy: RotationPolicy | None, now: float
) -> ClientSecrets:
    """``new`` becomes current; the former current one overlaps for as long as the policy says.

    A former secret that had expired already stays expired: rotation never lengthens a secret's life.
    """
    if policy is None:
        return ClientSecrets(current=replace(new, expires_at=None))
    current = replace(new, expires_at=now + policy.expiration)
    former = secrets.current
    if former is None or policy.rotated_expiration == 0 or not former.is_valid(now):
        return ClientSecrets(current=current)
    overlap_ends = now + policy.rotated_expiration
    if former.expires_at is not None:
        overlap_ends = min(overlap_ends, former.expires_at)
    return ClientSecrets(current=current, rotated=replace(former, expires_at=overlap_ends))


def stamp(secrets: ClientSecrets, policy: RotationPolicy, now: float) -> ClientSecrets:
    """Give a secret that never expired the policy's expiry, from now on."""
    if secrets.current is None:
        return secrets
    return replace(secrets, current=replace(secrets.current, expires_at=now + policy.expiration))


def no_longer_than(secrets: ClientSecrets, expires_at: float) -> ClientSecrets:
    """The current secret ends then at the latest."""
    if secrets.current is None:
        return secrets
    ends = expires_at if secrets.current.expires_at is None else min(secrets.current.expires_at, expires_at)
    return replace(secrets, current=replace(secrets.current, expires_at=ends))


def without_rotation(secrets: ClientSecrets, now: float) -> ClientSecrets:
    """The current secret alone, without an expiry: what is left when no policy is active any more. One that
    had expired stays so: what an operator let run out, or ended, is not put in force by the way."""
    current = secrets.current
    if current is None or not current.is_valid(now):
        return ClientSecrets(current=current)
    return ClientSecrets(current=replace(current, expires_at=None))


def without_plain(secrets: ClientSecrets) -> ClientSecrets:
    """The same secrets as digests only."""

    def forget(stored: StoredSecret | None) -> StoredSecret | None:
        return None if stored is None else replace(stored, secret=None)

    return ClientSecrets(forget(secrets.current), forget(secrets.rotated))


def check_chosen(secret: str) -> Secret:
    """A secret that the caller chose. Raises InvalidRequestError for one that no client could send."""
    if not 0 < len(secret) <= MAX_SECRET_CHARACTERS:
        raise InvalidRequestError(f"a client secret has 1 to {MAX_SECRET_CHARACTERS} characters")
    if not all("\x20" <= character <= "\x7e" for character in secret):
        # RFC 6749 appendix A.2: client-secret = *VSCHAR
        raise InvalidRequestError("a client secret consists of printable ASCII characters")
    if set(secret) == {"*"}:
        raise InvalidRequestError("this is the mask shown instead of a secret, not a secret")
    return Secret(secret)


def _seconds(source: Mapping[str, str], name: str) -> int:
    text = source.get(name, "").strip() or "0"
    if not text.isascii() or not text.isdigit() or len(text) > 10:
        raise InvalidRequestError(f"{name} must be a number of seconds")
    return int(text)
