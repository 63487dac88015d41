"""The output: one line for each area, a paragraph for each finding."""

from keyturn.doctor.diagnoses import backends
from keyturn.doctor.findings import Area, AreaReport, ExitCode
from keyturn.doctor.rendering import as_json, as_lines


def hide(text: str) -> str:
    return text.replace("secret", "***")


def test_an_area_without_findings_is_one_line() -> None:
    report = AreaReport(Area.FLEET, summary="2 nodes")
    assert list(as_lines([report], hide)) == ["fleet      ok                     2 nodes"]


def test_a_finding_says_what_was_found_what_it_means_and_what_to_do() -> None:
    report = AreaReport(Area.REDIS)
    report.add(backends.REDIS_SLOW, "a secret\x1b[2J")
    report.add(backends.REDIS_EMPTY, "nothing")
    lines = list(as_lines([report], hide))
    assert lines[0] == "redis      1 problem, 1 warning"
    assert lines[1] == "  PROBLEM redis_empty"
    assert lines[5:7] == ["  WARNING redis_slow", "    found: a ***\\x1b[2J"]
    assert lines[8] == f"    do:    {backends.REDIS_SLOW.advice}"


def test_an_area_that_was_not_checked_says_why() -> None:
    report = AreaReport(Area.FLEET, skipped="see redis")
    assert list(as_lines([report], hide)) == ["fleet      not checked: see redis"]


def test_json_has_everything() -> None:
    report = AreaReport(Area.REDIS, summary="a secret")
    report.add(backends.REDIS_EMPTY, "secret")
    shown = as_json([report], ExitCode.PROBLEM, hide)
    assert shown["exit_code"] == 1
    (area,) = shown["areas"]
    assert (area["area"], area["summary"], area["skipped"]) == ("redis", "a ***", None)
    assert area["findings"] == [
        {
            "code": "redis_empty",
            "severity": "problem",
            "found": "***",
            "means": backends.REDIS_EMPTY.means,
            "do": backends.REDIS_EMPTY.advice,
        }
    ]
