"""The configuration of traces: the ``OTEL_*`` variables of the process.

OpenTelemetry ignores what it cannot read. Here it is a problem, as with every other setting.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import version
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from prometheus_client import CollectorRegistry

from keyturn_shared.errors import ConfigurationError
from keyturn_shared.setting_problems import raise_all

if TYPE_CHECKING:
    from keyturn_shared.tracing.provider import Tracing

DEFAULT_QUEUE: Final = 2048
"""Spans that wait to be exported; further ones are dropped."""

_PROTOCOL: Final = "http/protobuf"
_SAMPLERS: Final = ("always_on", "always_off", "traceidratio")
_DEFAULT_BATCH: Final = 512
_QUEUE: Final = "OTEL_BSP_MAX_QUEUE_SIZE"
_BATCH: Final = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE"
_MOST_QUEUED: Final = 1_000_000


def check_tracing(environment: Mapping[str, str]) -> None:
    """Check that this process could make traces. Raises ConfigurationError with a line for each problem."""
    problems = list(_problems(environment))
    try:
        _load()
    except ConfigurationError as error:
        problems.append(error.detail)
    raise_all(problems)


def open_tracing(
    *,
    enabled: bool,
    service: str,
    instance: str,
    registry: CollectorRegistry,
    environment: Mapping[str, str] | None = None,
) -> "Tracing | None":
    """Return the traces of this process, and nothing unless they are enabled. ``environment``: by default
    this process's. Raises ConfigurationError."""
    environment = os.environ if environment is None else environment
    if not enabled or _is_off(environment):
        return None
    check_tracing(environment)
    most = int(environment.get(_QUEUE) or DEFAULT_QUEUE)
    return _load()(service, instance, version("keyturn"), registry, most=most)


def _load() -> "type[Tracing]":
    try:
        from keyturn_shared.tracing.provider import Tracing
    except ModuleNotFoundError as error:
        raise ConfigurationError(
            f"KEYTURN_TRACING: there is no module named {error.name}:"
            " install it with pip install 'keyturn[tracing]'"
        ) from error
    return Tracing


def _is_off(environment: Mapping[str, str]) -> bool:
    """Return whether OpenTelemetry's own variables switch traces off."""
    is_disabled = environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    return is_disabled or environment.get("OTEL_TRACES_EXPORTER") == "none"


def _problems(environment: Mapping[str, str]) -> Iterator[str]:
    """Yield a line for each variable that is wrong, without its value: a URL may have a password."""

    def wrong(name: str, is_right: Callable[[str], bool]) -> bool:
        value = environment.get(name, "").strip()
        return bool(value) and not is_right(value)

    if wrong("OTEL_TRACES_EXPORTER", lambda value: value in ("otlp", "none")):
        yield "OTEL_TRACES_EXPORTER: must be otlp or none"
    sampler = environment.get("OTEL_TRACES_SAMPLER", "").strip().lower()
    if sampler and sampler.removeprefix("parentbased_") not in _SAMPLERS:
        yield "OTEL_TRACES_SAMPLER: must be one of " + ", ".join(
            f"{prefix}{name}" for prefix in ("", "parentbased_") for name in _SAMPLERS
        )
    if sampler.endswith("traceidratio") and wrong("OTEL_TRACES_SAMPLER_ARG", _is_share):
        yield "OTEL_TRACES_SAMPLER_ARG: must be a number from 0 to 1"
    for kind in ("", "TRACES_"):
        if wrong(name := f"OTEL_EXPORTER_OTLP_{kind}PROTOCOL", lambda value: value == _PROTOCOL):
            yield f"{name}: must be {_PROTOCOL}"
        if wrong(name := f"OTEL_EXPORTER_OTLP_{kind}ENDPOINT", _is_http_url):
            yield f"{name}: must be a URL with http or https"
        if wrong(name := f"OTEL_EXPORTER_OTLP_{kind}TIMEOUT", _is_positive):
            yield f"{name}: must be a number of seconds, more than 0"
    for name in (_QUEUE, _BATCH, "OTEL_BSP_SCHEDULE_DELAY"):
        if wrong(name, _is_count):
            yield f"{name}: must be a number from 1 to {_MOST_QUEUED}"
            return
    if int(environment.get(_BATCH) or _DEFAULT_BATCH) > int(environment.get(_QUEUE) or DEFAULT_QUEUE):
        yield f"{_BATCH}: must not be greater than {_QUEUE}"


def _is_share(text: str) -> bool:
    return (value := _number(text)) is not None and 0 <= value <= 1


def _is_positive(text: str) -> bool:
    return (value := _number(text)) is not None and 0 < value < float("inf")


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 9 and 1 <= int(text) <= _MOST_QUEUED


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _is_http_url(text: str) -> bool:
    try:
        url = urlsplit(text)
        return url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        return False
