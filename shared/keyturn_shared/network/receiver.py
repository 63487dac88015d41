"""The receiver of webhooks that an operator names, and whether it may be used."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from keyturn_shared.errors import ConfigurationError
from keyturn_shared.network.addresses import Network, is_allowed, may_connect
from keyturn_shared.network.refusal import FetchRefused
from keyturn_shared.network.target import read_target
from keyturn_shared.standard_webhooks import WebhookKeys


@dataclass(frozen=True, slots=True)
class Receiver:
    """``allowed_networks``: private networks that its address may be in."""

    url: str = field(repr=False)
    keys: WebhookKeys = field(repr=False)
    allowed_networks: tuple[Network, ...] = ()


def check_receiver(url: str, allowed: Sequence[Network]) -> None:
    """Raise ConfigurationError for a URL to which nothing would be sent. A name is resolved, and its
    addresses checked, only when something is sent."""
    try:
        target = read_target(url)
    except FetchRefused as error:
        raise ConfigurationError(error.detail) from None
    if target.address is not None and not may_connect(target.address, allowed):
        raise ConfigurationError(f"{target.address} is not public, and in none of the allowed networks")
    is_private = target.address is not None and is_allowed(target.address, allowed)
    if target.scheme == "http" and not (is_private or (target.address is None and allowed)):
        raise ConfigurationError("plain http is allowed only in allowed networks")
