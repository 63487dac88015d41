"""Checks a certificate's chain against the authorities the operator trusts (RFC 5280 section 6)."""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from cryptography.x509.verification import (
    Criticality,
    ExtensionPolicy,
    Policy,
    PolicyBuilder,
    Store,
    VerificationError,
)

from keyturn_shared.clock import Clock
from keyturn_shared.errors import ConfigurationError
from keyturn_shared.oauth.certificates.client_certificate import MAX_INTERMEDIATES, ClientCertificate
from keyturn_shared.oauth.errors import UntrustedCertificateError

_KEPT: Final = 4096
_USES: Final = frozenset({ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE})


class ChainCheck:
    """Trusts client certificates issued by the authorities, directly or through intermediates."""

    def __init__(self, authorities: Sequence[x509.Certificate], clock: Clock) -> None:
        if not authorities:
            raise ConfigurationError("the client authorities contain no certificate")
        self._clock = clock
        self._builder = (
            PolicyBuilder()
            .store(Store(list(authorities)))
            .max_chain_depth(MAX_INTERMEDIATES)
            .extension_policies(ca_policy=_for_authorities(), ee_policy=_for_clients())
        )
        self._good_until: OrderedDict[ClientCertificate, float] = OrderedDict()

    @classmethod
    def from_pem(cls, pem: bytes, clock: Clock) -> "ChainCheck":
        """Load authorities. Raises ConfigurationError for invalid certificates."""
        try:
            return cls(x509.load_pem_x509_certificates(pem), clock)
        except ValueError:
            raise ConfigurationError("the client authorities are not PEM certificates") from None

    def require(self, certificate: ClientCertificate) -> None:
        """Raise UntrustedCertificateError. A valid chain is not checked again until a part of it expires."""
        if certificate.chain_checked:
            return
        now = self._clock.now()
        good_until = self._good_until.get(certificate)
        if good_until is not None and now < good_until:
            return
        moment = datetime.fromtimestamp(now, UTC)
        verifier = self._builder.time(moment).build_client_verifier()
        try:
            verified = verifier.verify(certificate.certificate, list(certificate.intermediates))
        except VerificationError as error:
            raise UntrustedCertificateError(str(error)) from None
        self._good_until[certificate] = min(each.not_valid_after_utc.timestamp() for each in verified.chain)
        while len(self._good_until) > _KEPT:
            self._good_until.popitem(last=False)


def _for_authorities() -> ExtensionPolicy:
    """Return the requirements for an authority: private ones meet fewer than the public web's rules."""

    def is_authority(_: Policy, __: x509.Certificate, constraints: x509.BasicConstraints) -> None:
        if not constraints.ca:
            raise ValueError("an issuer is not a certificate authority")

    def may_sign(_: Policy, __: x509.Certificate, usage: x509.KeyUsage | None) -> None:
        if usage is not None and not usage.key_cert_sign:
            raise ValueError("an issuer's key may not sign certificates")

    return (
        ExtensionPolicy.permit_all()
        .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, is_authority)
        .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, may_sign)
        .may_be_present(x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _is_for_clients)
    )


def _for_clients() -> ExtensionPolicy:
    return ExtensionPolicy.permit_all().may_be_present(
        x509.ExtendedKeyUsage, Criticality.AGNOSTIC, _is_for_clients
    )


def _is_for_clients(_: Policy, __: x509.Certificate, usage: x509.ExtendedKeyUsage | None) -> None:
    """Check the usage. On an authority it limits what that may issue, as in OpenSSL and the CA/Browser
    Forum's rules: an authority for servers alone cannot certify clients."""
    if usage is not None and _USES.isdisjoint(usage):
        raise ValueError("the certificate is not for client authentication")
