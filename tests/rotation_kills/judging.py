"""Judge answers and rotations after a run."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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
_REFUSED: Final = "401 invalid_client"
_UNAVAILABLE: Final = frozenset({"none", "503", "temporarily_unavailable"})


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of a former credential. ``since``: it may be refused from then on; ``noted``: the rotation says
    that it is over, and a client that signs with it later is wrong. Both in seconds since 1970."""

    since: float
    noted: float


def endings(rotations: Sequence[Mapping[str, Any]], overlap: float) -> list[Ending]:
    """Return the ends of the former credentials of one client. ``overlap``: seconds between the first use of
    the next credential and the end of the former one, less what is lost by whole seconds."""
    found = []
    for rotation in rotations:
        at = {move["state"]: float(move["at"]) for move in rotation["history"]}
        if "in_use" in at:
            since = at["in_use"] + overlap
            found.append(Ending(since, at.get("retired", since + overlap)))
    return found


def judge_answers(file: Path, ends: Mapping[str, Sequence[Ending]]) -> tuple[Counter[str], list[str]]:
    """Count the answers by outcome, and name the clients that were refused although they were valid.

    A request that was on its way for the whole overlap, because a server was down or the machine busy, may be
    refused: its credential was valid when it was signed, and has ended since. It counts as ``late``.
    """
    counts: Counter[str] = Counter()
    wrong = []
    for line in file.read_text("ascii").splitlines():
        client_id, began, answered, outcome = line.split(" ", 3)
        if outcome == "200" or not _UNAVAILABLE.isdisjoint(outcome.split()):
            counts[outcome] += 1
        elif outcome == _REFUSED and any(
            float(began) < end.noted and end.since < float(answered) for end in ends.get(client_id, ())
        ):
            counts["late"] += 1
        else:
            counts[outcome] += 1
            wrong.append(f"{client_id} was answered {outcome} to a request of {began}, at {answered}")
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
