"""The report of a comparison as a page to read and sign: Markdown, and the same as HTML. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any, Final

from keyturn.terminal_text import counted, printable

_COUNTS: Final = (
    ("clients", "clients of the source, without Keycloak's own"),
    ("same", "the same on both sides"),
    ("expected", "differ by design alone"),
    ("unexplained", "differ without an explanation"),
    ("failed", "not decided: a side gave no answer"),
    ("notCompared", "not compared: no credential"),
    ("tokensOfBoth", "got a token from both sides"),
    ("introspectionsOfBoth", "described as active by the introspection of both sides"),
)
_MAX_LISTED: Final = 200
"""Clients listed on the page; the JSON report has all."""
_STYLE: Final = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#111}"
    "table{border-collapse:collapse;width:100%;margin:1rem 0}"
    "td,th{border:1px solid #bbb;padding:.3rem .5rem;text-align:left;vertical-align:top;"
    "overflow-wrap:anywhere}th{background:#eee}"
)

Rows = Sequence[Sequence[str]]
Part = tuple[str, Sequence[str], Rows]
"""A heading, the heads of its table, and the rows."""


def parts(report: Mapping[str, Any], sha256: str) -> list[Part]:
    """Return the page's parts. ``sha256``: of the JSON report, which the signature is for too."""
    counts = report["counts"]
    found: list[Part] = [
        ("What was compared", ("", ""), list(_facts(report, sha256))),
        ("Result", ("clients", "outcome"), [(f"{counts[name]:,}", text) for name, text in _COUNTS]),
        (
            "Differences",
            ("class", "where", "Keycloak", "keyturn", "clients", "example", "reason"),
            [_difference(each) for each in report["differences"]],
        ),
    ]
    decide = [each for each in report["clients"] if each["verdict"] in ("unexplained", "failed")]
    if decide:
        found.append(("Clients to decide about", ("client", "outcome", "because"), list(_listed(decide))))
    left_out = [each for each in report["clients"] if each["verdict"] == "notCompared"]
    if left_out:
        found.append(("Not compared", ("client", "outcome", "because"), list(_listed(left_out))))
    found.append(("Signature", ("", ""), [("Name", ""), ("Date", ""), ("Decision", ""), ("Signature", "")]))
    return found


def verdict(report: Mapping[str, Any]) -> str:
    """Return the result in one sentence."""
    counts = report["counts"]
    compared = counts["same"] + counts["expected"] + counts["unexplained"]
    left_out = f", {_of(counts['notCompared'], 'was', 'were')} not" if counts["notCompared"] else ""
    were = "was" if compared == 1 else "were"
    open_ones = _of(counts["unexplained"] + counts["failed"], "needs", "need")
    return f"{counted(compared, 'client')} {were} compared{left_out}; {open_ones} a decision."


def _of(number: int, one: str, several: str) -> str:
    return f"{number:,} {one if number == 1 else several}"


def as_markdown(report: Mapping[str, Any], sha256: str) -> str:
    return "\n".join(_markdown(report, sha256)) + "\n"


def as_html(report: Mapping[str, Any], sha256: str) -> str:
    return "".join(_html(report, sha256))


def _facts(report: Mapping[str, Any], sha256: str) -> Iterator[tuple[str, str]]:
    yield "from", report["startedAt"]
    yield "to", report["endedAt"]
    for side in ("keycloak", "keyturn"):
        facts = report[side]
        yield side, f"{facts['url']} (issuer {facts['issuer']})"
        yield f"keys of {side}", ", ".join(facts["keys"]) or "none"
    yield "clients from", f"{report['input']['source']}, read at {report['input']['readAt']}"
    yield "SHA-256 of it", report["input"]["sha256"]
    for name, digest in report["keys"].items():
        yield f"key {name}", digest
    yield "introspection by", report["introspector"] or "each client of its own token"
    yield "made by", f"keyturn {report['version']}"
    yield "SHA-256 of the JSON report", sha256


def _difference(each: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        each["class"],
        f"{each['where']}: {each['name']}",
        "absent" if each["keycloak"] is None else each["keycloak"],
        "absent" if each["keyturn"] is None else each["keyturn"],
        f"{each['clients']:,}",
        each["example"],
        each["reason"] or "",
    )


def _listed(clients: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str, str]]:
    for each in clients[:_MAX_LISTED]:
        differing = ", ".join(f"{one['where']}: {one['name']}" for one in each["differences"])
        yield each["clientId"], each["verdict"], each.get("reason") or differing
    if len(clients) > _MAX_LISTED:
        yield f"{len(clients) - _MAX_LISTED:,} more", "", "in the JSON report"


def _title(report: Mapping[str, Any]) -> str:
    return f"Realm {report['keycloak']['realm']}: Keycloak and keyturn compared"


def _markdown(report: Mapping[str, Any], sha256: str) -> Iterator[str]:
    yield f"# {_cell(_title(report))}"
    yield ""
    yield verdict(report)
    for heading, heads, rows in parts(report, sha256):
        yield f"\n## {heading}\n"
        yield f"| {' | '.join(heads)} |"
        yield f"|{'---|' * len(heads)}"
        for row in rows:
            yield f"| {' | '.join(map(_cell, row))} |"


def _cell(text: str) -> str:
    """Return a text that cannot leave its cell, nor be taken for markup."""
    line = printable(" ".join(text.split()))
    for mark in "\\`*_[]<>|#&~$":
        line = line.replace(mark, f"\\{mark}")
    return line


def _html(report: Mapping[str, Any], sha256: str) -> Iterator[str]:
    title = _text(_title(report))
    yield f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
    yield f"<style>{_STYLE}</style><h1>{title}</h1><p>{_text(verdict(report))}</p>"
    for heading, heads, rows in parts(report, sha256):
        yield f"<h2>{_text(heading)}</h2><table>"
        if any(heads):
            yield f"<tr>{''.join(f'<th>{_text(head)}</th>' for head in heads)}</tr>"
        for row in rows:
            yield f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>"
        yield "</table>"
    yield "</html>\n"


def _text(text: str) -> str:
    """Return a text as it is, for HTML. Characters that would turn it around are shown by their escapes."""
    return escape(printable(text))
