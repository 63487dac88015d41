"""Client secrets and the policy for their expiry and overlap. Pure: time and randomness are arguments."""

import secrets as _random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Self

from keyturn_credentials.domain import attributes
from keyturn_credentials.errors import InvalidRequestError
from keyturn_shared.secret import Secret

SECRET_BYTES: Final = 32
SIGNING_SECRET_BYTES: Final = 64
MAX_SECRET_CHARACTERS: Final = 1024
MAX_OVERLAP_SECONDS: Final = 366 * 86_400
"""Longest overlap that can be chosen for one secret."""


def generate_secret(*, signs: bool = False) -> Secret:
    """Generate 256 random bits as 43 base64url characters. ``signs``: the client may sign with it by any
    HMAC. HS512 requires 64 octets (RFC 7518 section 3.2): 512 bits as 86 characters."""
    return Secret(_random.token_urlsafe(SIGNING_SECRET_BYTES if signs else SECRET_BYTES))


@dataclass(frozen=True, slots=True)
class StoredSecret:
    """A stored client secret. ``digest`` is what verifiers compare with. ``secret`` is None if the realm
    stores digests only, or if no key at hand decrypts it: then ``undecrypted`` is the encrypted value, which
    is stored again as it is. Times are NumericDate seconds; ``expires_at`` None means never. ``rotation``: id
    of the rotation under way that set its expiry; no other change does. ``promised``: its overlap was chosen
    for this secret alone, so it holds without a policy too."""

    digest: str
    created_at: float
    expires_at: float | None = None
    secret: Secret | None = None
    rotation: str | None = None
    promised: bool = False
    undecrypted: object = None

    def is_valid(self, now: float) -> bool:
        return self.expires_at is None or now < self.expires_at


@dataclass(frozen=True, slots=True)
class ClientSecrets:
    """The current secret, and the former one while it overlaps."""

    current: StoredSecret | None = None
    rotated: StoredSecret | None = None

    @property
    def is_readable(self) -> bool:
        """Return whether no value is left encrypted."""
        known = (self.current, self.rotated)
        return all(stored is None or stored.undecrypted is None for stored in known)


@dataclass(frozen=True, slots=True)
class RotationPolicy:
    """Periods in seconds, as in Keycloak's secret-rotation executor.

    ``expiration``: validity of a new secret. ``rotated_expiration``: validity of the former one after a
    rotation (0: none). ``remaining_rotation``: the secret is due for rotation within this time before expiry.
    """

    expiration: int
    rotated_expiration: int = 0
    remaining_rotation: int = 0

    @classmethod
    def from_attributes(
        cls, client_attributes: Mapping[str, str], realm_attributes: Mapping[str, str]
    ) -> Self | None:
        """Return the client's own policy, else its realm's, else None. Raises InvalidRequestError."""
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
            raise InvalidRequestError(f"{attributes.POLICY_EXPIRATION} must be greater than 0 seconds")
        if rotated > expiration or remaining > expiration:
            raise InvalidRequestError(
                f"{attributes.POLICY_ROTATED_EXPIRATION} and {attributes.POLICY_REMAINING_ROTATION}"
                f" must not exceed {attributes.POLICY_EXPIRATION}"
            )
        return cls(expiration, rotated, remaining)


class Due(StrEnum):
    """The policy's action on a change of the client. SET_EXPIRY: the secret gets its first expiry."""

    NOTHING = "nothing"
    SET_EXPIRY = "set_expiry"
    ROTATE = "rotate"
    FORGET_ROTATED = "forget_rotated"


def due_change(
    secrets: ClientSecrets, policy: RotationPolicy | None, now: float, *, automatic: bool = True
) -> Due:
    """Return the action due for a change of the client at ``now``. Without a policy the former secret is
    dropped. ``automatic``: rotations begin by themselves, so that a change leaves a valid secret alone: it
    would end whether or not the client has the next one."""
    if secrets.current is None or secrets.current.rotation is not None:
        return Due.NOTHING
    if policy is None:
        ends = secrets.rotated is not None and not _is_promised(secrets.rotated, now)
        return Due.FORGET_ROTATED if ends or secrets.current.expires_at else Due.NOTHING
    if secrets.current.expires_at is None:
        return Due.SET_EXPIRY
    if now >= secrets.current.expires_at - (0 if automatic else policy.remaining_rotation):
        return Due.ROTATE
    return Due.NOTHING


def make_current(
    secrets: ClientSecrets,
    new: StoredSecret,
    policy: RotationPolicy | None,
    now: float,
    *,
    overlap: int | None = None,
) -> ClientSecrets:
    """Make ``new`` current; the former one overlaps for ``overlap`` seconds, by default for as long as the
    policy says. A former secret that had already expired stays expired: rotation never extends a secret's
    validity."""
    current = replace(new, expires_at=None if policy is None else now + policy.expiration)
    lasting = overlap
    if lasting is None:
        lasting = 0 if policy is None else policy.rotated_expiration
    former = secrets.current
    if former is None or lasting == 0 or not former.is_valid(now):
        return ClientSecrets(current=current)
    overlap_ends = now + lasting
    if former.expires_at is not None:
        overlap_ends = min(overlap_ends, former.expires_at)
    kept = replace(former, expires_at=overlap_ends, rotation=None, promised=overlap is not None)
    return ClientSecrets(current=current, rotated=kept)


def check_overlap(seconds: int) -> int:
    """Check an overlap chosen by the caller. Raises InvalidRequestError."""
    if seconds > MAX_OVERLAP_SECONDS:
        raise InvalidRequestError(f"overlap must be at most {MAX_OVERLAP_SECONDS} seconds")
    return seconds


def set_expiry(secrets: ClientSecrets, policy: RotationPolicy, now: float) -> ClientSecrets:
    """Give a secret without expiry the policy's expiry, from now on."""
    if secrets.current is None:
        return secrets
    return replace(secrets, current=replace(secrets.current, expires_at=now + policy.expiration))


def cap_expiry(secrets: ClientSecrets, expires_at: float) -> ClientSecrets:
    """Limit the expiry of the current secret to ``expires_at``."""
    if secrets.current is None:
        return secrets
    ends = expires_at if secrets.current.expires_at is None else min(secrets.current.expires_at, expires_at)
    return replace(secrets, current=replace(secrets.current, expires_at=ends))


def with_known_times(
    secrets: ClientSecrets, *, created_at: float | None, now: float, is_unending: bool
) -> ClientSecrets:
    """Set the creation time that the current secret has in the export. ``is_unending``: the secret does not
    expire there, so it gets no expiry until the client is changed."""
    if secrets.current is None:
        return secrets
    age = now if created_at is None else min(created_at, now)
    ends = None if is_unending else secrets.current.expires_at
    return replace(secrets, current=replace(secrets.current, created_at=age, expires_at=ends))


def without_rotation(secrets: ClientSecrets, now: float) -> ClientSecrets:
    """Return the secrets as they are without a policy: the current one does not expire, and a former one
    stays only if that was promised. An expired secret stays expired: what an operator let expire, or ended,
    is never reactivated as a side effect."""
    current, former = secrets.current, secrets.rotated
    if former is not None and not _is_promised(former, now):
        former = None
    if current is None or not current.is_valid(now):
        return ClientSecrets(current, former)
    return ClientSecrets(replace(current, expires_at=None), former)


def _is_promised(former: StoredSecret, now: float) -> bool:
    return former.promised and former.is_valid(now)


def without_plain(secrets: ClientSecrets) -> ClientSecrets:
    """Return the secrets as digests only, except for one that its client has yet to get."""

    def forget(stored: StoredSecret | None) -> StoredSecret | None:
        if stored is None or stored.rotation is not None:
            return stored
        return replace(stored, secret=None, undecrypted=None)

    return ClientSecrets(forget(secrets.current), forget(secrets.rotated))


def check_chosen(secret: str) -> Secret:
    """Check a secret chosen by the caller. Raises InvalidRequestError for one that no client could send."""
    if not 0 < len(secret) <= MAX_SECRET_CHARACTERS:
        raise InvalidRequestError(f"a client secret must be 1 to {MAX_SECRET_CHARACTERS} characters long")
    if not all("\x20" <= character <= "\x7e" for character in secret):
        # RFC 6749 appendix A.2: client-secret = *VSCHAR
        raise InvalidRequestError("a client secret must consist of printable ASCII characters")
    if set(secret) == {"*"}:
        raise InvalidRequestError("this is the mask that stands for a secret, not a secret")
    return Secret(secret)


def _seconds(source: Mapping[str, str], name: str) -> int:
    text = source.get(name, "").strip() or "0"
    if not text.isascii() or not text.isdigit() or len(text) > 10:
        raise InvalidRequestError(f"{name} must be a number of seconds")
    return int(text)
