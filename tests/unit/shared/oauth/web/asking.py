"""A realm with one client, and those who ask about tokens there."""

import base64
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry

from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.network.trusted_proxies import TrustedProxies
from keyturn_shared.oauth.certificates.headers import CertificateHeader
from keyturn_shared.oauth.client_authentication.secret_cache import SecretCache
from keyturn_shared.oauth.metrics import AnswerMetrics, ThrottleMetrics
from keyturn_shared.oauth.sender_constraint.dpop import DpopCheck
from keyturn_shared.oauth.sender_constraint.requirement import PossessionCheck
from keyturn_shared.oauth.throttling.throttle import FailureLimits, Throttle
from keyturn_shared.oauth.web.caller_address import CallerAddress
from keyturn_shared.oauth.web.caller_authentication import Callers
from keyturn_shared.oauth.web.certificate_source import CertificateSource
from keyturn_shared.oauth.web.known_callers import KnownCallers
from keyturn_shared.oauth.web.messages import Request
from keyturn_shared.oauth.web.outcome_log import AuthenticationLog
from tests.testkit.oauth_scene import BASE_URL, Scene, client, scene

SECRET = "a-secret-that-is-long-enough"
URL = f"{BASE_URL}/realms/acme/protocol/openid-connect/token/introspect"
KEY = SigningKey.generate()


@dataclass
class Asked:
    """A realm with one client by secret, and those who ask about tokens there."""

    scene: Scene
    registry: CollectorRegistry
    callers: Callers
    cache: SecretCache | None

    def count(self, method: str, outcome: str) -> float:
        labels = {"method": method, "outcome": outcome}
        return self.registry.get_sample_value("keyturn_authentications_total", labels) or 0.0

    async def by(
        self,
        authorization: str | None = None,
        parameters: dict[str, str] | None = None,
        *,
        headers: dict[bytes, str] | None = None,
        realm: str = "acme",
        certificate: bytes | None = None,
        method: str = "POST",
    ) -> str:
        sent = [(name, text.encode("latin-1")) for name, text in (headers or {}).items()]
        if authorization is not None:
            sent.append((b"authorization", authorization.encode()))
        request = Request(method, "/", realm, b"", sent, b"", "192.0.2.1", certificate)
        return await self.callers.require(request, parameters or {}, lambda urls: urls.introspection)


def asked(*, limit: int = 100, cached: int = 0, **members: Any) -> Asked:
    made = scene(client(**{"authenticator": "client-secret", "secret": SECRET, **members}))
    registry = CollectorRegistry()
    throttle = Throttle(FailureLimits(per_client=limit), None, ThrottleMetrics(registry), made.clock.elapsed)
    log = AuthenticationLog(AnswerMetrics(registry), throttle, CallerAddress(TrustedProxies(())))
    cache = SecretCache(made.clock.now, cached) if cached else None
    callers = Callers(
        made,
        made.authenticator,
        made.tokens,
        CertificateSource(CertificateHeader()),
        PossessionCheck(DpopCheck(made.used, made.clock, clock_skew=20.0)),
        log,
        None if cache is None else KnownCallers(made, made.authenticator, log, cache),
    )
    return Asked(made, registry, callers, cache)


def basic(secret: str = SECRET, client_id: str = "worker") -> str:
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()
