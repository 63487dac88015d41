"""Tokens as the platforms issue them get access tokens, and what ends that."""

from typing import Any

from msgspec.structs import replace

from keyturn_shared.events import RealmUpdated
from keyturn_shared.jose.signing import SigningKey
from tests.integration.workload import issuers
from tests.integration.workload.issuers import (
    CLUSTER_KEY,
    GITHUB_KEY,
    GITLAB_KEY,
    SPIRE_KEY,
    github,
    gitlab,
    kubernetes,
    signed,
    spiffe,
)
from tests.integration.workload.scene import SPIFFE_TYPE, Scene
from tests.testkit.jwks_server import Page
from tests.testkit.nodes import BASE_URL, assertion_claims

JWT = {"typ": "JWT"}


async def client_of(scene: Scene, assertion: str, **form: str) -> str:
    """Return the client that gets a token with this assertion."""
    answer = await scene.present(assertion, **form)
    assert answer.status_code == 200, answer.text
    introspected = await scene.node.http.post(
        "/realms/acme/protocol/openid-connect/token/introspect",
        data={
            "token": answer.json()["access_token"],
            "client_id": "by-secret",
            "client_secret": "a secret that is long enough for its client",
        },
    )
    return str(introspected.json()["client_id"])


async def test_a_token_of_each_platform_is_that_of_its_client(scene: Scene) -> None:
    assert await client_of(scene, signed(GITHUB_KEY, github(), JWT)) == "deploy"
    assert await client_of(scene, signed(GITLAB_KEY, gitlab(scene.server), JWT)) == "pipeline"
    assert await client_of(scene, signed(CLUSTER_KEY, kubernetes())) == "orders"
    svid = signed(SPIRE_KEY, spiffe(), {"typ": "JOSE"})
    assert await client_of(scene, svid, kind=SPIFFE_TYPE) == "billing"
    released = signed(GITHUB_KEY, github(sub="repo:octo-org/orders:ref:refs/heads/release-1.2"), JWT)
    assert await client_of(scene, released, client_id="release") == "release"
    worker = kubernetes(sub="system:serviceaccount:shop:worker-a")
    assert await client_of(scene, signed(CLUSTER_KEY, worker), client_id="workers") == "workers"


async def test_the_audience_is_the_realm_or_its_token_endpoint(scene: Scene) -> None:
    own, token = issuers.REALM_ISSUER, f"{issuers.REALM_ISSUER}/protocol/openid-connect/token"
    for audience in (own, token, [own, token]):
        assert await client_of(scene, signed(CLUSTER_KEY, kubernetes(aud=audience))) == "orders"


async def test_a_client_can_require_an_audience_of_its_own(scene: Scene) -> None:
    own = {"sub": "system:serviceaccount:shop:own"}
    assert await client_of(scene, signed(CLUSTER_KEY, kubernetes(aud="own", **own))) == "own-audience"
    answer = await scene.present(signed(CLUSTER_KEY, kubernetes(**own)))
    assert answer.status_code == 401


async def test_a_file_is_used_again_and_a_jobs_token_is_not(scene: Scene) -> None:
    of_pod, of_job = signed(CLUSTER_KEY, kubernetes()), signed(GITHUB_KEY, github())
    assert [(await scene.present(of_pod)).status_code for _ in range(3)] == [200, 200, 200]
    assert [(await scene.present(of_job)).status_code for _ in range(2)] == [200, 401]
    assert (await scene.outcomes())["replayed"] == 1


async def test_a_jobs_token_is_used_once_by_all_clients_of_its_issuer(scene: Scene) -> None:
    """A client with a pattern could otherwise use what another one has used."""
    release = {"sub": "repo:octo-org/orders:ref:refs/heads/release-7"}
    assertion = signed(GITHUB_KEY, github(**release))
    assert (await scene.present(assertion, client_id="release")).status_code == 200
    assert (await scene.present(assertion, client_id="release")).status_code == 401
    assert (await scene.outcomes())["replayed"] == 1


async def test_the_keys_of_an_issuer_are_fetched_once(scene: Scene) -> None:
    for _ in range(3):
        assert await client_of(scene, signed(GITLAB_KEY, gitlab(scene.server))) == "pipeline"
    assert scene.server.requests["/gitlab/.well-known/openid-configuration"] == 1
    assert scene.server.requests["/gitlab/oauth/discovery/keys"] == 1


async def test_a_new_key_of_the_issuer_is_found_by_way_of_its_metadata(scene: Scene) -> None:
    assert await client_of(scene, signed(GITLAB_KEY, gitlab(scene.server))) == "pipeline"
    new = SigningKey.generate("RS256", kid="new")
    moved = "/gitlab/keys-of-2027"
    scene.server.pages[moved] = Page([new.public_jwk])
    scene.server.pages["/gitlab/.well-known/openid-configuration"] = issuers.metadata(
        scene.server, "/gitlab", jwks_uri=scene.server.url(moved)
    )
    assert await client_of(scene, signed(new, gitlab(scene.server))) == "pipeline"
    assert (await scene.present(signed(GITLAB_KEY, gitlab(scene.server)))).status_code == 401


async def test_keys_that_metadata_does_not_lead_to_are_unavailable(scene: Scene) -> None:
    """Metadata of another issuer names no keys of this one, and none leads into a network that is not
    allowed."""
    for client_id, path in (("elsewhere", "/other"), ("inside", "/inward")):
        answer = await scene.present(signed(GITLAB_KEY, gitlab(scene.server, path)), client_id=client_id)
        assert answer.status_code == 429
    assert (await scene.outcomes())["keys_unavailable"] == 2
    assert scene.server.requests["/gitlab/oauth/discovery/keys"] == 0


CHANGES: list[tuple[dict[str, Any], str]] = [
    ({"enabled": False}, "issuer_disabled"),
    ({"issuer": "https://elsewhere.example"}, "unknown_client"),
    ({"revoked_thumbprints": frozenset({CLUSTER_KEY.verification_key.thumbprint})}, "key_revoked"),
    ({"revoked_subjects": frozenset({issuers.ACCOUNT})}, "subject_revoked"),
    ({"audiences": ("elsewhere",)}, "wrong_audience"),
    ({"algorithms": ("ES256",)}, "algorithm_not_allowed"),
    ({"max_lifetime": 300}, "lifetime_too_long"),
    ({"conditions": {"/kubernetes.io/pod/name": "another"}}, "condition_not_met"),
    ({"alias": "renamed"}, "unknown_client"),
]


async def publish(scene: Scene, **changes: dict[str, Any]) -> None:
    """Publish a change of the realm's issuers, and wait until the node has applied it."""
    changed = replace(scene.realm, trusted_issuers=issuers.trusted(scene.server, **changes))
    event = RealmUpdated(sequence=0, id="", occurred_at=0, realm_id=changed.id, realm=changed.name)
    await scene.node.applied(await scene.filling.publish(event, changed))


async def test_a_change_of_the_issuer_ends_its_assertions(scene: Scene) -> None:
    assertion = signed(CLUSTER_KEY, kubernetes())
    ended: dict[str, tuple[set[str], set[str]]] = {}
    for changes, code in CHANGES:
        await publish(scene)
        assert (await scene.present(assertion)).status_code == 200
        await publish(scene, cluster=changes)
        before = await scene.outcomes()
        assert (await scene.present(assertion)).status_code == 401
        ended[str(changes)] = {code}, set(await scene.outcomes() - before)
    assert [codes for codes in ended.values() if codes[0] != codes[1]] == []


async def test_cleared_keys_are_fetched_again_before_they_are_used(scene: Scene) -> None:
    assertion = signed(CLUSTER_KEY, kubernetes())
    assert (await scene.present(assertion)).status_code == 200
    scene.server.pages["/cluster/openid/v1/jwks"].keys = [GITLAB_KEY.public_jwk]
    await publish(scene, cluster={"keys_not_before": scene.filling.sequence + 1})
    assert (await scene.present(assertion)).status_code == 401


async def test_signed_with_its_own_key_an_assertion_is_not_that_of_a_federated_client(scene: Scene) -> None:
    """Neither at the token endpoint nor at /verify, even if keys are left from another authenticator."""
    own = SigningKey.generate("ES256", kid="left")
    client = next(
        each for each in scene.filling.truth.values() if getattr(each, "client_id", None) == "orders"
    )
    left = replace(client, jwks={"keys": [own.public_jwk]}, jwks_source="jwks")
    await scene.node.applied(await scene.filling.change(scene.realm, left))  # type: ignore[arg-type]  # it is a client
    assertion = signed(own, assertion_claims("orders", "acme"))
    answer = await scene.present(assertion)
    assert answer.status_code == 401
    verified = await scene.node.http.post(
        "/realms/acme/verify",
        json={
            "tokens": [assertion],
            "client_id": "by-secret",
            "client_secret": "a secret that is long enough for its client",
        },
    )
    assert verified.json()["results"] == [{"active": False, "error": "authenticator_mismatch"}]


async def test_a_federated_client_authenticates_at_introspection_too(scene: Scene) -> None:
    token = (await scene.present(signed(CLUSTER_KEY, kubernetes()))).json()["access_token"]
    answer = await scene.node.http.post(
        f"{BASE_URL}/realms/acme/protocol/openid-connect/token/introspect",
        data={
            "token": token,
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": signed(CLUSTER_KEY, kubernetes()),
        },
    )
    assert answer.json()["client_id"] == "orders"
