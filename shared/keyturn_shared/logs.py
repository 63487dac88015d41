"""Structured logs: one JSON object a line on standard error, or readable lines on a terminal."""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Final

import structlog

from keyturn_shared.secret import Secret

_NEVER_LOGGED: Final = frozenset(
    {
        "authorization",
        "assertion",
        "client_assertion",
        "client_secret",
        "password",
        "private_key",
        "secret",
        "token",
    }
)


def configure_logs(*, level: str = "info", service: str) -> None:
    """Set up structlog and the standard loggers for one process. Only composition roots call it."""
    number = logging.getLevelNamesMapping()[level.upper()]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    )
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        withhold_secrets,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                renderer,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(max(number, logging.WARNING))
    # Failed exports are counted, and logged once for an outage; OpenTelemetry logs each attempt.
    logging.getLogger("opentelemetry.exporter").setLevel(logging.CRITICAL)


def withhold_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask values under names that hold secrets, as a second line of defence."""
    for name in event.keys() & _NEVER_LOGGED:
        event[name] = Secret.MASK
    return event
