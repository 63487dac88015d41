"""A provider that is away, slow to know its own keys, or changed; and settings that changed."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from keyturn_credentials.console.person_routes import WARNINGS_AT_ONCE
from keyturn_credentials.console.sessions import SessionSealer
from keyturn_credentials.oidc.refreshed import LEAST_INTERVAL, MAX_WAITING
from keyturn_shared.jose.compact import parse_compact
from keyturn_shared.jose.key_set import KeySet
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.jose.verify import verify_with_key_set
from tests.integration.credentials.persons.scene import (
    FLOW,
    ROLES,
    SESSION,
    Browser,
    has_session,
    person_settings,
)
from tests.testkit.admin_api import ADMIN_ID, ADMIN_SECRET, AdminApi, running
from tests.testkit.identity_provider import CLIENT_ID, IdentityProvider
from tests.testkit.nodes import TestClock

DISCOVERY = "/.well-known/openid-configuration"


def is_page(answer: httpx.Response, status: int, reason: str) -> bool:
    return answer.status_code == status and f">{reason}<" in answer.text and not has_session(answer)


async def test_a_provider_that_is_away_is_a_clear_page_and_comes_back(
    browser: Browser, provider: IdentityProvider, clock: TestClock
) -> None:
    provider.down.add(DISCOVERY)
    answer = await browser.begin()
    assert is_page(answer, 503, "unavailable")
    assert "Your identity provider is not responding" in answer.text
    assert answer.headers["retry-after"] == "5"
    for _ in range(5):
        await browser.begin()
    assert provider.requests[DISCOVERY] == 1, "a failed request is not repeated at once"
    provider.down.clear()
    clock.elapsed_ahead += 2
    assert has_session(await browser.sign_in(groups="admins"))


@pytest.mark.parametrize(
    ("path", "status", "reason"), [("/token", 502, "provider_error"), ("/jwks", 503, "unavailable")]
)
async def test_a_provider_that_fails_on_the_way_is_a_clear_page(
    browser: Browser, provider: IdentityProvider, path: str, status: int, reason: str
) -> None:
    provider.down.add(path)
    assert is_page(await browser.sign_in(groups="admins"), status, reason)
    assert FLOW not in browser.http.cookies


@pytest.mark.parametrize("secret", ["a-secret\n", "a-secret ", "a-\0secret", ""])
async def test_an_access_token_that_cannot_be_sent_is_in_no_log(
    browser: Browser, provider: IdentityProvider, capfd: pytest.CaptureFixture[str], secret: str
) -> None:
    await browser.begin()
    token = provider.sign(provider.claims(nonce=browser.asked["nonce"]))
    provider.issue("code-1", browser.asked["code_challenge"], id_token=token, access_token=secret)
    assert is_page(await browser.come_back(), 502, "provider_error")
    said = "".join(capfd.readouterr())
    assert "person_not_signed_in" in said
    assert "secret" not in said.partition("person_not_signed_in")[2]


METADATA: tuple[dict[str, Any], ...] = (
    {"issuer": "https://evil.example"},
    {"issuer": None},
    {"token_endpoint": None},
    {"token_endpoint": "file:///etc/passwd"},
    {"jwks_uri": "http://user@evil.example/"},
    {"authorization_endpoint": "javascript:alert(1)"},
    {"jwks_uri": ["http://127.0.0.1/"]},
)


async def test_a_discovery_document_of_another_provider_is_not_used(
    browser: Browser, provider: IdentityProvider, clock: TestClock
) -> None:
    for metadata in METADATA:
        provider.metadata = metadata
        assert is_page(await browser.begin(), 503, "unavailable"), metadata
        clock.elapsed_ahead += 2


async def test_the_provider_is_reached_only_where_the_settings_allow_it(
    tmp_path: Path, redis_url: str, provider: IdentityProvider
) -> None:
    """An endpoint in the discovery document cannot lead into another private network."""
    provider.metadata["token_endpoint"] = "http://10.0.0.1:8080/token"
    settings = person_settings(f"sqlite+aiosqlite:///{tmp_path}/keyturn.db", redis_url, provider.issuer)
    async with running(settings) as api:
        browser = Browser(api, provider, api.http)
        assert is_page(await browser.sign_in(groups="admins"), 503, "unavailable")


async def test_the_documents_are_kept_for_a_while(
    browser: Browser, provider: IdentityProvider, clock: TestClock
) -> None:
    for _ in range(3):
        await browser.sign_in(groups="admins")
    assert (provider.requests[DISCOVERY], provider.requests["/jwks"]) == (1, 1)
    clock.elapsed_ahead += 601
    provider.rotate("second")
    assert has_session(await browser.sign_in(groups="admins"))
    assert (provider.requests[DISCOVERY], provider.requests["/jwks"]) == (2, 2)


async def test_a_new_key_of_the_provider_is_fetched_when_it_is_first_used(
    browser: Browser, provider: IdentityProvider, clock: TestClock
) -> None:
    await browser.sign_in(groups="admins")
    former = provider.key
    clock.elapsed_ahead += 11
    provider.rotate("second")
    assert has_session(await browser.sign_in(groups="admins"))
    assert provider.requests["/jwks"] == 2
    await browser.begin()
    claims = provider.claims(nonce=browser.asked["nonce"], groups=["admins"])
    clock.elapsed_ahead += 11
    browser.issue(provider.sign(claims, key=former))
    assert is_page(await browser.come_back(), 403, "untrusted")


async def test_logout_tokens_of_anybody_do_not_make_keys_be_fetched_often(
    api: AdminApi, browser: Browser, provider: IdentityProvider
) -> None:
    await browser.sign_in(groups="admins")
    for claims in ({"iss": "https://evil.example"}, {"aud": "orders"}):
        token = provider.sign(provider.logout_claims(**claims), typ="logout+jwt")
        await api.http.post("/console/oidc/back-channel-logout", data={"logout_token": token})
    assert provider.requests["/jwks"] == 1


async def test_anybody_can_fill_the_log_with_so_many_warnings_only(
    api: AdminApi,
    browser: Browser,
    provider: IdentityProvider,
    clock: TestClock,
    capfd: pytest.CaptureFixture[str],
) -> None:
    await browser.sign_in(groups="admins")
    clock.elapsed_ahead += LEAST_INTERVAL
    forged = provider.sign(provider.logout_claims(), key=SigningKey.generate("ES256", kid="unknown"))
    provider.down.add("/jwks")
    tokens = [
        api.http.post("/console/oidc/back-channel-logout", data={"logout_token": forged})
        for _ in range(MAX_WAITING + WARNINGS_AT_ONCE + 10)
    ]
    assert {answer.status_code for answer in await asyncio.gather(*tokens)} == {503}
    for _ in range(WARNINGS_AT_ONCE + 10):
        await browser.begin()
        assert is_page(await browser.come_back(error="invalid_scope", code=""), 502, "provider_error")
    lines = "".join(capfd.readouterr()).splitlines()
    for event in ("logout_token_not_checked", "person_not_signed_in"):
        assert 0 < sum("[warning" in line and event in line for line in lines) <= WARNINGS_AT_ONCE + 5


def pem_of(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize("kind", ["RSA", "EC"])
async def test_a_client_with_a_key_signs_its_requests_and_publishes_the_key(
    tmp_path: Path, redis_url: str, provider: IdentityProvider, kind: str
) -> None:
    key = rsa.generate_private_key(65537, 2048) if kind == "RSA" else ec.generate_private_key(ec.SECP256R1())
    own = {"console_oidc_client_secret": None, "console_oidc_client_key": pem_of(key)}
    url = f"sqlite+aiosqlite:///{tmp_path}/keyturn.db"
    async with running(person_settings(url, redis_url, provider.issuer, **own)) as api:
        assert has_session(await Browser(api, provider, api.http).sign_in(groups="admins"))
        published = KeySet.from_members((await api.http.get("/console/oidc/jwks")).json())
    [(authorization, form)] = provider.forms
    assert authorization is None
    assertion = parse_compact(form["client_assertion"])
    verify_with_key_set(assertion, published)
    claims = assertion.claims
    assert (claims["iss"], claims["sub"], claims["aud"]) == (CLIENT_ID, CLIENT_ID, f"{provider.issuer}/token")
    assert 0 < claims["exp"] - claims["iat"] <= 60
    assert claims["jti"]


async def test_a_public_client_relies_on_pkce(
    tmp_path: Path, redis_url: str, provider: IdentityProvider
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/keyturn.db"
    settings = person_settings(url, redis_url, provider.issuer, console_oidc_client_secret=None)
    async with running(settings) as api:
        assert has_session(await Browser(api, provider, api.http).sign_in(groups="admins"))
    [(authorization, form)] = provider.forms
    assert (authorization, form["client_id"]) == (None, CLIENT_ID)


SETTINGS_THAT_END_A_SESSION: dict[str, dict[str, Any]] = {
    "no provider": dict.fromkeys(
        [f"console_oidc_{name}" for name in ("issuer", "name", "client_id", "roles")], ""
    )
    | {"console_oidc_client_secret": None, "console_oidc_allowed_networks": ()},
    "another client": {"console_oidc_client_id": "another"},
    "a group less": {"console_oidc_roles": json.dumps({"viewers": ROLES["viewers"]})},
}


@pytest.mark.parametrize("name", SETTINGS_THAT_END_A_SESSION)
async def test_a_restart_with_other_settings_ends_sessions_that_these_do_not_give(
    api: AdminApi, browser: Browser, name: str
) -> None:
    await browser.sign_in(groups="admins")
    values = api.settings.model_dump() | SETTINGS_THAT_END_A_SESSION[name]
    settings = type(api.settings)(**values)
    async with running(settings) as again:
        again.http.cookies.set(SESSION, browser.http.cookies[SESSION])
        assert (await again.http.get("/admin/realms")).status_code == 401


async def test_with_the_fallback_off_the_form_is_refused_here_and_its_sessions_end(
    api: AdminApi, provider: IdentityProvider
) -> None:
    credentials = {"realm": "master", "client_id": ADMIN_ID, "client_secret": ADMIN_SECRET}
    cookie = (await api.http.post("/console/session", json=credentials)).cookies[SESSION]
    settings = type(api.settings)(**(api.settings.model_dump() | {"console_oidc_only": True}))
    async with running(settings) as only:
        ways = (await only.http.get("/console/sign-in")).json()
        assert ways == {"client_secret": False, "provider": {"name": "Example ID"}}
        answer = await only.http.post("/console/session", json=credentials)
        assert (answer.status_code, "set-cookie" in answer.headers) == (403, False)
        assert "turned off" in answer.json()["detail"]
        only.http.cookies.set(SESSION, cookie)
        assert (await only.http.get("/admin/realms")).status_code == 401
        only.http.cookies.clear()
        assert (await only.call("GET", "/master/clients")).status_code == 200, "the admin API is for clients"
        assert has_session(await Browser(only, provider, only.http).sign_in(groups="admins"))


async def test_with_the_fallback_off_a_one_time_link_still_works(api: AdminApi) -> None:
    """It needs the encryption keys, with which any session could be made."""
    settings = type(api.settings)(**(api.settings.model_dump() | {"console_oidc_only": True}))
    async with running(settings) as only:
        link = SessionSealer(settings.encryption_ring(), only.clock).issue_ticket("master", ADMIN_ID)
        answer = await only.http.post("/console/session", json={"ticket": link})
        assert answer.status_code == 200
        assert (await only.http.get("/admin/realms")).status_code == 200
