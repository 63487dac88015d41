"""A list of networks as a setting: comma-separated, in CIDR form."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated

from pydantic import BeforeValidator
from pydantic_settings import NoDecode

Network = IPv4Network | IPv6Network


def _split(value: object) -> object:
    if isinstance(value, str):
        return tuple(_network(part.strip()) for part in value.split(",") if part.strip())
    return value


def _network(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise ValueError(f"{text[:60]!r} is not a network: {error}") from None


NetworkList = Annotated[tuple[Network, ...], NoDecode, BeforeValidator(_split)]
