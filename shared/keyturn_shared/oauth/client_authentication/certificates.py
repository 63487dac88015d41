"""Checks a client's certificate (RFC 8705 section 2): by its name and issuer, or by its key."""

import contextlib
from typing import Final

from keyturn_shared.certificates.distinguished_names import name_parts, read_distinguished_name
from keyturn_shared.certificates.errors import InvalidNameError
from keyturn_shared.certificates.subjects import NameKind, SubjectName
from keyturn_shared.clock import Clock
from keyturn_shared.fleet.last_used import name_of_key
from keyturn_shared.jose.errors import InvalidKeyError, UnknownKidError
from keyturn_shared.jose.jwk import Thumbprint
from keyturn_shared.oauth.certificates.chain import ChainCheck
from keyturn_shared.oauth.certificates.client_certificate import ClientCertificate
from keyturn_shared.oauth.client_authentication.assertions import KeyLookup
from keyturn_shared.oauth.client_authentication.credentials import Attempt, Presented, PresentedCertificate
from keyturn_shared.oauth.entities import RealmState
from keyturn_shared.oauth.errors import (
    CertificateMismatchError,
    KeyRevokedError,
    UntrustedCertificateError,
)
from keyturn_shared.projection import ClientProjection, RealmProjection

_NAMES: Final[tuple[tuple[str, NameKind], ...]] = (
    ("x509_subject_dn", "subject_dn"),
    ("x509_san_dns", "san_dns"),
    ("x509_san_uri", "san_uri"),
    ("x509_san_ip", "san_ip"),
    ("x509_san_email", "san_email"),
)


class CertificateCheck:
    """Checks certificates. ``chain`` None: no authority is trusted, so only keys can be recognised."""

    def __init__(self, keys: KeyLookup, chain: ChainCheck | None, clock: Clock, *, clock_skew: float) -> None:
        self._keys = keys
        self._chain = chain
        self._clock = clock
        self._clock_skew = clock_skew

    def fits(self, client: ClientProjection, presented: Presented) -> bool:
        return isinstance(presented, PresentedCertificate)

    async def verify(
        self, realm: RealmState, client: ClientProjection, presented: PresentedCertificate, attempt: Attempt
    ) -> str:
        """Return the name of the certificate's key. The client's configuration decides between the two
        methods. Raises CertificateNotValidError, KeyRevokedError, UntrustedCertificateError,
        CertificateMismatchError, KeysUnavailableError."""
        certificate = presented.certificate
        certificate.require_time(self._clock.now(), self._clock_skew)
        try:
            key = certificate.key
        except InvalidKeyError as error:
            raise UntrustedCertificateError(error.detail) from None
        if key.thumbprint in client.revoked_thumbprints:
            raise KeyRevokedError(key.thumbprint)
        if client.x509_self_signed:
            self.equalize_time(presented)
            await self._require_key(certificate, realm.projection, client)
            attempt.method = "self_signed_tls_client_auth"
        else:
            self._require_name(certificate, client)
            attempt.method = "tls_client_auth"
        return name_of_key(key.thumbprint)

    def equalize_time(self, presented: PresentedCertificate) -> None:
        """Do the work of checking the name, and discard the result."""
        if self._chain is not None:
            with contextlib.suppress(UntrustedCertificateError):
                self._chain.require(presented.certificate)

    async def _require_key(
        self, certificate: ClientCertificate, realm: RealmProjection, client: ClientProjection
    ) -> None:
        """Check the key (RFC 8705 section 2.2). The certificate's issuer does not matter: its key is
        registered."""
        wanted = Thumbprint(certificate.key.thumbprint)
        try:
            await self._keys.find(realm, client, wanted, certificate.key.algorithms[0].name)
        except UnknownKidError:
            raise CertificateMismatchError("the certificate's key is not one of the client's") from None

    def _require_name(self, certificate: ClientCertificate, client: ClientProjection) -> None:
        """Check the name (RFC 8705 section 2.1)."""
        if self._chain is None:
            raise UntrustedCertificateError("no client certificate authority is trusted")
        self._chain.require(certificate)
        try:
            named = expected_subject(client).is_of(certificate.certificate)
            issuer = client.x509_issuer_dn
            issued = issuer is None or read_distinguished_name(issuer) == name_parts(
                certificate.certificate.issuer
            )
        except (InvalidNameError, ValueError) as error:
            raise CertificateMismatchError(str(error)) from None
        if not named or not issued:
            raise CertificateMismatchError("another subject" if not named else "another issuer")


def expected_subject(client: ClientProjection) -> SubjectName:
    """Return the one name of the client's certificate. Raises InvalidNameError unless there is exactly one
    valid name."""
    given = [(kind, text) for name, kind in _NAMES if (text := getattr(client, name))]
    if len(given) != 1:
        raise InvalidNameError(f"{len(given)} names to identify the certificate by")
    kind, text = given[0]
    if kind == "subject_dn" and client.x509_subject_dn_is_pattern:
        kind = "subject_pattern"
    return SubjectName.read(kind, text)
