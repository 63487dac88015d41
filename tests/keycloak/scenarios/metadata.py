"""Discovery, keys and the public page of a realm."""

from collections.abc import Iterator

from tests.keycloak.scenario import Request, Scenario, one


def _paths() -> Iterator[Scenario]:
    paths = {
        "OpenID discovery": "/realms/acme/.well-known/openid-configuration",
        "discovery of an unknown kind": "/realms/acme/.well-known/nonsense",
        "UMA discovery": "/realms/acme/.well-known/uma2-configuration",
        "OAuth metadata below the realm": "/realms/acme/.well-known/oauth-authorization-server",
        "OAuth metadata before the realm": "/.well-known/oauth-authorization-server/realms/acme",
        "keys": "/realms/acme/protocol/openid-connect/certs",
        "the realm's page": "/realms/acme",
        "the realm's page with a slash": "/realms/acme/",
        "userinfo without a token": "/realms/acme/protocol/openid-connect/userinfo",
        "the authorization endpoint": "/realms/acme/protocol/openid-connect/auth",
        "the protocol": "/realms/acme/protocol/openid-connect",
        "another protocol": "/realms/acme/protocol/saml/descriptor",
        "an unknown protocol": "/realms/acme/protocol/nonsense",
        "an address of a realm that does not exist": "/realms/acme/nonsense",
    }
    for name, path in paths.items():
        yield one(name, Request("GET", path))
    for name in ("OpenID discovery", "keys", "the realm's page"):
        path = paths[name]
        for where in ("nowhere", "closed"):
            yield one(f"{name} of realm {where}", Request("GET", path.replace("acme", where)))
        for method in ("HEAD", "POST", "DELETE", "OPTIONS"):
            yield one(f"{method} of {name}", Request(method, path))
        origin = {"Origin": "https://app.example"}
        yield one(f"{name} from another origin", Request("GET", path, headers=origin))
        accept = {"Accept": "text/html"}
        yield one(f"{name} as text/html", Request("GET", path, headers=accept))


SCENARIOS = [*_paths()]
