"""Judge answers and rotations after a run."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

_NEXT: Final[Mapping[str, set[str]]] = {
    "planned": {"prepared", "retired", "superseded"},
    "prepared": {"delivered", "in_use", "retired", "superseded"},
    "delivered": {"in_use", "retired", "superseded"},
    "in_use": {"retired", "superseded"},
    "retired": {"done"},
}
"""States that may follow one another without anybody interfering."""
_OPEN: Final = frozenset(_NEXT)
_UNAVAILABLE: Final = frozenset({"none", "503", "temporarily_unavailable"})


def judge_answers(file: Path) -> tuple[Counter[str], list[str]]:
    """Count the answers by outcome, and name the clients that were refused although they were valid."""
    counts: Counter[str] = Counter()
    wrong = []
    for line in file.read_text("ascii").splitlines():
        client_id, _, outcome = line.partition(" ")
        counts[outcome] += 1
        if outcome != "200" and _UNAVAILABLE.isdisjoint(outcome.split()):
            wrong.append(f"{client_id} was answered {outcome}")
    return counts, wrong


def size_of(file: Path) -> int:
    return file.stat().st_size


def let_in_since(file: Path, place: int) -> set[str]:
    """Return the clients that got a token since the file had this size."""
    with file.open("rb") as answers:
        answers.seek(place)
        lines = answers.read().decode("ascii").splitlines()
    return {line.split()[0] for line in lines if line.endswith(" 200")}


def judge_rotations(rotations: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what is wrong with the rotations of one client, oldest first."""
    wrong = []
    name = rotations[0]["client_id"] if rotations else ""
    for rotation in rotations:
        states = [move["state"] for move in rotation["history"]]
        if states[0] != "planned" or rotation["reason"] != "policy":
            wrong.append(f"{name}: {rotation['id']} did not begin by policy: {states}")
        wrong += [
            f"{name}: {rotation['id']} went from {former} to {state}"
            for former, state in pairwise(states)
            if state not in _NEXT.get(former, set())
        ]
        times = [move["at"] for move in rotation["history"]]
        if times != sorted(times):
            wrong.append(f"{name}: {rotation['id']} went back in time: {times}")
    for before, after in pairwise(rotations):
        ended = before["history"][-1]
        if ended["state"] in _OPEN:
            wrong.append(f"{name}: {after['id']} began while {before['id']} was {ended['state']}")
        elif after["created_at"] < ended["at"]:
            wrong.append(f"{name}: {after['id']} began before {before['id']} had ended")
    return wrong


def judge_events(rotations: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return the events that more than one move has written: a step that was taken twice."""
    written: dict[int, list[str]] = defaultdict(list)
    for rotation in rotations:
        for move in rotation["history"]:
            if move["sequence"] is not None:
                written[move["sequence"]].append(rotation["id"])
    return [f"event {sequence} belongs to {ids}" for sequence, ids in written.items() if len(ids) > 1]
