"""The page of all addresses of Keycloak's admin API, and whether keyturn serves them.

``python -m tests.keycloak.addresses`` writes it again after keyturn got another endpoint; with
``--from-keycloak``, Keycloak's addresses are read from its distribution first.
"""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from tests.testkit.java import java_home
from tests.testkit.keycloak import VERSION, keycloak_home
from tests.testkit.tools import REPOSITORY, must_run

Address = tuple[str, str]
"""Method and path."""

PAGE: Final = REPOSITORY / "docs" / "keycloak-addresses.md"
COMMAND: Final = ".venv/bin/python -m tests.keycloak.addresses"
_HERE: Final = Path(__file__).parent
ADDRESSES: Final = _HERE / "addresses.txt"
DESCRIPTION: Final = REPOSITORY / "docs" / "openapi.json"
_METHODS: Final = ("GET", "POST", "PUT", "DELETE", "PATCH")
_JAVA_SECONDS: Final = 120.0

NO_EFFECT: Final = {
    ("GET", "/admin/realms/{}/client-policies/policies"): "an empty list",
    ("GET", "/admin/realms/{}/client-policies/profiles"): "an empty list",
}
"""Addresses that answer for tools that read them, about things that keyturn does not have."""

_BEGINNING: Final = f"""# Addresses of Keycloak's admin API

Every address of the admin API of Keycloak {VERSION}, as its own code declares them, and what keyturn
does with each method. *Works*: it does what Keycloak does for machine clients, as far as
[keycloak-compatibility.md](keycloak-compatibility.md) does not say otherwise. *Without effect*: it
answers, so that tools that read it go on, about something that keyturn does not have. All others return
404, or 405 where the address has other methods. `{COMMAND}` writes this page.
"""


def shape(path: str) -> str:
    """Return a path without the names of its parameters, which differ."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def read_addresses(text: str) -> list[Address]:
    """Read lines of method and path."""
    pairs = (line.split() for line in text.splitlines() if line.strip())
    return [(method, path) for method, path in pairs]


def served_addresses(description: str) -> set[Address]:
    """Return what keyturn serves, by its OpenAPI description; without the names of parameters."""
    paths = json.loads(description)["paths"]
    return {
        (method.upper(), shape(path))
        for path, item in paths.items()
        for method in item
        if method.upper() in _METHODS
    }


def page(addresses: Iterable[Address], served: set[Address]) -> str:
    """Return the text of the page."""
    by_path: dict[str, list[str]] = {}
    for method, path in addresses:
        by_path.setdefault(path, []).append(method)
    rows = {path: _row(path, methods, served) for path, methods in sorted(by_path.items())}
    every = [kind for _, kinds in rows.values() for kind in kinds]
    counts = (every.count("works"), every.count("no effect"), every.count("404"), len(every))
    lines = [
        _BEGINNING,
        _counted(*counts),
        "",
        "| address | works | without effect | 404 |",
        "|---|---|---|---|",
    ]
    lines += [row for row, _ in rows.values()]
    return "\n".join(lines) + "\n"


def _counted(works: int, without: int, absent: int, total: int) -> str:
    return (
        f"Of {total} addresses with their methods, {works} work, {without} are without effect,"
        f" {absent} are not served."
    )


def _row(path: str, methods: list[str], served: set[Address]) -> tuple[str, list[str]]:
    kinds = [_kind((method, shape(path)), served) for method in methods]
    columns = [
        ", ".join(_method(method, path) for method, each in zip(methods, kinds, strict=True) if each == kind)
        for kind in ("works", "no effect", "404")
    ]
    shown = path.removeprefix("/admin/realms/{realm}") or "/admin/realms/{realm}"
    name = f"…{shown}" if shown.startswith("/") and shown != path else path
    return f"| `{name}` | {' | '.join(columns)} |", kinds


def _method(method: str, path: str) -> str:
    noted = NO_EFFECT.get((method, shape(path)))
    return f"{method} ({noted})" if noted else method


def _kind(address: Address, served: set[Address]) -> str:
    if address not in served:
        return "404"
    return "no effect" if address in NO_EFFECT else "works"


def current_page() -> str:
    """Return the page as it must be now."""
    return page(read_addresses(ADDRESSES.read_text()), served_addresses(DESCRIPTION.read_text()))


def _from_keycloak() -> Iterator[str]:
    libraries = keycloak_home() / "lib" / "lib"
    path = f"{libraries / 'main' / '*'}:{libraries / 'boot' / '*'}"
    program = [
        java_home() / "bin" / "java",
        "-XX:TieredStopAtLevel=1",
        "-cp",
        path,
        _HERE / "java" / "Addresses.java",
    ]
    yield from must_run(program, seconds=_JAVA_SECONDS).splitlines(keepends=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="addresses", description=__doc__)
    parser.add_argument("--from-keycloak", action="store_true", help="read Keycloak's addresses again")
    if parser.parse_args().from_keycloak:
        ADDRESSES.write_text("".join(_from_keycloak()))
    PAGE.write_text(current_page())


if __name__ == "__main__":
    main()
