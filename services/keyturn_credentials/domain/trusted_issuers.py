"""Issuers that a realm trusts to state who its clients are: Keycloak's identity providers that support client
assertions.

They are part of the realm's document, and of its projection. Pure.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from keyturn_credentials.domain import identity_provider_members as members
from keyturn_credentials.domain.claim_conditions import read_audiences, read_conditions
from keyturn_credentials.domain.members import Meaning
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.errors import InvalidRequestError, NotFoundError
from keyturn_shared.jose.algorithms import ASYMMETRIC_NAMES
from keyturn_shared.key_set_address import Document
from keyturn_shared.network.refusal import FetchRefused
from keyturn_shared.network.target import read_target
from keyturn_shared.oauth.trusted_issuers import SPIFFE_SCHEME
from keyturn_shared.projection import ProjectedIssuer

IDENTITY_PROVIDERS: Final = "identityProviders"
MAX_ISSUERS: Final = 100
"""Identity providers of one realm. Its projection contains all of them."""
MAX_ASSERTION_LIFETIME: Final = 86_400
MAX_CLOCK_SKEW: Final = 60
MAX_ISSUER_CHARACTERS: Final = 512

ProviderId = Literal["oidc", "kubernetes", "spiffe"]
PROVIDER_NAMES: Final[Mapping[ProviderId, str]] = {
    "oidc": "OpenID Connect v1.0",
    "kubernetes": "Kubernetes",
    "spiffe": "SPIFFE",
}
PROVIDERS: Final[tuple[ProviderId, ...]] = tuple(PROVIDER_NAMES)
_DEFAULT_LIFETIME: Final[Mapping[ProviderId, int]] = {"oidc": 300, "kubernetes": 3600, "spiffe": 300}
"""Keycloak's defaults."""
_KUBERNETES: Final = "https://kubernetes.default.svc.cluster.local"
"""Keycloak's default issuer of a Kubernetes identity provider."""
_WELL_KNOWN: Final = "/.well-known/openid-configuration"
_TRUST_DOMAIN: Final = re.compile(r"spiffe://[a-z0-9._-]{1,255}\Z")
_PRINTABLE: Final = re.compile(r"[!-~]+\Z")


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """``config``: as in Keycloak's representation, which ``kept`` completes. ``revoked_keys``: RFC 7638
    thumbprint to NumericDate seconds of revocation; ``revoked_subjects`` likewise. Both only grow.
    ``keys_not_before``: sequence of the last clearing of its key cache."""

    id: str
    alias: str
    provider: ProviderId
    enabled: bool = True
    config: Mapping[str, str] = field(default_factory=dict)
    kept: Mapping[str, Any] = field(default_factory=dict)
    revoked_keys: Mapping[str, float] = field(default_factory=dict)
    revoked_subjects: Mapping[str, float] = field(default_factory=dict)
    keys_not_before: int = 0

    @property
    def is_spiffe(self) -> bool:
        return self.provider == "spiffe"

    @property
    def issuer(self) -> str:
        """The exact ``iss``, or the trust domain with its scheme."""
        named = self.config.get(members.ISSUER, "").strip()
        if self.is_spiffe:
            return self.config.get(members.TRUST_DOMAIN, "").strip() or named
        return named or (_KUBERNETES if self.provider == "kubernetes" else "")

    @property
    def is_reusable(self) -> bool:
        """True if an assertion may be used more than once. The tokens of Kubernetes and SPIFFE are files,
        which several requests use; Keycloak always accepts these again."""
        value = self.config.get(members.REUSE, "").strip().lower()
        return value == "true" if value else self.provider != "oidc"

    @property
    def audiences(self) -> tuple[str, ...]:
        """The accepted audiences; none: the realm's own."""
        named = read_audiences(self.config, members.AUDIENCES)
        client_id = self.config.get(members.CLIENT_ID, "").strip()
        if _is_true(self.config, members.CLIENT_ID_AS_AUDIENCE) and client_id and client_id not in named:
            return (*named, client_id)
        return named

    @property
    def algorithms(self) -> tuple[str, ...]:
        """The accepted algorithms; none: any asymmetric one."""
        text = self.config.get(members.ALGORITHMS, "")
        return tuple(part.strip() for part in text.split(",") if part.strip())

    def projected(self) -> ProjectedIssuer:
        """Return the issuer as verifiers know it. Raises InvalidRequestError."""
        base = self.config.get(members.DISCOVERY_URL, "").strip() or self.issuer
        document: Document
        keys_url, document = f"{base.rstrip('/')}{_WELL_KNOWN}", "openid-configuration"
        if self.is_spiffe:
            keys_url, document = self.config.get(members.BUNDLE_ENDPOINT, "").strip(), "spiffe-bundle"
        elif self.config.get(members.JWKS_URL, "").strip():
            keys_url, document = self.config[members.JWKS_URL].strip(), "jwks"
        return ProjectedIssuer(
            id=self.id,
            alias=self.alias,
            issuer=self.issuer,
            keys_url=keys_url,
            document=document,
            enabled=self.enabled,
            is_spiffe=self.is_spiffe,
            audiences=self.audiences,
            algorithms=self.algorithms,
            max_lifetime=_number(self.config, members.MAX_EXPIRATION, 1, MAX_ASSERTION_LIFETIME)
            or _DEFAULT_LIFETIME[self.provider],
            clock_skew=_number(self.config, members.CLOCK_SKEW, 0, MAX_CLOCK_SKEW),
            is_reusable=self.is_reusable,
            conditions=read_conditions(self.config, members.CLAIMS),
            revoked_subjects=frozenset(self.revoked_subjects),
            revoked_thumbprints=frozenset(self.revoked_keys),
            keys_not_before=self.keys_not_before,
        )


def check_issuer(issuer: TrustedIssuer) -> TrustedIssuer:
    """Return the issuer. Raises InvalidRequestError if it is invalid."""
    named = issuer.issuer
    if issuer.is_spiffe:
        declared = issuer.config.get(members.ISSUER, "").strip()
        if not _TRUST_DOMAIN.match(named) or declared not in ("", named):
            raise InvalidRequestError(
                f"{members.TRUST_DOMAIN} must be {SPIFFE_SCHEME} and a trust domain, and nothing else"
            )
        if not issuer.config.get(members.BUNDLE_ENDPOINT, "").strip():
            raise InvalidRequestError(f"{members.BUNDLE_ENDPOINT} is required")
    elif not 0 < len(named) <= MAX_ISSUER_CHARACTERS or not _PRINTABLE.match(named):
        raise InvalidRequestError(
            f"{members.ISSUER} must be 1 to {MAX_ISSUER_CHARACTERS} printable characters long, without spaces"
        )
    elif named.startswith(SPIFFE_SCHEME):
        raise InvalidRequestError(f"{members.ISSUER}: a trust domain needs the provider spiffe")
    if issuer.config.get(members.ALGORITHMS) and not issuer.algorithms:
        raise InvalidRequestError(f"{members.ALGORITHMS} names no algorithm: leave it out to accept any")
    for alg in issuer.algorithms:
        if alg not in ASYMMETRIC_NAMES:
            raise InvalidRequestError(
                f"{members.ALGORITHMS}: {alg[:40]!r} is not one of {', '.join(sorted(ASYMMETRIC_NAMES))}"
            )
    for name in (members.REUSE, members.CLIENT_ID_AS_AUDIENCE):
        if issuer.config.get(name, "").strip().lower() not in ("", "true", "false"):
            raise InvalidRequestError(f"{name} must be true or false")
    if _is_true(issuer.config, members.CLIENT_ID_AS_AUDIENCE) and not issuer.config.get(members.CLIENT_ID):
        raise InvalidRequestError(f"{members.CLIENT_ID_AS_AUDIENCE} requires {members.CLIENT_ID}")
    try:
        read_target(issuer.projected().keys_url)
    except FetchRefused as error:
        raise InvalidRequestError(f"the URL of the issuer's keys: {error.detail}") from None
    return issuer


def issuers_of_realm(realm: Realm) -> tuple[TrustedIssuer, ...]:
    """Return the issuers that the realm trusts, as stored."""
    stored = realm.document.get(IDENTITY_PROVIDERS)
    entries = stored if isinstance(stored, list) else ()
    return tuple(issuer_from_stored(entry) for entry in entries)


def require_issuer(realm: Realm, alias: str) -> TrustedIssuer:
    """Return the issuer with this alias. Raises NotFoundError."""
    for issuer in issuers_of_realm(realm):
        if issuer.alias == alias:
            return issuer
    raise NotFoundError("Identity Provider not found")


def with_issuers(realm: Realm, issuers: tuple[TrustedIssuer, ...]) -> Realm:
    """Return the realm with these issuers. Raises InvalidRequestError for too many, or two with one name."""
    if len(issuers) > MAX_ISSUERS:
        raise InvalidRequestError(
            f"{IDENTITY_PROVIDERS} has {len(issuers)} entries; at most {MAX_ISSUERS} are allowed"
        )
    named: dict[tuple[bool, str], str] = {}
    for issuer in issuers:
        other = named.setdefault((issuer.is_spiffe, issuer.issuer), issuer.alias)
        if other != issuer.alias:
            raise InvalidRequestError(
                f"identity provider {other} has the issuer of {issuer.alias} already: an assertion of it"
                " would be ambiguous"
            )
    return replace(
        realm, document={**realm.document, IDENTITY_PROVIDERS: [stored_form(issuer) for issuer in issuers]}
    )


def stored_form(issuer: TrustedIssuer) -> dict[str, Any]:
    """Return the issuer as a realm's document has it."""
    return {**describe_issuer(issuer), "keysNotBefore": issuer.keys_not_before}


def issuer_from_stored(entry: Mapping[str, Any]) -> TrustedIssuer:
    """Read what ``stored_form`` wrote."""
    return TrustedIssuer(
        id=entry["internalId"],
        alias=entry["alias"],
        provider=entry["providerId"],
        enabled=entry["enabled"],
        config=entry["config"],
        kept={name: value for name, value in entry.items() if name in _KEPT},
        revoked_keys=entry.get(members.REVOKED_KEYS, {}),
        revoked_subjects=entry.get(members.REVOKED_SUBJECTS, {}),
        keys_not_before=entry.get("keysNotBefore", 0),
    )


def describe_issuer(issuer: TrustedIssuer) -> dict[str, Any]:
    """Represent an issuer like Keycloak, with its revocations."""
    shown: dict[str, Any] = {
        **issuer.kept,
        "alias": issuer.alias,
        "internalId": issuer.id,
        "providerId": issuer.provider,
        "enabled": issuer.enabled,
        "config": dict(issuer.config),
    }
    if issuer.revoked_keys:
        shown[members.REVOKED_KEYS] = dict(issuer.revoked_keys)
    if issuer.revoked_subjects:
        shown[members.REVOKED_SUBJECTS] = dict(issuer.revoked_subjects)
    return shown


_KEPT: Final = frozenset(
    name for name, member in members.PROVIDER_MEMBERS.items() if member.meaning is not Meaning.SUPPORTED
)


def _is_true(config: Mapping[str, str], name: str) -> bool:
    return config.get(name, "").strip().lower() == "true"


def _number(config: Mapping[str, str], name: str, least: int, most: int) -> int | None:
    text = config.get(name, "").strip()
    if not text or (text == "0" and least > 0):  # Keycloak's 0 stands for its default
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 9 or not least <= int(text) <= most:
        raise InvalidRequestError(f"{name} must be {least} to {most} seconds")
    return int(text)
