"""Settings of the identity provider: all that is wrong with them is told at once."""

from typing import Any

import pytest

from keyturn_credentials.oidc.client_credential import ClientSecret, PublicClient
from keyturn_credentials.oidc.configuration import OidcConfiguration
from keyturn_credentials.settings import CredentialsSettings
from keyturn_shared.errors import ConfigurationError
from tests.testkit.admin_api import BASE_URL, settings_for

GOOD = {
    "issuer": "https://id.example/realms/staff",
    "client_id": "keyturn",
    "roles": '{"admins": {"master": ["admin"]}}',
}


def read(**given: Any) -> CredentialsSettings:
    named = {f"console_oidc_{name}": value for name, value in given.items()}
    return settings_for("sqlite+aiosqlite://", "redis://nobody.invalid", **named)


def oidc(**given: Any) -> OidcConfiguration:
    found = read(**{**GOOD, **given}).oidc()
    assert found is not None
    return found


def test_without_an_issuer_persons_do_not_sign_in() -> None:
    assert read().oidc() is None
    assert read(issuer="", client_id="", client_secret="", roles="").oidc() is None


def test_what_is_not_set_has_a_default() -> None:
    found = oidc()
    assert (found.name, found.scope, found.session_seconds) == ("id.example", "openid profile", 3600)
    assert (found.groups.parts, found.name_claim.parts) == (("groups",), ("name",))
    assert found.redirect_uri == f"{BASE_URL}/console/oidc/callback"
    assert isinstance(found.credential, PublicClient)


def test_what_is_set_is_used() -> None:
    found = oidc(name="Example", client_secret=" s ", scopes="openid  email", groups_claim="a.b")
    assert (found.name, found.scope, found.groups.parts) == ("Example", "openid email", ("a", "b"))
    assert isinstance(found.credential, ClientSecret)
    assert found.credential.secret.matches("s")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"issuer": "id.example"}, "ISSUER: "),
        ({"issuer": "https://id.example/?a=b"}, "ISSUER: .* without a query"),
        ({"issuer": "https://user@id.example/"}, "ISSUER: .*user information"),
        ({"issuer": "http://id.example/"}, "ISSUER: plain http"),
        ({"issuer": f"https://id.example/{'a' * 255}"}, "ISSUER: .*at most 255"),
        ({"client_id": ""}, "CLIENT_ID: required"),
        ({"client_id": "k\N{SNOWMAN}"}, "CLIENT_ID: .*ASCII"),
        ({"client_secret": "s", "client_key": "k"}, "CLIENT_SECRET and .*CLIENT_KEY are both set"),
        ({"client_key": "k"}, "CLIENT_KEY: not a private key"),
        ({"scopes": "profile"}, "SCOPES: openid is missing"),
        ({"scopes": 'openid "'}, "SCOPES: expected names"),
        ({"groups_claim": "a..b"}, "GROUPS_CLAIM: "),
        ({"name_claim": ""}, "NAME_CLAIM: "),
        ({"roles": ""}, "ROLES: required"),
        ({"roles": "{"}, "ROLES: expected JSON"),
    ],
    ids=str,
)
def test_what_cannot_be_used_is_named(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigurationError, match=f"KEYTURN_CONSOLE_OIDC_{words}"):
        oidc(**given)


def test_all_that_is_wrong_is_told_at_once_and_shows_no_secret() -> None:
    wrong = {"client_key": "words of a key", "scopes": "x", "roles": '{"a": 1, "b": 2}', "client_id": ""}
    with pytest.raises(ConfigurationError) as refused:
        oidc(**wrong)
    lines = refused.value.detail.split("\n")
    assert [line.removeprefix("KEYTURN_CONSOLE_OIDC_").split(":")[0] for line in lines] == [
        *("CLIENT_ID", "CLIENT_KEY", "SCOPES", "ROLES", "ROLES")
    ]
    assert "words of a key" not in refused.value.detail


@pytest.mark.parametrize("name", ["client_id", "client_secret", "roles", "scopes", "only", "name"])
def test_a_setting_that_means_nothing_without_an_issuer_is_named(name: str) -> None:
    value: object = True if name == "only" else "openid email"
    with pytest.raises(ConfigurationError, match=f"KEYTURN_CONSOLE_OIDC_{name.upper()} is set, but"):
        read(**{name: value})


def test_plain_http_is_for_allowed_networks() -> None:
    assert oidc(issuer="http://10.1.2.3:8080/", allowed_networks="10.0.0.0/8").allows_http
