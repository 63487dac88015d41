"""The revocation endpoint (RFC 7009)."""

from collections.abc import Iterator

from tests.keycloak.keys import assertion
from tests.keycloak.scenario import OTHER_SECRET, SECRET, Request, Scenario, Text, client, form, one
from tests.keycloak.scenarios.assertions import BEARER, BY_KEY
from tests.keycloak.scenarios.introspection import TOKEN, introspect

PATH = "/realms/acme/protocol/openid-connect/revoke"


def revoke(token: Text = "{token}", client_id: str = "{client}", **fields: Text) -> Request:
    return form("revoke", {"token": token, **fields}, basic=(client_id, SECRET))


def _revocations() -> Iterator[Scenario]:
    yield one("a token of the caller", revoke(), introspect(), given=[client(), TOKEN])
    yield one("twice", revoke(), revoke(), given=[client(), TOKEN])
    for hint in ("access_token", "refresh_token", "nonsense", ""):
        yield one(
            f"with the hint {hint!r}", revoke(token_type_hint=hint), introspect(), given=[client(), TOKEN]
        )
    fields: dict[str, Text] = {"token": "{token}", "client_id": "{client}", "client_secret": SECRET}
    yield one("the caller's secret in the form", form("revoke", fields), given=[client(), TOKEN])
    grant: dict[str, Text] = {"client_assertion_type": BEARER, "client_assertion": assertion()}
    held = form("token", {"grant_type": "client_credentials", **grant}).keeping(token="access_token")
    yield one("the caller's assertion", form("revoke", {"token": "{token}", **grant}), given=[BY_KEY, held])
    other = client("{other_client}", keep="other")
    yield one(
        "a token of another client",
        revoke(client_id="{other_client}"),
        introspect(),
        given=[client(), other, TOKEN],
    )


def _others() -> Iterator[Scenario]:
    for name, token in {
        "an empty token": "",
        "a token that is not a JWT": "nonsense",
        "a token of three parts": "a.b.c",
        "an unsigned token": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.",
    }.items():
        yield one(name, revoke(token), given=[client()])
    yield one("a token with another signature", revoke("{token}AAAA"), introspect(), given=[client(), TOKEN])
    yield one("no token parameter", form("revoke", {"x": "y"}, basic=("{client}", SECRET)), given=[client()])
    yield one(
        "a wrong secret", form("revoke", {"token": "x"}, basic=("{client}", OTHER_SECRET)), given=[client()]
    )
    yield one("an unknown caller", revoke("x", "nobody-{client}"))
    yield one("no caller", form("revoke", {"token": "x"}))
    yield one("a disabled caller", revoke("x"), given=[client(enabled=False)])
    twice = Request("POST", PATH, form=(("token", "x"), ("token", "y")), basic=("{client}", SECRET))
    yield one("two tokens", twice, given=[client()])
    for method in ("GET", "PUT", "DELETE"):
        yield one(f"{method} of the endpoint", Request(method, PATH))
    yield one(
        "JSON in place of a form",
        Request("POST", PATH, json={"token": "x"}, basic=("{client}", SECRET)),
        given=[client()],
    )
    yield one(
        "a realm that does not exist",
        Request("POST", PATH.replace("acme", "nowhere"), form=(("token", "x"),)),
    )


SCENARIOS = [*_revocations(), *_others()]
