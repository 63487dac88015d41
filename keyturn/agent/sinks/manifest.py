"""Manifest of a Secret."""

import base64
import json
from collections.abc import Iterable
from typing import Any

from keyturn.agent.sinks.content import Client
from keyturn.agent.sinks.settings import KubernetesSettings


def manifest(settings: KubernetesSettings, client: Client, secret: str) -> dict[str, Any]:
    """Return the Secret, in the namespace of the settings; it has no other fields, so that others may own
    them."""
    values = client.fill(settings.data, secret)
    metadata = {"name": settings.name}
    if settings.namespace is not None:
        metadata["namespace"] = settings.namespace
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": metadata,
        "type": settings.type,
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()},
    }


def documents(manifests: Iterable[dict[str, Any]]) -> str:
    """Return them as documents of YAML. Each is written in JSON, which is YAML too."""
    return "---\n".join(json.dumps(each, indent=2) + "\n" for each in manifests)
