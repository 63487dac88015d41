"""Names that others gave reach a terminal as text alone."""

import pytest

from keyturn.import_text import lines as lines_of_import
from keyturn.jwks.rendering import as_text
from keyturn.migrate.compare.command import lines as lines_of_comparison
from keyturn.migrate.outcomes import lines as lines_of_move
from keyturn.refusing import refuse
from keyturn.terminal_text import counted, printable
from keyturn_credentials.operations.import_report import Action, ImportedClient, ImportedRealm, ImportReport
from keyturn_shared.key_sets.inspection import FetchedKey, KeySetHealth, SkippedKeyReason

HOSTILE = "a\x1b[2J\r\u202e\u2028\x00b"
SHOWN = r"a\x1b[2J\r\u202e\u2028\x00b"

HEALTH = KeySetHealth(
    url="https://a.example",
    networks=(),
    keys=(FetchedKey(HOSTILE, "a-thumbprint", "EC", None, None),),
    skipped=1,
    skipped_keys=(SkippedKeyReason(1, HOSTILE, "weak"),),
    last_success=None,
    last_change=None,
    fresh_until=None,
    stale_until=None,
    last_attempt=None,
    attempts=1,
    failures=1,
    failure="issuer_mismatch",
    failure_detail=HOSTILE,
    polled=False,
    next_poll=None,
)


@pytest.mark.parametrize(
    ("text", "shown"), [(HOSTILE, SHOWN), ("Bücher → 本 {}", "Bücher → 本 {}"), ("", ""), ("\\", "\\")]
)
def test_what_is_not_printable_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_no_report_prints_what_an_export_or_a_server_put_into_a_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    client = ImportedClient(HOSTILE, Action.REFUSED, None, (f"protocol {HOSTILE} is not served",))
    report = ImportReport(True, (client,), None, ImportedRealm(HOSTILE, Action.ADDED, "r", (HOSTILE,)))
    difference = {"class": "x", "clients": 1, "where": "token", "name": HOSTILE, "reason": "",
                  "keycloak": HOSTILE, "keyturn": "", "example": HOSTILE}  # fmt: skip
    failed = {"verdict": "failed", "clientId": HOSTILE, "reason": HOSTILE}
    counts = dict.fromkeys(("same", "expected", "unexplained", "failed", "notCompared"), 0)
    refuse(f"{HOSTILE}: and more")
    shown = [
        *lines_of_import([report], only_problems=False),
        *lines_of_move([report], only_problems=False),
        *lines_of_comparison({"counts": counts, "differences": [difference], "clients": [failed]}),
        *as_text(HEALTH, "https://a.example", 0.0).split("\n"),
        capsys.readouterr().err.removesuffix("\n"),
    ]
    assert [line for line in shown if not line.removesuffix("\n").isprintable()] == []
    assert sum(SHOWN in line for line in shown) >= 12


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 nodes"), (1, "1 node"), (2, "2 nodes"), (12_000, "12,000 nodes")]
)
def test_a_noun_is_in_the_plural_unless_there_is_one(number: int, said: str) -> None:
    assert counted(number, "node") == said
