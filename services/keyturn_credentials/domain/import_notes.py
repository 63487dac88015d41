"""Notes in an import's report on what will work differently from Keycloak. Pure.

Each function covers one topic, and can be removed once keyturn supports it.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_network
from typing import Final

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.client_keys import ClientKeys
from keyturn_credentials.domain.realm import Realm
from keyturn_shared.client_authenticators import CLIENT_AUTHENTICATORS
from keyturn_shared.network.addresses import may_connect
from keyturn_shared.network.refusal import FetchRefused
from keyturn_shared.network.target import read_target

PLACEHOLDER: Final = re.compile(r"\$(?:\([^()]+\)|\{[^{}]+\})\Z")
"""Text that a template or a vault should have replaced: ``$(env:NAME)``, ``${NAME}``, ``${vault.name}``."""


def of_client(realm: Realm, client: Client, keys: ClientKeys) -> Iterator[str]:
    """Yield notes on a client as it will be stored."""
    if not client.is_confidential:
        return
    if keys.source is None and CLIENT_AUTHENTICATORS[client.authenticator].credential == "keys":
        yield f"{client.authenticator} without keys: it cannot authenticate until it has some"
    if keys.url is not None and not _may_be_fetched(realm, keys.url):
        yield (
            "its JWKS URL is in a private network, where keys are fetched only with"
            " keyturn.jwks.allowed-networks of the realm or KEYTURN_JWKS_ALLOWED_NETWORKS"
        )
    if client.not_before:
        yield f"notBefore: tokens issued before {_shown(client.not_before)} are refused"


def _may_be_fetched(realm: Realm, url: str) -> bool:
    try:
        target = read_target(url)
    except FetchRefused:
        return False
    if target.address is None:
        return target.host != "localhost" and not target.host.endswith(".localhost")
    return may_connect(target.address, tuple(ip_network(network) for network in realm.allowed_networks))


def _shown(time: int) -> str:
    return f"{datetime.fromtimestamp(time, UTC):%Y-%m-%dT%H:%M:%SZ}"
