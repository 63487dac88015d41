"""Every member of Keycloak's RealmRepresentation."""

from typing import Final

from keyturn_credentials.domain.members import Members, dropped, fixed, kept, supported
from keyturn_credentials.domain.private_key_guard import REALM_MEMBERS as SECRET_MEMBERS

_NO_USERS: Final = "about users, sign-in and sessions: keyturn has no users"
_FOR_PEOPLE: Final = "names and themes for display"
_WEB_AUTHN: Final = (
    *("RpEntityName", "SignatureAlgorithms", "RpId", "AttestationConveyancePreference"),
    *("AuthenticatorAttachment", "RequireResidentKey", "UserVerificationRequirement", "CreateTimeout"),
    *("AvoidSameAuthenticatorRegister", "AcceptableAaguids", "ExtraOrigins", "PasskeysEnabled"),
    "ResidentKey",
)

REALM_MEMBERS: Final[Members] = {
    **supported("the realm's names", "id", "realm"),
    **supported("false: its endpoints serve no one, and tokens issued so far end", "enabled"),
    **supported("tokens issued before this time are refused", "notBefore"),
    **supported(
        "the realm's signature algorithm; the same as keyturn.signing.algorithm", "defaultSignatureAlgorithm"
    ),
    **supported("the lifespan of access tokens", "accessTokenLifespan"),
    **supported("imported when a realm is created", "clients"),
    **supported("keyturn's own are supported; others are kept", "attributes"),
    **fixed(
        "the gateway terminates TLS: configure it to redirect or refuse plain HTTP",
        "sslRequired",
        accepted=("external", "EXTERNAL", "none", "NONE"),
    ),
    **fixed(
        "keyturn has no client policies: set rotation with keyturn.secret.* attributes",
        "clientPolicies",
        "clientProfiles",
        accepted=(
            {"policies": []},
            {"profiles": []},
            {"policies": [], "globalPolicies": []},
            {"profiles": [], "globalProfiles": []},
        ),
    ),
    **fixed(
        "clients authenticate according to their clientAuthenticatorType",
        "clientAuthenticationFlow",
        accepted=("clients",),
    ),
    **fixed(
        "keyturn has no fine-grained admin permissions: use keyturn.admin.roles",
        "adminPermissionsEnabled",
        accepted=(False,),
    ),
    **kept(
        _NO_USERS,
        *("revokeRefreshToken", "refreshTokenMaxReuse", "accessTokenLifespanForImplicitFlow"),
        *("ssoSessionIdleTimeout", "ssoSessionMaxLifespan", "ssoSessionIdleTimeoutRememberMe"),
        *("ssoSessionMaxLifespanRememberMe", "offlineSessionIdleTimeout", "offlineSessionMaxLifespanEnabled"),
        *("offlineSessionMaxLifespan", "clientSessionIdleTimeout", "clientSessionMaxLifespan"),
        *("clientOfflineSessionIdleTimeout", "clientOfflineSessionMaxLifespan", "accessCodeLifespan"),
        *("accessCodeLifespanUserAction", "accessCodeLifespanLogin", "actionTokenGeneratedByAdminLifespan"),
        *("actionTokenGeneratedByUserLifespan", "oauth2DeviceCodeLifespan", "oauth2DevicePollingInterval"),
        *("passwordCredentialGrantAllowed", "registrationAllowed", "registrationEmailAsUsername"),
        *("rememberMe", "verifyEmail", "loginWithEmailAllowed", "duplicateEmailsAllowed"),
        *("resetPasswordAllowed", "editUsernameAllowed", "userCacheEnabled", "bruteForceProtected"),
        *("permanentLockout", "maxTemporaryLockouts", "bruteForceStrategy", "maxFailureWaitSeconds"),
        *("minimumQuickLoginWaitSeconds", "waitIncrementSeconds", "quickLoginCheckMilliSeconds"),
        *("maxDeltaTimeSeconds", "failureFactor", "groups", "defaultRoles", "defaultRole", "defaultGroups"),
        *("requiredCredentials", "passwordPolicy", "otpPolicyType", "otpPolicyAlgorithm"),
        *("otpPolicyInitialCounter", "otpPolicyDigits", "otpPolicyLookAheadWindow", "otpPolicyPeriod"),
        *("otpPolicyCodeReusable", "otpSupportedApplications", "browserSecurityHeaders"),
        *(f"webAuthnPolicy{name}" for name in _WEB_AUTHN),
        *(f"webAuthnPolicyPasswordless{name}" for name in _WEB_AUTHN),
        *("userFederationMappers", "identityProviderMappers", "authenticationFlows", "authenticatorConfig"),
        *("requiredActions", "browserFlow", "registrationFlow", "directGrantFlow", "resetCredentialsFlow"),
        *("dockerAuthenticationFlow", "firstBrokerLoginFlow", "userManagedAccessAllowed"),
        *("organizationsEnabled", "organizations", "social", "updateProfileOnInitialSocialLogin"),
        *("socialProviders", "oid4VciEnabled", "verifiableCredentialsEnabled", "scimApiEnabled"),
        *("adminPermissionsClient", "maxSecondaryAuthFailures"),
    ),
    **supported(
        "the scopes that clients are granted; see client-scopes",
        *("clientScopes", "defaultDefaultClientScopes", "defaultOptionalClientScopes"),
    ),
    **supported(
        "roles of the realm and of its clients, which service accounts have in their tokens", "roles"
    ),
    **supported(
        "the roles in the scope of clients without fullScopeAllowed", "scopeMappings", "clientScopeMappings"
    ),
    **supported(
        "those that support client assertions; others, for users' sign-in, are left out", "identityProviders"
    ),
    **kept("of former Keycloaks", *("protocolMappers", "applicationScopeMappings", "clientTemplates")),
    **kept(
        _FOR_PEOPLE,
        *("displayName", "displayNameHtml", "localizationTexts", "loginTheme", "accountTheme", "adminTheme"),
        *("emailTheme", "internationalizationEnabled", "supportedLocales", "defaultLocale"),
    ),
    **kept(
        "keyturn logs every change regardless of the value",
        *("eventsEnabled", "eventsExpiration", "eventsListeners", "enabledEventTypes", "adminEventsEnabled"),
        *("adminEventsDetailsEnabled",),
    ),
    **kept(
        "about Keycloak's own internals",
        *("keycloakVersion", "realmCacheEnabled", "publicKey", "certificate", "applications", "oauthClients"),
    ),
    **dropped("secrets of entities other than clients", *sorted(SECRET_MEMBERS - {"users"})),
    **dropped("people; an import reads the ids and roles of service accounts", "users"),
}

REALM_ATTRIBUTES: Final[Members] = {}
"""Keycloak's attributes of a realm concern users and pages; keyturn's own are on their own page."""
