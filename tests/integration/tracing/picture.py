"""The picture in docs/tracing.md: ``python -m tests.integration.tracing.picture``.

It shows the spans that a real stack of one credentials process and three nodes has exported for one change.
"""

import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path

from playwright.async_api import async_playwright

from tests.integration.tracing.scene import make_change, traced_stack
from tests.integration.tracing.waterfall import WIDTH, height_of, svg
from tests.testkit.chromium import unpack_chromium
from tests.testkit.otlp import Collector, ReceivedSpan
from tests.testkit.tools import REPOSITORY

_PATH = REPOSITORY / "docs" / "images" / "trace.png"
_TITLE = "A client's secret is regenerated, and the call waits for three nodes"


async def draw(spans: Sequence[ReceivedSpan], path: Path) -> None:
    """Write the picture of a trace as a PNG."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(**unpack_chromium().launch_options)
        page = await browser.new_page(viewport={"width": WIDTH, "height": height_of(spans)})
        await page.set_content(f"<body style='margin:0'>{svg(spans, _TITLE)}</body>")
        await page.screenshot(path=str(path))
        await browser.close()


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as directory,
        Collector() as collector,
        traced_stack(Path(directory) / "data", collector).start() as stack,
    ):
        change = make_change(stack, collector)
    asyncio.run(draw(change.spans, _PATH))


if __name__ == "__main__":
    main()
