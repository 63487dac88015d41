"""Clients authenticate by a certificate forwarded by a trusted proxy (RFC 8705)."""

import base64
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import jwt
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from keyturn_shared.oauth.certificates.client_certificate import read_client_certificate
from keyturn_shared.projection import RealmProjection
from tests.testkit.certificates import DAY, Issued, issue, make_authority
from tests.testkit.filled_redis import Filling, client_of
from tests.testkit.nodes import RunningNode, basic, eventually, running_node

ROOT = make_authority("CN=Root")
SECRET = "a secret"


@pytest.fixture
async def tls_node(filling: Filling, redis_url: str, tmp_path: Path) -> AsyncIterator[RunningNode]:
    """A node that trusts an authority, and this machine's proxies with certificates."""
    authorities = tmp_path / "authorities.pem"
    authorities.write_bytes(ROOT.pem)
    settings: dict[str, Any] = {"client_authorities_path": authorities, "client_cert_proxies": "127.0.0.0/8"}
    async with running_node(redis_url, **settings) as running:
        yield running


def shown(certificate: Issued, *intermediates: Issued) -> dict[str, str]:
    """Return a proxy's headers about a certificate (RFC 9440)."""
    own, *others = (f":{base64.b64encode(each.der).decode()}:" for each in (certificate, *intermediates))
    return {"Client-Cert": own} | ({"Client-Cert-Chain": ", ".join(others)} if others else {})


async def ask(node: RunningNode, certificate: Issued, *chain: Issued, **form: str) -> httpx.Response:
    return await node.token("acme", {"client_id": "worker", **form}, headers=shown(certificate, *chain))


async def refusals(node: RunningNode, code: str, method: str = "tls_client_auth") -> float:
    return await node.metric(f'keyturn_authentications_total{{method="{method}",outcome="{code}"}}')


@pytest.mark.parametrize(
    "changes",
    [
        {"x509_subject_dn": "CN=worker, O=Acme"},
        {"x509_subject_dn": "CN=w.*", "x509_subject_dn_is_pattern": True},
        {"x509_subject_dn": "CN=worker,O=Acme", "x509_issuer_dn": "CN=Root"},
        {"x509_san_dns": "worker.acme.example"},
    ],
)
async def test_a_certificate_of_the_right_name_is_accepted(
    changes: dict[str, Any], tls_node: RunningNode, filling: Filling, realm: RealmProjection
) -> None:
    await filling.change(realm, client_of(realm, "worker", authenticator="client-x509", **changes))
    good = issue(ROOT, "CN=worker,O=Acme", names=[x509.DNSName("worker.acme.example")])
    answer = await ask(tls_node, good)
    assert answer.status_code == 200, answer.text
    assert answer.json()["token_type"] == "Bearer"
    bad = await ask(tls_node, issue(ROOT, "CN=other,O=Acme", names=[x509.DNSName("other.acme.example")]))
    assert (bad.status_code, bad.json()["error"]) == (401, "invalid_client")
    assert await refusals(tls_node, "certificate_mismatch") == 1
    assert await refusals(tls_node, "accepted") == 1


async def test_a_chain_through_an_intermediate_is_accepted_and_another_authority_is_not(
    tls_node: RunningNode, filling: Filling, realm: RealmProjection
) -> None:
    client = client_of(
        realm,
        "worker",
        authenticator="client-x509",
        x509_subject_dn="CN=worker,O=Acme",
        x509_issuer_dn="CN=Root",
    )
    await filling.change(realm, client)
    intermediate, other = make_authority("CN=Between", ROOT), make_authority("CN=Root")
    assert (await ask(tls_node, issue(ROOT))).status_code == 200
    assert (await ask(tls_node, issue(intermediate), intermediate)).status_code == 401
    assert await refusals(tls_node, "certificate_mismatch") == 1, "another issuer"
    for chain in ((issue(other),), (issue(None),), (issue(intermediate),), (issue(other), other)):
        assert (await ask(tls_node, *chain)).status_code == 401
    assert await refusals(tls_node, "untrusted_certificate") == 4


async def test_a_registered_key_is_recognised_whoever_signed_its_certificate(
    tls_node: RunningNode, filling: Filling, realm: RealmProjection
) -> None:
    mine, later, foreign = issue(None), issue(None), issue(ROOT)
    rsa_one = issue(None, key=rsa.generate_private_key(65537, 2048))
    jwks = {"keys": [each.public_jwk | {"kid": f"k{number}"} for number, each in enumerate((mine, rsa_one))]}
    client = client_of(
        realm, "worker", authenticator="client-x509", x509_self_signed=True, jwks=jwks, jwks_source="jwks"
    )
    await filling.change(realm, client)
    renewed = issue(None, "CN=another name", key=mine.key)
    for good in (mine, rsa_one, renewed):
        assert (await ask(tls_node, good)).status_code == 200
    for bad in (later, foreign):
        assert (await ask(tls_node, bad)).status_code == 401
    method = "self_signed_tls_client_auth"
    assert await refusals(tls_node, "accepted", method) == 3
    assert await refusals(tls_node, "certificate_mismatch") == 2
    await filling.revoke_key(realm, client, mine.thumbprint)

    async def refused() -> bool:
        return (await ask(tls_node, renewed)).status_code == 401

    await eventually(refused)
    assert await refusals(tls_node, "key_revoked") >= 1


async def test_a_revoked_key_is_refused_under_any_certificate_of_the_right_name(
    tls_node: RunningNode, filling: Filling, realm: RealmProjection
) -> None:
    certificate = issue(ROOT)
    client = client_of(
        realm,
        "worker",
        authenticator="client-x509",
        x509_subject_dn="CN=worker,O=Acme",
        revoked_thumbprints=frozenset({certificate.thumbprint}),
    )
    await filling.change(realm, client)
    assert (await ask(tls_node, certificate)).status_code == 401
    assert (await ask(tls_node, issue(ROOT, key=certificate.key))).status_code == 401
    assert await refusals(tls_node, "key_revoked") == 2


async def test_no_token_is_bound_to_a_revoked_key(
    tls_node: RunningNode, filling: Filling, realm: RealmProjection
) -> None:
    certificate = issue(ROOT)
    revoked = frozenset({certificate.thumbprint})
    client = client_of(realm, "worker", secret=SECRET, mtls_bound_tokens=True, revoked_thumbprints=revoked)
    await filling.change(realm, client)
    header = {"Authorization": basic("worker", SECRET)}
    for shown_one, status in (
        (certificate, 401),
        (issue(ROOT, key=certificate.key), 401),
        (issue(ROOT), 200),
    ):
        answer = await tls_node.token("acme", {}, headers=header | shown(shown_one))
        assert answer.status_code == status
    assert await refusals(tls_node, "key_revoked", "client_secret_basic") == 2


async def test_a_certificate_is_good_only_in_its_time(
    tls_node: RunningNode, filling: Filling, realm: RealmProjection
) -> None:
    expired, future = issue(None, begins=-2 * DAY, ends=-DAY), issue(None, begins=DAY, ends=2 * DAY)
    jwks = {"keys": [expired.public_jwk, future.public_jwk]}
    await filling.change(
        realm, client_of(realm, "worker", authenticator="client-x509", x509_self_signed=True, jwks=jwks)
    )
    assert (await ask(tls_node, expired)).status_code == 401
    assert (await ask(tls_node, future)).status_code == 401
    assert await refusals(tls_node, "certificate_not_valid") == 2


async def test_a_header_is_believed_only_from_a_trusted_proxy(
    filling: Filling, realm: RealmProjection, redis_url: str
) -> None:
    certificate = issue(None)
    await filling.change(
        realm,
        client_of(
            realm,
            "worker",
            authenticator="client-x509",
            x509_self_signed=True,
            jwks={"keys": [certificate.public_jwk]},
        ),
    )
    for proxies in ("", "192.0.2.0/24,2001:db8::/32"):
        async with running_node(redis_url, client_cert_proxies=proxies) as node:
            answer = await ask(node, certificate)
            assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")
            assert await refusals(node, "missing_credentials", "none") == 1


async def test_a_certificate_in_nginx_form_is_read_from_its_own_header(
    filling: Filling, realm: RealmProjection, redis_url: str
) -> None:
    certificate = issue(None)
    client = client_of(
        realm,
        "worker",
        authenticator="client-x509",
        x509_self_signed=True,
        jwks={"keys": [certificate.public_jwk]},
    )
    await filling.change(realm, client)
    async with running_node(redis_url, client_cert_proxies="127.0.0.1", client_cert_form="pem") as node:
        header = {"Ssl-Client-Cert": quote(certificate.pem)}
        assert (await node.token("acme", {"client_id": "worker"}, headers=header)).status_code == 200
        assert (await ask(node, certificate)).status_code == 401, "the header of the other form"
        broken = await node.token("acme", {"client_id": "worker"}, headers={"Ssl-Client-Cert": "x"})
        assert broken.status_code == 401
        empty = await node.token("acme", {"client_id": "worker"}, headers={"Ssl-Client-Cert": ""})
        assert empty.status_code == 401
        assert await refusals(node, "malformed_certificate", "none") == 1


async def test_a_certificate_does_not_stand_in_for_the_method_a_client_is_registered_with(
    tls_node: RunningNode, filling: Filling, realm: RealmProjection
) -> None:
    await filling.change(realm, client_of(realm, "worker", secret=SECRET))
    certificate = issue(ROOT)
    assert (await ask(tls_node, certificate)).status_code == 401
    assert await refusals(tls_node, "authenticator_mismatch") == 1
    beside = shown(certificate) | {"Authorization": basic("worker", SECRET)}
    assert (await tls_node.token("acme", {}, headers=beside)).status_code == 200
    await filling.change(
        realm, client_of(realm, "x509", authenticator="client-x509", x509_san_dns="a.example", secret=SECRET)
    )
    secret = shown(certificate) | {"Authorization": basic("x509", SECRET)}
    assert (await tls_node.token("acme", {}, headers=secret)).status_code == 401


async def test_unknown_and_mismatching_clients_get_the_same_answer(
    tls_node: RunningNode, filling: Filling, realm: RealmProjection
) -> None:
    await filling.change(
        realm, client_of(realm, "worker", authenticator="client-x509", x509_san_dns="a.example")
    )
    certificate = issue(ROOT)
    wrong, unknown = await ask(tls_node, certificate), await ask(tls_node, certificate, client_id="nobody")
    assert (wrong.status_code, wrong.content) == (unknown.status_code, unknown.content)


async def test_tokens_of_a_client_that_wants_it_are_bound_to_its_certificate_whatever_it_authenticates_by(
    tls_node: RunningNode, filling: Filling, realm: RealmProjection
) -> None:
    await filling.change(realm, client_of(realm, "worker", secret=SECRET, mtls_bound_tokens=True))
    certificate = issue(None)
    header = {"Authorization": basic("worker", SECRET)}
    answer = await tls_node.token("acme", {}, headers=header | shown(certificate))
    token = answer.json()["access_token"]
    bound = read_client_certificate(certificate.der).thumbprint
    assert jwt.decode(token, options={"verify_signature": False})["cnf"] == {"x5t#S256": bound}
    without = await tls_node.token("acme", {}, headers=header)
    assert (without.status_code, without.json()["error"]) == (400, "invalid_request")

    async def introspect(**headers: str) -> httpx.Response:
        return await tls_node.http.post(
            "/realms/acme/protocol/openid-connect/token/introspect", data={"token": token}, headers=headers
        )

    told = (await introspect(**header)).json()
    assert (told["active"], told["token_type"], told["cnf"]) == (True, "Bearer", {"x5t#S256": bound})
    bearer = {"Authorization": f"Bearer {token}"}
    assert (await introspect(**bearer)).status_code == 401
    assert (await introspect(**bearer, **shown(issue(None)))).status_code == 401
    assert (await introspect(**bearer, **shown(certificate))).json()["active"]

    async def forward_auth(**headers: str) -> int:
        return (await tls_node.http.get("/realms/acme/forward-auth", headers=headers)).status_code

    assert await forward_auth(**bearer) == 401
    assert await forward_auth(**bearer, **shown(issue(None))) == 401
    assert await forward_auth(**bearer, **shown(certificate)) == 204

    async def verify(**body: str) -> dict[str, Any]:
        answer = await tls_node.http.post(
            "/realms/acme/verify", json={"tokens": [token], **body}, headers=header
        )
        result: dict[str, Any] = answer.json()["results"][0]
        return result

    assert (await verify())["claims"]["cnf"] == {"x5t#S256": bound}
    assert (await verify(**{"x5t#S256": bound}))["active"]
    other = read_client_certificate(issue(None).der).thumbprint
    assert await verify(**{"x5t#S256": other}) == {"active": False, "error": "possession_not_proved"}
    line = 'keyturn_verifications_total{endpoint="forward_auth",outcome="possession_not_proved"}'
    assert await tls_node.metric(line) == 2


async def test_discovery_tells_of_certificates_as_far_as_the_node_can_see_them(
    tls_node: RunningNode, node: RunningNode, redis_url: str
) -> None:
    async def metadata(of: RunningNode) -> dict[str, Any]:
        told: dict[str, Any] = (await of.http.get("/realms/acme/.well-known/openid-configuration")).json()
        return told

    plain, full = await metadata(node), await metadata(tls_node)
    assert not {"tls_client_auth", "self_signed_tls_client_auth"} & set(
        plain["token_endpoint_auth_methods_supported"]
    )
    assert plain["tls_client_certificate_bound_access_tokens"] is False
    assert {"tls_client_auth", "self_signed_tls_client_auth"} <= set(
        full["introspection_endpoint_auth_methods_supported"]
    )
    assert full["tls_client_certificate_bound_access_tokens"] is True
    assert "mtls_endpoint_aliases" not in full
    aliased: dict[str, Any] = {"client_cert_proxies": "127.0.0.1", "mtls_url": "https://mtls.example.test/"}
    async with running_node(redis_url, **aliased) as other:
        told = await metadata(other)
    assert "tls_client_auth" not in told["token_endpoint_auth_methods_supported"], "no authority is trusted"
    assert told["mtls_endpoint_aliases"]["token_endpoint"] == (
        "https://mtls.example.test/realms/acme/protocol/openid-connect/token"
    )
