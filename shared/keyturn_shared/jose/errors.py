"""Why a token or a key is refused. ``code`` is the refusal code others rely on, ``detail`` is for logs."""

from enum import StrEnum

from keyturn_shared.errors import KeyturnError


class JoseError(KeyturnError):
    """Base of everything this package refuses; never raised itself."""

    code = "jose"


class MalformedError(JoseError):
    """Not a JWS in compact serialization with a JWT claims set, as strictly as we read one."""

    code = "malformed"


class AlgorithmNotAllowedError(JoseError):
    """The algorithm is unknown, not on the caller's list, or not one the key is for (RFC 8725 3.1)."""

    code = "algorithm_not_allowed"


class UnknownKidError(JoseError):
    """No key of the set is meant by the header's ``kid``."""

    code = "unknown_kid"


class BadSignatureError(JoseError):
    """The signature or MAC was not made with the key over this signing input."""

    code = "bad_signature"


class MissingClaimError(JoseError):
    """A claim that has to be there is not."""

    code = "missing_claim"


class ExpiredError(JoseError):
    """``exp`` has passed (RFC 7519 4.1.4)."""

    code = "expired"


class NotYetValidError(JoseError):
    """``nbf`` or ``iat`` lies in the future (RFC 7519 4.1.5, 4.1.6)."""

    code = "not_yet_valid"


class LifetimeTooLongError(JoseError):
    """The token could be used for longer than the lifetime cap lets it."""

    code = "lifetime_too_long"


class KeyRefusal(StrEnum):
    """Why one key is not used. The values are stable: the console and the logs show them."""

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
    """One key cannot be used, for ``reason``."""

    code = "invalid_key"

    def __init__(self, reason: KeyRefusal, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason


class InvalidKeySetError(JoseError):
    """A whole JWK Set is refused: unreadable, too large, or it carries private or symmetric key material."""

    code = "invalid_key_set"
