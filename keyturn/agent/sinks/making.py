"""Make the runners of all sinks of the agent's settings."""

from collections.abc import Mapping
from pathlib import Path

from keyturn.agent.sinks.content import Client
from keyturn.agent.sinks.delivery import Sink
from keyturn.agent.sinks.kubernetes import KubernetesSink
from keyturn.agent.sinks.record import Record
from keyturn.agent.sinks.runner import SinkRunner
from keyturn.agent.sinks.settings import SinkSettings
from keyturn.agent.sinks.vault import VaultSink
from keyturn.agent.sinks.webhooks import WebhookSink
from keyturn.client.secrets import ClientSecret


def record_beside(state: str) -> Path:
    """Return the path of the record: that of the state, with ``.sinks`` at its end."""
    return Path(f"{state}.sinks")


def make_runners(
    settings: SinkSettings, client: Client, secret: ClientSecret, state: str, environment: Mapping[str, str]
) -> list[SinkRunner]:
    """Make a runner for each sink. ``environment``: where a pod finds Kubernetes. Raises
    MissingExtraError."""
    record = Record(record_beside(state))
    sinks: list[Sink] = [KubernetesSink(each, client, environment) for each in settings.kubernetes]
    sinks += [VaultSink(each, client) for each in settings.vault]
    sinks += [WebhookSink(each, client) for each in settings.webhooks]
    return [SinkRunner(sink, secret, record) for sink in sinks]
