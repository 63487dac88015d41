"""Clients: create, read, change, delete."""

from collections.abc import Iterator
from typing import Any

from tests.keycloak.keys import RSA, key_set, public_key_pem
from tests.keycloak.scenario import SECRET, Scenario, client, one, realm

READ = realm("GET", "/clients/{id}")
DELETE = realm("DELETE", "/clients/{id}")
MISSING = "00000000-0000-4000-8000-000000000000"

_CREATED: dict[str, dict[str, Any]] = {
    "an id only": {},
    "a secret": {"secret": SECRET},
    "a service account": {"serviceAccountsEnabled": True},
    "a name and a description": {"name": "Orders", "description": "takes orders"},
    "client-jwt": {"clientAuthenticatorType": "client-jwt"},
    "client-secret-jwt": {"clientAuthenticatorType": "client-secret-jwt"},
    "client-x509": {"clientAuthenticatorType": "client-x509"},
    "federated-jwt": {"clientAuthenticatorType": "federated-jwt"},
    "an unknown authenticator": {"clientAuthenticatorType": "nonsense"},
    "an empty authenticator": {"clientAuthenticatorType": ""},
    "public": {"publicClient": True},
    "bearer-only": {"bearerOnly": True},
    "public and bearer-only": {"publicClient": True, "bearerOnly": True},
    "public with a secret": {"publicClient": True, "secret": SECRET},
    "public with a service account": {"publicClient": True, "serviceAccountsEnabled": True},
    "disabled": {"enabled": False},
    "redirect URIs": {"redirectUris": ["https://app.example/*"], "webOrigins": ["https://app.example"]},
    "a redirect URI with javascript": {"redirectUris": ["javascript:alert(1)"]},
    "a relative redirect URI": {"rootUrl": "https://app.example", "redirectUris": ["/callback"]},
    "a root URL that is no URL": {"rootUrl": "not a url"},
    "a base URL with javascript": {"baseUrl": "javascript:alert(1)"},
    "the protocol openid-connect": {"protocol": "openid-connect"},
    "an unknown protocol": {"protocol": "nonsense"},
    "attributes": {"attributes": {"team": "payments"}},
    "an attribute as a number": {"attributes": {"team": 7}},
    "an attribute that is null": {"attributes": {"team": None}},
    "attributes as a list": {"attributes": []},
    "a key set": {"clientAuthenticatorType": "client-jwt", "attributes": {"use.jwks.string": "true", "jwks.string": key_set(RSA)}},
    "a broken key set": {"clientAuthenticatorType": "client-jwt", "attributes": {"use.jwks.string": "true", "jwks.string": "{"}},
    "a JWKS URL": {"clientAuthenticatorType": "client-jwt", "attributes": {"use.jwks.url": "true", "jwks.url": "https://app.example/jwks"}},
    "a JWKS URL that is no URL": {"clientAuthenticatorType": "client-jwt", "attributes": {"use.jwks.url": "true", "jwks.url": "nonsense"}},
    "both a key set and a URL": {"attributes": {"use.jwks.url": "true", "jwks.url": "https://app.example/jwks", "use.jwks.string": "true", "jwks.string": key_set(RSA)}},
    "a public key": {"attributes": {"jwt.credential.public.key": "".join(public_key_pem().splitlines()[1:-1])}},
    "a lifespan of tokens": {"attributes": {"access.token.lifespan": "60"}},
    "a lifespan that is no number": {"attributes": {"access.token.lifespan": "soon"}},
    "a negative lifespan": {"attributes": {"access.token.lifespan": "-1"}},
    "an assertion lifetime": {"attributes": {"token.endpoint.auth.signing.max.exp": "300"}},
    "an unknown signing algorithm": {"attributes": {"token.endpoint.auth.signing.alg": "nonsense"}},
    "x509 with a pattern": {"clientAuthenticatorType": "client-x509", "attributes": {"x509.subjectdn": "(.*)CN=orders", "x509.allow.regex.pattern.comparison": "true"}},
    "x509 with a bad pattern": {"clientAuthenticatorType": "client-x509", "attributes": {"x509.subjectdn": "(", "x509.allow.regex.pattern.comparison": "true"}},
    "scopes": {"defaultClientScopes": ["profile"], "optionalClientScopes": ["email"]},
    "scopes that do not exist": {"defaultClientScopes": ["no-such-scope"]},
    "no scopes": {"defaultClientScopes": [], "optionalClientScopes": []},
    "an empty secret": {"secret": ""},
    "a short secret": {"secret": "short"},
    "a masked secret": {"secret": "**********"},
    "authorization services": {"serviceAccountsEnabled": True, "authorizationServicesEnabled": True},
    "a notBefore": {"notBefore": 1_000_000_000},
    "fullScopeAllowed false": {"fullScopeAllowed": False},
    "flows": {"standardFlowEnabled": False, "implicitFlowEnabled": True, "directAccessGrantsEnabled": True},
    "consent": {"consentRequired": True},
    "a surrogate login": {"surrogateAuthRequired": True},
    "a member that does not exist": {"enabeld": True},
    "enabled as text": {"enabled": "true"},
    "enabled as a word": {"enabled": "perhaps"},
    "enabled that is null": {"enabled": None},
    "a name as a number": {"name": 7},
    "a name as a list": {"name": ["a"]},
    "a description of 300 letters": {"description": "d" * 300},
    "an id that was chosen": {"id": "{client}-chosen"},
    "an empty client id": {"clientId": ""},
    "a client id of spaces": {"clientId": "  "},
    "a client id with a space before it": {"clientId": " {client}"},
    "a client id with a slash": {"clientId": "{client}/a"},
    "a client id that is a URL": {"clientId": "https://app.example/{client}"},
    "a client id beyond ASCII": {"clientId": "schön-{client}"},
    "a client id of 255 letters": {"clientId": "{client}" + "c" * 230},
    "a client id of 300 letters": {"clientId": "{client}" + "c" * 290},
    "a client id as a number": {"clientId": 7},
    "a client id with a line feed": {"clientId": "{client}\nb"},
    "a client id that is null": {"clientId": None},
    "registered nodes": {"registeredNodes": {"a": 1}},
    "a secret that is null": {"secret": None},
}  # fmt: skip
_CHANGED: dict[str, dict[str, Any]] = {
    "nothing but the id": {"clientId": "{client}"},
    "an empty body": {},
    "disabled": {"enabled": False},
    "a name": {"name": "Orders"},
    "a name that is empty": {"name": ""},
    "another client id": {"clientId": "{client}-renamed"},
    "the client id of another": {"clientId": "stranger"},
    "an empty client id": {"clientId": ""},
    "another secret": {"secret": "another-secret-another-secret-another-secret-ab"},
    "an empty secret": {"secret": ""},
    "a masked secret": {"secret": "**********"},
    "client-jwt": {"clientAuthenticatorType": "client-jwt"},
    "an unknown authenticator": {"clientAuthenticatorType": "nonsense"},
    "public": {"publicClient": True},
    "no service account": {"serviceAccountsEnabled": False},
    "an attribute": {"attributes": {"team": "payments"}},
    "an attribute that is empty": {"attributes": {"team": ""}},
    "an attribute that is null": {"attributes": {"team": None}},
    "no attributes": {"attributes": {}},
    "a broken key set": {"attributes": {"use.jwks.string": "true", "jwks.string": "nonsense"}},
    "a notBefore": {"notBefore": 1_000_000_000},
    "scopes": {"defaultClientScopes": ["profile"]},
    "another id": {"id": MISSING},
    "a member that does not exist": {"enabeld": True},
    "enabled as a word": {"enabled": "perhaps"},
    "a redirect URI": {"redirectUris": ["https://app.example/*"]},
    "full scope off": {"fullScopeAllowed": False},
}


def _all() -> Iterator[Scenario]:
    for name, members in _CREATED.items():
        made = realm("POST", "/clients", {"clientId": "{client}", **members}).keeping(id="location")
        yield one(f"created with {name}", made)
    read = (
        "an id only",
        "a secret",
        "client-jwt",
        "public",
        "bearer-only",
        "attributes",
        "a key set",
        "scopes",
        "disabled",
    )
    for name in read:
        made = realm("POST", "/clients", {"clientId": "{client}", **_CREATED[name]}).keeping(id="location")
        yield one(f"created with {name}, then read", READ, given=[made])
    yield one("created without a client id", realm("POST", "/clients", {"name": "x"}))
    yield one("created twice", client(), given=[client()])
    yield one("created as a list", realm("POST", "/clients", [{"clientId": "{client}"}]))
    for name, members in _CHANGED.items():
        yield one(f"changed: {name}", realm("PUT", "/clients/{id}", members), READ, given=[client()])
    yield one("deleted, then read", DELETE, READ, given=[client()])
    yield one("deleted twice", DELETE, DELETE, given=[client()])
    yield one("deleted and created again", DELETE, client(), given=[client()])
    for method, body in (("GET", None), ("PUT", {"enabled": True}), ("DELETE", None)):
        yield one(f"{method} of a client that does not exist", realm(method, f"/clients/{MISSING}", body))
        yield one(
            f"{method} of a client by its client id",
            realm(method, "/clients/{client}", body),
            given=[client()],
        )
    yield one(
        "the service account's user", realm("GET", "/clients/{id}/service-account-user"), given=[client()]
    )
    without = client(serviceAccountsEnabled=False)
    yield one(
        "a service account's user that is off",
        realm("GET", "/clients/{id}/service-account-user"),
        given=[without],
    )
    yield one("push-revocation", realm("POST", "/clients/{id}/push-revocation"), given=[client()])
    yield one(
        "the registration access token",
        realm("POST", "/clients/{id}/registration-access-token"),
        given=[client()],
    )
    for path in (
        "user-sessions",
        "session-count",
        "offline-session-count",
        "offline-sessions",
        "nodes",
        "test-nodes-available",
    ):
        yield one(f"GET {path}", realm("GET", f"/clients/{{id}}/{path}"), given=[client()])


SCENARIOS = [*_all()]
