"""A node whose realm trusts issuers, and the clients that they state."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import httpx
from redis.asyncio import Redis

from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.projection import ClientProjection, FederatedIdentity, Projection, RealmProjection
from tests.integration.workload import issuers
from tests.testkit.filled_redis import Filling, client_of, realm_of, subject_of
from tests.testkit.jwks_server import JwksServer
from tests.testkit.nodes import ASSERTION_TYPE, RunningNode

SPIFFE_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe"
CLIENT_KEY: Final = SigningKey.generate("ES256", kid="by-key")
LOOPBACK: Final = ("127.0.0.0/8",)


def federated(
    realm: RealmProjection, client_id: str, alias: str, subject: str, **more: Any
) -> ClientProjection:
    identity = {name: more.pop(name) for name in ("is_pattern", "audiences", "conditions") if name in more}
    return client_of(
        realm,
        client_id,
        authenticator="federated-jwt",
        federated=FederatedIdentity(alias=alias, subject=subject, **identity),
        **more,
    )


def clients(realm: RealmProjection) -> list[ClientProjection]:
    of_main = {"ref": "refs/heads/main", "ref_protected": "true"}
    return [
        federated(realm, "deploy", "github", issuers.BRANCH, conditions=of_main),
        federated(realm, "release", "github", issuers.RELEASES, is_pattern=True),
        federated(realm, "pipeline", "gitlab", issuers.PROJECT),
        federated(realm, "elsewhere", "other", issuers.PROJECT),
        federated(realm, "inside", "inward", issuers.PROJECT),
        federated(
            *(realm, "orders", "cluster", issuers.ACCOUNT), conditions={"/kubernetes.io/namespace": "shop"}
        ),
        federated(realm, "workers", "cluster", "system:serviceaccount:shop:worker-*", is_pattern=True),
        federated(realm, "billing", "spire", issuers.SPIFFE_ID),
        federated(realm, "own-audience", "cluster", "system:serviceaccount:shop:own", audiences=("own",)),
        federated(realm, "switched-off", "github", "repo:octo-org/off:pull_request", enabled=False),
        federated(realm, "of-disabled", "off", "anyone"),
        client_of(realm, "by-key", key=CLIENT_KEY),
        client_of(realm, "by-secret", secret="a secret that is long enough for its client"),
    ]


@dataclass
class Scene:
    node: RunningNode
    filling: Filling
    server: JwksServer
    realm: RealmProjection

    async def present(
        self, assertion: str, *, realm: str = "acme", kind: str = ASSERTION_TYPE, **form: str
    ) -> httpx.Response:
        """Request a token with this assertion."""
        fields = {"client_assertion_type": kind, "client_assertion": assertion, **form}
        return await self.node.token(realm, fields)

    async def outcomes(self) -> Counter[str]:
        """Return how often each outcome of authentication was counted so far."""
        counted: Counter[str] = Counter()
        for line in (await self.node.http.get("/metrics")).text.splitlines():
            if line.startswith("keyturn_authentications_total{"):
                outcome = line.split('outcome="')[1].split('"')[0]
                counted[outcome] += int(float(line.split()[-1]))
        return counted


async def fill(redis: Redis, server: JwksServer) -> tuple[Filling, RealmProjection]:
    """Write realm ``acme`` and its ``twin``, which trusts the same issuers for another client."""
    issuers.publish(server)
    acme, twin = (
        realm_of(name, trusted_issuers=issuers.trusted(server), jwks_allowed_networks=LOOPBACK)
        for name in ("acme", "twin")
    )
    made = [*clients(acme), federated(twin, "of-twin", "github", issuers.BRANCH)]
    found = [each for each in made if each.federated is not None and not each.federated.is_pattern]
    projections: list[Projection] = [acme, twin, *made, *map(subject_of, found)]
    filling = Filling.on(redis)
    await filling.open(*projections)
    return filling, acme
