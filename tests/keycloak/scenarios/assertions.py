"""Assertions of clients (RFC 7523): private_key_jwt and client_secret_jwt, valid and malformed."""

from collections.abc import Iterator
from typing import Any

from tests.keycloak.keys import EC, OTHER_RSA, RSA, assertion, broken, certificate_pem, key_set
from tests.keycloak.scenario import OTHER_SECRET, SECRET, Request, Scenario, Text, client, form, one, token

BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
BY_KEY = client(
    clientAuthenticatorType="client-jwt",
    attributes={"use.jwks.string": "true", "jwks.string": key_set(RSA, EC)},
)
BY_SECRET = client(clientAuthenticatorType="client-secret-jwt")


def sent(made: Text, **more: Text) -> Request:
    """Return a request for a token with an assertion."""
    fields: dict[str, Text] = {"grant_type": "client_credentials", "client_assertion_type": BEARER}
    return form("token", {**fields, "client_assertion": made, **more})


def key_client(**attributes: str) -> Request:
    """Return the creation of a client with the run's keys and further attributes."""
    held = {"use.jwks.string": "true", "jwks.string": key_set(RSA, EC), **attributes}
    return client(clientAuthenticatorType="client-jwt", attributes=held)


_TIMES: dict[str, dict[str, Any]] = {
    "for 10 seconds": {"lasts": 10},
    "for 60 seconds": {"lasts": 60},
    "for five minutes": {"lasts": 300},
    "for an hour": {"lasts": 3600},
    "for a day": {"lasts": 86_400},
    "expired 5 seconds ago": {"lasts": -5, "issued": -30},
    "expired 14 seconds ago, before issued": {"lasts": -12},
    "expired 60 seconds ago": {"lasts": -60, "issued": -90},
    "without exp": {"lasts": None},
    "without iat": {"issued": None},
    "without iat, for an hour": {"issued": None, "lasts": 3600},
    "without iat and exp": {"issued": None, "lasts": None},
    "issued 50 seconds ago": {"issued": -50},
    "issued 120 seconds ago": {"issued": -120, "lasts": 60},
    "issued in 10 seconds": {"issued": 10, "lasts": 60},
    "issued in 60 seconds": {"issued": 60, "lasts": 90},
    "valid from now": {"begins": 0},
    "valid from 10 seconds on": {"begins": 10, "lasts": 60},
    "valid from 60 seconds on": {"begins": 60, "lasts": 90},
    "exp as text": {"exp": "4000000000"},
    "exp as a fraction": {"exp": 4_000_000_000.5},
    "exp negative": {"exp": -1},
    "exp zero": {"exp": 0},
    "iat as text": {"iat": "soon"},
    "nbf as text": {"nbf": "soon"},
    "exp beyond 64 bits": {"exp": 10**20},
}

_AUDIENCES: dict[str, Any] = {
    "the issuer": "{issuer}",
    "the token endpoint": "{issuer}/protocol/openid-connect/token",
    "the introspection endpoint": "{issuer}/protocol/openid-connect/token/introspect",
    "the revocation endpoint": "{issuer}/protocol/openid-connect/revoke",
    "the pushed request endpoint": "{issuer}/protocol/openid-connect/ext/par/request",
    "the issuer with a slash": "{issuer}/",
    "another realm": "{base}/realms/master",
    "the server": "{base}",
    "somebody else": "https://elsewhere.example",
    "a list of one": ["{issuer}"],
    "the issuer and another": ["{issuer}", "https://elsewhere.example"],
    "two of the server": ["{issuer}", "{issuer}/protocol/openid-connect/token"],
    "an empty list": [],
    "an empty text": "",
    "a number": 7,
    "none": None,
}

_NAMES: dict[str, dict[str, Any]] = {
    "no iss": {"iss": None},
    "no sub": {"sub": None},
    "neither iss nor sub": {"iss": None, "sub": None},
    "another iss": {"iss": "somebody"},
    "another sub": {"sub": "somebody"},
    "an unknown client": {"iss": "nobody-{client}", "sub": "nobody-{client}"},
    "an empty sub": {"iss": "", "sub": ""},
    "a number as sub": {"iss": 7, "sub": 7},
    "no jti": {"jti": None},
    "an empty jti": {"jti": ""},
    "a number as jti": {"jti": 7},
    "a long jti": {"jti": "j" * 1000},
    "more claims": {"scope": "profile", "azp": "x", "nested": {"a": [1, 2]}},
}

_HEADERS: dict[str, dict[str, Any]] = {
    "no kid": {"kid": None},
    "an unknown kid": {"kid": "no-such-key"},
    "an empty kid": {"kid": ""},
    "a number as kid": {"kid": 7},
    "typ JWT": {"typ": "JWT"},
    "typ client-authentication+jwt": {"typ": "client-authentication+jwt"},
    "typ at+jwt": {"typ": "at+jwt"},
    "typ dpop+jwt": {"typ": "dpop+jwt"},
    "no typ": {"typ": None},
    "crit": {"crit": ["exp"]},
    "jku": {"jku": "https://elsewhere.example/keys"},
    "jwk": {"jwk": {"kty": "RSA", "n": "AQAB", "e": "AQAB"}},
    "x5u": {"x5u": "https://elsewhere.example/certificate"},
    "b64 false": {"b64": False},
}


def _valid() -> Iterator[Scenario]:
    for algorithm in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"):
        yield one(f"{algorithm}", sent(assertion(alg=algorithm)), given=[BY_KEY])
    yield one("ES256", sent(assertion(alg="ES256", key=EC)), given=[BY_KEY])
    for algorithm in ("HS256", "HS384", "HS512"):
        yield one(f"{algorithm} with the secret", sent(assertion(alg=algorithm)), given=[BY_SECRET])
    yield one("with client_id", sent(assertion(), client_id="{client}"), given=[BY_KEY])
    yield one("with another client_id", sent(assertion(), client_id="somebody"), given=[BY_KEY])
    yield one("with an empty client_id", sent(assertion(), client_id=""), given=[BY_KEY])
    yield one("with the scope profile", sent(assertion(), scope="profile"), given=[BY_KEY])
    yield one("with a secret too", sent(assertion(), client_secret=SECRET), given=[BY_KEY])
    again = assertion(again=True)
    yield one("sent twice", sent(again), sent(again), given=[BY_KEY])
    hmac = assertion(alg="HS256", again=True)
    yield one("sent twice, HS256", sent(hmac), sent(hmac), given=[BY_SECRET])
    certificate = {"jwt.credential.certificate": _body(certificate_pem())}
    by_certificate = client(clientAuthenticatorType="client-jwt", attributes=certificate)
    yield one(
        "the key of a certificate, no kid", sent(assertion(header={"kid": None})), given=[by_certificate]
    )
    yield one("the key of a certificate, another kid", sent(assertion()), given=[by_certificate])


def _body(pem: str) -> str:
    return "".join(pem.splitlines()[1:-1])


def _algorithms() -> Iterator[Scenario]:
    yield one("alg none", sent(assertion(alg="none")), given=[BY_KEY])
    yield one("HS256 at a client with keys", sent(assertion(alg="HS256")), given=[BY_KEY])
    yield one("HS256 with the public key", sent(assertion(alg="HS256", secret="a" * 64)), given=[BY_KEY])
    yield one("RS256 at a client with a secret", sent(assertion()), given=[BY_SECRET])
    yield one(
        "another key under a known kid", sent(assertion(key=OTHER_RSA, header={"kid": RSA})), given=[BY_KEY]
    )
    yield one("another key under its own kid", sent(assertion(key=OTHER_RSA)), given=[BY_KEY])
    yield one("the kid of another key", sent(assertion(header={"kid": EC})), given=[BY_KEY])
    yield one(
        "HS256 with another secret", sent(assertion(alg="HS256", secret=OTHER_SECRET)), given=[BY_SECRET]
    )
    only = {"token.endpoint.auth.signing.alg": "RS256"}
    yield one("only RS256 allowed, RS256", sent(assertion()), given=[key_client(**only)])
    yield one("only RS256 allowed, PS256", sent(assertion(alg="PS256")), given=[key_client(**only)])
    yield one("only RS256 allowed, ES256", sent(assertion(alg="ES256", key=EC)), given=[key_client(**only)])
    yield one(
        "only ES256 allowed, RS256",
        sent(assertion()),
        given=[key_client(**{"token.endpoint.auth.signing.alg": "ES256"})],
    )
    longer = {"token.endpoint.auth.signing.max.exp": "300"}
    yield one(
        "five minutes allowed, issued two minutes ago",
        sent(assertion(issued=-120)),
        given=[key_client(**longer)],
    )
    yield one(
        "five minutes allowed, without iat",
        sent(assertion(issued=None, lasts=200)),
        given=[key_client(**longer)],
    )
    shorter = {"token.endpoint.auth.signing.max.exp": "10"}
    yield one(
        "ten seconds allowed, issued 40 seconds ago",
        sent(assertion(issued=-40)),
        given=[key_client(**shorter)],
    )
    disabled = client(
        clientAuthenticatorType="client-jwt",
        enabled=False,
        attributes={"use.jwks.string": "true", "jwks.string": key_set(RSA)},
    )
    yield one("a disabled client", sent(assertion()), given=[disabled])
    yield one(
        "a client without keys", sent(assertion()), given=[client(clientAuthenticatorType="client-jwt")]
    )
    yield one("a client with a secret only", sent(assertion()), given=[client()])


def _forms() -> Iterator[Scenario]:
    grant: dict[str, Text] = {"grant_type": "client_credentials"}
    yield one("no assertion type", token(**grant, client_assertion=assertion()), given=[BY_KEY])
    yield one(
        "another assertion type",
        token(
            **grant,
            client_assertion=assertion(),
            client_assertion_type="urn:ietf:params:oauth:client-assertion-type:saml2-bearer",
        ),
        given=[BY_KEY],
    )
    yield one(
        "an empty assertion type",
        token(**grant, client_assertion=assertion(), client_assertion_type=""),
        given=[BY_KEY],
    )
    yield one("a type without an assertion", token(**grant, client_assertion_type=BEARER), given=[BY_KEY])
    yield one(
        "a type and a client id without an assertion",
        token(**grant, client_assertion_type=BEARER, client_id="{client}"),
        given=[BY_KEY],
    )
    yield one("an empty assertion", sent(""), given=[BY_KEY])
    yield one("an assertion that is not a JWT", sent("nonsense"))
    yield one("an assertion of dots", sent("..."))
    yield one("an assertion of five parts", sent("a.b.c.d.e"))
    yield one("an assertion that is long", sent("a" * 20_000))
    for kind in (
        "two parts",
        "four parts",
        "no signature",
        "altered payload",
        "altered signature",
        "altered header",
        "spaces",
    ):
        yield one(f"damaged: {kind}", sent(broken(kind)), given=[BY_KEY])
    basic = form(
        "token",
        {**grant, "client_assertion_type": BEARER, "client_assertion": assertion()},
        basic=("{client}", SECRET),
    )
    yield one("an assertion and Basic", basic, given=[BY_KEY])


def _families() -> Iterator[Scenario]:
    for name, options in _TIMES.items():
        yield one(name, sent(assertion(**options)), given=[BY_KEY])
    for name, audience in _AUDIENCES.items():
        yield one(f"aud is {name}", sent(assertion(aud=audience)), given=[BY_KEY])
    for name, options in _NAMES.items():
        yield one(name, sent(assertion(**options)), given=[BY_KEY])
    for name, header in _HEADERS.items():
        yield one(f"in the header: {name}", sent(assertion(header=header)), given=[BY_KEY])


SCENARIOS = [*_valid(), *_algorithms(), *_forms(), *_families()]
