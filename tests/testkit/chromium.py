"""Chromium from an npm package, driven by playwright."""

import json
import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from tests.testkit.nodejs import install_packages, run_node
from tests.testkit.tools import TOOLS, ToolError, made_once, run

_ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--font-render-hinting=none")
_UNPACK_SECONDS = 120.0
_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{directory}/fonts</dir>
  <dir>/usr/share/fonts</dir>
  <cachedir>{directory}/fonts-cache</cachedir>
  <alias><family>sans-serif</family><prefer><family>Open Sans</family></prefer></alias>
  <alias><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
</fontconfig>
"""


@dataclass(frozen=True)
class Chromium:
    """A browser that can be started. ``environment``: all of its variables."""

    executable: Path
    environment: dict[str, str]

    @property
    def launch_options(self) -> dict[str, Any]:
        """Return the arguments of playwright's ``chromium.launch``."""
        return {"executable_path": self.executable, "args": list(_ARGUMENTS), "env": dict(self.environment)}


def unpack_chromium() -> Chromium:
    """Unpack it once. Raises ToolError."""
    project = install_packages()
    manifest = json.loads((project / "node_modules" / "@sparticuz" / "chromium" / "package.json").read_text())
    directory = TOOLS / "chromium"
    description = directory / "description.json"
    fonts = _FONTS.format(directory=directory)

    def unpack() -> None:
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        environment = {"TMPDIR": str(directory)}
        ended = run_node("chromium.mjs", environment=environment, seconds=_UNPACK_SECONDS)
        if ended.returncode != 0:
            raise ToolError(f"Chromium cannot be unpacked: {ended.stderr[-2000:]}")
        # The package's own configuration looks for its fonts elsewhere.
        (directory / "fonts" / "fonts.conf").write_text(fonts)
        description.write_text(ended.stdout)

    made_once("chromium", directory / ".version", f"{manifest['version']}\n{fonts}", unpack)
    return _described(json.loads(description.read_text()))


def _described(paths: dict[str, str]) -> Chromium:
    executable = Path(paths["executable"])
    environment = dict(os.environ) | {"FONTCONFIG_PATH": paths["fonts"]}
    if _lacks_libraries(executable, environment):
        environment["LD_LIBRARY_PATH"] = paths["libraries"]
        if missing := _lacks_libraries(executable, environment):
            raise ToolError(f"Chromium needs libraries that this machine lacks: {missing}")
    return Chromium(executable, environment)


def _lacks_libraries(executable: Path, environment: dict[str, str]) -> str:
    lines = run(["ldd", executable], environment=environment).stdout.splitlines()
    return ", ".join(line.split("=>")[0].strip() for line in lines if "not found" in line)


@pytest.fixture(scope="session")
def chromium() -> Chromium:
    """A Chromium for playwright: ``launch(**chromium.launch_options)``."""
    return unpack_chromium()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser(chromium: Chromium) -> AsyncIterator[Browser]:
    """One browser for all tests, which are marked ``pytest.mark.asyncio(loop_scope="session")`` to share its
    event loop."""
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(**chromium.launch_options)
        yield running
        await running.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser) -> AsyncIterator[Page]:
    """An empty page with its own cookies and storage."""
    context = await browser.new_context()
    context.set_default_timeout(60_000)
    yield await context.new_page()
    await context.close()
