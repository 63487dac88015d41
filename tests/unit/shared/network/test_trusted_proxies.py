"""The address of a caller behind proxies, as far as it is trustworthy."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from keyturn_shared.network.trusted_proxies import ChainFault, Origin, TrustedProxies, network_of
from keyturn_shared.web.proxy_chain import ProxyChainCheck

PROXIES = TrustedProxies(
    (ip_network("127.0.0.0/8"), ip_network("10.0.0.0/24"), ip_network("::1/128"), ip_network("fe80::/10"))
)


def origin(peer: str, *forwarded: str) -> Origin:
    return PROXIES.origin(peer, [each.encode() for each in forwarded])


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", ["198.51.100.9"], "192.0.2.1"),
        ("::ffff:192.0.2.1", [], "192.0.2.1"),
        ("127.0.0.1", ["192.0.2.1"], "192.0.2.1"),
        ("127.0.0.1", ["198.51.100.9, 192.0.2.1"], "192.0.2.1"),
        ("127.0.0.1", ["198.51.100.9", "192.0.2.1, 10.0.0.7"], "192.0.2.1"),
        ("127.0.0.1", ["nonsense, 192.0.2.1,, 10.0.0.7 ,"], "192.0.2.1"),
        ("::ffff:127.0.0.1", ["192.0.2.1:4711"], "192.0.2.1"),
        ("::1", ["[2001:db8::7]:4711"], "2001:db8::7"),
        ("127.0.0.1", ["2001:db8::7"], "2001:db8::7"),
        ("127.0.0.1", ["2001:DB8:0::7%any"], "2001:db8::7"),
        ("127.0.0.1", ["::ffff:192.0.2.1"], "192.0.2.1"),
        ("127.0.0.1", ["192.0.2.1, ::ffff:10.0.0.7, fe80::1%eth0"], "192.0.2.1"),
        ("127.0.0.1", [], None),
        ("127.0.0.1", ["10.0.0.7, 127.0.0.1"], None),
        ("127.0.0.1", ["unknown"], None),
        ("127.0.0.1", ["192.0.2.1, nonsense"], None),
        ("127.0.0.1", ["192.0.2.1:x"], None),
        ("127.0.0.1", ["[2001:db8::7"], None),
        ("127.0.0.1", ["[2001:db8::7]x"], None),
        ("", [], None),
    ],
)
def test_only_what_trusted_proxies_say_counts(peer: str, forwarded: list[str], address: str | None) -> None:
    assert origin(peer, *forwarded).address == address


@pytest.mark.parametrize(
    ("peer", "forwarded", "nearest", "fault"),
    [
        ("192.0.2.1", [], "192.0.2.1", None),
        ("192.0.2.1", ["198.51.100.9"], "192.0.2.1", ChainFault.UNTRUSTED_PEER),
        ("192.0.2.1", [" , "], "192.0.2.1", None),
        ("10.0.0.7", ["192.0.2.1"], "192.0.2.1", None),
        ("10.0.0.7", [], "10.0.0.7", ChainFault.NO_ADDRESS),
        ("127.0.0.1", [], "127.0.0.1", None),
        ("10.0.0.7", ["10.0.0.9, 10.0.0.8"], "10.0.0.9", ChainFault.ONLY_PROXIES),
        ("10.0.0.7", ["192.0.2.1, unknown, 10.0.0.8"], "10.0.0.8", ChainFault.MALFORMED),
    ],
)
def test_a_chain_that_is_not_as_configured_shows_itself(
    peer: str, forwarded: list[str], nearest: str, fault: ChainFault | None
) -> None:
    found = origin(peer, *forwarded)
    assert (found.nearest, found.fault) == (nearest, fault)


@given(st.text(alphabet="0123456789abcdef.:[]%, x\t", max_size=80), st.integers(1, 2**32 - 1))
def test_nothing_a_caller_writes_changes_the_address_that_a_proxy_appends(forged: str, number: int) -> None:
    caller = str(ip_address(number))
    if PROXIES.trusts(caller):
        return
    assert origin("10.0.0.7", forged, f"{caller}, 10.0.0.8").address == caller


def test_each_kind_of_fault_is_logged_once_and_counted_always() -> None:
    registry = CollectorRegistry()
    check = ProxyChainCheck(registry)
    with capture_logs() as logs:
        for _ in range(3):
            check.note(origin("192.0.2.1"))
            check.note(origin("192.0.2.1", "198.51.100.9"))
            check.note(origin("10.0.0.7", "10.0.0.8"))
    assert [(log["event"], log["fault"], log["log_level"]) for log in logs] == [
        ("proxy_chain_not_as_configured", "untrusted_peer", "warning"),
        ("proxy_chain_not_as_configured", "only_proxies", "warning"),
    ]
    counted = {
        fault: registry.get_sample_value("keyturn_proxy_chain_faults_total", {"fault": fault.value})
        for fault in ChainFault
    }
    assert counted == {
        ChainFault.UNTRUSTED_PEER: 3,
        ChainFault.ONLY_PROXIES: 3,
        ChainFault.NO_ADDRESS: 0,
        ChainFault.MALFORMED: 0,
    }


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
