"""WCAG 2.2 AA as far as a program can check it, on every page; and use by keyboard only."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from keyturn_shared.jose.signing import SigningKey
from tests.browser.accessibility import require_no_violations
from tests.browser.conftest import OpenConsole, SharedPage, context_of
from tests.browser.console import Console
from tests.browser.pages import ADDRESSES, PREPARED, address_of
from tests.testkit.console_realm import DAY, Scene

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def unguarded_page(browser: Browser, scene: Scene) -> AsyncIterator[SharedPage]:
    """A page without the policy that forbids axe's work in it."""
    context = await context_of(browser, scene, signed_in=True, bypass_csp=True)
    yield SharedPage(context, scene)
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def unguarded(unguarded_page: SharedPage) -> AsyncIterator[Console]:
    async with unguarded_page.used() as console:
        yield console


@pytest.mark.parametrize("name", ADDRESSES)
async def test_axe_finds_nothing(unguarded: Console, axe: str, name: str) -> None:
    console = unguarded
    await console.open(address_of(console, name))
    await require_no_violations(console, axe, name)
    for what, prepare in PREPARED.get(name, []):
        await prepare(console)
        # Dialogs consist of the same parts as pages.
        await require_no_violations(console, axe, f"{name}, {what}", looks=1)
        await console.page.keyboard.press("Escape")


@pytest.mark.usefixtures("made_for_this_test")
async def test_axe_finds_nothing_while_a_campaign_runs_and_after_it(
    unguarded: Console, scene: Scene, axe: str
) -> None:
    console = unguarded
    for number in range(2):
        scene.client(f"axe-campaign-{number}")
    await asyncio.sleep(1.1)  # a secret's time of creation has whole seconds
    await console.open("rotations/campaign")
    await console.fill("Client ID contains", "axe-campaign")
    await console.click("Show the clients")
    await console.fill("First clients", "1")
    await console.click("Start")
    await console.confirm("Rotate them")
    await expect(console.page.get_by_text("Waiting for 1 of the first 1 clients")).to_be_visible()
    await require_no_violations(console, axe, "campaign, running")
    title = await console.page.get_by_role("heading", name="Rotating").bounding_box()
    bar = await console.page.get_by_role("progressbar").bounding_box()
    assert title is not None
    assert bar is not None
    assert bar["y"] >= title["y"] + title["height"]
    await console.click("Stop")
    await expect(console.page.get_by_role("heading", name="Stopped")).to_be_visible()
    await require_no_violations(console, axe, "campaign, stopped")


@pytest.mark.usefixtures("made_for_this_test")
async def test_axe_finds_nothing_where_a_rotation_failed(unguarded: Console, scene: Scene, axe: str) -> None:
    console = unguarded
    keys = [SigningKey.generate("ES256").public_jwk for _ in range(2)]
    attributes = {"use.jwks.string": "true", "jwks.string": json.dumps({"keys": keys[:1]})}
    uuid = scene.client("axe-failing", clientAuthenticatorType="client-jwt", attributes=attributes)
    begun = scene.admin.call(
        "POST", f"/clients/{uuid}/rotations", json={"kind": "key", "jwk": keys[1]}
    ).json()
    scene.admin.call("POST", f"/clients/{uuid}/keys/{begun['keys']['successors'][0]}/revoke")
    await console.open(f"rotations/{begun['id']}")
    await expect(console.page.locator(".notice.bad")).to_contain_text("The new key was revoked")
    await require_no_violations(console, axe, "rotation, failed")
    await console.open("rotations")
    await console.choose("Show", "failed")
    await expect(console.page.get_by_role("link", name="axe-failing", exact=True)).to_be_visible()
    await require_no_violations(console, axe, "rotations, failed", looks=1)


async def test_axe_finds_nothing_at_the_sign_in(open_console: OpenConsole, axe: str) -> None:
    console = await open_console(signed_in=False, bypass_csp=True)
    await require_no_violations(console, axe, "sign in")


async def tab_to(page: Page, name: str, *, most: int = 60) -> None:
    """Press Tab until the element of that name has the focus; every stop on the way is visible."""
    for _ in range(most):
        await page.keyboard.press("Tab")
        stop = await page.evaluate(
            """() => {
              const element = document.activeElement, style = getComputedStyle(element);
              const box = element.getBoundingClientRect();
              const label = element.labels?.[0]?.textContent;
              return {
                name: (element.getAttribute("aria-label") || label || element.textContent).trim(),
                seen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
                size: Math.min(box.width, box.height),
              };
            }"""
        )
        assert stop["seen"], f"no focus to be seen on {stop['name']!r}"
        if stop["name"] == name:
            return
    raise AssertionError(f"{name!r} cannot be reached with Tab")


async def test_everything_can_be_done_with_the_keyboard_alone(open_console: OpenConsole) -> None:
    """Sign in, find a client, regenerate its secret, with the focus in a sensible place after each step."""
    console = await open_console(signed_in=False)
    page, keys, admin = console.page, console.page.keyboard, console.scene.stack.local["admin"]
    await expect(page.get_by_label("Client ID")).to_be_focused()
    await keys.type(admin["client_id"])
    await keys.press("Tab")
    await keys.type(admin["client_secret"])
    await keys.press("Enter")
    await expect(page.get_by_role("heading", name="Clients")).to_be_visible()

    await expect(page.get_by_role("heading", name="Clients")).to_be_focused()
    await tab_to(page, "Search by client ID")
    await keys.type("returns-fr")
    await expect(page.locator("tbody tr")).to_have_count(1)
    await tab_to(page, "returns-fr")
    await keys.press("Enter")
    await expect(page.get_by_role("heading", name="returns-fr")).to_be_focused()

    await tab_to(page, "Regenerate")
    await keys.press("Enter")
    dialog = page.get_by_role("dialog")
    await expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    await keys.press("Escape")
    regenerate = page.get_by_role("button", name="Regenerate", exact=True)
    await expect(regenerate).to_be_focused()
    await expect(regenerate).not_to_have_attribute("aria-disabled", "true")
    await keys.press("Enter")
    await expect(dialog.get_by_role("button", name="Cancel")).to_be_focused()
    await keys.press("Tab")
    await keys.press("Enter")
    await expect(dialog.get_by_role("heading", name="The new secret")).to_be_visible()
    await tab_to(page, "Done")
    await keys.press("Enter")
    await expect(dialog).to_have_count(0)
    await expect(page.get_by_role("button", name="Regenerate")).to_be_focused()


@pytest.mark.usefixtures("made_for_this_test")
async def test_a_campaign_is_run_with_the_keyboard_alone(console: Console) -> None:
    page, keys, scene = console.page, console.page.keyboard, console.scene
    uuid = scene.client("by-keyboard")
    await asyncio.sleep(1.1)  # a secret's time of creation has whole seconds
    await console.open("rotations")
    await tab_to(page, "Rotate many clients")
    await keys.press("Enter")
    await expect(page.get_by_role("heading", name="Rotate many clients")).to_be_focused()
    await tab_to(page, "Client ID contains")
    await keys.type("by-keyboard")
    await keys.press("Enter")
    await expect(page.get_by_role("heading", name="1 client", exact=True)).to_be_visible()
    await tab_to(page, "Start")
    await keys.press("Enter")
    await expect(page.get_by_role("dialog").get_by_role("button", name="Cancel")).to_be_focused()
    await keys.press("Tab")
    await keys.press("Enter")
    await expect(page.get_by_role("heading", name="Done", exact=True)).to_be_focused()
    rotations = scene.admin.call("GET", f"/clients/{uuid}/rotations").json()
    assert [rotation["state"] for rotation in rotations] == ["prepared"]


@pytest.mark.usefixtures("made_for_this_test")
async def test_a_policy_is_set_with_the_keyboard_alone(console: Console) -> None:
    page, keys, scene = console.page, console.page.keyboard, console.scene
    uuid = scene.client("policy-by-keyboard")
    await console.open_client("policy-by-keyboard", "rotation")
    await tab_to(page, "Rotate every (days)")
    await keys.type("30")
    await tab_to(page, "Overlap (days)")
    await keys.type("31")
    await keys.press("Enter")
    await expect(page.locator(".problem")).to_have_count(1)
    await expect(page.get_by_label("Overlap (days)")).to_be_focused()
    await keys.press("Backspace")
    await keys.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await tab_to(page, "Save the policy")
    await keys.press("Enter")
    await console.expect_toast("Policy saved.")
    attributes = scene.admin.call("GET", f"/clients/{uuid}").json()["attributes"]
    assert attributes["keyturn.secret.rotated-expiration-period"] == str(3 * DAY)


async def test_the_first_stop_skips_the_navigation(console: Console) -> None:
    await console.page.keyboard.press("Tab")
    await expect(console.page.get_by_role("link", name="Skip to content")).to_be_focused()
    await console.page.keyboard.press("Enter")
    await expect(console.page.locator("#main")).to_be_focused()


async def test_nothing_moves_for_those_who_asked_for_that(open_console: OpenConsole) -> None:
    console = await open_console("fleet", reduced_motion="reduce")
    await console.click("Send a test change")
    await expect(console.page.locator(".flows .flow").first).to_be_visible()
    assert await console.page.evaluate("document.getAnimations().length") == 0
