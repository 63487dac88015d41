"""Callers in a storm: they end credentials at a steady rate, wait for the fleet, and begin the probes."""

import asyncio
import itertools
from collections import Counter
from dataclasses import dataclass, field

from tests.storm.admin import WAIT_SECONDS, Admin
from tests.storm.clients import KeyClient, StormClient
from tests.storm.http import Answer, NoAnswerError
from tests.storm.probes import Probes

_AGAIN_SECONDS = 1.0
_PATIENCE_SECONDS = 150.0


@dataclass
class Tally:
    """What became of the changes. ``unacknowledged``: requests without an answer, sent again until there was
    one. ``asked_again``: waits that ended as pending and were repeated. ``abandoned``: changes never safe."""

    secrets: int = 0
    keys: int = 0
    skipped: int = 0
    unacknowledged: int = 0
    unanswered: Counter[str] = field(default_factory=Counter)
    asked_again: int = 0
    safe: int = 0
    seconds: list[float] = field(default_factory=list)
    abandoned: list[str] = field(default_factory=list)

    @property
    def changes(self) -> int:
        return self.secrets + self.keys


class Callers:
    """One caller at a time changes a client, so that it is known which credential is in force."""

    def __init__(self, admin: Admin, clients: list[StormClient], probes: Probes) -> None:
        self.tally = Tally()
        self._admin = admin
        self._clients = clients
        self._probes = probes
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, *, rate: float, seconds: float) -> None:
        """Begin ``rate`` changes a second for that long, whatever becomes of them."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        turn = itertools.cycle(self._clients)
        for number in range(round(rate * seconds)):
            await asyncio.sleep(max(0.0, begun + number / rate - loop.time()))
            client = next(
                (
                    each
                    for each in itertools.islice(turn, len(self._clients))
                    if not each.busy and not each.exhausted
                ),
                None,
            )
            if client is None:
                self.tally.skipped += 1
                continue
            client.busy = True
            task = asyncio.create_task(self._change(client))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def finish(self) -> None:
        """Until every change that was begun is safe, or given up."""
        await asyncio.gather(*self._tasks)

    async def _change(self, client: StormClient) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + _PATIENCE_SECONDS
        if isinstance(client, KeyClient):
            self.tally.keys += 1
        else:
            self.tally.secrets += 1
        already = len(client.ended)
        begun = loop.time()
        answer: Answer | None = None
        while answer is None and loop.time() < until:
            try:
                answer = await client.end_one(self._admin)
            except NoAnswerError as error:
                self.tally.unanswered[str(error)[:60]] += 1
                # Done or not is unknown; the same again ends the same credential.
                self.tally.unacknowledged += 1
                await asyncio.sleep(_AGAIN_SECONDS)
                begun = loop.time()
        why = await self._until_safe(answer, until) if answer is not None else None
        if why is None:
            self.tally.abandoned.append(f"a change of {client.current.name} was never safe")
            return
        self.tally.safe += 1
        self.tally.seconds.append(loop.time() - begun)
        for credential in client.ended[already:]:
            self._probes.begin(credential, why)
        client.busy = False

    async def _until_safe(self, answer: Answer, until: float) -> str | None:
        """What the fleet said when the change was safe; None if it never was."""
        if answer.headers.get("preference-applied") == "wait":
            return answer.headers["keyturn-fleet"]
        sequence = int(answer.headers["keyturn-sequence"])
        while asyncio.get_running_loop().time() < until:
            self.tally.asked_again += 1
            try:
                view = await self._admin.fleet(f"?sequence={sequence}&wait={WAIT_SECONDS}")
            except NoAnswerError:
                await asyncio.sleep(_AGAIN_SECONDS)
                continue
            if view["safe"]:
                return f"fleet?sequence={sequence}: applied={view['applied']}, fenced={view['fenced']}"
        return None
