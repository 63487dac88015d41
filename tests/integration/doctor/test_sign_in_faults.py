"""Faults of the identity provider: each is found, and nothing else."""

from typing import Any

import pytest

from keyturn.doctor.findings import Area
from keyturn_credentials.settings import CredentialsSettings
from tests.integration.doctor.examining import diagnosed, reported
from tests.testkit.identity_provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider, running_provider

_SIGN_IN = frozenset({Area.SIGN_IN})


def at(provider: IdentityProvider, settings: CredentialsSettings, **more: Any) -> CredentialsSettings:
    """Return the settings of an installation whose persons sign in at the provider."""
    oidc = {
        "console_oidc_issuer": provider.issuer,
        "console_oidc_client_id": CLIENT_ID,
        "console_oidc_client_secret": CLIENT_SECRET,
        "console_oidc_roles": '{"admins": {"master": ["admin"]}}',
        "console_oidc_allowed_networks": "127.0.0.0/8",
    }
    return CredentialsSettings(**(settings.model_dump() | oidc | more))


async def test_an_installation_without_a_provider_has_none_to_check(settings: CredentialsSettings) -> None:
    (report,) = await reported(settings, _SIGN_IN)
    assert (report.summary, report.findings) == ("of clients only", [])


async def test_a_provider_that_answers_is_named(settings: CredentialsSettings) -> None:
    async with running_provider() as provider:
        (report,) = await reported(at(provider, settings), _SIGN_IN)
    assert (report.summary, report.findings) == (f"of persons at {provider.issuer}", [])


@pytest.mark.parametrize(
    ("path", "told"),
    [("/.well-known/openid-configuration", "discovery document"), ("/jwks", "key set")],
)
async def test_a_document_that_is_missing_is_named(
    settings: CredentialsSettings, path: str, told: str
) -> None:
    async with running_provider() as provider:
        provider.down.add(path)
        (report,) = await reported(at(provider, settings), _SIGN_IN)
    [finding] = report.findings
    assert finding.code == "identity_provider_unusable"
    assert finding.found.startswith(f"{told}: status")


async def test_a_provider_with_another_issuer_is_found(settings: CredentialsSettings) -> None:
    async with running_provider() as provider:
        provider.metadata["issuer"] = "https://other.example"
        assert await diagnosed(at(provider, settings), _SIGN_IN) == (["identity_provider_unusable"], 1)


async def test_a_console_that_nobody_can_enter_is_found(settings: CredentialsSettings) -> None:
    async with running_provider() as provider:
        closed = at(provider, settings, console_oidc_only=True)
        assert await diagnosed(closed, _SIGN_IN) == ([], 0)
    assert await diagnosed(closed, _SIGN_IN) == (["console_closed"], 1)
