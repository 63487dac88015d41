"""Hosts that are this machine without a look-up."""

import pytest

from keyturn_shared.this_machine import is_this_machine


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "[::1]", "localhost"])
def test_the_loopback_is_this_machine(host: str) -> None:
    assert is_this_machine(host)


@pytest.mark.parametrize(
    "host", ["", "10.0.0.1", "0.0.0.0", "::", "127.0.0.1.example.com", "localhost.example.com", "example.com"]
)
def test_whatever_has_to_be_looked_up_or_routed_is_not(host: str) -> None:
    assert not is_this_machine(host)
