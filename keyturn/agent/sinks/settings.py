"""Settings of the sinks: ``[[kubernetes]]``, ``[[vault]]`` and ``[[webhooks]]``."""

import re
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

import httpx
import msgspec

SERVICE_ACCOUNT: Final = "/var/run/secrets/kubernetes.io/serviceaccount"
"""Directory with the token, ``ca.crt`` and the namespace of a pod's service account."""
_MAX_SINKS: Final = 32
_THIS_MACHINE: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_LABEL: Final = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
Segments = Annotated[str, msgspec.Meta(pattern=r"^[^/\s]+(/[^/\s]+)*\Z", max_length=1000)]
Key = Annotated[str, msgspec.Meta(pattern=r"^[-._a-zA-Z0-9]{1,253}\Z")]
Content = Literal["secret", "client_id", "issuer"]
Data = Annotated[dict[Key, Content], msgspec.Meta(min_length=1, max_length=32)]


class KubernetesSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A Secret. ``name``, ``namespace``: its own; by default in the namespace of the pod. ``data``: content
    by key. ``type``: of a Secret that does not exist yet. ``address``: of the API server, by default that of
    the cluster. ``token_file``, ``ca_file``: by default those of the service account."""

    name: Annotated[str, msgspec.Meta(pattern=rf"^{_LABEL}(\.{_LABEL})*\Z", max_length=253)]
    namespace: Annotated[str, msgspec.Meta(pattern=rf"^{_LABEL}\Z")] | None = None
    data: Data = msgspec.field(default_factory=lambda: {"client-secret": "secret"})
    type: Text = "Opaque"
    address: Text | None = None
    token_file: Text = f"{SERVICE_ACCOUNT}/token"
    ca_file: Text = f"{SERVICE_ACCOUNT}/ca.crt"

    @property
    def label(self) -> str:
        return f"kubernetes:{self.namespace}/{self.name}" if self.namespace else f"kubernetes:{self.name}"


class AppRole(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Login with AppRole. ``secret_id_file``: may be left out for a role that is bound to addresses."""

    role_id: Text
    secret_id_file: Text | None = None
    mount: Segments = "approle"


class KubernetesLogin(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Login with a token of a service account."""

    role: Text
    token_file: Text = f"{SERVICE_ACCOUNT}/token"
    mount: Segments = "kubernetes"


class VaultSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A secret of a KV engine, version 2. ``data``: content by field. One of ``token_file``, ``approle`` and
    ``kubernetes`` is the login. ``namespace``: of Vault Enterprise, HCP or OpenBao."""

    address: Text
    path: Segments
    mount: Segments = "secret"
    data: Data = msgspec.field(default_factory=lambda: {"client_secret": "secret"})
    namespace: Annotated[str, msgspec.Meta(pattern=r"^[!-~]{1,1000}\Z")] | None = None
    token_file: Text | None = None
    approle: AppRole | None = None
    kubernetes: KubernetesLogin | None = None
    ca_file: Text | None = None

    @property
    def label(self) -> str:
        inside = f"{self.namespace.strip('/')}/" if self.namespace else ""
        return f"vault:{inside}{self.mount}/{self.path}"


class WebhookSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """A receiver of webhooks. ``secret_file``: its signing secrets, ``whsec_…``, one a line. ``key_file``:
    its public JWK."""

    url: Text
    secret_file: Text
    key_file: Text
    ca_file: Text | None = None

    @property
    def label(self) -> str:
        url = urlsplit(self.url)
        return f"webhook:{url.netloc.rpartition('@')[2]}{url.path}"


class SinkSettings(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Settings of all sinks, for the agent's to include."""

    kubernetes: Annotated[list[KubernetesSettings], msgspec.Meta(max_length=_MAX_SINKS)] = msgspec.field(
        default_factory=list
    )
    vault: Annotated[list[VaultSettings], msgspec.Meta(max_length=_MAX_SINKS)] = msgspec.field(
        default_factory=list
    )
    webhooks: Annotated[list[WebhookSettings], msgspec.Meta(max_length=_MAX_SINKS)] = msgspec.field(
        default_factory=list
    )


def check_sinks(settings: SinkSettings) -> None:
    """Raise ValueError for members that do not fit together."""
    every: list[KubernetesSettings | VaultSettings | WebhookSettings] = [
        *settings.kubernetes,
        *settings.vault,
        *settings.webhooks,
    ]
    labels = [each.label for each in every]
    for label in labels:
        if labels.count(label) > 1:
            raise ValueError(f"{label} is named twice")
    for cluster in settings.kubernetes:
        if cluster.address is not None:
            _check_url(cluster.label, "address", cluster.address)
    for vault in settings.vault:
        _check_url(vault.label, "address", vault.address)
        if "secret" not in vault.data.values():
            raise ValueError(f"{vault.label}: nothing in data is the secret")
        if sum(each is not None for each in (vault.token_file, vault.approle, vault.kubernetes)) != 1:
            raise ValueError(f"{vault.label}: set one of token_file, approle and kubernetes")
        if re.search(r"(^|/)\.{1,2}(/|$)", f"{vault.mount}/{vault.path}"):
            raise ValueError(f"{vault.label}: . and .. are no segments of a path")
    for webhook in settings.webhooks:
        _check_url(webhook.label, "url", webhook.url)


def _check_url(label: str, member: str, text: str) -> None:
    try:
        httpx.URL(text)
    except httpx.InvalidURL as error:
        raise ValueError(f"{label}: {member} is no URL: {error}") from error
    url = urlsplit(text)
    if url.scheme not in ("http", "https") or not url.hostname or url.username or url.fragment:
        raise ValueError(f"{label}: {member} must be a URL, such as https://example.com")
    if member == "address" and (url.query or url.path not in ("", "/")):
        raise ValueError(f"{label}: {member} must be a URL without a path, such as https://example.com:8200")
    if url.scheme == "http" and url.hostname not in _THIS_MACHINE:
        raise ValueError(f"{label}: {member} must begin with https:// unless it is on this machine")
