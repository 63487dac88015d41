"""Errors of checking clients and tokens. ``code``: the stable refusal code of logs, metrics and ``/verify``.

A ``RefusedError`` is an answer; an ``UnavailableError`` means that there is none now. Callers must not
confuse them. Only the web layer turns either into HTTP.

Among the latter, errors of the whole node differ from those of one request: proxies take a 503 as a sign that
the node is down, so no caller may be able to provoke one.
"""

from typing import Final

from keyturn_shared.errors import KeyturnError


class VerifierError(KeyturnError):
    """Base of all errors of checking clients and tokens."""

    code = "verifier"


class UnavailableError(VerifierError):
    """No decision is possible now; the caller may retry after ``retry_after`` seconds."""

    code = "unavailable"
    retry_after: int = 1


class FencedError(UnavailableError):
    """This node holds no lease, so its knowledge may be out of date."""

    code = "fenced"


class UnsettledError(UnavailableError):
    """The states behind a decision kept changing while it was made."""

    code = "unsettled"


class BeforeReplayBarrierError(UnavailableError):
    """The assertion may have been used before Redis lost its memory; a new one will be accepted."""

    code = "before_replay_barrier"


class RevocationUnavailableError(UnavailableError):
    """The credentials service, which alone can revoke a token, was unreachable: the token is still valid."""

    code = "revocation_unavailable"


class RefusedError(VerifierError):
    """A credential or token was not accepted, for a reason that callers do not learn."""

    code = "refused"


class InvalidRequestError(VerifierError):
    """The request itself is wrong (RFC 6749 5.2, ``invalid_request``); ``detail`` is for the caller."""

    code = "invalid_request"


class InvalidScopeError(VerifierError):
    """The client may not have a scope that it requests (RFC 6749 5.2)."""

    code = "invalid_scope"


class InvalidTargetError(VerifierError):
    """The client may not have tokens for an audience that it requests (RFC 8707 section 2)."""

    code = "invalid_target"


class UnauthorizedClientError(VerifierError):
    """The client is known but may not use this grant (RFC 6749 5.2)."""

    code = "unauthorized_client"


class UnsupportedGrantTypeError(VerifierError):
    """This server does not support the grant (RFC 6749 5.2)."""

    code = "unsupported_grant_type"


class UnknownRealmError(VerifierError):
    """The realm does not exist or is disabled."""

    code = "unknown_realm"


class AdministratorElsewhereError(VerifierError):
    """The credentials belong to an administrator, which only the credentials service can check; it was not or
    could not be asked."""

    code = "admin_tokens_elsewhere"


class TooManyFailuresError(VerifierError):
    """The caller failed to authenticate too often; it may retry after ``retry_after`` seconds."""

    code = "too_many_failures"

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"refused for {retry_after} s")
        self.retry_after = retry_after


class MissingCredentialsError(RefusedError):
    """The request has no credentials that name a client."""

    code = "missing_credentials"


class UnknownClientError(RefusedError):
    """The realm has no such client."""

    code = "unknown_client"


class ClientDisabledError(RefusedError):
    """The client exists but is disabled."""

    code = "client_disabled"


class AuthenticatorMismatchError(RefusedError):
    """The client uses another authenticator than the one that was tried."""

    code = "authenticator_mismatch"


class WrongSecretError(RefusedError):
    """No secret of the client matches."""

    code = "wrong_secret"


class SecretExpiredError(RefusedError):
    """The secret matched, but has expired."""

    code = "secret_expired"


class KeyRevokedError(RefusedError):
    """The signature is valid, but its key was revoked by thumbprint."""

    code = "key_revoked"


class SharedSecretError(RefusedError):
    """The client signs with its secret (``client_secret_jwt``), and this process has public keys only."""

    code = "shared_secret_not_held"


class WrongIssuerError(RefusedError):
    """``iss`` is not the required issuer, or differs from ``sub`` (RFC 7523 section 3)."""

    code = "wrong_issuer"


class IssuerDisabledError(RefusedError):
    """The realm knows the issuer of the assertion, but does not trust it at present."""

    code = "issuer_disabled"


class WrongSubjectError(RefusedError):
    """``sub`` is not the client's identity at the issuer."""

    code = "wrong_subject"


class SubjectRevokedError(RefusedError):
    """The realm accepts nothing about this subject of the issuer any more."""

    code = "subject_revoked"


class ConditionNotMetError(RefusedError):
    """A claim that the issuer or the client must have is missing, or has another value."""

    code = "condition_not_met"


class WrongAudienceError(RefusedError):
    """``aud`` does not name this server, or also names others."""

    code = "wrong_audience"


class ReplayedError(RefusedError):
    """This client has used this ``jti`` before."""

    code = "replayed"


class TokenEndedError(RefusedError):
    """The token was issued before ``notBefore``, or before the client or realm was disabled."""

    code = "token_ended"


class TokenRevokedError(RefusedError):
    """This access token was revoked (RFC 7009)."""

    code = "token_revoked"


class MalformedCertificateError(RefusedError):
    """A trusted proxy forwarded something that is not a client certificate (RFC 9440)."""

    code = "malformed_certificate"


class UntrustedCertificateError(RefusedError):
    """The certificate's chain does not end at a trusted authority (RFC 8705 section 2.1)."""

    code = "untrusted_certificate"


class CertificateNotValidError(RefusedError):
    """The certificate is expired or not yet valid."""

    code = "certificate_not_valid"


class CertificateMismatchError(RefusedError):
    """The certificate is not the client's: it has another name, or an unregistered key."""

    code = "certificate_mismatch"


class PossessionError(RefusedError):
    """The token is bound to a key (``cnf``, RFC 7800) that the sender has not proved to hold."""

    code = "possession_not_proved"


class InvalidDpopProofError(VerifierError):
    """A DPoP proof is invalid (RFC 9449 section 4.3)."""

    code = "invalid_dpop_proof"


class UseDpopNonceError(VerifierError):
    """A DPoP proof must contain ``nonce`` (RFC 9449 section 8)."""

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
        RevocationUnavailableError.code,
        "redis_unavailable",
        "keys_unavailable",
        "store_unavailable",
        "projection_broken",
        "seal_broken",
        "forged",
        "unsigned",
        "outdated",
    }
)
"""Codes of errors, of this package and the shared ones, that mean: retry later."""

NODE_UNAVAILABLE_CODES: Final = frozenset({FencedError.code, "redis_unavailable", "store_unavailable"})
"""Codes of errors that concern the whole node, not one request, realm or client: no request can provoke them,
and another node may be able to answer."""


def is_unavailable(error: KeyturnError) -> bool:
    """Return whether the error means that no decision is possible now."""
    return error.code in UNAVAILABLE_CODES


def unavailable_status(code: str) -> int:
    """Return the HTTP status for one of these codes, to be sent with ``Retry-After`` (RFC 9110 10.2.3).

    503 (RFC 9110 15.6.4) for a node that can serve no one. For one request 429 (RFC 6585 section 4): no proxy
    takes it as a failure of the node, and clients retry the same request later.
    """
    return 503 if code in NODE_UNAVAILABLE_CODES else 429
