"""A round: end the canary's credentials one way after the other, and ask every node after each call."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Protocol

import httpx

from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn.probe.canary import Call, Canary
from keyturn.probe.judgement import Answer, Check, CheckName, Observation, Place, Round, Trouble
from keyturn.probe.node_requests import Presented, Told
from keyturn.probe.targets import Node, nodes_of
from keyturn_shared.secret import Secret

WATCH_SECONDS: Final = 10.0
"""Seconds for which a node that accepts what was ended is asked again."""
_AGAIN_SECONDS: Final = 0.1
_AT_ONCE: Final = 16
_RESOLVING_SECONDS: Final = 10.0
_FOR_TOKENS: Final = (Place.INTROSPECTION, Place.VERIFY, Place.FORWARD_AUTH)

Question = tuple[Node, Place, Presented]


class AsksNodes(Protocol):
    """Presents credentials to nodes, from several threads."""

    def ask(self, node: Node, place: Place, presented: Presented) -> Told: ...


@dataclass
class _Seen:
    """Observations of a round so far."""

    checks: list[Check] = field(default_factory=list)
    unresolved: tuple[str, ...] = ()
    fleet_nodes: int | None = None
    changed_by_others: bool = False
    trouble: Trouble | None = None


class _EndedEarly(Exception):  # noqa: N818 - not a fault: the round says why
    """A round cannot go on."""

    def __init__(self, trouble: Trouble | None = None) -> None:
        super().__init__()
        self.trouble = trouble


class Prober:
    """Runs rounds. ``urls``: base URLs of nodes. ``find_nodes``: resolves them anew for each round."""

    def __init__(
        self,
        canary: Canary,
        requests: AsksNodes,
        urls: Sequence[httpx.URL],
        *,
        elapsed: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        find_nodes: Callable[[Sequence[httpx.URL]], tuple[list[Node], list[str]]] = nodes_of,
    ) -> None:
        self._canary = canary
        self._requests = requests
        self._urls = urls
        self._elapsed = elapsed
        self._sleep = sleep
        self._find_nodes = find_nodes
        self._secret: Secret | None = None
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="node")

    def close(self) -> None:
        """Wait for no request: each of them ends by its own time limit."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def round(self) -> Round:
        """Run one round. It raises nothing that a server can cause."""
        seen = _Seen()
        try:
            self._run(seen)
        except _EndedEarly as ended:
            seen.trouble = ended.trouble
        except CommandError as error:
            # A new secret may have been made without its response arriving.
            self._secret = None
            seen.trouble = Trouble(error.detail, error.exit_code)
        if any(each.answer is Answer.REFUSED for check in seen.checks for each in check.valid):
            self._secret = None  # somebody else may have changed it
        return Round(
            tuple(seen.checks), seen.fleet_nodes, seen.unresolved, seen.trouble, seen.changed_by_others
        )

    def _run(self, seen: _Seen) -> None:
        _require(self._canary.prepare(), "the canary is not known to every node yet")
        if self._secret is None:
            call, self._secret = self._canary.regenerate()
            _require(call, "the canary's first secret is not known to every node yet")
        nodes, unresolved = self._find()
        seen.unresolved = tuple(unresolved)
        with suppress(CommandError):  # without Redis it is unknown, and the calls say so
            seen.fleet_nodes = self._canary.count_nodes()
        self._check_secret(seen, nodes)
        self._check_disabled(seen, nodes)
        _require(self._canary.enable(), "the canary is not enabled on every node again yet")
        self._check_tokens(seen, nodes)
        if seen.fleet_nodes is None:
            seen.fleet_nodes = self._canary.count_nodes()
        self._canary.enable()

    def _find(self) -> tuple[list[Node], list[str]]:
        """Return the nodes, and the names without an address. Raises CommandError."""
        try:
            return self._threads.submit(self._find_nodes, self._urls).result(_RESOLVING_SECONDS)
        except TimeoutError:
            detail = f"the names of the nodes were not resolved within {_RESOLVING_SECONDS:g} s"
            raise CommandError(detail, ExitCode.UNREACHABLE) from None

    def _check_secret(self, seen: _Seen, nodes: Sequence[Node]) -> None:
        former = self._presented()
        warm = self._ask((node, Place.TOKEN, former) for node in nodes)
        call, self._secret = self._canary.regenerate()
        ended = self._ended(seen, call, ((node, Place.TOKEN, former) for node in nodes))
        new = self._ask((node, Place.TOKEN, self._presented()) for node in nodes) if ended else []
        self._note(seen, CheckName.SECRET, call, ended, [*warm, *new])

    def _check_disabled(self, seen: _Seen, nodes: Sequence[Node]) -> None:
        token, given = self._token(nodes)
        warm = self._ask((node, Place.FORWARD_AUTH, token) for node in nodes if token.token is not None)
        call = self._canary.disable()
        places = (Place.TOKEN,) if token.token is None else (Place.TOKEN, Place.FORWARD_AUTH)
        ended = self._ended(seen, call, ((node, place, token) for node in nodes for place in places))
        self._note(seen, CheckName.DISABLED, call, ended, [*given, *warm])

    def _check_tokens(self, seen: _Seen, nodes: Sequence[Node]) -> None:
        token, given = self._token(nodes)
        questions = [(node, place, token) for node in nodes for place in _FOR_TOKENS if token.token]
        warm = self._ask(questions)
        call = self._canary.end_tokens(token.token)
        self._note(seen, CheckName.TOKENS, call, self._ended(seen, call, questions), [*given, *warm])

    def _presented(self, token: str | None = None) -> Presented:
        assert self._secret is not None  # noqa: S101 - _run has set it
        return Presented(self._canary.client_id, self._secret, token)

    def _token(self, nodes: Sequence[Node]) -> tuple[Presented, list[Observation]]:
        """Return a token that one of the nodes issued, and the answers of all."""
        questions = [(node, Place.TOKEN, self._presented()) for node in nodes]
        told = self._told(questions)
        token = next((each.token for each in told if each.token is not None), None)
        return self._presented(token), list(_observations(questions, told))

    def _ended(self, seen: _Seen, call: Call, questions: Iterable[Question]) -> list[Observation]:
        """Return the answers to what a call has ended, and watch nodes that still accept it. Empty for a call
        that is not confirmed: nodes may accept it."""
        if not call.is_confirmed:
            return []
        asked = list(questions)
        first, refused_after = self._first_answers(asked, call.began)
        accepted = [number for number, told in enumerate(first) if told.answer is Answer.ACCEPTED]
        if accepted:
            seen.changed_by_others |= self._changed_by_others(call)
        until = self._elapsed() + WATCH_SECONDS
        while accepted and self._elapsed() < until:
            self._sleep(_AGAIN_SECONDS)
            again, times = self._first_answers([asked[number] for number in accepted], call.began)
            for number, told, seconds in zip(accepted, again, times, strict=True):
                if told.answer is Answer.REFUSED:
                    refused_after[number] = seconds
            accepted = [number for number in accepted if refused_after[number] is None]
        return list(_observations(asked, first, refused_after))

    def _changed_by_others(self, call: Call) -> bool:
        try:
            return self._canary.was_changed_since(call)
        except CommandError:
            return False  # rather a false alarm than none

    def _first_answers(
        self, questions: Sequence[Question], began: float
    ) -> tuple[list[Told], list[float | None]]:
        """Return the answers, and for refusals the seconds since ``began``."""

        def ask(question: Question) -> tuple[Told, float | None]:
            told = self._requests.ask(*question)
            return told, self._elapsed() - began if told.answer is Answer.REFUSED else None

        answers = list(self._threads.map(ask, questions))
        return [told for told, _ in answers], [seconds for _, seconds in answers]

    def _ask(self, questions: Iterable[Question]) -> list[Observation]:
        asked = list(questions)
        return list(_observations(asked, self._told(asked)))

    def _told(self, questions: Sequence[Question]) -> list[Told]:
        return list(self._threads.map(lambda question: self._requests.ask(*question), questions))

    def _note(
        self,
        seen: _Seen,
        name: CheckName,
        call: Call,
        ended: Sequence[Observation],
        valid: Sequence[Observation],
    ) -> None:
        """Note a check. Raises _EndedEarly if the round must not go on."""
        seconds = call.returned - call.began
        seen.checks.append(Check(name, call.fleet, seconds, tuple(ended), tuple(valid)))
        if not call.is_confirmed:
            raise _EndedEarly


def _observations(
    questions: Sequence[Question], told: Sequence[Told], refused_after: Sequence[float | None] = ()
) -> Iterator[Observation]:
    times = refused_after or [None] * len(questions)
    for (node, place, _), each, seconds in zip(questions, told, times, strict=True):
        yield Observation(node.label, place, each.answer, each.detail, seconds)


def _require(call: Call | None, reason: str) -> None:
    """Raise _EndedEarly unless a change that the round needs is confirmed."""
    if call is None or call.is_confirmed:
        return
    said = "" if call.fleet is None else f": {call.fleet.sentence()}"
    raise _EndedEarly(Trouble(f"{reason}{said}", unconfirmed=True))
