"""The token endpoint with a client's secret, and malformed requests."""

from collections.abc import Iterator

from tests.keycloak.scenario import OTHER_SECRET, SECRET, Request, Scenario, client, form, one, token

GRANT = {"grant_type": "client_credentials"}
TOKEN = "/realms/acme/protocol/openid-connect/token"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def basic(client_id: str = "{client}", secret: str = SECRET, **fields: str) -> Request:
    """Return a request with client_secret_basic."""
    return form("token", {**GRANT, **fields}, basic=(client_id, secret))


def post(client_id: str = "{client}", secret: str = SECRET, **fields: str) -> Request:
    """Return a request with client_secret_post."""
    return token(**{**GRANT, "client_id": client_id, "client_secret": secret, **fields})


def authorization(value: str, **fields: str) -> Request:
    return form("token", {**GRANT, **fields}, headers={"Authorization": value})


def raw(body: bytes, **headers: str) -> Request:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request("POST", TOKEN, body=body, headers={**FORM, **sent})


def _ways() -> Iterator[Scenario]:
    """Both ways of sending a secret, for every state of a client."""
    states = {
        "a confidential client": client(),
        "a disabled client": client(enabled=False),
        "a client without a service account": client(serviceAccountsEnabled=False),
        "a public client": client(publicClient=True, serviceAccountsEnabled=False),
        "a bearer-only client": client(bearerOnly=True, serviceAccountsEnabled=False),
        "a client-jwt client": client(clientAuthenticatorType="client-jwt"),
        "a client-secret-jwt client": client(clientAuthenticatorType="client-secret-jwt"),
        "a client-x509 client": client(
            clientAuthenticatorType="client-x509", attributes={"x509.subjectdn": "CN=orders"}
        ),
        "a client that must use basic": client(
            attributes={"client.secret.authentication.allowed.method": "client_secret_basic"}
        ),
        "a client that must use post": client(
            attributes={"client.secret.authentication.allowed.method": "client_secret_post"}
        ),
        "a client without full scope": client(fullScopeAllowed=False),
        "a client with tokens of one minute": client(attributes={"access.token.lifespan": "60"}),
        "a client with at+jwt": client(attributes={"access.token.header.type.rfc9068": "true"}),
        "a client with ES256 tokens": client(attributes={"access.token.signed.response.alg": "ES256"}),
        "a client without scopes": client(defaultClientScopes=[], optionalClientScopes=[]),
        "a client with the scope profile": client(defaultClientScopes=["profile"]),
        "a client with the scope basic only": client(defaultClientScopes=["basic"]),
        "a client with a notBefore of the past": client(notBefore=1_000_000_000),
        "a client with a notBefore of the future": client(notBefore=2_000_000_000),
        "a SAML-like id": client("https://orders.example/{client}"),
    }
    for name, made in states.items():
        client_id = str(made.json["clientId"])
        yield one(f"{name}, basic", basic(client_id), given=[made])
        yield one(f"{name}, post", post(client_id), given=[made])
        yield one(f"{name}, wrong secret", basic(client_id, OTHER_SECRET), given=[made])


def _secrets() -> Iterator[Scenario]:
    secrets = {
        "with a colon": "with:a:colon-with:a:colon-with:a:colon-with:a:colon",
        "with a percent sign": "100%-of-a-secret-100%-of-a-secret-100%-of-a-secret-",
        "with a plus sign": "a+secret+of+forty+eight+octets+a+secret+of+forty",
        "with spaces inside": "a secret of forty eight octets a secret of forty",
        "with an ampersand": "a&secret=of&forty=eight&octets=a&secret=of&forty",
        "of eight octets": "eightoct",
        "of 255 octets": "s" * 255,
    }
    beyond = "ein-Schlüssel-mit-Umlauten-ein-Schlüssel-mit-Umlauten"
    yield one("a secret beyond ASCII, created", client(secret=beyond))
    for name, secret in secrets.items():
        given = [client(secret=secret)]
        yield one(f"a secret {name}, basic", basic(secret=secret), given=given)
        yield one(f"a secret {name}, post", post(secret=secret), given=given)


def _credentials() -> Iterator[Scenario]:
    headers = {
        "Basic without credentials": "Basic",
        "Basic that is not base64": "Basic !!!!",
        "Basic without a colon": "Basic b3JkZXJz",
        "Basic with an empty id": "Basic OnNlY3JldA==",
        "Basic with an empty secret": "Basic b3JkZXJzOg==",
        "Basic of two empty parts": "Basic Og==",
        "Basic in lower case": "basic b3JkZXJzOnNlY3JldA==",
        "Bearer in place of Basic": "Bearer b3JkZXJzOnNlY3JldA==",
        "an unknown scheme": "Negotiate b3JkZXJzOnNlY3JldA==",
        "an empty Authorization": "",
        "Basic with two spaces": "Basic  b3JkZXJzOnNlY3JldA==",
    }
    for name, value in headers.items():
        yield one(name, authorization(value))
    yield one("an unknown client, basic", basic("nobody-{client}"))
    yield one("an unknown client, post", post("nobody-{client}"))
    yield one("an empty client id", post(""))
    yield one("an empty secret", post(secret=""), given=[client()])
    yield one("no secret", token(**GRANT, client_id="{client}"), given=[client()])
    yield one("a client id only in Basic's place of a name", basic("{client}", ""), given=[client()])
    yield one("no credentials", token(**GRANT))
    yield one("another realm's client", basic("keyturn-stranger"))
    yield one("basic and post, the same", basic(client_id="{client}"), given=[client()])
    both = {"client_id": "{client}", "client_secret": SECRET}
    yield one(
        "basic with the secret in the body too",
        form("token", {**GRANT, **both}, basic=("{client}", SECRET)),
        given=[client()],
    )
    yield one(
        "basic with the id in the body",
        form("token", {**GRANT, "client_id": "{client}"}, basic=("{client}", SECRET)),
        given=[client()],
    )
    wrong = {"client_id": "other-{client}"}
    yield one(
        "basic with another id in the body",
        form("token", {**GRANT, **wrong}, basic=("{client}", SECRET)),
        given=[client()],
    )
    bad = {"client_id": "{client}", "client_secret": OTHER_SECRET}
    yield one(
        "basic right, body wrong",
        form("token", {**GRANT, **bad}, basic=("{client}", SECRET)),
        given=[client()],
    )
    yield one("the id in another case", post("{client}".upper().replace("{CLIENT}", "C{client}")))
    yield one("the secret with a space before it", post(secret=f" {SECRET}"), given=[client()])
    yield one("the secret with a line feed after it", post(secret=f"{SECRET}\n"), given=[client()])
    yield one(
        "the secret in the query alone",
        Request(
            "POST",
            TOKEN + f"?client_secret={SECRET}",
            form=(("grant_type", "client_credentials"), ("client_id", "{client}")),
        ),
        given=[client()],
    )


def _grants() -> Iterator[Scenario]:
    grants = (
        "", "CLIENT_CREDENTIALS", "client_credentials ", "password", "authorization_code", "refresh_token", "implicit",
        "urn:ietf:params:oauth:grant-type:device_code", "urn:openid:params:grant-type:ciba",
        "urn:ietf:params:oauth:grant-type:token-exchange", "urn:ietf:params:oauth:grant-type:uma-ticket",
        "urn:ietf:params:oauth:grant-type:jwt-bearer", "no-such-grant", "client_credentials,password",
    )  # fmt: skip
    for grant in grants:
        sent = post(grant_type=grant)
        yield one(f"the grant {grant!r}", sent, given=[client()])
    yield one("no grant type", token(client_id="{client}", client_secret=SECRET), given=[client()])
    yield one("an unknown grant by an unknown client", post("nobody-{client}", grant_type="no-such-grant"))
    yield one("no grant type and no client", token(scope="profile"))


def _scopes() -> Iterator[Scenario]:
    scopes = (
        "", "profile", "email", "openid", "openid profile", "profile email", "roles", "web-origins", "acr", "basic",
        "service_account", "microprofile-jwt", "offline_access", "address phone", "organization", "no-such-scope",
        "profile no-such-scope", "profile profile", " profile ", "profile  email", "PROFILE", "profile,email",
        'with"quote', "back\\slash", "schön", "x" * 300,
    )  # fmt: skip
    for scope in scopes:
        yield one(f"the scope {scope[:20]!r}", post(scope=scope), given=[client()])


def _further() -> Iterator[Scenario]:
    for name, value in (
        ("audience", "orders"), ("audience", ""), ("resource", "https://api.example"), ("resource", "not a URL"),
        ("unknown_parameter", "1"), ("nonce", "n"), ("state", "s"), ("client_assertion", ""), ("request", "x"),
    ):  # fmt: skip
        yield one(f"the parameter {name}={value}", post(**{name: value}), given=[client()])
    twice = (
        "grant_type", "client_id", "client_secret", "scope",
    )  # fmt: skip
    pairs = {
        "grant_type": "client_credentials",
        "client_id": "{client}",
        "client_secret": SECRET,
        "scope": "profile",
    }
    for name in twice:
        fields = (*pairs.items(), (name, pairs[name]))
        yield one(f"{name} twice", Request("POST", TOKEN, form=fields), given=[client()])
        fields = (*pairs.items(), (name, "other"))
        yield one(f"{name} twice, different", Request("POST", TOKEN, form=fields), given=[client()])


def _requests() -> Iterator[Scenario]:
    right = f"grant_type=client_credentials&client_id=nobody&client_secret={SECRET}".encode()
    yield one("an empty body", raw(b""))
    yield one("a body without a form", raw(b"nonsense"))
    yield one("a form with only separators", raw(b"&&&==&"))
    yield one("a broken percent escape", raw(b"grant_type=%zz&client_id=a"))
    yield one("an octet that is not UTF-8", raw(b"grant_type=client_credentials&client_id=%ff%fe"))
    yield one("a NUL in the client id", raw(b"grant_type=client_credentials&client_id=a%00b&client_secret=x"))
    yield one(
        "a form with a charset", raw(right, Content_Type="application/x-www-form-urlencoded; charset=UTF-8")
    )
    yield one(
        "JSON in place of a form",
        raw(b'{"grant_type":"client_credentials"}', Content_Type="application/json"),
    )
    yield one("a form called text/plain", raw(right, Content_Type="text/plain"))
    yield one("a form without a content type", raw(right, Content_Type=""))
    yield one("a form as multipart", Request("POST", TOKEN, files={"grant_type": ("", "client_credentials")}))
    for method in ("GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"):
        yield one(f"{method} of the token endpoint", Request(method, TOKEN))
    yield one("the credentials in the query of a GET", Request("GET", f"{TOKEN}?{right.decode()}"))
    yield one("the credentials in the query of a POST", Request("POST", f"{TOKEN}?{right.decode()}", form=()))
    for name, where in (("that does not exist", "nowhere"), ("that is disabled", "closed")):
        path = TOKEN.replace("acme", where)
        yield one(f"a realm {name}", Request("POST", path, form=tuple(GRANT.items()), basic=("a", SECRET)))
        yield one(f"a realm {name}, no credentials", Request("POST", path, form=tuple(GRANT.items())))
    yield one("a slash at the end", Request("POST", TOKEN + "/", form=tuple(GRANT.items())))
    yield one("an endpoint that does not exist", Request("POST", TOKEN + "s", form=tuple(GRANT.items())))


SCENARIOS = [*_ways(), *_secrets(), *_credentials(), *_grants(), *_scopes(), *_further(), *_requests()]
