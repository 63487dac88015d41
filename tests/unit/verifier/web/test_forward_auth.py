"""Tokens at the gateway's question, answered from memory where that is possible."""

import pytest
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette

from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.network.trusted_proxies import TrustedProxies
from keyturn_shared.oauth.certificates.headers import CertificateHeader
from keyturn_shared.oauth.metrics import AnswerMetrics
from keyturn_shared.oauth.sender_constraint.dpop import DpopCheck
from keyturn_shared.oauth.sender_constraint.requirement import PossessionCheck
from keyturn_shared.oauth.web.certificate_source import CertificateSource
from keyturn_shared.oauth.web.messages import Reply, Request
from keyturn_verifier.web.application import Route, VerifierApplication
from keyturn_verifier.web.forward_auth import ForwardAuthEndpoint
from keyturn_verifier.web.forwarded_request import ForwardedRequests
from tests.testkit.oauth_scene import SKEW, Scene, access_token, client, scene
from tests.testkit.signature_counts import count_signatures

PATH = "/realms/acme/forward-auth"


class Gateway:
    """Asks a node about tokens, as its connections do."""

    def __init__(self, made: Scene) -> None:
        metrics = AnswerMetrics(CollectorRegistry())
        endpoint = ForwardAuthEndpoint(
            made,  # type: ignore[arg-type]  # it asks for a lease
            made.tokens,
            CertificateSource(CertificateHeader()),
            PossessionCheck(DpopCheck(made.used, made.clock, clock_skew=SKEW)),
            ForwardedRequests(TrustedProxies(())),
            metrics,
        )
        self._application = VerifierApplication({}, Starlette(), metrics)
        self._route = Route(endpoint, None, 0, at_once=endpoint.at_once)
        self.at_once: list[bool] = []

    async def ask(self, token: str, scheme: str = "Bearer") -> Reply:
        sent = [(b"authorization", f"{scheme} {token}".encode())]
        request = Request("GET", PATH, "acme", b"", sent, b"", "192.0.2.1")
        reply = self._application.reply_at_once(self._route, request)
        self.at_once.append(reply is not None)
        return reply or await self._application.reply(self._route, request)


@pytest.fixture
def signatures(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    return count_signatures(monkeypatch)


async def test_a_forged_token_costs_one_verification(signatures: list[str]) -> None:
    """Anyone can send one."""
    made = scene(client())
    gateway = Gateway(made)
    reply = await gateway.ask(access_token(made, key=SigningKey.generate(kid="realm-key")))
    assert reply.status == 401
    assert len(signatures) == 1


async def test_a_token_that_was_seen_costs_none(signatures: list[str]) -> None:
    made = scene(client())
    gateway, token = Gateway(made), access_token(made)
    assert [(await gateway.ask(token)).status for _ in range(3)] == [204, 204, 204]
    assert gateway.at_once == [True, True, True]
    assert len(signatures) == 1


async def test_a_bound_token_is_left_to_the_complete_procedure() -> None:
    made = scene(client())
    gateway = Gateway(made)
    reply = await gateway.ask(access_token(made, cnf={"jkt": "x"}))
    assert (reply.status, gateway.at_once) == (401, [False])


async def test_nothing_is_answered_from_memory_without_a_lease() -> None:
    made = scene(client())
    gateway, token = Gateway(made), access_token(made)
    await gateway.ask(token)
    made.fenced = True
    assert (await gateway.ask(token)).status == 503
    assert gateway.at_once == [True, False]
