"""Callers without a token, with a bad one, and with less than every permission."""

from collections.abc import Iterator

from tests.keycloak.scenario import Request, Scenario, admin, client, one, realm
from tests.keycloak.scenarios.clients import MISSING
from tests.keycloak.world import EXPIRED, FOREIGN, MANAGER, STRANGER, VIEWER

CLIENT = "/clients/{id}"
CALLS: dict[str, tuple[str, str, object]] = {
    "the list of realms": ("GET", "/admin/realms", None),
    "serverinfo": ("GET", "/admin/serverinfo", None),
    "a new realm": ("POST", "/admin/realms", {"realm": "{new_realm}"}),
    "the realm": ("GET", "/admin/realms/acme", None),
    "a change of the realm": ("PUT", "/admin/realms/acme", {"displayName": "x"}),
    "another realm": ("GET", "/admin/realms/closed", None),
    "a realm that does not exist": ("GET", "/admin/realms/nowhere", None),
    "the realm's keys": ("GET", "/admin/realms/acme/keys", None),
    "the list of clients": ("GET", "/admin/realms/acme/clients?clientId={client}", None),
    "a new client": ("POST", "/admin/realms/acme/clients", {"clientId": "{other_client}"}),
    "a client": ("GET", "/admin/realms/acme/clients/{id}", None),
    "a change of a client": ("PUT", "/admin/realms/acme/clients/{id}", {"clientId": "{client}", "name": "x"}),
    "a client deleted": ("DELETE", "/admin/realms/acme/clients/{id}", None),
    "a client that does not exist": ("GET", f"/admin/realms/acme/clients/{MISSING}", None),
    "a secret": ("GET", "/admin/realms/acme/clients/{id}/client-secret", None),
    "a new secret": ("POST", "/admin/realms/acme/clients/{id}/client-secret", None),
    "a certificate": ("GET", "/admin/realms/acme/clients/{id}/certificates/jwt.credential", None),
    "client scopes": ("GET", "/admin/realms/acme/default-default-client-scopes", None),
    "a new client scope": ("POST", "/admin/realms/acme/client-scopes", {"name": "{scope}", "protocol": "openid-connect"}),
    "roles": ("GET", "/admin/realms/acme/roles?search=offline_access", None),
    "a new role": ("POST", "/admin/realms/acme/roles", {"name": "{role}"}),
    "push-revocation": ("POST", "/admin/realms/acme/clients/{id}/push-revocation", None),
    "clear-keys-cache": ("POST", "/admin/realms/acme/clear-keys-cache", None),
    "a partial import": ("POST", "/admin/realms/acme/partialImport", {"ifResourceExists": "SKIP", "clients": []}),
    "a partial export": ("POST", "/admin/realms/acme/partial-export", None),
    "an address that does not exist": ("GET", "/admin/realms/acme/nonsense", None),
}  # fmt: skip


_UNKNOWN: dict[str, str | None] = {
    "nobody": None,
    "garbage": "garbage",
    "an unsigned token": "unsigned",
    "an expired token": EXPIRED,
    "another realm's client": FOREIGN,
}


def call(name: str, caller: str | None) -> Request:
    method, path, body = CALLS[name]
    return admin(method, path, body, caller=caller)


def _all() -> Iterator[Scenario]:
    for caller in (VIEWER, MANAGER, STRANGER):
        for name in CALLS:
            yield one(f"{name}, by the {caller}", call(name, caller), given=[client()])
    for name in (
        "the list of realms",
        "the realm",
        "a client",
        "a new secret",
        "an address that does not exist",
    ):
        for what, token in _UNKNOWN.items():
            yield one(f"{name}, by {what}", call(name, token), given=[client()])
    read = "/admin/realms/acme/clients/{id}"
    for header in ("", "Bearer", "Basic b3JkZXJzOnNlY3JldA==", "bearer nonsense", "nonsense"):
        sent = Request("GET", read, headers={"Authorization": header})
        yield one(f"Authorization: {header!r}", sent, given=[client()])
    yield one("the token in the query", Request("GET", f"{read}?access_token=x"), given=[client()])
    yield one(
        "the service account's user, by the viewer",
        realm("GET", f"{CLIENT}/service-account-user", caller=VIEWER),
        given=[client()],
    )


SCENARIOS = [*_all()]
