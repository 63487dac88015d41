"""URLs are compared as RFC 9449 4.3 requires: normalised, without query and fragment."""

import pytest

from keyturn_shared.oauth.sender_constraint.htu import normalised_target


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example/a%2Fb/~c",
        "HTTPS://API.example:443/a%2fb/%7Ec",
        "https://api.example/a%2Fb/~c?query=1#fragment",
        "https://api.example:/a%2Fb/%7ec",
    ],
)
def test_ways_to_write_one_url_are_equal(url: str) -> None:
    assert normalised_target(url) == "https://api.example/a%2Fb/~c"


@pytest.mark.parametrize(
    "other",
    [
        *(
            "http://api.example/a",
            "https://api.example:8443/a",
            "https://api.example/A",
            "https://api.example/a/",
        ),
        *(
            "https://other.example/a",
            "https://api.example/",
            "https://api.example/%61%2F",
            "https://[2001:db8::1]/a",
        ),
    ],
)
def test_other_urls_are_not(other: str) -> None:
    assert normalised_target(other) not in (None, normalised_target("https://api.example/a"))


def test_an_address_of_ipv6_keeps_its_brackets() -> None:
    assert normalised_target("https://[2001:DB8::1]:443/a") == "https://[2001:db8::1]/a"
    assert normalised_target("https://[2001:db8::1]:8443/a") == "https://[2001:db8::1]:8443/a"


def test_a_url_without_a_path_has_the_root() -> None:
    assert normalised_target("https://api.example") == normalised_target("https://api.example/?a")


@pytest.mark.parametrize(
    "text", ["", "/a", "api.example/a", "ftp://api.example/", "https:///a", "https://[x/", "https://a:b/"]
)
def test_what_is_no_url_of_http_is_none(text: str) -> None:
    assert normalised_target(text) is None
