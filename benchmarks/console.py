"""Page weight and first paint of the console, on a real stack: ``python -m benchmarks.console``.

First paint is the browser's own first-contentful-paint, of headless Chromium on the same machine, from the
request of the page to the first text on screen; the page is there when its heading is. Cold: without a cache;
warm: the second visit. Not in it: the network, since all of it is loopback, and TLS.
"""

import argparse
import asyncio
import statistics
import tempfile
from pathlib import Path

from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.testkit.chromium import unpack_chromium
from tests.testkit.console_realm import REALM, Scene
from tests.testkit.console_session import give_session
from tests.testkit.local_stack import RunningStack
from tests.testkit.threaded_key_server import KeyServer

PAGES = ("sign in", "clients", "fleet", "rotations", "events")
_PAINT = """() => new Promise((resolve) => {
  new PerformanceObserver((list) => {
    const paint = list.getEntriesByName("first-contentful-paint")[0];
    if (paint) resolve(paint.startTime);
  }).observe({ type: "paint", buffered: true });
})"""
_NOTE_HEADING = """new MutationObserver((_, observer) => {
  if (!document.querySelector("h1")) return;
  window.headingAt = performance.now();
  observer.disconnect();
}).observe(document, { childList: true, subtree: true });"""
_WEIGHT = """() => {
  const parts = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
    .filter((part) => part.name.includes("/console"));
  const sum = (name) => parts.reduce((total, part) => total + part[name], 0);
  return { files: parts.length, sent: sum("encodedBodySize"), unpacked: sum("decodedBodySize") };
}"""


async def visit(page: Page, name: str) -> tuple[float, float]:
    """Return the milliseconds to the first paint of a page, and to its heading."""
    await page.goto("/console/" if name == "sign in" else f"/console/{REALM}/{name}")
    await page.locator("h1").first.wait_for()
    return float(await page.evaluate(_PAINT)), float(await page.evaluate("window.headingAt"))


async def context_of(browser: Browser, stack: RunningStack, name: str) -> BrowserContext:
    context = await browser.new_context(base_url=stack.base_url)
    if name != "sign in":
        await give_session(context, stack)
    return context


async def measure(stack: RunningStack, rounds: int) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(**unpack_chromium().launch_options)
        for name in PAGES:
            cold, warm = [], []
            for _ in range(rounds):
                context = await context_of(browser, stack, name)
                await context.add_init_script(_NOTE_HEADING)
                page = await context.new_page()
                cold.append(await visit(page, name))
                warm.append(await visit(page, name))
                await context.close()
            print(f"{name:<10} cold: {_said(cold)}; warm: {_said(warm)}")
        context = await context_of(browser, stack, "clients")
        page = await context.new_page()
        await page.goto(f"/console/{REALM}/clients")
        await page.wait_for_load_state("load")
        weight = await page.evaluate(_WEIGHT)
        print(
            f"page weight: {weight['sent'] / 1024:.0f} KiB in {weight['files']} files,"
            f" {weight['unpacked'] / 1024:.0f} KiB unpacked"
        )
        await browser.close()


def _said(visits: list[tuple[float, float]]) -> str:
    paint, heading = (statistics.median(times) for times in zip(*visits, strict=True))
    return f"first paint {paint:4.0f} ms, heading {heading:4.0f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition(":")[0])
    parser.add_argument("--rounds", type=int, default=7, help="visits of each page")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, KeyServer() as keys:
        stack = RunningStack(Path(directory) / "data", nodes=3).start()
        try:
            Scene(stack, keys).make()
            asyncio.run(measure(stack, arguments.rounds))
        finally:
            stack.stop()


if __name__ == "__main__":
    main()
