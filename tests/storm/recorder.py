"""The recorder: it makes calls, and stores their results in the history."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from math import inf
from typing import Final

from tests.storm.credentials import AccessToken, Shown
from tests.storm.history import NOTHING, Change, History, Outcome, Presentation, Register, Verdict
from tests.testkit.admin_client import Admin, RefusedCallError
from tests.testkit.http_client import Answer, NoAnswerError, Server

_AGAIN_SECONDS: Final = 0.5
_MAX_PAUSE_SECONDS: Final = 1.0
_MAX_ATTEMPTS: Final = 240
"""Attempts, of a change or of a question about it. The pauses between them are four minutes together; however
long a busy machine takes for each attempt, the number stays."""
_PRESENTED_SECONDS: Final = 15.0
_NO_WAIT: Final = "respond-async"
_SEQUENCE: Final = "keyturn-sequence"
_TRANSIENT: Final = (401, 408, 429)
"""The token has expired, or the request came too slowly; retried."""


class AbandonedError(Exception):
    """A change was refused without a reason, or never became safe."""


@dataclass(frozen=True)
class Effect:
    """Registers that a change makes and ends; see ``Change``."""

    makes: frozenset[Register] = NOTHING
    ends: frozenset[Register] = NOTHING
    ends_issued_to: frozenset[str] = frozenset()

    def __or__(self, other: "Effect") -> "Effect":
        return Effect(
            self.makes | other.makes,
            self.ends | other.ends,
            self.ends_issued_to | other.ends_issued_to,
        )


@dataclass(frozen=True)
class Made:
    """A committed change. ``answer``: None when an unanswered attempt had committed it. ``loose``: start of
    the first unanswered attempt, which may still take effect."""

    answer: Answer | None
    loose: float | None


@dataclass(frozen=True)
class Seen:
    """``answered``: there was an answer at all. ``token``: the issued one."""

    verdict: Verdict
    answered: bool
    token: AccessToken | None


Attempt = Callable[[dict[str, str]], Awaitable[Answer]]
"""The call itself, with these headers."""


class Recorder:
    """``seconds_to_safe``: of each change with a wait, from its first attempt. ``unanswered``: why attempts
    got no answer. ``nodes``: names by server, without the gateway."""

    def __init__(self, admin: Admin, nodes: dict[Server, str]) -> None:
        self.history = History()
        self.seconds_to_safe: list[float] = []
        self.unanswered: Counter[str] = Counter()
        self.asked_again = 0
        self._admin = admin
        self._nodes = nodes

    async def show(self, server: Server, shown: Shown) -> Seen:
        """Present a credential there."""
        sent, heard = time.monotonic(), True
        try:
            answer = await server.ask(
                shown.method,
                shown.target,
                headers=shown.headers,
                body=shown.body,
                timeout=_PRESENTED_SECONDS,
            )
        except NoAnswerError:
            verdict, needs, token, heard = Verdict.UNDECIDED, shown.needs, None, False
        else:
            sent = answer.sent  # it may have waited for a connection
            verdict, needs, token = shown.read(answer)
        answered = time.monotonic()
        node = self._nodes.get(server)
        if verdict is Verdict.REFUSED and shown.may_be_excused(time.time(), by_gateway=node is None):
            verdict = Verdict.UNDECIDED
        self.history.presentations.append(
            Presentation(
                shown.name,
                shown.place,
                node,
                sent,
                answered,
                verdict,
                needs,
                shown.single_use,
                token.register if token is not None else None,
                frozenset({shown.owner}),
            )
        )
        return Seen(verdict, heard, token)

    async def change(
        self,
        name: str,
        attempt: Attempt,
        effect: Effect,
        *,
        told: Callable[[Answer], Effect] | None = None,
        unanswered: Effect | None = None,
        done_by: int = 0,
        in_vain: Callable[[Answer], None] | None = None,
        waits: bool = True,
    ) -> Made:
        """Make a change, repeatedly until it is answered, and wait until it is safe.

        ``told``: further effects, by its answer. ``unanswered``: the effect of an unanswered attempt, if
        different. ``done_by``: the status of an attempt when an earlier one took effect. ``in_vain``: notes
        an answer that there was nothing to change. ``waits``: False to send it without a wait. Raises
        AbandonedError.
        """
        first = time.monotonic()
        loose: float | None = None
        async for _ in _attempts(f"{name} was never answered"):
            begun = time.monotonic()
            try:
                answer = await attempt({"Prefer": f"wait={self._admin.wait_seconds}" if waits else _NO_WAIT})
            except RefusedCallError as error:
                if error.status == done_by and loose is not None:
                    self._note(name, effect, loose, settled=time.monotonic())
                    return Made(None, loose)
                if error.status not in _TRANSIENT:
                    raise AbandonedError(f"{name}: {error}") from error
            except NoAnswerError as error:
                self.unanswered[str(error).partition(": ")[2][:60]] += 1
                self._note(name, unanswered or effect, begun)
                loose = begun if loose is None else loose
            else:
                break
        whole = effect if told is None else effect | told(answer)
        if _SEQUENCE in answer.headers:
            await self._until_safe(name, answer, whole, first, begun, waits)
        elif loose is not None:
            self._note(name, whole, loose, settled=time.monotonic())
        elif in_vain is not None:
            in_vain(answer)
        else:
            raise AbandonedError(f"{name} was answered as if there was nothing to change")
        return Made(answer, loose)

    def note_refused(self, token: AccessToken, place: str, server: Server, sent: float) -> None:
        """Note that a token was considered invalid."""
        self.history.presentations.append(
            Presentation(
                token.name,
                place,
                self._nodes.get(server),
                sent,
                time.monotonic(),
                Verdict.REFUSED,
                token.needs,
                issued_to=frozenset({token.owner}),
            )
        )

    def note_possible(self, name: str, begun: float, effect: Effect) -> None:
        """Note something that may have happened at any time since then, or not at all."""
        self._note(name, effect, begun)

    async def _until_safe(
        self, name: str, answer: Answer, effect: Effect, first: float, begun: float, waits: bool
    ) -> None:
        settled = time.monotonic()
        if is_complete(answer):
            self._note(name, effect, begun, settled=settled, complete=settled)
            self.seconds_to_safe += [settled - first] if waits else []
            return
        noted = self._note(name, effect, begun, settled=settled)
        if not waits:
            return
        sequence = int(answer.headers[_SEQUENCE])
        async for _ in _attempts(f"{name} was never safe"):
            self.asked_again += 1
            try:
                view = await self._admin.fleet(f"?sequence={sequence}&wait={self._admin.wait_seconds}")
            except NoAnswerError:
                continue
            if view["safe"]:
                complete = time.monotonic()
                known = replace(noted, outcome=Outcome.COMPLETE, complete=complete)
                self.history.changes[self.history.changes.index(noted)] = known
                self.seconds_to_safe.append(complete - first)
                return

    def _note(
        self, name: str, effect: Effect, begun: float, *, settled: float = inf, complete: float = inf
    ) -> Change:
        outcome = Outcome.UNANSWERED if settled == inf else Outcome.ACCEPTED
        outcome = Outcome.COMPLETE if complete < inf else outcome
        written = (effect.makes, effect.ends, effect.ends_issued_to)
        noted = Change(name, begun, outcome, settled, complete, *written)
        self.history.changes.append(noted)
        return noted


async def _attempts(complaint: str) -> AsyncIterator[None]:
    """Yield for each attempt, with growing pauses between them. Raises AbandonedError after the last."""
    pause = _AGAIN_SECONDS
    for _ in range(_MAX_ATTEMPTS):
        yield
        await asyncio.sleep(pause)
        pause = min(2 * pause, _MAX_PAUSE_SECONDS)
    raise AbandonedError(complaint)


def is_complete(answer: Answer) -> bool:
    """Return whether the answer reports no pending node."""
    said = answer.headers.get("keyturn-fleet", "")
    return any(member.strip() == "pending=0" for member in said.split(","))
