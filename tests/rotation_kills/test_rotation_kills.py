"""A short run, in every test run; and that what is wrong is noticed."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.rotation_kills.judging import judge_answers, judge_events, judge_rotations
from tests.rotation_kills.run import run


@pytest.mark.timeout(600)
async def test_rotations_survive_whatever_is_killed(tmp_path: Path) -> None:
    verdict = await run(tmp_path, clients=8, nodes=2, seconds=30.0, pause=2.5, seed=7)
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


def test_a_refusal_is_noticed(tmp_path: Path) -> None:
    file = tmp_path / "answers"
    lines = ("a 200", "a none", "a 503 temporarily_unavailable", "a 401 invalid_client")
    file.write_text("\n".join(lines) + "\n")
    counts, wrong = judge_answers(file)
    assert counts["200"] == 1
    assert wrong == ["a was answered 401 invalid_client"]
