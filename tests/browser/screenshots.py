"""Pictures of every page of the console, light, dark and narrow: ``python -m tests.browser.screenshots``.

They are of a real stack with three nodes and the realm of ``scene``, and go to docs/images.
"""

import argparse
import asyncio
import base64
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, Page, async_playwright

from tests.browser.console import Console
from tests.browser.pages import ADDRESSES, PREPARED, Prepare, address_of, nothing
from tests.testkit.chromium import unpack_chromium
from tests.testkit.console_realm import Scene
from tests.testkit.console_session import give_session
from tests.testkit.local_stack import RunningStack
from tests.testkit.threaded_key_server import KeyServer
from tests.testkit.tools import REPOSITORY

IMAGES = REPOSITORY / "docs" / "images"
_SETTLE_MS = 700
_LONGEST = 1900
_PALETTE = (Path(__file__).parent / "palette.js").read_text()


@dataclass(frozen=True)
class Look:
    """A way to render pages. ``scheme``: light or dark; sizes in CSS pixels."""

    name: str
    scheme: Literal["light", "dark"]
    width: int
    height: int


LOOKS = (
    Look("light", "light", 1280, 800),
    Look("dark", "dark", 1280, 800),
    Look("narrow", "light", 390, 844),
)


class Camera:
    """Writes screenshots to a directory. ``blank``: a page that compresses them."""

    def __init__(self, blank: Page, directory: Path) -> None:
        self._blank = blank
        self._directory = directory

    async def shoot(self, page: Page, *names: str) -> None:
        """Take the whole page, unless it is very long or behind a dialog; of a narrow one, the first
        screen."""
        await page.wait_for_timeout(_SETTLE_MS)  # live content has arrived
        height = await page.evaluate(
            "document.querySelector('dialog') ? Infinity : document.documentElement.scrollHeight"
        )
        whole = "narrow" not in names and height <= _LONGEST
        if whole:
            await page.evaluate("scrollTo(0, 0)")  # the navigation stays where the reader is
        taken = await page.screenshot(full_page=whole)
        small = await self._blank.evaluate(_PALETTE, base64.b64encode(taken).decode())
        await asyncio.to_thread(self._keep, "-".join(filter(None, names)), base64.b64decode(small))

    def _keep(self, name: str, png: bytes) -> None:
        (self._directory / f"{name}.png").write_bytes(png)


async def take(browser: Browser, scene: Scene, directory: Path) -> None:
    """Take every page in every look, and its other states in light mode."""
    camera = Camera(await browser.new_page(), directory)
    for look in LOOKS:
        context = await browser.new_context(
            base_url=scene.stack.base_url,
            viewport={"width": look.width, "height": look.height},
            color_scheme=look.scheme,
            reduced_motion="reduce",
            locale="en-GB",
        )
        console = Console(context, await context.new_page(), scene)
        await console.begin()
        await console.page.goto("/console/")
        await camera.shoot(console.page, "sign-in", look.name)
        await give_session(context, scene.stack)
        for name in ADDRESSES:
            states: list[tuple[str, Prepare]] = [("", nothing)]
            if name == "fleet":
                states = PREPARED[name]
            elif look.name == "light":
                states += PREPARED.get(name, [])
            for state, prepare in states:
                await console.open(address_of(console, name))
                await prepare(console)
                await camera.shoot(console.page, name, state, look.name)
        await context.close()


async def run(directory: Path) -> None:
    with tempfile.TemporaryDirectory() as data, KeyServer() as keys:
        stack = RunningStack(Path(data) / "data", nodes=3).start()
        try:
            scene = Scene(stack, keys)
            scene.make()
            await asyncio.sleep(3)  # nodes record which credentials were used
            chromium = unpack_chromium()
            async with async_playwright() as playwright:
                browser = await playwright.chromium.launch(**chromium.launch_options)
                await take(browser, scene, directory)
                await browser.close()
        finally:
            stack.end()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--directory", type=Path, default=IMAGES, help="where the pictures go")
    directory: Path = parser.parse_args().directory
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made:
        asyncio.run(run(Path(made)))
        pictures = sorted(Path(made).iterdir())
        for old in directory.glob("*.png"):
            if re.search(r"-(light|dark|narrow)\.png$", old.name):
                old.unlink()
        for picture in pictures:
            shutil.copy(picture, directory / picture.name)
        total = sum(picture.stat().st_size for picture in pictures)
    print(f"{len(pictures)} pictures, {total / 1024:.0f} KiB, in {directory}")


if __name__ == "__main__":
    main()
