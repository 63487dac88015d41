"""Commands of the programs."""

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.testkit.debian import debian_program
from tests.testkit.nodejs import node_directory
from tests.testkit.tools import TOOLS, ToolError, made_once, run

_PROGRAMS: Final = Path(__file__).with_name("programs")
_BUILD_SECONDS: Final = 300.0


def _python(name: str, *arguments: str | Path) -> list[str | Path]:
    return [sys.executable, "-m", f"{__package__}.programs.{name}", *arguments]


def _go() -> list[str | Path]:
    source, program = _PROGRAMS / "client.go", TOOLS / "go" / "client"

    def build() -> None:
        # Only the standard library, and nothing outside of .tools.
        variables = {
            "GOCACHE": str(TOOLS / "go" / "cache"),
            "GOPATH": str(TOOLS / "go" / "path"),
            "GOENV": "off",
            "GOFLAGS": "",
            "GOPROXY": "off",
            "GOTOOLCHAIN": "local",
            "CGO_ENABLED": "0",
        }
        program.parent.mkdir(parents=True, exist_ok=True)
        go = Path(sys.executable).parent / "go"
        # Unoptimized code without debug information is built in two thirds of the time.
        fast = ["-gcflags=all=-N -l", "-ldflags=-s -w"]
        built = run(
            [go, "build", *fast, "-o", program, source],
            cwd=_PROGRAMS,
            environment=variables,
            seconds=_BUILD_SECONDS,
        )
        if built.returncode != 0:
            raise ToolError(built.stderr)

    version = hashlib.sha256(source.read_bytes()).hexdigest()
    made_once("go-client", program.parent / ".built", version, build)
    return [program]


CLIENTS: Final[dict[str, Callable[[], list[str | Path]]]] = {
    "Java HttpClient": lambda: _python("with_java"),
    "Go net/http": _go,
    "Node fetch": lambda: [node_directory() / "bin" / "node", _PROGRAMS / "client.mjs"],
    "Ruby Net::HTTP": lambda: [debian_program("ruby", "usr/bin/ruby"), _PROGRAMS / "client.rb"],
    "curl --http1.1": lambda: _python("with_curl", debian_program("curl", "usr/bin/curl"), "--http1.1"),
    "curl --http2": lambda: _python("with_curl", debian_program("curl", "usr/bin/curl"), "--http2"),
    "requests": lambda: _python("with_requests"),
    "httpx": lambda: _python("with_httpx"),
    "aiohttp": lambda: _python("with_aiohttp"),
}


def environment(token_url: str, admin_url: str, client_id: str, secret: str, name: str) -> dict[str, str]:
    """Build a program's environment. The machine's proxies are not used for the loopback."""
    told = {"TOKEN_URL": token_url, "ADMIN_URL": admin_url, "CLIENT_ID": client_id, "CLIENT_SECRET": secret}
    return told | {"NAME": name, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


def reuses_connections(client: str) -> bool:
    """Return whether it reuses connections; curl is one process per call."""
    return not client.startswith("curl")
