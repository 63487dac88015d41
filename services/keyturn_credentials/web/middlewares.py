"""The middleware of the service: every request passes all of it before its route."""

from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry
from starlette.middleware import Middleware

from keyturn_credentials.http.bodies import BodyLimit
from keyturn_credentials.http.proxied import Proxied
from keyturn_credentials.settings import CredentialsSettings
from keyturn_credentials.web.admitted import Admitted
from keyturn_credentials.web.caching import NeverStored
from keyturn_credentials.web.measured import Measured
from keyturn_credentials.web.traced import Traced
from keyturn_credentials.web.trailing_slash import SlashesIgnored
from keyturn_shared.network.trusted_proxies import TrustedProxies
from keyturn_shared.runtime.admission import Admission
from keyturn_shared.tracing.ports import Tracer
from keyturn_shared.web.proxy_chain import ProxyChainCheck
from keyturn_shared.web.request_metrics import RequestMetrics

BODY_SECONDS: Final = 30.0


def middlewares(
    settings: CredentialsSettings,
    metrics: CollectorRegistry,
    elapsed: Callable[[], float],
    tracer: Tracer | None,
) -> list[Middleware]:
    """Return the middleware of the service; without a tracer, none that traces."""
    return [
        *([] if tracer is None else [Middleware(Traced, tracer=tracer)]),
        Middleware(Measured, metrics=RequestMetrics(metrics), elapsed=elapsed),
        Middleware(
            Proxied,
            proxies=TrustedProxies(settings.trusted_proxies),
            check=ProxyChainCheck(metrics),
        ),
        Middleware(NeverStored),
        Middleware(Admitted, admission=Admission(settings.request_limit, metrics, elapsed)),
        Middleware(BodyLimit, limit=settings.request_body_limit, seconds=BODY_SECONDS),
        Middleware(SlashesIgnored),
    ]
