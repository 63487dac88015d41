"""The verifier's errors. ``code`` is the stable refusal code of logs, metrics and ``/verify``.

Two families that callers must not mix up: a ``RefusedError`` is an answer, an ``UnavailableError`` says that
there is none now. Only the edge turns either into HTTP.
"""

from typing import Final

from keyturn_shared.errors import KeyturnError


class VerifierError(KeyturnError):
    """Base of what the verifier raises on purpose."""

    code = "verifier"


class UnavailableError(VerifierError):
    """Nothing can be decided now; the caller may come back after ``retry_after`` seconds."""

    code = "unavailable"
    retry_after: int = 1


class FencedError(UnavailableError):
    """This node holds no lease, so what it knows may be out of date."""

    code = "fenced"


class UnsettledError(UnavailableError):
    """What was to be decided on changed again and again while it was being decided."""

    code = "unsettled"


class BeforeReplayBarrierError(UnavailableError):
    """The assertion may have been used before Redis lost its memory; a new one will do."""

    code = "before_replay_barrier"


class RefusedError(VerifierError):
    """A credential or token that is not accepted, for a reason that stays inside."""

    code = "refused"


class InvalidRequestError(VerifierError):
    """The request itself is wrong (RFC 6749 5.2, ``invalid_request``); the detail is for the caller."""

    code = "invalid_request"


class InvalidScopeError(VerifierError):
    """The client may not have a scope it asks for (RFC 6749 5.2)."""

    code = "invalid_scope"


class InvalidTargetError(VerifierError):
    """The client may not have tokens for an audience it asks for (RFC 8707 section 2)."""

    code = "invalid_target"


class UnauthorizedClientError(VerifierError):
    """The client is known but may not use this grant (RFC 6749 5.2)."""

    code = "unauthorized_client"


class UnsupportedGrantTypeError(VerifierError):
    """A grant that this server does not know (RFC 6749 5.2)."""

    code = "unsupported_grant_type"


class UnknownRealmError(VerifierError):
    """There is no such realm, or it is switched off."""

    code = "unknown_realm"


class TooManyFailuresError(VerifierError):
    """The caller failed to authenticate too often; it may come back after ``retry_after`` seconds."""

    code = "too_many_failures"

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"refused for {retry_after} s")
        self.retry_after = retry_after


class MissingCredentialsError(RefusedError):
    """The request presents nothing by which its client could be known."""

    code = "missing_credentials"


class UnknownClientError(RefusedError):
    """There is no such client in the realm."""

    code = "unknown_client"


class ClientDisabledError(RefusedError):
    """The client is there but switched off."""

    code = "client_disabled"


class AuthenticatorMismatchError(RefusedError):
    """The client proves itself in another way than the one that was tried."""

    code = "authenticator_mismatch"


class WrongSecretError(RefusedError):
    """No secret of the client matches."""

    code = "wrong_secret"


class SecretExpiredError(RefusedError):
    """The secret matched, but its time is over."""

    code = "secret_expired"


class KeyRevokedError(RefusedError):
    """The signature holds, under a key that was revoked by its thumbprint."""

    code = "key_revoked"


class WrongIssuerError(RefusedError):
    """``iss`` is not who has to have issued it, or differs from ``sub`` (RFC 7523 section 3)."""

    code = "wrong_issuer"


class WrongAudienceError(RefusedError):
    """``aud`` does not name this server, or names others as well."""

    code = "wrong_audience"


class ReplayedError(RefusedError):
    """This ``jti`` of this client was used before."""

    code = "replayed"


class MalformedCertificateError(RefusedError):
    """A trusted proxy passed on something that is not a client certificate (RFC 9440)."""

    code = "malformed_certificate"


class UntrustedCertificateError(RefusedError):
    """The certificate's chain does not end at an authority this server trusts (RFC 8705 section 2.1)."""

    code = "untrusted_certificate"


class CertificateNotValidError(RefusedError):
    """The time lies outside the certificate's validity period."""

    code = "certificate_not_valid"


class CertificateMismatchError(RefusedError):
    """The certificate is not the client's: another name, or a key that is none of its keys."""

    code = "certificate_mismatch"


class PossessionError(RefusedError):
    """The token is bound to a key (``cnf``, RFC 7800) that whoever brings it has not shown to hold."""

    code = "possession_not_proved"


class InvalidDpopProofError(VerifierError):
    """A DPoP proof does not hold (RFC 9449 section 4.3)."""

    code = "invalid_dpop_proof"


class UseDpopNonceError(VerifierError):
    """A DPoP proof has to hold ``nonce`` (RFC 9449 section 8)."""

    code = "use_dpop_nonce"

    def __init__(self, nonce: str) -> None:
        super().__init__("Authorization server requires nonce in DPoP proof")
        self.nonce = nonce


UNAVAILABLE_CODES: Final = frozenset(
    {
        UnavailableError.code,
        FencedError.code,
        UnsettledError.code,
        BeforeReplayBarrierError.code,
        "redis_unavailable",
        "keys_unavailable",
        "projection_broken",
        "seal_broken",
    }
)
"""Codes of errors, of this package and of the shared ones, that mean: ask again later."""


def is_unavailable(error: KeyturnError) -> bool:
    """Whether the error says that nothing can be decided now."""
    return error.code in UNAVAILABLE_CODES
