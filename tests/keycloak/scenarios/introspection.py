"""Introspection (RFC 7662)."""

from collections.abc import Iterator

from tests.keycloak.keys import assertion
from tests.keycloak.scenario import OTHER_SECRET, SECRET, Request, Scenario, Text, client, form, one, realm
from tests.keycloak.scenarios.assertions import BEARER, BY_KEY
from tests.keycloak.scenarios.token_endpoint import basic

PATH = "token/introspect"
TOKEN = basic().keeping(token="access_token")


def introspect(token: Text = "{token}", client_id: str = "{client}", **fields: Text) -> Request:
    """Return the question of a client about a token."""
    return form(PATH, {"token": token, **fields}, basic=(client_id, SECRET))


def _active() -> Iterator[Scenario]:
    yield one("a token of the caller", introspect(), given=[client(), TOKEN])
    yield one(
        "with the hint access_token", introspect(token_type_hint="access_token"), given=[client(), TOKEN]
    )
    yield one(
        "with the hint refresh_token", introspect(token_type_hint="refresh_token"), given=[client(), TOKEN]
    )
    yield one("with an unknown hint", introspect(token_type_hint="nonsense"), given=[client(), TOKEN])
    fields: dict[str, Text] = {"token": "{token}", "client_id": "{client}", "client_secret": SECRET}
    yield one("the caller's secret in the form", form(PATH, fields), given=[client(), TOKEN])
    signed: dict[str, Text] = {
        "token": "{token}",
        "client_assertion_type": BEARER,
        "client_assertion": assertion(),
    }
    held = form(
        "token",
        {
            "grant_type": "client_credentials",
            "client_assertion_type": BEARER,
            "client_assertion": assertion(),
        },
    )
    yield one(
        "the caller's assertion", form(PATH, signed), given=[BY_KEY, held.keeping(token="access_token")]
    )
    wants = client(attributes={"access.token.header.type.rfc9068": "true"})
    yield one("an at+jwt token", introspect(), given=[wants, TOKEN])
    yield one(
        "a token with the scope profile",
        introspect(),
        given=[client(), basic(scope="profile").keeping(token="access_token")],
    )
    jwt = form(
        PATH,
        {"token": "{token}"},
        basic=("{client}", SECRET),
        headers={"Accept": "application/token-introspection+jwt"},
    )
    yield one("answered as a JWT", jwt, given=[client(), TOKEN])
    other = client("{other_client}", keep="other")
    yield one(
        "a token of another client", introspect(client_id="{other_client}"), given=[client(), other, TOKEN]
    )


def _inactive() -> Iterator[Scenario]:
    for name, token in {
        "no token": "",
        "a token that is not a JWT": "nonsense",
        "a token of three parts": "a.b.c",
        "a long token": "a" * 9000,
        "an unsigned token": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.",
    }.items():
        yield one(name, introspect(token), given=[client()])
    yield one("a token with another signature", introspect("{token}AAAA"), given=[client(), TOKEN])
    yield one("a client's own assertion", introspect(assertion()), given=[client()])
    disable = realm("PUT", "/clients/{id}", {"enabled": False, "clientId": "{client}"})
    asking = [client(), client("{other_client}", keep="other"), TOKEN]
    yield one(
        "a token of a client disabled since", introspect(client_id="{other_client}"), given=[*asking, disable]
    )
    delete = realm("DELETE", "/clients/{id}")
    yield one(
        "a token of a client deleted since", introspect(client_id="{other_client}"), given=[*asking, delete]
    )
    ended = realm("PUT", "/clients/{id}", {"notBefore": 2_000_000_000, "clientId": "{client}"})
    yield one("a token before notBefore", introspect(), given=[client(), TOKEN, ended])
    revoked = form("revoke", {"token": "{token}"}, basic=("{client}", SECRET))
    yield one("a token that was revoked", introspect(), given=[client(), TOKEN, revoked])


def _callers() -> Iterator[Scenario]:
    yield one(
        "a caller with a wrong secret",
        form(PATH, {"token": "x"}, basic=("{client}", OTHER_SECRET)),
        given=[client()],
    )
    yield one("an unknown caller", form(PATH, {"token": "x"}, basic=("nobody-{client}", SECRET)))
    yield one("no caller", form(PATH, {"token": "x"}))
    public = client(publicClient=True, serviceAccountsEnabled=False)
    yield one("a public caller", form(PATH, {"token": "x", "client_id": "{client}"}), given=[public])
    yield one("a disabled caller", introspect("x"), given=[client(enabled=False)])
    bearer = form(PATH, {"token": "{token}"}, headers={"Authorization": "Bearer {token}"})
    yield one("a caller with a bearer token", bearer, given=[client(), TOKEN])
    yield one(
        "no token parameter", form(PATH, {"client_id": "{client}", "client_secret": SECRET}), given=[client()]
    )
    yield one(
        "a caller without a service account", introspect("x"), given=[client(serviceAccountsEnabled=False)]
    )
    whole = f"/realms/acme/protocol/openid-connect/{PATH}"
    twice = Request("POST", whole, form=(("token", "x"), ("token", "y")), basic=("{client}", SECRET))
    yield one("two tokens", twice, given=[client()])
    for method in ("GET", "PUT", "DELETE"):
        yield one(f"{method} of the endpoint", Request(method, whole))
    yield one(
        "JSON in place of a form",
        Request("POST", whole, json={"token": "x"}, basic=("{client}", SECRET)),
        given=[client()],
    )
    nowhere = whole.replace("acme", "nowhere")
    yield one("a realm that does not exist", Request("POST", nowhere, form=(("token", "x"),)))


SCENARIOS = [*_active(), *_inactive(), *_callers()]
