"""No URL of the table is connected to, and the reason is the expected one."""

from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from keyturn_shared.network import guarded_backend
from keyturn_shared.network.addresses import Address, may_connect, read_networks
from keyturn_shared.network.fetcher import FetchPolicy, GuardedFetcher
from keyturn_shared.network.refusal import FetchRefused
from keyturn_shared.network.target import read_target
from keyturn_shared.network.tls import client_context
from tests.unit.shared.network.hostile_urls import HOSTILE_URLS, HostileUrl

TLS = client_context()


@pytest.mark.parametrize("hostile", HOSTILE_URLS, ids=lambda hostile: hostile.attack)
async def test_a_hostile_url_is_refused_before_anything_is_connected_to(
    hostile: HostileUrl, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def connect(*_: object, **__: object) -> None:
        raise AssertionError("connected")

    async def resolver(_host: str, _port: int) -> Sequence[Address]:
        if not hostile.leads_to:
            raise OSError("no such name")
        return [ip_address(address) for address in hostile.leads_to]

    monkeypatch.setattr(guarded_backend, "start_connection", connect)
    with pytest.raises(FetchRefused) as refused:
        await GuardedFetcher(resolver=resolver, tls=TLS).fetch(hostile.url, policy=FetchPolicy())
    assert refused.value.reason is hostile.reason


@pytest.mark.parametrize(
    "url",
    [
        "https://client.example/jwks",
        "https://client.example:8443/.well-known/jwks.json?tenant=1",
        "https://client.example./jwks",
        "https://münchen.example/jwks",
        "https://xn--mnchen-3ya.example/jwks",
        "https://93.184.216.34/jwks",
        "https://[2606:4700::1111]/jwks",
        "https://[::ffff:93.184.216.34]/jwks",
    ],
)
def test_an_ordinary_url_is_read(url: str) -> None:
    target = read_target(url)
    assert target.address is None or may_connect(target.address, ())


def test_an_internationalised_host_is_asked_for_as_the_dns_has_it() -> None:
    assert read_target("https://münchen.example/jwks").host == "xn--mnchen-3ya.example"


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("10.0.0.7", True),
        ("::ffff:10.0.0.7", True),
        ("64:ff9b::10.0.0.7", True),
        ("10.0.1.7", False),
        ("fd00::1", False),
    ],
)
def test_what_a_realm_allows_is_allowed_in_every_form_and_nothing_beside_it(
    address: str, allowed: bool
) -> None:
    assert may_connect(ip_address(address), read_networks(["10.0.0.0/24"])) is allowed
