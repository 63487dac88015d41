"""Methods, content types, bodies and headers of the admin API."""

from collections.abc import Iterator

from tests.keycloak.scenario import Scenario, admin, client, one, realm
from tests.keycloak.scenarios.clients import MISSING

JSON = {"Content-Type": "application/json"}
NEW = "/clients"
READ = "/clients/{id}"


def _bodies() -> Iterator[Scenario]:
    bodies = {
        "an empty body": b"",
        "white space": b"  ",
        "null": b"null",
        "a broken object": b'{"clientId": ',
        "text after the object": b'{"clientId": "x-{client}"} x',
        "a comment": b'{"clientId": "y" /* c */}',
        "single quotes": b"{'clientId': 'x'}",
        "an octet that is not UTF-8": b'{"clientId": "\xff"}',
        "a lone surrogate": b'{"clientId": "\\ud800"}',
        "a NUL": b'{"clientId": "a\\u0000b"}',
        "deep nesting": b"[" * 3000 + b"]" * 3000,
        "a number beyond 64 bits": b'{"clientId": "z", "notBefore": 99999999999999999999}',
        "a form": b"clientId=orders",
        "NaN": b'{"clientId": "nan", "notBefore": NaN}',
    }
    for name, body in bodies.items():
        yield one(f"{name}", realm("POST", NEW, body=body, headers=JSON))
    for accept in (
        "text/html",
        "application/xml",
        "*/*",
        "application/json",
        "text/plain",
        "application/json;q=0",
    ):
        yield one(f"Accept: {accept}", realm("GET", READ, headers={"Accept": accept}), given=[client()])


def _methods() -> Iterator[Scenario]:
    paths = (NEW, READ, "/client-scopes", "/keys", "/partialImport", "")
    for path in paths:
        for method in ("PATCH", "OPTIONS", "HEAD"):
            yield one(f"{method} of {path or 'the realm'}", realm(method, path), given=[client()])
    yield one("PUT of the list of clients", realm("PUT", NEW, {}))
    yield one("POST of a client", realm("POST", READ, {}), given=[client()])
    yield one("DELETE of the list of realms", admin("DELETE", "/admin/realms"))
    addresses = (
        "/users", "/groups", "/sessions/stats", "/authentication/flows", "/components", "/events", "/admin-events",
        "/attack-detection/brute-force/users", "/client-registration-policy/providers", "/clients-initial-access",
        "/credential-registrators", "/default-groups", "/localization", "/organizations", "/users-management-permissions",
        "/users/count", "/client-session-stats", "/nonsense", "/clients/nonsense/nonsense", "/workflows",
    )  # fmt: skip
    for path in addresses:
        yield one(f"GET {path}", realm("GET", path))
    for path in (
        "/admin",
        "/admin/",
        "/admin/nonsense",
        "/admin/realms/acme/",
        "/admin/realms/acme/clients/",
    ):
        yield one(f"GET {path}", admin("GET", path + ("?clientId=nobody" if "clients" in path else "")))
    yield one(
        "a client of another realm", admin("GET", "/admin/realms/closed/clients/{id}"), given=[client()]
    )
    yield one("an id in upper case", realm("GET", f"/clients/{MISSING.upper()}"))
    yield one("an id with a percent escape", realm("GET", "/clients/%2e%2e"))
    yield one("an encoded slash", realm("GET", "/clients/a%2Fb"))
    yield one("an Origin", realm("GET", READ, headers={"Origin": "https://app.example"}), given=[client()])


SCENARIOS = [*_bodies(), *_methods()]
