"""Issuers that a realm trusts, from Keycloak's representations of identity providers."""

from typing import Any

import pytest

from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.representation import change_realm, describe_realm, realm_from
from keyturn_credentials.domain.trusted_issuer_changes import (
    MAX_REVOKED,
    with_changed_issuer,
    with_cleared_keys,
    with_new_issuer,
    with_revoked_key,
    with_revoked_subject,
    without_issuer,
)
from keyturn_credentials.domain.trusted_issuers import MAX_ISSUERS, issuers_of_realm, require_issuer
from keyturn_credentials.errors import (
    ConflictError,
    InvalidRequestError,
    LimitReachedError,
    NotFoundError,
)
from keyturn_shared.jose.signing import SigningKey

REALM = Realm("r1", "acme")
OIDC = {
    "alias": "github",
    "providerId": "oidc",
    "config": {"issuer": "https://token.actions.githubusercontent.com", "supportsClientAssertions": "true"},
}
CLUSTER: dict[str, Any] = {"alias": "cluster", "providerId": "kubernetes", "config": {}}
SPIRE = {
    "alias": "spire",
    "providerId": "spiffe",
    "config": {"trustDomain": "spiffe://prod.example", "bundleEndpoint": "https://spire.example/bundle"},
}
THUMBPRINT = SigningKey.generate("ES256").verification_key.thumbprint


def of(representation: dict[str, Any], **config: object) -> dict[str, Any]:
    return {**representation, "config": {**representation["config"], **config}}


def with_all(*representations: dict[str, Any]) -> Realm:
    realm = REALM
    for each in representations:
        realm, _ = with_new_issuer(realm, each)
    return realm


def test_each_kind_is_projected_with_its_keys_and_keycloaks_defaults() -> None:
    realm = with_all(OIDC, CLUSTER, SPIRE)
    oidc, cluster, spire = (issuer.projected() for issuer in issuers_of_realm(realm))
    assert (oidc.keys_url, oidc.document) == (
        "https://token.actions.githubusercontent.com/.well-known/openid-configuration",
        "openid-configuration",
    )
    assert (oidc.max_lifetime, oidc.is_reusable, oidc.audiences) == (300, False, ())
    assert (cluster.issuer, cluster.max_lifetime, cluster.is_reusable) == (
        "https://kubernetes.default.svc.cluster.local",
        3600,
        True,
    )
    assert (spire.issuer, spire.document, spire.is_spiffe, spire.is_reusable) == (
        "spiffe://prod.example",
        "spiffe-bundle",
        True,
        True,
    )


def test_every_setting_is_projected() -> None:
    settings = {
        "jwksUrl": "https://keys.example/jwks",
        "supportsClientAssertionReuse": "true",
        "federatedClientAssertionMaxExpiration": "600",
        "allowedClockSkew": "0",
        "clientId": "the-client",
        "allowClientIdAsAudience": True,
        "keyturn.audiences": "a,b",
        "keyturn.algorithms": "RS256, ES256",
        "keyturn.claims": '{"repository_owner_id": "65"}',
    }
    issuer = require_issuer(with_all({**of(OIDC, **settings), "enabled": False}), "github").projected()
    assert (issuer.keys_url, issuer.document, issuer.enabled) == ("https://keys.example/jwks", "jwks", False)
    assert (issuer.is_reusable, issuer.max_lifetime, issuer.clock_skew) == (True, 600, 0)
    assert issuer.audiences == ("a", "b", "the-client")
    assert issuer.algorithms == ("RS256", "ES256")
    assert issuer.conditions == {"repository_owner_id": "65"}


@pytest.mark.parametrize(
    ("representation", "reason"),
    [
        ({**OIDC, "alias": ""}, "alias"),
        ({**OIDC, "alias": "a/b"}, "alias"),
        ({**OIDC, "providerId": "saml"}, "providerId"),
        ({**OIDC, "providerId": "keycloak-oidc"}, "providerId"),
        ({**OIDC, "providerId": None}, "providerId"),
        ({**OIDC, "enabled": "true"}, "enabled"),
        ({**OIDC, "config": None}, "config"),
        ({**OIDC, "config": []}, "config"),
        ({**OIDC, "unheard": 1}, "unrecognized"),
        ({**OIDC, "trustEmail": True}, "trustEmail"),
        ({**OIDC, "storeToken": True}, "storeToken"),
        ({**OIDC, "internalId": "no id!"}, "internalId"),
        ({**OIDC, "keyturnRevokedKeys": {"a": "b"}}, "keyturnRevokedKeys"),
        ({**OIDC, "keyturnRevokedKeys": {"a kid": 1}}, "keyturnRevokedKeys"),
        ({**OIDC, "keyturnRevokedKeys": {THUMBPRINT: -1}}, "keyturnRevokedKeys"),
        ({**OIDC, "keyturnRevokedKeys": {THUMBPRINT: 1e300}}, "keyturnRevokedKeys"),
        ({**OIDC, "keyturnRevokedSubjects": {"": 1}}, "keyturnRevokedSubjects"),
        ({**OIDC, "keyturnRevokedSubjects": {"x" * 2049: 1}}, "keyturnRevokedSubjects"),
        (of(OIDC, supportsClientAssertions="false"), "supportsClientAssertions"),
        (of(OIDC, supportsClientAssertions=None), "supportsClientAssertions"),
        (of(OIDC, issuer=""), "issuer"),
        (of(OIDC, issuer="https://a b"), "issuer"),
        (of(OIDC, issuer="spiffe://prod.example"), "spiffe"),
        (of(OIDC, issuer="not a URL"), "issuer"),
        (of(OIDC, issuer="no-url"), "keys"),
        (of(OIDC, issuer="x" * 513), "issuer"),
        (of(OIDC, jwksUrl="ftp://keys.example"), "keys"),
        (of(OIDC, jwksUrl="https://u:p@keys.example"), "keys"),
        (of(OIDC, validateSignature="false"), "validateSignature"),
        (of(OIDC, useJwksUrl="false"), "useJwksUrl"),
        (of(OIDC, publicKeySignatureVerifier="MIIB"), "publicKeySignatureVerifier"),
        (of(OIDC, jwtAuthorizationGrantEnabled="true"), "jwtAuthorizationGrantEnabled"),
        (of(OIDC, unheard="x"), "unrecognized"),
        (of(OIDC, issuer=7), "issuer"),
        (of(OIDC, federatedClientAssertionMaxExpiration="86401"), "1 to 86400"),
        (of(OIDC, allowedClockSkew="61"), "0 to 60"),
        (of(OIDC, supportsClientAssertionReuse="maybe"), "true or false"),
        (of(OIDC, allowClientIdAsAudience="true"), "clientId"),
        (of(OIDC, **{"keyturn.algorithms": "HS256"}), "HS256"),
        (of(OIDC, **{"keyturn.algorithms": "none"}), "none"),
        (of(OIDC, **{"keyturn.algorithms": " , "}), "keyturn.algorithms"),
        (of(OIDC, **{"keyturn.claims": "[]"}), "keyturn.claims"),
        (of(OIDC, issuer="https://a\0"), "NUL"),
        (of(SPIRE, trustDomain="prod.example"), "trustDomain"),
        (of(SPIRE, trustDomain="spiffe://prod.example/path"), "trustDomain"),
        (of(SPIRE, trustDomain="spiffe://Prod.example"), "trustDomain"),
        (of(SPIRE, issuer="spiffe://other.example"), "trustDomain"),
        (of(SPIRE, bundleEndpoint=""), "bundleEndpoint"),
        (of(OIDC, clientId="-----BEGIN PRIVATE KEY-----\nMIIE"), "private key"),
    ],
)
def test_anything_else_is_refused(representation: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidRequestError, match=reason):
        with_new_issuer(REALM, representation)


def test_what_is_about_sign_in_is_kept_and_a_secret_is_not() -> None:
    given = {**of(OIDC, clientSecret="a secret", tokenUrl="https://a.example/token"), "displayName": "GitHub"}
    realm, issuer = with_new_issuer(REALM, given)
    assert "clientSecret" not in issuer.config
    assert issuer.config["tokenUrl"] == "https://a.example/token"
    [shown] = describe_realm(realm, with_catalogue=True)["identityProviders"]
    assert shown["displayName"] == "GitHub"
    assert "identityProviders" not in describe_realm(realm)


def test_aliases_and_issuers_are_unique() -> None:
    realm = with_all(OIDC, SPIRE)
    with pytest.raises(ConflictError):
        with_new_issuer(realm, OIDC)
    with pytest.raises(InvalidRequestError, match="ambiguous"):
        with_new_issuer(realm, {**OIDC, "alias": "other"})
    with pytest.raises(InvalidRequestError, match="master"):
        with_new_issuer(Realm("m", "master"), OIDC)


def test_a_change_keeps_what_it_does_not_name_and_all_revocations() -> None:
    realm = with_revoked_key(with_all(OIDC), "github", THUMBPRINT, 5.0)
    realm = with_revoked_subject(realm, "github", "repo:octo-org/old:pull_request", 6.0)
    realm = with_cleared_keys(realm, "github", 77)
    changed = with_changed_issuer(realm, "github", {"enabled": False, "keyturnRevokedKeys": {}})
    issuer = require_issuer(changed, "github")
    assert not issuer.enabled
    assert issuer.config == OIDC["config"]
    assert issuer.revoked_keys == {THUMBPRINT: 5.0}
    assert issuer.revoked_subjects == {"repo:octo-org/old:pull_request": 6.0}
    assert issuer.keys_not_before == 77
    for change in ({"alias": "other"}, {"providerId": "kubernetes"}, {"enabled": 1}):
        with pytest.raises(InvalidRequestError):
            with_changed_issuer(realm, "github", change)
    for act in (without_issuer, lambda found, alias: with_changed_issuer(found, alias, {})):
        with pytest.raises(NotFoundError):
            act(realm, "nobody")
    assert issuers_of_realm(without_issuer(realm, "github")) == ()


@pytest.mark.parametrize("subject", [None, 1, "", "x" * 2049, ["a"]])
def test_a_subject_to_be_revoked_is_a_text(subject: object) -> None:
    with pytest.raises(InvalidRequestError, match="subject"):
        with_revoked_subject(with_all(OIDC), "github", subject, 0.0)


def test_a_key_to_be_revoked_is_a_thumbprint() -> None:
    with pytest.raises(InvalidRequestError, match="thumbprint"):
        with_revoked_key(with_all(OIDC), "github", "a kid", 0.0)


def test_a_realm_trusts_so_many_issuers_and_no_more() -> None:
    realm = with_all(
        *(of({**OIDC, "alias": f"a{n}"}, issuer=f"https://i{n}.example") for n in range(MAX_ISSUERS))
    )
    with pytest.raises(InvalidRequestError, match=f"at most {MAX_ISSUERS}"):
        with_new_issuer(realm, CLUSTER)


def test_revocations_of_an_issuer_are_bounded() -> None:
    revoked = {f"s{n}": 1.0 for n in range(MAX_REVOKED)}
    realm = with_all({**OIDC, "keyturnRevokedSubjects": revoked})
    with pytest.raises(LimitReachedError):
        with_revoked_subject(realm, "github", "one more", 2.0)
    again = with_revoked_subject(realm, "github", "s1", 2.0)
    assert require_issuer(again, "github").revoked_subjects == revoked


def test_a_realm_is_created_and_changed_with_its_issuers_and_loses_none() -> None:
    """Providers for users' sign-in are left out, as before."""
    sign_in = {"alias": "google", "providerId": "google", "config": {"clientSecret": "x"}}
    realm = realm_from({"realm": "acme", "identityProviders": [OIDC, sign_in]}, realm_id="r")
    assert [issuer.alias for issuer in issuers_of_realm(realm)] == ["github"]
    realm = with_revoked_key(realm, "github", THUMBPRINT, 5.0)
    more = change_realm(realm, {"identityProviders": [CLUSTER, {**OIDC, "enabled": False}]})
    assert [(issuer.alias, issuer.enabled) for issuer in issuers_of_realm(more)] == [
        ("github", False),
        ("cluster", True),
    ]
    assert require_issuer(more, "github").revoked_keys == {THUMBPRINT: 5.0}
    assert change_realm(more, {"identityProviders": []}) == more
    with pytest.raises(InvalidRequestError):
        change_realm(realm, {"identityProviders": "github"})


def test_an_export_is_read_back_as_it_is() -> None:
    realm = with_revoked_subject(with_all(OIDC, SPIRE), "spire", "spiffe://prod.example/x", 3.0)
    exported = describe_realm(realm, with_catalogue=True)["identityProviders"]
    again = realm_from({"realm": "other", "identityProviders": exported}, realm_id="r")
    assert issuers_of_realm(again) == issuers_of_realm(realm)
