"""Every member of Keycloak's ClientRepresentation, and its attributes with security meaning."""

from typing import Final

from keyturn_credentials.domain.members import Members, dropped, fixed, kept, supported

_NO_USERS: Final = "about user sign-in: keyturn has no users"
_NO_GRANT: Final = "about a grant or endpoint that keyturn does not have: the value has no effect"
_FOR_PEOPLE: Final = "names and addresses for display"

CLIENT_MEMBERS: Final[Members] = {
    **supported("the client's names", "id", "clientId"),
    **supported("false: the client cannot authenticate, and its tokens end", "enabled"),
    **supported("the authentication method and its secret", "clientAuthenticatorType", "secret"),
    **supported("tokens issued before this time are refused", "notBefore"),
    **supported(
        "neither kind authenticates, so it has no secret and no tokens", "publicClient", "bearerOnly"
    ),
    **supported("false: the client gets no tokens, and its existing ones end", "serviceAccountsEnabled"),
    **supported(
        "scopes of every token, and those granted on request; absent: the realm's",
        "defaultClientScopes",
        "optionalClientScopes",
    ),
    **supported("the base of a relative jwks.url", "rootUrl"),
    **supported("see below", "attributes"),
    **supported(
        "false: only its own roles and those in its scope; with keyturn.admin.roles it is refused",
        "fullScopeAllowed",
    ),
    **fixed("only openid-connect is served", "protocol", accepted=("openid-connect",)),
    **supported("claims and audiences of its tokens; see Protocol mappers", "protocolMappers"),
    **supported(
        "the claim allowed-origins, of at most 2 KiB; `+` stands for the origins of redirectUris",
        "webOrigins",
    ),
    **fixed(
        "keyturn has no authorization services: decide by scope and audience in the resource server",
        "authorizationServicesEnabled",
        "authorizationSettings",
        accepted=(False,),
    ),
    **fixed(
        "keyturn has no client templates: set the members on the client",
        "clientTemplate",
        "useTemplateConfig",
        "useTemplateScope",
        "useTemplateMappers",
        accepted=(False,),
    ),
    **kept(_FOR_PEOPLE, "name", "description", "type", "baseUrl", "adminUrl", "alwaysDisplayInConsole"),
    **kept(
        _NO_GRANT,
        "standardFlowEnabled",
        "implicitFlowEnabled",
        "directAccessGrantsEnabled",
        "directGrantsOnly",
        "proofKeyForCodeExchangeRequired",
        "redirectUris",
    ),
    **kept(
        _NO_USERS,
        "surrogateAuthRequired",
        "consentRequired",
        "frontchannelLogout",
        "authenticationFlowBindingOverrides",
        "defaultRoles",
    ),
    **kept("about Keycloak's adapters", "nodeReRegistrationTimeout", "registeredNodes", "origin"),
    **dropped(
        "generated per response, or for client registration, which keyturn does not have",
        "access",
        "registrationAccessToken",
    ),
}

CLIENT_ATTRIBUTES: Final[Members] = {
    **supported(
        "the keys that verify the client's assertions",
        "use.jwks.url",
        "jwks.url",
        "use.jwks.string",
        "jwks.string",
    ),
    **supported(
        "the client's certificate or key",
        "jwt.credential.certificate",
        "jwt.credential.public.key",
        "jwt.credential.kid",
    ),
    **supported(
        "its identity at an identity provider, which signs its assertions",
        "jwt.credential.issuer",
        "jwt.credential.sub",
    ),
    **supported(
        "requirements for its assertions",
        "token.endpoint.auth.signing.alg",
        "token.endpoint.auth.signing.max.exp",
    ),
    **supported("how the secret may be sent", "client.secret.authentication.allowed.method"),
    **supported("the lifespan of its tokens", "access.token.lifespan"),
    **supported(
        "false: its tokens have the type JWT; true: at+jwt; absent: as in its realm",
        "access.token.header.type.rfc9068",
    ),
    **supported(
        "the algorithm that its tokens are signed with; the realm gets a key for it",
        "access.token.signed.response.alg",
    ),
    **supported(
        "its tokens are bound to the client's certificate or key",
        "tls.client.certificate.bound.access.tokens",
        "dpop.bound.access.tokens",
    ),
    **supported(
        "the subject that its certificate must have",
        "x509.subjectdn",
        "x509.casubjectdn",
        "x509.allow.regex.pattern.comparison",
    ),
    **fixed(
        "keyturn issues no refresh tokens: ask for a new access token",
        "client_credentials.use_refresh_token",
        accepted=("false",),
    ),
    **supported(
        "true: claims of protocol mappers without lightweight.claim are in introspection only",
        "client.use.lightweight.access.token.enabled",
    ),
    **fixed(
        "introspection shows no jwt claim: request a signed response (RFC 9701) with Accept",
        "client.introspection.response.allow.jwt.claim.enabled",
        accepted=("false",),
    ),
    **kept(
        _NO_GRANT,
        "oauth2.device.authorization.grant.enabled",
        "oidc.ciba.grant.enabled",
        "standard.token.exchange.enabled",
        "jwt.authorization.grant.enabled",
        "pkce.code.challenge.method",
        "require.pushed.authorization.requests",
        "request.object.required",
        "request.object.signature.alg",
        "use.refresh.tokens",
        "id.token.signed.response.alg",
        "user.info.response.signature.alg",
        "authorization.signed.response.alg",
        "post.logout.redirect.uris",
    ),
    **kept(
        _NO_USERS,
        "client.session.idle.timeout",
        "client.session.max.lifespan",
        "client.offline.session.idle.timeout",
        "client.offline.session.max.lifespan",
        "backchannel.logout.url",
        "backchannel.logout.session.required",
        "backchannel.logout.revoke.offline.tokens",
        "frontchannel.logout.session.required",
        "acr.loa.map",
        "default.acr.values",
        "minimum.acr.value",
        "display.on.consent.screen",
        "consent.screen.text",
    ),
}
"""Attribute names are free. An unlisted one has no known security meaning, and is stored."""
