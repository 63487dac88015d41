"""Refusals of tokens and keys. ``code`` is the stable refusal code, ``detail`` is for logs."""

from enum import StrEnum

from keyturn_shared.errors import KeyturnError


class JoseError(KeyturnError):
    """Base of all refusals of this package; never raised itself."""

    code = "jose"


class MalformedError(JoseError):
    """The text is not a strict JWS in compact serialization with a JWT claims set."""

    code = "malformed"


class AlgorithmNotAllowedError(JoseError):
    """The algorithm is unknown, not on the caller's list, or not one for this key (RFC 8725 3.1)."""

    code = "algorithm_not_allowed"


class UnknownKidError(JoseError):
    """No key of the set matches the header's ``kid``."""

    code = "unknown_kid"


class BadSignatureError(JoseError):
    """The key did not make this signature or MAC over this signing input."""

    code = "bad_signature"


class KeysNotTriedError(BadSignatureError):
    """None of the keys that were tried made the signature, and more keys match than are tried for one
    token."""

    code = "keys_not_tried"


class MissingClaimError(JoseError):
    """A required claim is missing."""

    code = "missing_claim"


class ExpiredError(JoseError):
    """``exp`` has passed (RFC 7519 4.1.4)."""

    code = "expired"


class NotYetValidError(JoseError):
    """``nbf`` or ``iat`` lies in the future (RFC 7519 4.1.5, 4.1.6)."""

    code = "not_yet_valid"


class LifetimeTooLongError(JoseError):
    """The token's lifetime exceeds the cap."""

    code = "lifetime_too_long"


class KeyRefusal(StrEnum):
    """Reason why a key is not used. The values are stable: the console and the logs show them."""

    INVALID = "invalid"
    UNKNOWN_KEY_TYPE = "unknown_key_type"
    UNKNOWN_CURVE = "unknown_curve"
    UNKNOWN_ALGORITHM = "unknown_algorithm"
    ALGORITHM_MISMATCH = "algorithm_mismatch"
    NOT_FOR_SIGNATURES = "not_for_signatures"
    WEAK = "weak"
    TOO_LARGE = "too_large"
    DUPLICATE = "duplicate"
    PRIVATE = "private_key_present"


class InvalidKeyError(JoseError):
    """A key cannot be used, for ``reason``."""

    code = "invalid_key"

    def __init__(self, reason: KeyRefusal, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason


class InvalidKeySetError(JoseError):
    """A whole JWK Set is refused: unreadable, too large, or it contains private or symmetric keys."""

    code = "invalid_key_set"
