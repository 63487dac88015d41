"""Every member of Keycloak's IdentityProviderRepresentation, as far as it concerns clients' assertions."""

from typing import Final

from keyturn_credentials.domain.members import Members, dropped, fixed, kept, supported

_NO_USERS: Final = "about users and sign-in: keyturn has no users"

REVOKED_KEYS: Final = "keyturnRevokedKeys"
REVOKED_SUBJECTS: Final = "keyturnRevokedSubjects"

PROVIDER_MEMBERS: Final[Members] = {
    **supported("names, kind and configuration of the issuer", "alias", "internalId", "providerId", "config"),
    **supported("false: assertions of the issuer are refused", "enabled"),
    **supported("revocations, which are permanent", REVOKED_KEYS, REVOKED_SUBJECTS),
    **fixed(
        "keyturn has no users to sign in: it trusts an identity provider for clients' assertions alone",
        *("trustEmail", "storeToken", "addReadTokenRoleOnCreate", "authenticateByDefault", "linkOnly"),
        *("updateProfileFirstLogin",),
        accepted=(False,),
    ),
    **kept(
        _NO_USERS,
        *("displayName", "hideOnLogin", "updateProfileFirstLoginMode", "firstBrokerLoginFlowAlias"),
        *("postBrokerLoginFlowAlias", "organizationId", "types"),
    ),
}

ISSUER: Final = "issuer"
TRUST_DOMAIN: Final = "trustDomain"
JWKS_URL: Final = "jwksUrl"
BUNDLE_ENDPOINT: Final = "bundleEndpoint"
DISCOVERY_URL: Final = "issuerDiscoveryUrl"
ASSERTIONS: Final = "supportsClientAssertions"
REUSE: Final = "supportsClientAssertionReuse"
MAX_EXPIRATION: Final = "federatedClientAssertionMaxExpiration"
CLOCK_SKEW: Final = "allowedClockSkew"
CLIENT_ID: Final = "clientId"
CLIENT_ID_AS_AUDIENCE: Final = "allowClientIdAsAudience"
AUDIENCES: Final = "keyturn.audiences"
ALGORITHMS: Final = "keyturn.algorithms"
CLAIMS: Final = "keyturn.claims"

CONFIG_MEMBERS: Final[Members] = {
    **supported("the issuer, and where its keys are", ISSUER, TRUST_DOMAIN, JWKS_URL, BUNDLE_ENDPOINT),
    **supported("the base of its metadata, if that is not the issuer", DISCOVERY_URL),
    **supported("true: an assertion may be used more than once", REUSE),
    **supported(
        "seconds: how long after its iat an assertion may be used; clock skew", MAX_EXPIRATION, CLOCK_SKEW
    ),
    **supported("true: the client id is an accepted audience", CLIENT_ID, CLIENT_ID_AS_AUDIENCE),
    **supported(
        "keyturn's own: accepted audiences and algorithms, conditions", AUDIENCES, ALGORITHMS, CLAIMS
    ),
    **fixed(
        "keyturn trusts an identity provider for clients' assertions alone, and checks their signatures",
        *(ASSERTIONS, "validateSignature"),
        accepted=("true", True),
    ),
    **fixed(
        "keys are fetched: set jwksUrl, or leave it out if the issuer publishes metadata",
        "useJwksUrl",
        accepted=("true", True),
    ),
    **fixed("keys are fetched: set jwksUrl", "publicKeySignatureVerifier", "publicKeySignatureVerifierKeyId"),
    **fixed(
        "keyturn does not have the JWT authorization grant",
        "jwtAuthorizationGrantEnabled",
        accepted=("false", False),
    ),
    **kept(
        _NO_USERS,
        *("authorizationUrl", "tokenUrl", "logoutUrl", "userInfoUrl", "metadataDescriptorUrl"),
        *("clientAuthMethod", "clientAssertionSigningAlg", "clientAssertionAudience", "syncMode"),
        *("defaultScope", "prompt", "loginHint", "uiLocales", "passMaxAge", "pkceEnabled", "pkceMethod"),
        *("hideOnLoginPage", "showInAccountConsole", "guiOrder", "backchannelSupported"),
        *("disableUserInfo", "disableNonce", "disableTypeClaimCheck", "forwardParameters"),
        *("acceptsPromptNoneForwardFromClient", "filteredByClaim", "claimFilterName", "claimFilterValue"),
        *("isAccessTokenJWT", "sendIdTokenOnLogout", "sendClientIdOnLogout", "doNotStoreUsers"),
        *("requiresShortStateParameter", "caseSensitiveOriginalUsername", "jwtX509HeadersEnabled"),
        *("validateRefreshToken", "claimsParameterSupported"),
        *("jwtAuthorizationGrantAssertionReuseAllowed", "jwtAuthorizationGrantMaxAllowedAssertionExpiration"),
        *("jwtAuthorizationGrantAssertionSignatureAlg", "jwtAuthorizationGrantAllowedClockSkew"),
        *("jwtAuthorizationGrantLimitAccessTokenExp",),
    ),
    **dropped("keyturn does not authenticate at the issuer", "clientSecret"),
}
