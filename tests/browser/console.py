"""The console as a person uses it, watched for everything that a page should never do."""

import re
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import BrowserContext, Download, Locator, Page, expect

from tests.browser.scene import REALM, Scene
from tests.e2e.running import RunningStack

COOKIE = "keyturn_session"
TIMEOUT_MS = 20_000
expect.set_options(timeout=TIMEOUT_MS)

_WATCH = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP violation: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


def sign_in(stack: RunningStack) -> httpx.Response:
    """The answer to the first admin's sign-in."""
    admin = stack.local["admin"]
    url = f"{stack.base_url}/console/session"
    return httpx.post(url, json=admin, trust_env=False, timeout=30).raise_for_status()


def cookie_of(stack: RunningStack) -> dict[str, Any]:
    """A session's cookie, for a browser. One session serves all tests that do not end it."""
    session = getattr(stack, "console_session", None)
    if session is None:
        session = sign_in(stack).cookies[COOKIE]
        stack.console_session = session  # type: ignore[attr-defined]
    return {"name": COOKIE, "value": session, "url": stack.base_url, "httpOnly": True, "sameSite": "Strict"}


class Console:
    """One page. ``problems`` collects what went wrong: errors, violations of the policy, foreign requests.

    Refusals that a test provokes are named in ``expected``: parts of the messages.
    """

    def __init__(self, context: BrowserContext, page: Page, scene: Scene) -> None:
        self.context = context
        self.page = page
        self.scene = scene
        self.base = scene.stack.base_url
        self.problems: list[str] = []
        self.expected: list[str] = []
        self.requested: list[str] = []

    async def begin(self) -> None:
        self.page.set_default_timeout(TIMEOUT_MS)
        await self.page.add_init_script(_WATCH)
        self.page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))
        self.page.on("console", self._heard)
        self.page.on("request", lambda request: self.requested.append(request.url))

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"{message.type}: {message.text} {message.location.get('url', '')}")

    def require_calm(self) -> None:
        """Fail if anything went wrong that the test did not expect."""
        foreign = [url for url in self.requested if not url.startswith((f"{self.base}/", "blob:"))]
        assert foreign == [], "requests left the origin"
        surprises = [text for text in self.problems if not any(part in text for part in self.expected)]
        assert surprises == []

    async def open(self, path: str = "", *, realm: str = REALM) -> None:
        """Load an address below the realm's, and wait for the page."""
        await self.page.goto(f"/console/{realm}/{path}")
        await expect(self.page.locator("h1")).to_be_visible()
        await self.settled()

    async def open_client(self, client_id: str, tab: str = "credentials") -> None:
        await self.open(f"clients/{self.scene.uuids[client_id]}/{tab}")

    async def settled(self) -> None:
        """Nothing is loading any more."""
        await expect(self.page.locator(".loading")).to_have_count(0)

    async def click(self, name: str, *, within: Locator | None = None) -> None:
        await (within or self.page).get_by_role("button", name=name, exact=True).click()

    async def confirm(self, name: str) -> Locator:
        """Press the button in the open dialog; what it had said would break."""
        dialog = self.page.get_by_role("dialog")
        await expect(dialog).to_be_visible()
        await self.click(name, within=dialog)
        return dialog

    async def expect_toast(self, text: str | re.Pattern[str]) -> None:
        await expect(self.page.locator(".toast").filter(has_text=text).last).to_be_visible()

    def card(self, title: str) -> Locator:
        heading = self.page.get_by_role("heading", name=title, exact=True)
        return self.page.locator("section.card").filter(has=heading)

    async def fill(self, label: str, value: str, *, within: Locator | None = None) -> None:
        await (within or self.page).get_by_label(label, exact=True).fill(value)

    async def choose(self, label: str, value: str, *, within: Locator | None = None) -> None:
        await (within or self.page).get_by_label(label, exact=True).select_option(value)


async def saved(download: Download, directory: Path) -> bytes:
    """The bytes of a download."""
    path = directory / download.suggested_filename
    await download.save_as(path)
    return path.read_bytes()
