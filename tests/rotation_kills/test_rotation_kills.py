"""A short run, in every test run; and that what is wrong is noticed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.rotation_kills.judging import endings, judge_answers, judge_events, judge_rotations
from tests.rotation_kills.run import run


@pytest.mark.timeout(600)
async def test_rotations_survive_whatever_is_killed(tmp_path: Path) -> None:
    verdict = await run(tmp_path, clients=8, nodes=2, seconds=30.0, pause=2.5, overlap=3, seed=7)
    assert verdict.wrong == []
    assert verdict.kills.keys() >= {"instance", "node", "redis", "clients"}, (
        "the run has to have shown something"
    )
    assert verdict.done.keys() == {"secret", "key"}


def rotation(*states: str, at: float = 0.0, sequence: int | None = None) -> dict[str, Any]:
    history = [{"state": state, "at": at + number, "sequence": None} for number, state in enumerate(states)]
    history[-1]["sequence"] = sequence
    return {"id": f"r{at}", "client_id": "c", "reason": "policy", "created_at": at, "history": history}


GOOD = ("planned", "prepared", "in_use", "retired", "done")


@pytest.mark.parametrize(
    ("rotations", "count"),
    [
        ([rotation(*GOOD), rotation(*GOOD, at=10.0)], 0),
        ([rotation(*GOOD), rotation("planned", at=10.0)], 0),
        ([rotation(*GOOD), rotation(*GOOD, at=2.0)], 1),
        ([rotation("planned", "prepared"), rotation(*GOOD, at=9.0)], 1),
        ([rotation("planned", "in_use", "retired", "done")], 1),
        ([rotation("planned", "prepared", "rolled_back")], 1),
        ([rotation(*GOOD) | {"reason": "manual"}], 1),
    ],
)
def test_an_illegal_history_is_noticed(rotations: Sequence[Mapping[str, Any]], count: int) -> None:
    assert len(judge_rotations(rotations)) == count


def test_a_step_that_was_taken_twice_is_noticed() -> None:
    assert judge_events([rotation(*GOOD, sequence=4), rotation(*GOOD, at=9.0, sequence=5)]) == []
    assert len(judge_events([rotation(*GOOD, sequence=4), rotation(*GOOD, at=9.0, sequence=4)])) == 1


@pytest.mark.parametrize(
    ("began", "answered", "late"),
    [(10.9, 11.5, 1), (5.0, 20.0, 1), (10.0, 10.4, 0), (11.1, 11.2, 0), (7.0, 7.5, 0)],
    ids=["on its way", "for long", "too early", "signed too late", "before the rotation"],
)
def test_a_refusal_is_wrong_unless_the_credential_ended_on_the_way(
    tmp_path: Path, began: float, answered: float, late: int
) -> None:
    used = rotation("planned", "prepared", "in_use", "retired", at=8.0)  # in use at 10, retired at 11
    file = tmp_path / "answers"
    file.write_text(f"c {began} {answered} 401 invalid_client\n")
    counts, wrong = judge_answers(file, {"c": endings([used], 0.5)})
    assert (counts["late"], len(wrong)) == (late, 1 - late)


def test_a_refusal_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "answers"
    lines = ("200", "none", "503 temporarily_unavailable", "401 invalid_client", "400 invalid_scope")
    file.write_text("".join(f"a 1 2 {line}\n" for line in lines))
    counts, wrong = judge_answers(file, {})
    assert counts["200"] == 1
    assert [line.split(" to ")[0] for line in wrong] == [
        "a was answered 401 invalid_client",
        "a was answered 400 invalid_scope",
    ]
