"""The request that a gateway describes."""

from ipaddress import ip_network

import pytest

from keyturn_shared.network.trusted_proxies import TrustedProxies
from keyturn_shared.oauth.errors import InvalidRequestError
from keyturn_shared.oauth.web.messages import Request
from keyturn_verifier.web.forwarded_request import ForwardedRequests

BELOW = "/realms/acme/forward-auth"
READER = ForwardedRequests(TrustedProxies((ip_network("10.0.0.0/24"),)))
TOLD = (
    (b"host", b"keyturn:8080"),
    (b"x-forwarded-method", b"PUT"),
    (b"x-forwarded-proto", b"http"),
    (b"x-forwarded-host", b"api.example"),
    (b"x-forwarded-uri", b"/orders?x=1"),
)


def request(peer: str, *headers: tuple[bytes, bytes], path: str = BELOW) -> Request:
    return Request("GET", path, "acme", b"", list(headers), b"", peer)


def test_a_trusted_gateway_is_believed_on_the_method_and_the_url() -> None:
    asked = request("10.0.0.7", *TOLD)
    assert READER.method(asked) == "PUT"
    assert READER.urls(asked, BELOW) == ["http://api.example/orders?x=1"]
    whole = request("10.0.0.7", *TOLD, (b"x-original-url", b"https://other.example/"))
    assert READER.urls(whole, BELOW) == ["https://other.example/"]


def test_nobody_else_is_believed_on_either() -> None:
    asked = request("10.0.1.7", *TOLD, (b"x-original-url", b"https://other.example/"), path=f"{BELOW}/own")
    assert READER.method(asked) == "GET"
    assert READER.urls(asked, BELOW) == ["https://keyturn:8080/own"]


def test_what_a_trusted_gateway_tells_twice_is_refused() -> None:
    with pytest.raises(InvalidRequestError):
        READER.method(request("10.0.0.7", *TOLD, (b"x-forwarded-method", b"GET")))
