"""A process makes traces only if that is wanted, and names the settings that are wrong."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from keyturn_shared.errors import ConfigurationError
from keyturn_shared.tracing.configuration import check_tracing, open_tracing


def _open(environment: dict[str, str], *, enabled: bool = True) -> object:
    registry = CollectorRegistry()
    opened = open_tracing(
        enabled=enabled, service="s", instance="i", registry=registry, environment=environment
    )
    assert (b"keyturn_trace_spans" in generate_latest(registry)) == (opened is not None)
    return opened


@pytest.mark.parametrize(
    ("environment", "enabled"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318"}, False),
        ({"OTEL_SDK_DISABLED": "True"}, True),
        ({"OTEL_TRACES_EXPORTER": "none"}, True),
    ],
)
def test_without_traces_there_is_no_tracer_and_no_metric(
    environment: dict[str, str], *, enabled: bool
) -> None:
    assert _open(environment, enabled=enabled) is None


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"OTEL_TRACES_EXPORTER": "otlp", "OTEL_TRACES_SAMPLER": "always_off"},
        {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0.25"},
        {"OTEL_TRACES_SAMPLER_ARG": "unused"},
        {"OTEL_EXPORTER_OTLP_ENDPOINT": "https://u:p@collector/otlp", "OTEL_EXPORTER_OTLP_TIMEOUT": "2.5"},
        {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": ""},
        {"OTEL_BSP_MAX_QUEUE_SIZE": "512", "OTEL_BSP_SCHEDULE_DELAY": "100"},
        {"OTEL_SERVICE_NAME": "anything", "OTEL_PROPAGATORS": "b3"},
    ],
)
def test_settings_that_can_be_used_are_accepted(environment: dict[str, str]) -> None:
    check_tracing(environment)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_TRACES_EXPORTER", "jaeger"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://user:secret@"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:99999"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
        ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "soon"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "-1"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "10000000000"),
        ("OTEL_BSP_SCHEDULE_DELAY", "1.5"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "4096"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_without_its_value(name: str, value: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        check_tracing({name: value})
    assert raised.value.detail.startswith(f"{name}: must ")
    assert "secret" not in raised.value.detail


@pytest.mark.parametrize("share", ["2", "-0.1", "nan", "half"])
def test_a_share_is_a_number_from_0_to_1(share: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^OTEL_TRACES_SAMPLER_ARG: must be a number from 0 to 1$"):
        check_tracing({"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": share})


def test_all_problems_are_in_one_error() -> None:
    with pytest.raises(ConfigurationError) as raised:
        check_tracing({"OTEL_TRACES_EXPORTER": "zipkin", "OTEL_TRACES_SAMPLER": "x"})
    assert len(raised.value.detail.split("\n")) == 2
