"""Issuers with claims as the real ones publish them, and keys of these tests."""

import time
import uuid
from typing import Any, Final

from keyturn_shared.jose import strict_json
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.projection import ProjectedIssuer
from tests.testkit.attacked_node import sign_raw
from tests.testkit.jwks_server import JwksServer, Page
from tests.testkit.nodes import BASE_URL

REALM_ISSUER: Final = f"{BASE_URL}/realms/acme"
GITHUB: Final = "https://token.actions.githubusercontent.com"
CLUSTER: Final = "https://kubernetes.default.svc.cluster.local"
TRUST_DOMAIN: Final = "spiffe://prod.example"
RIVAL: Final = "https://rival.example"

GITHUB_KEY: Final = SigningKey.generate("RS256", kid="cc413527-173f-5a05-976e-9c52b1d7b431")
FORMER_KEY: Final = SigningKey.generate("RS256", kid="38826b17-6a30-5f9b-b169-8beb8202f723")
CLUSTER_KEY: Final = SigningKey.generate("RS256", kid="q9Kd3vbUyT0zYp5hQX3S1m7f0d3PlBH5b7H6o0o1X5w")
GITLAB_KEY: Final = SigningKey.generate("RS256", kid="4i3sFE7sxqNPOT7FdvcGA1ZVGGI_r-tsDXnEuYT4ZqE")
SPIRE_KEY: Final = SigningKey.generate("ES256", kid="zVdHJvHWsBtoyBR62E2C1K5oDL8rTnVG")
SVID_AUTHORITY: Final = SigningKey.generate("ES256", kid="x509-authority")
RIVAL_KEY: Final = SigningKey.generate("RS256", kid=GITHUB_KEY.kid)
"""Of another issuer that the realm trusts, under the same kid."""

BRANCH: Final = "repo:octo-org/orders:ref:refs/heads/main"
RELEASES: Final = "repo:octo-org/orders:ref:refs/heads/release-*"
ACCOUNT: Final = "system:serviceaccount:shop:orders"
PROJECT: Final = "project_path:shop/orders:ref_type:branch:ref:main"
SPIFFE_ID: Final = f"{TRUST_DOMAIN}/ns/shop/sa/billing"


def publish(server: JwksServer) -> None:
    """Publish what each issuer does."""
    svid = {**SPIRE_KEY.public_jwk, "use": "jwt-svid"}
    svid.pop("alg", None)
    authority = {**SVID_AUTHORITY.public_jwk, "use": "x509-svid"}
    server.pages |= {
        "/github/.well-known/jwks": Page([GITHUB_KEY.public_jwk, FORMER_KEY.public_jwk]),
        "/cluster/openid/v1/jwks": Page([CLUSTER_KEY.public_jwk]),
        "/gitlab/oauth/discovery/keys": Page([GITLAB_KEY.public_jwk]),
        "/gitlab/.well-known/openid-configuration": metadata(server, "/gitlab"),
        "/other/.well-known/openid-configuration": metadata(server, "/gitlab"),
        "/inward/.well-known/openid-configuration": metadata(
            server, "/inward", jwks_uri="http://169.254.169.254/latest/meta-data"
        ),
        "/spire/bundle": Page([svid, authority]),
        "/rival/jwks": Page([RIVAL_KEY.public_jwk]),
    }


def metadata(server: JwksServer, path: str, **changes: Any) -> Page:
    members = {
        "issuer": server.url(path),
        "jwks_uri": server.url("/gitlab/oauth/discovery/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        **changes,
    }
    return Page(body=strict_json.encode(members), headers={"content-type": "application/json"})


def trusted(server: JwksServer, **changes: dict[str, Any]) -> tuple[ProjectedIssuer, ...]:
    """Return the issuers of realm ``acme``. ``changes``: of each by its alias."""
    issuers: dict[str, dict[str, Any]] = {
        "github": {
            "issuer": GITHUB,
            "keys_url": server.url("/github/.well-known/jwks"),
            "algorithms": ("RS256",),
            "conditions": {"repository_owner_id": "65"},
            "revoked_thumbprints": frozenset({FORMER_KEY.verification_key.thumbprint}),
            "revoked_subjects": frozenset({"repo:octo-org/orders:ref:refs/heads/release-0"}),
        },
        "cluster": {
            "issuer": CLUSTER,
            "keys_url": server.url("/cluster/openid/v1/jwks"),
            "is_reusable": True,
            "max_lifetime": 3600,
        },
        "gitlab": _discovered(server, "/gitlab"),
        "other": _discovered(server, "/other"),
        "inward": _discovered(server, "/inward"),
        "spire": {
            "issuer": TRUST_DOMAIN,
            "keys_url": server.url("/spire/bundle"),
            "document": "spiffe-bundle",
            "is_spiffe": True,
            "is_reusable": True,
        },
        "rival": {"issuer": RIVAL, "keys_url": server.url("/rival/jwks")},
        "off": {"issuer": "https://off.example", "keys_url": server.url("/rival/jwks"), "enabled": False},
    }
    return tuple(
        ProjectedIssuer(**{"id": f"id-of-{alias}", "alias": alias, **members, **changes.get(alias, {})})
        for alias, members in issuers.items()
    )


def _discovered(server: JwksServer, path: str) -> dict[str, Any]:
    return {
        "issuer": server.url(path),
        "keys_url": server.url(f"{path}/.well-known/openid-configuration"),
        "document": "openid-configuration",
    }


def github(**changes: Any) -> dict[str, Any]:
    """Return the claims of a job's token (docs.github.com, "OpenID Connect reference")."""
    now = int(time.time())
    return {
        "jti": str(uuid.uuid4()),
        "sub": BRANCH,
        "aud": REALM_ISSUER,
        "ref": "refs/heads/main",
        "sha": "9d2c3a6f6b5e4d3c2b1a0f9e8d7c6b5a49382716",
        "repository": "octo-org/orders",
        "repository_owner": "octo-org",
        "repository_owner_id": "65",
        "repository_id": "74",
        "repository_visibility": "private",
        "run_id": "1234567890",
        "run_number": "10",
        "run_attempt": "2",
        "actor": "octocat",
        "actor_id": "12",
        "workflow": "deploy",
        "head_ref": "",
        "base_ref": "",
        "event_name": "push",
        "ref_protected": "true",
        "ref_type": "branch",
        "job_workflow_ref": "octo-org/shared/.github/workflows/deploy.yml@refs/heads/main",
        "runner_environment": "github-hosted",
        "iss": GITHUB,
        "nbf": now - 5,
        "exp": now + 290,
        "iat": now - 5,
        **changes,
    }


def kubernetes(**changes: Any) -> dict[str, Any]:
    """Return the claims of a projected service account token."""
    now = int(time.time())
    return {
        "aud": [REALM_ISSUER],
        "exp": now + 3000,
        "iat": now - 600,
        "iss": CLUSTER,
        "jti": str(uuid.uuid4()),
        "kubernetes.io": {
            "namespace": "shop",
            "node": {"name": "node-1", "uid": "0f5a2f5e-2f3c-4f21-8d7e-3f9d8f6f2b10"},
            "pod": {"name": "orders-7d4b9c-x2x4q", "uid": "eb39b1b5-9f1c-4c8e-9d7f-5a9e0a5f3c11"},
            "serviceaccount": {"name": "orders", "uid": "4d7c1a6e-9b8f-4b47-8a6b-8c2e6b7d9a12"},
        },
        "nbf": now - 600,
        "sub": ACCOUNT,
        **changes,
    }


def gitlab(server: JwksServer, path: str = "/gitlab", **changes: Any) -> dict[str, Any]:
    """Return the claims of a job's ID token (docs.gitlab.com, "OpenID Connect (OIDC) Authentication")."""
    now = int(time.time())
    return {
        "namespace_id": "72",
        "namespace_path": "shop",
        "project_id": "20",
        "project_path": "shop/orders",
        "user_id": "1",
        "user_login": "sample-user",
        "pipeline_id": "574",
        "pipeline_source": "push",
        "job_id": "302",
        "ref": "main",
        "ref_type": "branch",
        "ref_path": "refs/heads/main",
        "ref_protected": "true",
        "runner_id": 1,
        "runner_environment": "self-hosted",
        "sha": "714a629c0b401fdce83e847fc9589983fc6f46bc",
        "jti": str(uuid.uuid4()),
        "iss": server.url(path),
        "iat": now - 2,
        "nbf": now - 7,
        "exp": now + 3598,
        "sub": PROJECT,
        "aud": REALM_ISSUER,
        **changes,
    }


def spiffe(**changes: Any) -> dict[str, Any]:
    """Return the claims of a JWT-SVID: it has neither ``iss`` nor ``jti``."""
    now = int(time.time())
    return {"aud": [REALM_ISSUER], "exp": now + 280, "iat": now - 20, "sub": SPIFFE_ID, **changes}


def signed(key: SigningKey, claims: dict[str, Any], header: dict[str, Any] | None = None) -> str:
    """Sign claims; None removes one. As at Kubernetes, the header has no ``typ`` unless it is given."""
    kept = {name: value for name, value in claims.items() if value is not None}
    return sign_raw(key, strict_json.encode(kept), {"typ": None, **(header or {})})
