"""Secrets of clients: read, generate, the rotated one."""

from collections.abc import Iterator

from tests.keycloak.scenario import OTHER_SECRET, Scenario, client, one, realm
from tests.keycloak.scenarios.clients import MISSING, READ
from tests.keycloak.scenarios.token_endpoint import basic

SECRET_PATH = "/clients/{id}/client-secret"
ROTATED = f"{SECRET_PATH}/rotated"
GENERATE = realm("POST", SECRET_PATH).keeping(new="value")


def _all() -> Iterator[Scenario]:
    kinds = {
        "a client": client(),
        "a client-jwt client": client(clientAuthenticatorType="client-jwt"),
        "a client-secret-jwt client": client(clientAuthenticatorType="client-secret-jwt"),
        "a client-x509 client": client(
            clientAuthenticatorType="client-x509", attributes={"x509.subjectdn": "CN=a"}
        ),
        "a public client": client(publicClient=True, serviceAccountsEnabled=False),
        "a bearer-only client": client(bearerOnly=True, serviceAccountsEnabled=False),
        "a disabled client": client(enabled=False),
    }
    for name, made in kinds.items():
        yield one(f"read of {name}", realm("GET", SECRET_PATH), given=[made])
        yield one(f"generated for {name}", GENERATE, realm("GET", SECRET_PATH), given=[made])
        yield one(f"rotated secret of {name}", realm("GET", ROTATED), given=[made])
        yield one(f"rotated secret of {name} invalidated", realm("DELETE", ROTATED), given=[made])
    given = [client(), GENERATE]
    yield one("the former secret after a new one", basic(), given=given)
    yield one("the new secret", basic(secret="{new}"), given=given)
    yield one("the client after a new secret", READ, given=given)
    yield one("the rotated secret after a new one", realm("GET", ROTATED), given=given)
    yield one("the rotated secret invalidated after a new one", realm("DELETE", ROTATED), given=given)
    changed = realm("PUT", "/clients/{id}", {"clientId": "{client}", "secret": OTHER_SECRET})
    yield one("the former secret after a change", basic(), given=[client(), changed])
    yield one("the secret of a change", basic(secret=OTHER_SECRET), given=[client(), changed])
    renamed = realm("PUT", "/clients/{id}", {"clientId": "{client}", "name": "x"})
    yield one(
        "the secret after another change", basic(), realm("GET", SECRET_PATH), given=[client(), renamed]
    )
    yield one("generated with a body", realm("POST", SECRET_PATH, {"value": OTHER_SECRET}), given=[client()])
    for method, path in (("GET", ""), ("POST", ""), ("GET", "/rotated"), ("DELETE", "/rotated")):
        missing = f"/clients/{MISSING}/client-secret{path}"
        yield one(f"{method} client-secret{path} of a client that does not exist", realm(method, missing))
    for method in ("PUT", "DELETE", "PATCH"):
        yield one(f"{method} client-secret", realm(method, SECRET_PATH), given=[client()])
    for method in ("PUT", "POST"):
        yield one(f"{method} client-secret/rotated", realm(method, ROTATED), given=[client()])


SCENARIOS = [*_all()]
