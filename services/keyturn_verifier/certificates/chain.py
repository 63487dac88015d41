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
from keyturn_verifier.certificates.client_certificate import MAX_INTERMEDIATES, ClientCertificate
from keyturn_verifier.errors import UntrustedCertificateError

_KEPT: Final = 4096
_USES: Final = frozenset({ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE})


class ChainCheck:
    """Trusts what the authorities have issued for clients, directly or through intermediates."""

    def __init__(self, authorities: Sequence[x509.Certificate], clock: Clock) -> None:
        if not authorities:
            raise ConfigurationError("there is no certificate among the client authorities")
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
        """Raises ConfigurationError for what are not certificates."""
        try:
            return cls(x509.load_pem_x509_certificates(pem), clock)
        except ValueError:
            raise ConfigurationError("the client authorities are not certificates in PEM") from None

    def require(self, certificate: ClientCertificate) -> None:
        """Raise UntrustedCertificateError. A chain that held is not checked again until a part of it
        expires."""
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
    """What makes an authority: public certification practice asks for more than private ones keep to."""

    def is_authority(_: Policy, __: x509.Certificate, constraints: x509.BasicConstraints) -> None:
        if not constraints.ca:
            raise ValueError("an issuer that is no authority")

    def may_sign(_: Policy, __: x509.Certificate, usage: x509.KeyUsage | None) -> None:
        if usage is not None and not usage.key_cert_sign:
            raise ValueError("an issuer whose key may not sign certificates")

    return (
        ExtensionPolicy.permit_all()
        .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, is_authority)
        .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, may_sign)
    )


def _for_clients() -> ExtensionPolicy:
    def is_for_clients(_: Policy, __: x509.Certificate, usage: x509.ExtendedKeyUsage | None) -> None:
        if usage is not None and _USES.isdisjoint(usage):
            raise ValueError("a certificate that is not for clients")

    return ExtensionPolicy.permit_all().may_be_present(
        x509.ExtendedKeyUsage, Criticality.AGNOSTIC, is_for_clients
    )
