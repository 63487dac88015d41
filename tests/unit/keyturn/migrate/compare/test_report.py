"""A report that somebody can sign: complete, harmless to read, and without a secret."""

from dataclasses import replace
from typing import Any

import pytest

from keyturn.migrate.compare.comparison import Compared, Verdict
from keyturn.migrate.compare.differences import Difference
from keyturn.migrate.compare.expectations import RULES
from keyturn.migrate.compare.page import as_html, as_markdown
from keyturn.migrate.compare.redaction import Redaction
from keyturn.migrate.compare.report import Inputs, SideFacts, describe, is_fine

SECRET = "the-secret-of-orders"
HOSTILE = "<script>alert(1)</script>|[x](javascript:1)\n# head"
INPUTS = Inputs(
    "1.0",
    "2026-11-29T10:00:00Z",
    "2026-11-29T10:05:00Z",
    {"source": "shop.json", "sha256": "ab" * 32, "readAt": "2026-11-29T10:00:00Z"},
    ("shop", "shop"),
    SideFacts("https://old/realms/shop", "https://old/realms/shop", ["k1"]),
    SideFacts("https://new/realms/shop", "https://new/realms/shop", ["k2"]),
    {"billing.pem": "thumbprint"},
    None,
)
BY_DESIGN = Difference("claims", "iss", "old", "new", "each side names itself as the issuer")
OPEN = Difference("claims", HOSTILE, f"it is {SECRET}", None, None)
COMPARED = [
    Compared("orders", Verdict.UNEXPLAINED, [BY_DESIGN, OPEN], granted=True, introspected=True),
    Compared("billing", Verdict.EXPECTED, [BY_DESIGN], granted=True),
    Compared("reports", Verdict.SAME, granted=True),
    Compared(HOSTILE, Verdict.FAILED, reason=f"keyturn: no answer to {SECRET}"),
    Compared("spa", Verdict.NOT_COMPARED, reason="it is public or bearer-only"),
]


@pytest.fixture
def report() -> dict[str, Any]:
    return describe(INPUTS, COMPARED, Redaction([SECRET, "", "a"]))


def test_every_client_is_counted_once(report: dict[str, Any]) -> None:
    counts = report["counts"]
    assert counts == {
        "clients": 5,
        "same": 1,
        "expected": 1,
        "unexplained": 1,
        "failed": 1,
        "notCompared": 1,
        "tokensOfBoth": 3,
        "introspectionsOfBoth": 1,
    }
    assert [client["clientId"] for client in report["clients"]] == [each.client_id for each in COMPARED]


def test_kinds_of_differences_are_listed_once_the_unexplained_first(report: dict[str, Any]) -> None:
    kinds = [
        (each["class"], each["name"], each["clients"], each["example"]) for each in report["differences"]
    ]
    assert kinds == [("unexplained", HOSTILE, 1, "orders"), ("expected", "iss", 2, "orders")]
    assert list(report["expected"].values()) == [rule.reason for rule in RULES]


def test_only_differences_by_design_are_fine() -> None:
    assert is_fine(COMPARED[1:3] + COMPARED[4:])
    assert not is_fine(COMPARED[:1])
    assert not is_fine(COMPARED[3:4])


def test_no_secret_is_in_any_form_of_it(report: dict[str, Any]) -> None:
    """Servers can write one into a claim or an error."""
    for text in (repr(report), as_markdown(report, "00"), as_html(report, "00")):
        assert SECRET not in text
        assert "it is \\*" in text or "it is **" in text


def test_names_that_servers_choose_are_text_and_nothing_else(report: dict[str, Any]) -> None:
    html, markdown = as_html(report, "00"), as_markdown(report, "00")
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    assert "\\<script\\>alert(1)\\</script\\>\\|\\[x\\](javascript:1) \\# head" in markdown
    assert "\n# head" not in markdown


def test_the_page_has_inputs_results_and_room_for_a_signature(report: dict[str, Any]) -> None:
    for page in (as_markdown(report, "cafe"), as_html(report, "cafe")):
        for expected in ("ab" * 32, "cafe", "2026-11-29T10:05:00Z", "thumbprint", "Signature", "https://new"):
            assert expected in page
        assert "3 clients were compared, 1 was not; 2 need a decision." in page


def test_nothing_compared_is_not_fine() -> None:
    assert not is_fine(COMPARED[4:])
    assert is_fine([])


def test_a_key_id_that_a_server_took_from_a_secret_is_hidden() -> None:
    inputs = replace(INPUTS, keycloak=SideFacts("https://old", f"https://{SECRET}", [SECRET]))
    assert SECRET not in repr(describe(inputs, COMPARED, Redaction([SECRET])))


def test_names_cannot_turn_the_page_around_nor_strike_it_out() -> None:
    name = "a\u202egnp.exe\x9b2J ~~gone~~ &#8238; $x$"
    found = describe(INPUTS, [Compared(name, Verdict.FAILED, reason=name)], Redaction([]))
    html, markdown = as_html(found, "00"), as_markdown(found, "00")
    for page in (html, markdown):
        assert "\u202e" not in page
        assert "\x9b" not in page
    assert "\\~\\~gone\\~\\~ \\&\\#8238; \\$x\\$" in markdown
