"""A verifier node, or a fetcher, as a process."""

import gc
import ssl
from typing import Any, Final

import uvicorn

from keyturn_shared.errors import ConfigurationError
from keyturn_shared.logs import configure_logs
from keyturn_verifier.app import create_app, create_fetcher_app
from keyturn_verifier.settings import VerifierSettings
from keyturn_verifier.web.application import VerifierApplication
from keyturn_verifier.web.protocol import HttpProtocol

_COLLECT_AFTER: Final = 50_000
"""Containers allocated, less those freed, between two looks for cyclic garbage."""


def run(settings: VerifierSettings) -> None:
    """Serve until SIGTERM or SIGINT: then finish the answers under way, and leave the fleet."""
    configure_logs(level=settings.log_level, service="verifier")
    _serve(settings, create_app(settings))


def run_fetcher(settings: VerifierSettings) -> None:
    """Fetch JWKS URLs for the fleet until SIGTERM or SIGINT; serves health and metrics only."""
    configure_logs(level=settings.log_level, service="fetcher")
    _serve(settings, create_fetcher_app(settings))


def _protocol(settings: VerifierSettings) -> type[HttpProtocol]:
    """uvicorn makes the connections, so what they need to know stands in their class."""
    limits = {
        "request_seconds": settings.request_seconds,
        "connection_limit": settings.connection_limit,
    }
    return type("ConfiguredProtocol", (HttpProtocol,), limits)


def _tls(settings: VerifierSettings) -> dict[str, Any]:
    """What uvicorn needs to serve TLS. A client is asked for its certificate, but need not have one."""
    if settings.tls_certificate_path is None:
        return {}
    files = {"ssl_certfile": settings.tls_certificate_path, "ssl_keyfile": settings.tls_key_path}
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(*files.values())  # type: ignore[arg-type]
    except (ssl.SSLError, OSError) as error:
        raise ConfigurationError(
            f"KEYTURN_TLS_CERTIFICATE_PATH and KEYTURN_TLS_KEY_PATH cannot be used: {error.strerror or error}"
        ) from None
    if settings.client_authorities_path is None:
        return files
    return files | {"ssl_ca_certs": settings.client_authorities_path, "ssl_cert_reqs": ssl.CERT_OPTIONAL}


def _spare_the_collector() -> None:
    """What start-up made stays for good, and requests leave no cycles behind: look for garbage seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECT_AFTER, 20, 100)


def _serve(settings: VerifierSettings, app: Any) -> None:
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=_protocol(settings) if isinstance(app, VerifierApplication) else "httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=settings.drain_seconds,
        **_tls(settings),
    )
    _spare_the_collector()
    uvicorn.Server(config).run()
