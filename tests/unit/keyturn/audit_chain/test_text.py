"""Results of a check are plain sentences, and the head is the last line of a good one."""

from collections import Counter

from keyturn.audit_chain.text import as_document, lines_of
from keyturn_credentials.domain.audit_chain.checking import Problem, Report
from keyturn_credentials.domain.audit_chain.entries import Standing
from keyturn_credentials.domain.audit_chain.statements import Base, Head, Reason

BASE = Base("log", 4, b"b" * 32, 1_796_000_000, Reason.EXPIRED, 1_796_000_000, 0)
HEAD = Head("log", 1204, b"h" * 32, 1_796_000_100, 1_796_000_100)


def good(**members: object) -> Report:
    report = Report(BASE, HEAD, chained=1200)
    for name, value in members.items():
        setattr(report, name, value)
    return report


def test_a_good_log() -> None:
    assert list(lines_of(good(), "the-head", kept_key_known=True)) == [
        "Checked 1,200 entries of the chain, after those whose retention ended, numbers 5 to 1,204, signed"
        " 2026-11-30 00:55:00 UTC",
        "The chain began 2026-11-29 00:53:20 UTC: what was changed before is not found",
        "No entry was changed, inserted, moved or removed. The head, to be kept elsewhere:",
        "the-head",
    ]


def test_all_that_is_no_finding_is_told() -> None:
    report = good(
        standings=Counter({Standing.EARLIER: 1, Standing.ACCEPTED: 2}),
        unchained=3,
        oldest_unchained=1_796_000_090.0,
        restored=[7],
        foreign=1,
        kept=HEAD,
    )
    told = "\n".join(lines_of(report, "the-head", kept_key_known=False))
    for line in (
        "1 entry of an earlier release, which has no codes",
        "2 entries that did not match the code and were accepted",
        "3 entries not yet part of the chain, the oldest of 2026-11-30 00:54:50 UTC",
        "A backup was restored: entry 7",
        "1 checkpoint by keys that are not configured any more",
        "Compared with the kept head 1,204, signed 2026-11-30 00:55:00 UTC",
        "only its hash was compared",
    ):
        assert line in told


def test_findings_come_before_a_last_line_that_is_no_head() -> None:
    report = good()
    for number in range(120):
        report.find(Problem.ALTERED, "text\x1b[2J", number)
    *_, first_of_end, more, last = lines_of(report, None, kept_key_known=True)
    assert first_of_end == r"ALTERED: entry 99: text\x1b[2J"
    assert more == "and 20 more findings"
    assert last.startswith("THE AUDIT LOG IS NOT WHAT WAS SIGNED")


def test_a_log_without_a_chain() -> None:
    report = Report()
    report.find(Problem.NOT_BEGUN, "the chain has not begun")
    assert next(lines_of(report, None, kept_key_known=True)) == "NOT_BEGUN: the chain has not begun"
    document = as_document(report, None)
    assert (document["good"], document["head"], document["began_at"]) == (False, None, None)
