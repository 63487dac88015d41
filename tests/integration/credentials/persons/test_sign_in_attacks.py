"""Attacks on the sign-in of a person. Each ends without a session."""

import httpx
import pytest

from keyturn_credentials.console.sessions import SessionSealer
from keyturn_credentials.console.throttle import ALLOWED_FAILURES
from keyturn_credentials.oidc.flow import FLOW_SECONDS
from tests.integration.credentials.persons.conftest import NewBrowser
from tests.integration.credentials.persons.scene import FLOW, SESSION, Browser, has_session
from tests.testkit.admin_api import AdminApi
from tests.testkit.identity_provider import IdentityProvider
from tests.testkit.nodes import TestClock


def refused(answer: httpx.Response, status: int, reason: str) -> bool:
    """Return whether an answer is the page of this refusal, without a session."""
    return (answer.status_code, has_session(answer)) == (status, False) and f">{reason}<" in answer.text


async def test_a_state_of_nobody_or_of_another_browser_is_refused(
    browser: Browser, new_browser: NewBrowser, provider: IdentityProvider
) -> None:
    await browser.begin()
    for state in ("", "guess", browser.asked["state"][:-1]):
        assert refused(await browser.come_back(state=state), 400, "not_started")
        await browser.begin()
    victim = new_browser()
    await victim.begin()
    assert refused(await victim.come_back(state=browser.asked["state"]), 400, "not_started")
    assert provider.forms == [], "no code was sent to the provider"


async def test_a_browser_that_began_nothing_is_not_signed_in_as_somebody_else(
    browser: Browser, new_browser: NewBrowser
) -> None:
    """Login CSRF: a victim's browser opens the answer to the attacker's sign-in."""
    await browser.begin()
    browser.issue(groups=["admins"])
    victim = new_browser()
    victim.asked = browser.asked
    assert refused(await victim.come_back(), 400, "not_started")


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}], ids=str
)
async def test_another_sites_page_begins_no_sign_in(browser: Browser, headers: dict[str, str]) -> None:
    answer = await browser.http.get("/console/oidc/sign-in", headers=headers)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_an_answer_works_once_even_with_a_copy_of_the_cookie(browser: Browser) -> None:
    await browser.begin()
    cookie = browser.http.cookies[FLOW]
    browser.issue(groups=["admins"])
    assert has_session(await browser.come_back())
    browser.http.cookies.clear()
    browser.http.cookies.set(FLOW, cookie, domain="keyturn.test")
    browser.issue(groups=["admins"])
    assert refused(await browser.come_back(), 400, "not_started")


async def test_a_failed_sign_in_is_over(browser: Browser) -> None:
    await browser.begin()
    assert refused(await browser.come_back(error="access_denied", code=""), 403, "denied")
    browser.issue(groups=["admins"])
    assert refused(await browser.come_back(), 400, "not_started")


async def test_a_sign_in_that_takes_too_long_is_refused(browser: Browser, clock: TestClock) -> None:
    await browser.begin()
    browser.issue(groups=["admins"])
    clock.ahead += FLOW_SECONDS + 1
    assert refused(await browser.come_back(), 400, "not_started")


async def test_a_code_of_another_sign_in_is_refused_by_its_verifier(
    browser: Browser, new_browser: NewBrowser
) -> None:
    """Code injection: the attacker has the victim's code, and brings it into a sign-in of its own."""
    await browser.begin()
    browser.issue(groups=["admins"])
    attacker = new_browser()
    await attacker.begin()
    assert refused(await attacker.come_back(), 403, "untrusted")


async def test_a_code_of_another_sign_in_is_refused_by_its_nonce_too(
    browser: Browser, new_browser: NewBrowser, provider: IdentityProvider
) -> None:
    """A provider without PKCE redeems any code."""
    await browser.begin()
    attacker = new_browser()
    await attacker.begin()
    token = provider.sign(provider.claims(nonce=browser.asked["nonce"], groups=["admins"]))
    attacker.issue(token)
    assert refused(await attacker.come_back(), 403, "untrusted")


@pytest.mark.parametrize("iss", ["https://evil.example", ""])
async def test_an_answer_of_another_issuer_is_refused_before_the_code_is_sent(
    browser: Browser, provider: IdentityProvider, iss: str
) -> None:
    """Mix-up (RFC 9207); without ``iss``, although the provider announces it, as well."""
    await browser.begin()
    browser.issue(groups=["admins"])
    assert refused(await browser.come_back(iss=iss), 403, "untrusted")
    assert provider.forms == []


async def test_an_issuer_is_needed_only_of_a_provider_that_announces_it(
    browser: Browser, provider: IdentityProvider
) -> None:
    provider.metadata["authorization_response_iss_parameter_supported"] = None
    await browser.begin()
    browser.issue(groups=["admins"])
    assert has_session(await browser.come_back(iss=""))


async def test_a_parameter_that_occurs_twice_counts_for_nothing(browser: Browser) -> None:
    await browser.begin()
    browser.issue(groups=["admins"])
    asked = [("state", browser.asked["state"])] * 2
    answer = await browser.http.get("/console/oidc/callback", params=[*asked, ("code", "code-1")])
    assert refused(answer, 400, "not_started")


async def test_very_large_claims_are_refused(browser: Browser, provider: IdentityProvider) -> None:
    many = [f"group-{number}" for number in range(2000)]
    assert refused(await browser.sign_in(groups=["admins", *many]), 403, "too_large")
    assert refused(await browser.sign_in(groups=["admins", "x" * 100_000]), 403, "too_large")


async def test_every_mapped_group_at_once_still_fits_a_cookie(browser: Browser) -> None:
    answer = await browser.sign_in(
        groups=["admins", "viewers", "shop", "two"],
        name="\N{GRINNING FACE}" * 200,
        sub="s" * 255,
        sid="i" * 999,
    )
    cookies = [c for c in answer.headers.get_list("set-cookie") if c.startswith(f"{SESSION}=")]
    assert len(cookies[0].partition(";")[0]) < 4096


async def test_nobody_is_sent_anywhere_but_to_a_page_of_the_console(browser: Browser) -> None:
    """Open redirect; see also the unit tests of ``return_path``."""
    for path in ("https://evil.example/", "//evil.example/console/", "/console/../admin", "/console/oidc/x"):
        answer = await browser.sign_in(path, groups="admins")
        assert (answer.status_code, answer.headers["location"]) == (303, "/console/")


async def test_a_session_that_was_planted_is_replaced(browser: Browser, new_browser: NewBrowser) -> None:
    """Session fixation: every sign-in makes a new session, with a new number and a new token."""
    attacker = new_browser()
    await attacker.sign_in(groups="admins")
    planted = attacker.http.cookies[SESSION]
    browser.http.cookies.set(SESSION, planted, domain="keyturn.test")
    answer = await browser.sign_in(groups="viewers", sub="victim")
    assert has_session(answer)
    browser.http.cookies.clear()
    browser.http.cookies.set(SESSION, answer.cookies[SESSION], domain="keyturn.test")
    mine, theirs = await browser.session(), await attacker.session()
    assert mine is not None
    assert theirs is not None
    assert mine["person"]["subject"] == "victim"
    assert mine["csrf"] != theirs["csrf"]


async def test_the_cookie_of_a_sign_in_is_no_session_and_no_other_text_is_one(
    browser: Browser, api: AdminApi
) -> None:
    await browser.begin()
    browser.http.cookies.set(SESSION, browser.http.cookies[FLOW], domain="keyturn.test")
    assert await browser.session() is None
    sealer = SessionSealer(api.settings.encryption_ring(), api.clock)
    _, cookie = sealer.open_session("master", "uuid", "admin", 0.0)
    assert sealer.read_flow(cookie) is None


async def test_guesses_of_codes_are_throttled(browser: Browser, provider: IdentityProvider) -> None:
    for number in range(ALLOWED_FAILURES):
        await browser.begin()
        assert refused(await browser.come_back(code=f"guess-{number}"), 403, "untrusted")
    await browser.begin()
    assert refused(await browser.come_back(code="guess"), 429, "too_many")
    assert len(provider.forms) == ALLOWED_FAILURES


async def test_a_page_shows_nothing_that_a_caller_sent(browser: Browser) -> None:
    await browser.begin()
    answer = await browser.come_back(error="<script>alert(1)</script>", code="")
    assert refused(answer, 502, "provider_error")
    assert "alert" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
