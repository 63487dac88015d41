"""Ids of key sets."""

from typing import Any

import pytest

from keyturn_shared.errors import ConfigurationError
from keyturn_shared.key_set_address import HOST_CHARACTERS, KeySetAddress, host_of
from keyturn_shared.key_sets.record import KeySetRecord
from keyturn_verifier.key_sets.policy import KeySetPolicy


def test_the_same_url_has_the_same_id_in_every_realm_without_networks_of_its_own() -> None:
    assert KeySetAddress.of("https://a.example/jwks").id == KeySetAddress.of("https://a.example/jwks", ()).id


def test_networks_of_a_realm_are_part_of_the_identity_in_any_order() -> None:
    url = "http://10.0.0.7/jwks"
    one, other = (
        KeySetAddress.of(url, nets) for nets in (["10.0.0.0/8", "fd00::/8"], ["fd00::/8", "10.0.0.0/8"])
    )
    assert one == other
    assert one.id == other.id
    assert one.id != KeySetAddress.of(url).id


def test_the_document_and_its_issuer_are_part_of_the_identity() -> None:
    """Keys of an issuer are not those of a client that names the same URL, nor those of another issuer."""
    url = "https://issuer.example/.well-known/openid-configuration"
    addresses = [
        KeySetAddress.of(url),
        KeySetAddress.of(url, document="spiffe-bundle"),
        KeySetAddress.of(url, document="openid-configuration", issuer="https://issuer.example"),
        KeySetAddress.of(url, document="openid-configuration", issuer="https://issuer.example/"),
        KeySetAddress.of(
            url, ["10.0.0.0/8"], document="openid-configuration", issuer="https://issuer.example"
        ),
    ]
    assert len({one.id for one in addresses}) == len(addresses)
    assert [KeySetRecord.empty(one).address for one in addresses] == addresses


def test_urls_of_one_host_begin_alike() -> None:
    ids = [
        KeySetAddress.of(url).id
        for url in ("https://A.example/1", "https://a.example./2", "https://b.example/1")
    ]
    heads = [one[:HOST_CHARACTERS] for one in ids]
    assert heads[0] == heads[1] != heads[2]
    assert ids[0] != ids[1]
    assert {len(one) for one in ids} == {HOST_CHARACTERS + 43}


@pytest.mark.parametrize("url", ["", "no url", "http://[::1", "http://[::1%25eth0/", "\ud800://\udfff"])
def test_what_is_no_url_has_an_id_all_the_same_and_no_host(url: str) -> None:
    assert len(KeySetAddress.of(url).id) == HOST_CHARACTERS + 43
    assert host_of(url) == ""


@pytest.mark.parametrize("min_interval", [0.01, 0.25, 10, 60, 400, 5000])
def test_the_defaults_stretch_around_any_minimum_interval(min_interval: float) -> None:
    policy = KeySetPolicy.for_interval(min_interval, ["127.0.0.0/8"])
    assert policy.min_interval == min_interval
    assert policy.allowed_networks == ("127.0.0.0/8",)


@pytest.mark.parametrize(
    "changes",
    [
        {"min_interval": 100.0},
        {"min_freshness": 400.0},
        {"max_freshness": 200.0},
        {"fetch_timeout": 11.0},
        {"spacing": 0.0},
        {"spacing": 11.0},
        {"demand_burst": 0},
    ],
)
def test_a_policy_that_contradicts_itself_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="key sets"):
        KeySetPolicy(**changes)


def test_by_default_a_request_with_a_new_key_outlasts_the_time_until_the_next_fetch() -> None:
    policy = KeySetPolicy()
    assert policy.patience(lacks_kid_alone=True) > policy.min_interval + 1.0
    assert policy.patience(lacks_kid_alone=False) == policy.find_timeout
