"""Only a page of the console is shown after a sign-in."""

import pytest

from keyturn_credentials.console.return_path import HOME, own_path


@pytest.mark.parametrize(
    "path",
    [
        "/console/",
        "/console",
        "/console/shop/clients/1b2c/credentials",
        "/console/a%20realm/audit",
        "/console/shop/rotations/campaign?contains=a%26b&began=1",
        "/console/master/audit?next=https://evil.example/",
        "/console/realm..two/fleet",
    ],
)
def test_a_page_is_kept_with_its_query(path: str) -> None:
    kept = path if "//" not in path else HOME
    assert own_path(path) == kept


@pytest.mark.parametrize(
    "path",
    [
        None,
        "",
        "/",
        "https://evil.example/",
        "//evil.example/console/",
        "///console/",
        "/\\evil.example",
        "\\\\evil.example",
        " /console/",
        "/console/..",
        "/console/../admin",
        "/console/%2e%2e/admin",
        "/console/%2E./admin",
        "/console/./x",
        "/console//evil.example",
        "/console/oidc/sign-in",
        "/console/session",
        "/console/static/x",
        "/consolex",
        "/console@evil.example",
        "/console/\r\nSet-Cookie: a=b",
        "/console/\n",
        "javascript:alert(1)",
        "/console/#ticket=1",
        "/console/\N{FULLWIDTH SOLIDUS}",
        "/console/" + "a" * 2000,
    ],
)
def test_anything_else_is_the_first_page(path: str | None) -> None:
    assert own_path(path) == HOME
