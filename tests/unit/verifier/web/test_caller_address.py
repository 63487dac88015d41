"""The address of a caller behind proxies, as far as they can be believed."""

from ipaddress import ip_network

import pytest

from keyturn_verifier.web.caller_address import CallerAddress, network_of
from keyturn_verifier.web.exchange import Request

PROXIES = (ip_network("127.0.0.0/8"), ip_network("10.0.0.0/24"), ip_network("::1/128"))


def request(peer: str, *forwarded: str) -> Request:
    headers = [(b"x-forwarded-for", each.encode()) for each in forwarded]
    return Request("POST", "/", "acme", b"", headers, b"", peer)


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.9"], "192.0.2.1"),
        ("127.0.0.1", ["192.0.2.1"], "192.0.2.1"),
        ("127.0.0.1", ["198.51.100.9, 192.0.2.1"], "192.0.2.1"),
        ("127.0.0.1", ["198.51.100.9", "192.0.2.1, 10.0.0.7"], "192.0.2.1"),
        ("::ffff:127.0.0.1", ["192.0.2.1:4711"], "192.0.2.1"),
        ("::1", ["[2001:db8::7]:4711"], "2001:db8::7"),
        ("127.0.0.1", ["2001:db8::7"], "2001:db8::7"),
        ("127.0.0.1", [], None),
        ("127.0.0.1", ["10.0.0.7, 127.0.0.1"], None),
        ("127.0.0.1", ["unknown"], None),
        ("127.0.0.1", ["192.0.2.1, nonsense"], None),
        ("", [], None),
    ],
)
def test_only_what_trusted_proxies_say_counts(peer: str, forwarded: list[str], address: str | None) -> None:
    assert CallerAddress(PROXIES).of(request(peer, *forwarded)) == address


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::7", "2001:db8:1:2::/64"),
        ("unix", "unix"),
    ],
)
def test_an_ipv6_subscriber_counts_as_one_caller(address: str, network: str) -> None:
    assert network_of(address) == network
