"""Paths to claims."""

import pytest

from keyturn_credentials.oidc.claim_path import ClaimPath
from keyturn_shared.errors import ConfigurationError

CLAIMS = {
    "groups": ["a"],
    "realm_access": {"roles": ["b"]},
    "https://acme.example/groups": ["c"],
    "back\\slash": ["d"],
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("groups", ["a"]),
        ("realm_access.roles", ["b"]),
        (r"https://acme\.example/groups", ["c"]),
        (r"back\\slash", ["d"]),
        ("groups.more", None),
        ("realm_access.other", None),
        ("nothing", None),
    ],
)
def test_a_value_is_found_at_its_path(path: str, found: object) -> None:
    assert ClaimPath.parse(path).find(CLAIMS) == found


@pytest.mark.parametrize("path", ["", ".", "a.", ".a", "a..b", "a\\", r"a\b", "a" * 256])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ConfigurationError, match="separated by dots"):
        ClaimPath.parse(path)
