"""Installation providers of clients, and reports about the server."""

from collections.abc import Iterator

from tests.keycloak.scenario import Scenario, admin, client, one, realm

PROVIDERS = (
    "keycloak-oidc-keycloak-json",
    "keycloak-oidc-jboss-subsystem",
    "keycloak-oidc-jboss-subsystem-cli",
    "nonsense",
)


def _all() -> Iterator[Scenario]:
    clients = {
        "a client": client(),
        "a public client": client(publicClient=True, serviceAccountsEnabled=False),
        "a bearer-only client": client(bearerOnly=True, serviceAccountsEnabled=False),
        "a client-jwt client": client(clientAuthenticatorType="client-jwt"),
        "a client-secret-jwt client": client(clientAuthenticatorType="client-secret-jwt"),
    }
    for provider in PROVIDERS:
        for name, made in clients.items():
            path = f"/clients/{{id}}/installation/providers/{provider}"
            yield one(f"{provider} of {name}", realm("GET", path), given=[made])
    for path in (
        "client-policies/profiles",
        "client-policies/policies",
        "identity-provider/instances",
        "client-types",
    ):
        yield one(path, realm("GET", f"/{path}"))
    yield one("the members of serverinfo that tools read", admin("GET", "/admin/serverinfo"))


SCENARIOS = [*_all()]
