"""The exit code follows from the findings."""

import pytest

from keyturn.doctor.diagnoses import DIAGNOSES, backends
from keyturn.doctor.findings import Area, AreaReport, exit_code
from keyturn_credentials.domain.diagnosis import Diagnosis


@pytest.mark.parametrize(
    ("found", "strict", "code"),
    [
        ([], False, 0),
        ([], True, 0),
        ([backends.REDIS_SLOW], False, 0),
        ([backends.REDIS_SLOW], True, 1),
        ([backends.REDIS_EMPTY], False, 1),
        ([backends.REDIS_SLOW, backends.REDIS_EMPTY], False, 1),
    ],
)
def test_warnings_count_only_with_strict(found: list[Diagnosis], strict: bool, code: int) -> None:
    report = AreaReport(Area.REDIS)
    for diagnosis in found:
        report.add(diagnosis, "something")
    assert exit_code([AreaReport(Area.DATABASE), report], strict=strict) == code


def test_every_code_is_there_once() -> None:
    codes = [each.code for each in DIAGNOSES]
    assert len(codes) == len(set(codes))


@pytest.mark.parametrize("diagnosis", DIAGNOSES, ids=lambda each: str(each.code))
def test_meaning_and_advice_are_sentences(diagnosis: Diagnosis) -> None:
    for text in (diagnosis.means, diagnosis.advice):
        assert text[:1].isupper() or text.startswith(("keyturn", "KEYTURN"))
        assert text.endswith((".", ")"))
