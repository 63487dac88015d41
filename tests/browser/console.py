"""The console in a browser, watched for everything that a page must never do."""

import re
from pathlib import Path
from typing import Any

from playwright.async_api import BrowserContext, Download, Locator, Page, expect

from tests.testkit.console_realm import REALM, Scene

TIMEOUT_MS = 20_000
expect.set_options(timeout=TIMEOUT_MS)

_WATCH = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP violation: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


class Console:
    """One page. ``problems`` collects errors, policy violations and foreign requests. Refusals that a test
    provokes are named in ``expected``: parts of the messages; other servers that it visits in ``visited``:
    beginnings of their URLs."""

    def __init__(self, context: BrowserContext, page: Page, scene: Scene) -> None:
        self.context = context
        self.page = page
        self.scene = scene
        self.base = scene.stack.base_url
        self.problems: list[str] = []
        self.expected: list[str] = []
        self.visited: list[str] = []
        self.requested: list[str] = []

    async def begin(self) -> None:
        self.page.set_default_timeout(TIMEOUT_MS)
        await self.page.add_init_script(_WATCH)
        self.page.on("pageerror", lambda error: self.problems.append(f"page error: {error}"))
        self.page.on("console", self._heard)
        self.page.on("request", lambda request: self.requested.append(request.url))

    async def leave(self) -> None:
        """Leave everything that a test has opened or arranged, so that the page can be used again."""
        await self.page.unroute_all(behavior="ignoreErrors")
        await self.page.goto("about:blank")

    def forget(self) -> None:
        """Forget what happened and what was expected."""
        for noted in (self.problems, self.expected, self.visited, self.requested):
            noted.clear()

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"{message.type}: {message.text} {message.location.get('url', '')}")

    def require_calm(self) -> None:
        """Fail if anything went wrong that the test did not expect."""
        known = (f"{self.base}/", "blob:", *self.visited)
        foreign = [url for url in self.requested if not url.startswith(known)]
        assert foreign == [], f"requests left the origin: {foreign}"
        surprises = [text for text in self.problems if not any(part in text for part in self.expected)]
        assert surprises == [], surprises

    async def open(self, path: str = "", *, realm: str = REALM) -> None:
        """Load an address below the realm's, and wait for the page."""
        await self.page.goto(f"/console/{realm}/{path}")
        await expect(self.page.locator("h1")).to_be_visible()
        await self.settled()

    async def open_client(self, client_id: str, tab: str = "credentials") -> None:
        await self.open(f"clients/{self.scene.uuids[client_id]}/{tab}")

    async def settled(self) -> None:
        """Wait until nothing is loading."""
        await expect(self.page.locator(".loading")).to_have_count(0)

    async def click(self, name: str, *, within: Locator | None = None) -> None:
        await (within or self.page).get_by_role("button", name=name, exact=True).click()

    async def confirm(self, name: str) -> Locator:
        """Press the button in the open dialog; return the dialog's warning about what would break."""
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
    """Return the bytes of a download."""
    path = directory / download.suggested_filename
    await download.save_as(path)
    return path.read_bytes()
