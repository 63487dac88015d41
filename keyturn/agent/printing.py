"""``keyturn agent --manifest``."""

import os
import sys
from pathlib import Path

from keyturn.agent.credential import credential_of
from keyturn.agent.settings import AgentSettings, AgentSettingsError
from keyturn.agent.sinks.content import Client
from keyturn.agent.sinks.manifest import documents, manifest
from keyturn.client.secrets import ClientSecret


def print_manifests(path: Path) -> None:
    """Print the Secrets of the settings on standard output, for kubectl. The server is not asked: the secret
    is the one that the agent uses, or the configured one if it has not run yet. Raises AgentSettingsError and
    SecretStateError."""
    settings = AgentSettings.read(path)
    if not settings.kubernetes:
        raise AgentSettingsError(f"{path}: there is no [[kubernetes]]")
    secret = credential_of(settings, os.environ)
    assert isinstance(secret, ClientSecret), "sinks of keys were refused"  # noqa: S101 - by credential_of
    client = Client(settings.issuer, settings.client_id)
    text = documents(manifest(each, client, secret.reveal()) for each in settings.kubernetes)
    sys.stdout.write(text)
    sys.stdout.flush()
