"""Workloads of a platform get tokens from a running stack, until a revocation returns."""

import json
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from keyturn_shared.jose.signing import SigningKey
from tests.testkit.local_stack import Admin, RunningStack, token_url
from tests.testkit.threaded_key_server import KeyServer

KEY = SigningKey.generate("RS256")


class Cluster:
    """A cluster whose metadata and keys are published, and a client for one of its service accounts."""

    def __init__(self, admin: Admin, published: KeyServer, stack: RunningStack) -> None:
        self.alias = f"cluster-{uuid.uuid4()}"
        self.issuer = published.url(f"/{self.alias}")
        self.subject = f"system:serviceaccount:{self.alias}:orders"
        self.provider = f"/identity-provider/instances/{self.alias}"
        self._audience = f"{stack.base_url}/realms/{admin.realm}"
        self._nodes = [token_url(url, admin.realm) for url in stack.node_urls]
        jwks_uri = published.serve(f"/{self.alias}/keys", KEY.public_jwk)
        metadata = {"issuer": self.issuer, "jwks_uri": jwks_uri}
        path = f"/{self.alias}/.well-known/openid-configuration"
        published.pages[path] = (200, json.dumps(metadata).encode())
        provider = {"alias": self.alias, "providerId": "kubernetes", "config": {"issuer": self.issuer}}
        admin.call("POST", "/identity-provider/instances", json=provider)
        self.client = admin.make_client(
            f"orders-{self.alias}",
            clientAuthenticatorType="federated-jwt",
            attributes={"jwt.credential.issuer": self.alias, "jwt.credential.sub": self.subject},
        )

    def ask(self) -> list[int]:
        """Request a token from every node, with the same file."""
        now = int(time.time())
        claims = {
            "aud": [self._audience],
            "exp": now + 3600,
            "iat": now,
            "nbf": now,
            "iss": self.issuer,
            "jti": str(uuid.uuid4()),
            "kubernetes.io": {"namespace": self.alias, "serviceaccount": {"name": "orders", "uid": "1"}},
            "sub": self.subject,
        }
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": KEY.sign_compact(KEY.header_segment(), claims),
        }
        return [httpx.post(url, data=form, trust_env=False).status_code for url in self._nodes]


@pytest.fixture(scope="module")
def published() -> Iterator[KeyServer]:
    with KeyServer() as server:
        yield server


@pytest.fixture(scope="module")
def kept(admin: Admin, published: KeyServer, stack: RunningStack) -> Cluster:
    """A cluster that nothing is ended for, with the same key."""
    return Cluster(admin, published, stack)


def _put(path: Callable[[Cluster], str], **members: Any) -> Callable[[Admin, Cluster], httpx.Response]:
    return lambda admin, cluster: admin.call("PUT", path(cluster), json=members)


def _client(cluster: Cluster) -> str:
    return f"/clients/{cluster.client}"


def _provider(cluster: Cluster) -> str:
    return cluster.provider


REVOCATIONS: dict[str, Callable[[Admin, Cluster], httpx.Response]] = {
    "issuer disabled": _put(_provider, enabled=False),
    "issuer deleted": lambda admin, cluster: admin.call("DELETE", cluster.provider),
    "key revoked": lambda admin, cluster: admin.call(
        "POST", f"{cluster.provider}/keys/{KEY.verification_key.thumbprint}/revoke"
    ),
    "subject revoked": lambda admin, cluster: admin.call(
        "POST", f"{cluster.provider}/revoke-subject", json={"subject": cluster.subject}
    ),
    "another subject": _put(_client, attributes={"jwt.credential.sub": "system:serviceaccount:a:b"}),
    "client disabled": _put(_client, enabled=False),
    "client deleted": lambda admin, cluster: admin.call("DELETE", _client(cluster)),
}


@pytest.mark.parametrize("revocation", REVOCATIONS)
def test_when_a_revocation_returns_every_node_refuses_the_workload(
    stack: RunningStack, admin: Admin, published: KeyServer, kept: Cluster, revocation: str
) -> None:
    lost = Cluster(admin, published, stack)
    assert (lost.ask(), kept.ask()) == ([200, 200], [200, 200])
    answer = REVOCATIONS[revocation](admin, lost)
    assert answer.headers["Keyturn-Fleet"].startswith("nodes=2, applied=2")
    assert (lost.ask(), kept.ask()) == ([401, 401], [200, 200])
