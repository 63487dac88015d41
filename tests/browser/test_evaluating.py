"""The Evaluate tab: whether a client would be let in, and what its token would say."""

import time
import uuid

import pytest
from playwright.async_api import Locator, expect

from tests.browser.conftest import OpenConsole
from tests.browser.console import Console
from tests.browser.sessions import give_session_of
from tests.testkit.console_realm import REALM
from tests.testkit.local_stack import ask_token

pytestmark = pytest.mark.asyncio(loop_scope="session")

WRONG = "a wrong secret that is long enough"


def step(console: Console, name: str) -> Locator:
    heading = console.page.get_by_role("heading", name=name, exact=True)
    return console.page.get_by_role("list", name="Checks").get_by_role("listitem").filter(has=heading)


async def test_the_token_is_shown_without_a_credential(console: Console) -> None:
    await console.open_client("stock-us", "evaluate")
    await console.click("Evaluate")
    title = "A token would be issued, once the client has authenticated."
    await expect(console.page.get_by_role("heading", name=title)).to_be_focused()
    claims = console.page.get_by_label("Claims of the token")
    await expect(claims).to_contain_text('"client_id": "stock-us"')
    await expect(claims).to_contain_text(f"{console.base}/realms/{REALM}")
    await expect(step(console, "Authentication")).to_contain_text("Not checked")


async def test_a_right_and_a_wrong_secret(console: Console) -> None:
    await console.open_client("stock-us", "evaluate")
    await console.choose("Credential", "client_secret")
    field = console.page.get_by_label("Client secret", exact=True)
    await expect(field).to_have_attribute("type", "password")
    await field.fill(WRONG)
    await console.click("Evaluate")
    await expect(console.page.get_by_role("heading", name="It would be refused.")).to_be_visible()
    await expect(step(console, "Secret")).to_contain_text("Failed")
    await expect(step(console, "Scope")).to_contain_text("Not checked")
    await expect(console.page.get_by_text("wrong_secret")).to_be_visible()
    await expect(console.page.get_by_text("What to do:")).to_be_visible()
    await field.fill(console.scene.admin.secret(console.scene.uuids["stock-us"]))
    await field.press("Enter")
    await expect(console.page.get_by_role("heading", name="It would be accepted.")).to_be_visible()
    await expect(step(console, "Secret")).to_contain_text("It is the current secret")


async def test_a_pasted_secret_is_gone_after_leaving(console: Console) -> None:
    await console.open_client("stock-us", "evaluate")
    await console.choose("Credential", "client_secret")
    await console.fill("Client secret", WRONG)
    await console.page.get_by_role("link", name="Activity", exact=True).click()
    await console.settled()
    await console.page.go_back()
    await expect(console.page.get_by_label("Credential", exact=True)).to_have_value("")
    await console.choose("Credential", "client_secret")
    await expect(console.page.get_by_label("Client secret", exact=True)).to_have_value("")
    await console.fill("Client secret", WRONG)
    await console.page.goto("/console/")
    await console.page.go_back()
    await console.choose("Credential", "client_secret")
    await expect(console.page.get_by_label("Client secret", exact=True)).to_have_value("")


async def test_an_assertion_is_evaluated_and_stays_unused(console: Console) -> None:
    key = console.scene.signing["billing-2026-11"]
    issuer, now = f"{console.base}/realms/{REALM}", int(time.time())
    claims = {"iss": "billing", "sub": "billing", "aud": issuer, "jti": str(uuid.uuid4())}
    signed = key.sign_compact(key.header_segment(), claims | {"iat": now, "exp": now + 60})
    await console.open_client("billing", "evaluate")
    await console.choose("Credential", "client_assertion")
    await console.fill("Client assertion", f"  {signed}\n")
    for _ in range(2):
        await console.click("Evaluate")
        await expect(console.page.get_by_role("heading", name="It would be accepted.")).to_be_visible()
        await expect(step(console, "Single use")).to_contain_text("Passed")


async def test_an_access_token_is_evaluated_by_keyboard(console: Console) -> None:
    secret = console.scene.admin.secret(console.scene.uuids["stock-us"])
    answer = ask_token(console.scene.stack.node_urls[0], REALM, "stock-us", secret)
    token = answer.json()["access_token"]
    await console.open_client("stock-us", "evaluate")
    first = console.page.get_by_role("radio", name="A token request")
    await first.focus()
    await console.page.keyboard.press("ArrowDown")
    field = console.page.get_by_label("Access token", exact=True).and_(console.page.locator("textarea"))
    await console.page.keyboard.press("Tab")
    await expect(field).to_be_focused()
    await console.page.keyboard.insert_text(token)
    await console.page.keyboard.press("Tab")
    await console.page.keyboard.press("Enter")
    await expect(console.page.get_by_role("heading", name="It would be accepted.")).to_be_visible()
    await expect(console.page.get_by_label("Claims of the token")).to_contain_text("stock-us")
    await field.fill(f"{token[:-6]}AAAAAA")
    await console.click("Evaluate")
    await expect(step(console, "Signature")).to_contain_text("Failed")


async def test_nothing_pasted_and_a_bad_scope_are_said_at_the_form(console: Console) -> None:
    await console.open_client("stock-us", "evaluate")
    await console.choose("Credential", "client_secret")
    await console.click("Evaluate")
    await expect(console.page.get_by_role("alert")).to_contain_text("Paste the client secret first.")
    await console.choose("Credential", "")
    await console.fill("Scopes", "no-such-scope")
    await console.click("Evaluate")
    await expect(step(console, "Scope")).to_contain_text("Failed")


async def test_who_may_not_see_the_secret_cannot_test_it(open_console: OpenConsole) -> None:
    console = await open_console()
    console.expected.append("403")
    viewer = console.scene.client("viewer-of-evaluations", attributes={"keyturn.admin.roles": "view-clients"})
    secret = console.scene.admin.secret(viewer)
    await give_session_of(console, "viewer-of-evaluations", secret)
    await console.open_client("stock-us", "evaluate")
    await console.click("Evaluate")
    await expect(console.page.get_by_label("Claims of the token")).to_be_visible()
    await console.choose("Credential", "client_secret")
    await console.fill("Client secret", WRONG)
    await console.click("Evaluate")
    await expect(console.page.get_by_role("alert")).to_contain_text("configure-clients")


async def test_a_public_client_has_nothing_to_evaluate(console: Console) -> None:
    uuid_ = console.scene.client("public-evaluated", publicClient=True)
    await console.open(f"clients/{uuid_}/evaluate")
    await expect(console.page.get_by_role("heading", name="No credentials")).to_be_visible()
