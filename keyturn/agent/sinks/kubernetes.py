"""A Secret of Kubernetes, kept current by server-side apply."""

import json
import re
from collections.abc import Mapping
from typing import Final

import httpx
import msgspec

from keyturn.agent.sinks.content import Client
from keyturn.agent.sinks.delivery import Delivery, Notes, SinkError
from keyturn.agent.sinks.http import client as http_client
from keyturn.agent.sinks.http import header, read_credential, refusal
from keyturn.agent.sinks.manifest import manifest
from keyturn.agent.sinks.settings import SERVICE_ACCOUNT, KubernetesSettings

FIELD_MANAGER: Final = "keyturn-agent"
APPLY: Final = "application/apply-patch+yaml"
_NAMESPACE: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


class KubernetesSink:
    """Applies the Secret as the field manager ``keyturn-agent``, which owns the keys of its ``data`` and
    leaves others alone. ``environment``: where a pod finds the API server."""

    patience: float | None = None

    def __init__(self, settings: KubernetesSettings, client: Client, environment: Mapping[str, str]) -> None:
        self.label = settings.label
        self.settings = msgspec.json.encode((settings, client))
        self._settings = settings
        self._client = client
        self._environment = environment

    async def deliver(self, delivery: Delivery) -> Notes:
        """Apply it once. The token is read each time, since it is replaced every hour. Raises SinkError and
        errors of httpx."""
        namespace = self._settings.namespace or _own_namespace()
        settings = msgspec.structs.replace(self._settings, namespace=namespace)
        body = json.dumps(manifest(settings, self._client, delivery.secret))
        address = self._address()
        async with http_client(address, self._settings.ca_file) as http:
            answer = await http.patch(
                f"{address}/api/v1/namespaces/{namespace}/secrets/{settings.name}",
                params={"fieldManager": FIELD_MANAGER, "force": "true"},
                headers={
                    "Authorization": f"Bearer {header(settings.token_file)}",
                    "Content-Type": APPLY,
                    "Accept": "application/json",
                },
                content=body,
            )
        if answer.status_code not in (200, 201):
            raise refusal(answer, f"the API server{_named(answer)}")
        return {}

    def _address(self) -> str:
        if self._settings.address is not None:
            return self._settings.address.rstrip("/")
        host, port = (self._environment.get(f"KUBERNETES_SERVICE_{name}", "") for name in ("HOST", "PORT"))
        if not host or not port.isdecimal():
            raise SinkError("set address: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set")
        return f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"


def _own_namespace() -> str:
    """Return the namespace of the pod. Raises SinkError."""
    found = read_credential(f"{SERVICE_ACCOUNT}/namespace")
    if not _NAMESPACE.fullmatch(found):
        raise SinkError(f"{SERVICE_ACCOUNT}/namespace has no name of a namespace")
    return found


def _named(answer: httpx.Response) -> str:
    """Return the reason of a Status for people to read, which is one word such as Forbidden."""
    try:
        reason = answer.json()["reason"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""
    return f" ({reason})" if isinstance(reason, str) and re.fullmatch(r"[A-Za-z]{1,40}", reason) else ""
