"""Issuers that a realm trusts to state who its clients are, ready for use."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from keyturn_shared.jose.algorithms import ASYMMETRIC_NAMES
from keyturn_shared.key_set_address import KeySetAddress
from keyturn_shared.projection import ClientProjection, ProjectedIssuer

SPIFFE_SCHEME: Final = "spiffe://"


@dataclass(frozen=True, slots=True, eq=False)
class TrustedIssuer:
    """``audiences``, ``algorithms``: those that its assertions may have. The first properties are those by
    which keys are found, as of a client."""

    projection: ProjectedIssuer
    audiences: frozenset[str]
    algorithms: frozenset[str]

    @property
    def uuid(self) -> str:
        return self.projection.id

    @property
    def jwks_url(self) -> str:
        return self.projection.keys_url

    @property
    def revoked_thumbprints(self) -> frozenset[str]:
        return self.projection.revoked_thumbprints

    @property
    def keys_not_before(self) -> int:
        return self.projection.keys_not_before

    @property
    def alias(self) -> str:
        return self.projection.alias

    def address(self, networks: Iterable[str]) -> KeySetAddress:
        """Return the address of its keys for a realm with these networks."""
        return address_of(self.projection, networks)


KeyOwner = ClientProjection | TrustedIssuer
"""Anyone whose keys verify assertions."""


class TrustedIssuers:
    """The issuers of one realm. ``audiences``: the realm's own."""

    __slots__ = ("_by_issuer", "_by_trust_domain")

    def __init__(self, issuers: Iterable[ProjectedIssuer], audiences: frozenset[str]) -> None:
        self._by_issuer: dict[str, TrustedIssuer] = {}
        self._by_trust_domain: dict[str, TrustedIssuer] = {}
        for each in issuers:
            known = self._by_trust_domain if each.is_spiffe else self._by_issuer
            known[each.issuer] = TrustedIssuer(
                each,
                frozenset(each.audiences) or audiences,
                frozenset(each.algorithms) or ASYMMETRIC_NAMES,
            )

    def find(self, claims: Mapping[str, Any], *, is_spiffe: bool) -> TrustedIssuer | None:
        """Return the issuer that unverified claims name: by ``iss``, or by the trust domain of a SPIFFE
        ID."""
        if not is_spiffe:
            return self._by_issuer.get(claims.get("iss", ""))
        return self._by_trust_domain.get(trust_domain_of(claims.get("sub", "")))


def address_of(issuer: ProjectedIssuer, networks: Iterable[str]) -> KeySetAddress:
    """Return the address of an issuer's keys."""
    named = issuer.issuer if issuer.document == "openid-configuration" else ""
    return KeySetAddress.of(issuer.keys_url, networks, document=issuer.document, issuer=named)


def trust_domain_of(subject: str) -> str:
    """Return the trust domain of a SPIFFE ID with its scheme; empty if it is none with a path."""
    if not subject.startswith(SPIFFE_SCHEME):
        return ""
    domain, slash, path = subject[len(SPIFFE_SCHEME) :].partition("/")
    return f"{SPIFFE_SCHEME}{domain}" if slash and path else ""
