"""Rows of the table in docs/resource-servers.md, from what a library answered in each realm."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from tests.validators.scene import ROLES, Case

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "resource-servers.md"

Answer = dict[str, Any]
"""``{"refused": reason}``, or the realm's ``roles`` and the ``client_roles`` of the audience, sorted."""
Answers = dict[str, Answer]
"""One per token, by its name."""

ACCEPTED: Final[Answer] = {"roles": ROLES, "client_roles": ["read"]}
_JWT: Final = "`access.token.header.type.rfc9068` = `false`"
_RS256: Final = "`defaultSignatureAlgorithm` = `RS256`"
_SWITCHES: Final = {"new": "", "new-jwt": _JWT, "new-rs256": _RS256, "new-both": f"{_JWT}, {_RS256}"}
"""By new realm, the smallest change first."""
_MIGRATED: Final = {"legacy": "", "legacy-rfc9068": "`access.token.header.type.rfc9068` = `true`"}


def answers_of(case: Case, ask: Callable[[str], Answer]) -> Answers:
    """Send a library every token of the case."""
    tokens = case.tokens
    return {
        "good": ask(tokens.good),
        "expired": ask(tokens.expired),
        "foreign": ask(tokens.foreign),
        "altered": ask(tokens.altered),
    }


def row(library: str, by_realm: Mapping[str, Answers]) -> str:
    """Return a library's row. Raises AssertionError if it accepts a token that is not good, or reads other
    roles from a good one."""
    for realm, answers in by_realm.items():
        for name in ("expired", "foreign", "altered"):
            assert answers[name].keys() == {"refused"}, (library, realm, name, answers[name])
        if not _refuses(answers):
            assert answers["good"] == ACCEPTED, (library, realm, answers["good"])
    return f"| {library} | {_cell(_MIGRATED, by_realm)} | {_cell(_SWITCHES, by_realm)} |"


def _refuses(answers: Answers) -> bool:
    return "refused" in answers["good"]


def _cell(switches: Mapping[str, str], by_realm: Mapping[str, Answers]) -> str:
    for realm, switch in switches.items():
        if not _refuses(by_realm[realm]):
            return f"with {switch}" if switch else "yes"
    raise AssertionError([by_realm[realm]["good"] for realm in switches])


def check(results: Mapping[str, Mapping[str, Answers]], *, of: Callable[[str], object]) -> None:
    """Compare with the page what libraries answered. ``of``: true of the names of all of
    these libraries."""
    rows = {library: row(library, by_realm) for library, by_realm in results.items()}
    print("\n".join(rows.values()))
    assert {library: line for library, line in documented().items() if of(library)} == rows


def documented() -> dict[str, str]:
    """Return the rows of the page by library."""
    section = DOCUMENT.read_text().partition("\n## Libraries that validate tokens\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")][1:]
    return {line.split(" | ")[0].removeprefix("| "): line for line in lines}
