"""axe-core on a page, as it looks in light and dark, wide and narrow."""

from typing import Any, Literal

from playwright.async_api import Page, ViewportSize

from tests.browser.console import Console

WIDE: ViewportSize = {"width": 1280, "height": 800}
NARROW: ViewportSize = {"width": 320, "height": 640}  # what is left of 1280 at 400 %, WCAG 1.4.10
HALF: ViewportSize = {"width": 640, "height": 400}  # at 200 %
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OF_LAYOUT = (
    "target-size",
    "scrollable-region-focusable",
    "link-in-text-block",
    "aria-hidden-focus",
    "region",
)
"""The rules whose result depends on the width of the page."""
DARK = ("sign in", "clients", "secret", "fleet", "rotations", "events")
"""Pages that show every colour between them. The others share their parts."""
LOOKS: tuple[tuple[Literal["light", "dark"], ViewportSize, dict[str, Any]], ...] = (
    ("light", WIDE, {"runOnly": TAGS}),
    ("dark", HALF, {"runOnly": {"type": "rule", "values": ["color-contrast"]}}),
    ("light", NARROW, {"runOnly": {"type": "rule", "values": list(OF_LAYOUT)}}),
)


async def violations(page: Page, axe: str, options: dict[str, Any]) -> list[str]:
    """Return axe's findings with their elements; only in the dialog if one is open."""
    if not await page.evaluate("'axe' in window"):
        await page.evaluate(f"(() => {{ {axe} }})()")
    found: dict[str, Any] = await page.evaluate(
        "options => axe.run(document.querySelector('dialog') || document, options)",
        {"resultTypes": ["violations"], "preload": False, **options},
    )
    return [
        f"{violation['id']}: {violation['help']} {[node['html'][:120] for node in violation['nodes']]}"
        for violation in found["violations"]
    ]


async def require_no_violations(console: Console, axe: str, name: str, *, looks: int = 3) -> None:
    """Check all rules in light and wide, the one that depends on it in dark, and those that depend on it in
    narrow. The page is not reloaded, and must not scroll sideways."""
    page = console.page
    for scheme, size, options in LOOKS[:looks]:
        if scheme == "dark" and name not in DARK:
            continue
        await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        await page.set_viewport_size(size)
        assert await violations(page, axe, options) == [], f"{name}, {scheme}, {size['width']}"
        overflow = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0, f"{name} is {overflow} px wider than {size['width']}"
    await page.set_viewport_size(WIDE)
