"""Users of the fleet: admins that change clients and wait, callers with old and new credentials."""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Any, Final

from keyturn_credentials.errors import StoreUnavailableError
from tests.simulation.clients import CLIENTS, KEY_CLIENTS, Credential
from tests.simulation.credentials import Credentials
from tests.simulation.database import Commit, Make
from tests.simulation.settings import ASSERTION_LIFETIME, CLOCK_SKEW, LEEWAY, WALL
from tests.simulation.surroundings import Surroundings
from tests.simulation.verifier import Request, TokenRequest, Verifier
from tests.testkit.simulated_process import Process

_PATIENCE: Final = 6.0
_MOMENT: Final = 0.5


@dataclass
class Fleet:
    """The current processes; faults end some and start others."""

    nodes: list[Verifier] = field(default_factory=list)
    instances: list[Credentials] = field(default_factory=list)

    @property
    def everyone(self) -> list[Verifier | Credentials]:
        return [*self.nodes, *self.instances]

    @property
    def processes(self) -> list[Process]:
        return [each.process for each in self.everyone]


class Actors:
    """Admins and callers. They are outside: nothing stops them."""

    def __init__(self, fleet: Fleet, around: Surroundings) -> None:
        self.answers: dict[str, int] = {}
        self.waits = [0, 0]
        self._fleet = fleet
        self._around = around
        self._replayable: list[Request] = []

    async def administer(self) -> None:
        """Change clients one after the other, and usually wait for the fleet."""
        draw = self._around.draw
        last: Commit | None = None
        while True:
            await asyncio.sleep(draw.expovariate(2.5))
            if not self._fleet.instances:
                continue
            instance = draw.choice(self._fleet.instances)
            patience = draw.choice((0.0, 0.5, 1.5, 3.0, 4.0))
            if last is not None and draw.random() < 0.15:
                # Ask again, perhaps another instance, about an earlier change.
                commit, again = last, instance.wait(last, patience)
                if await self.call(instance.process, again):
                    self._probe(commit)
                continue
            done = await self.change(instance, self._around.wallet.change(draw.choice(CLIENTS)), patience)
            if done is not None:
                last, safe = done
                self.waits[0 if safe else 1] += 1
                if safe:
                    self._probe(last)

    async def change(self, instance: Credentials, make: Make, patience: float) -> tuple[Commit, bool] | None:
        """Make a call of the admin API; None without an answer."""
        try:
            done: tuple[Commit, bool] | None = await self.call(
                instance.process, instance.change(make, patience)
            )
        except StoreUnavailableError:
            return None
        return done

    async def use(self) -> None:
        """Present credentials forever."""
        draw = self._around.draw
        while True:
            await asyncio.sleep(draw.expovariate(8.0))
            if self._fleet.nodes:
                self.trouble(draw.choice(self._fleet.nodes))

    def trouble(self, node: Verifier) -> None:
        """Present a credential to a node, the newest more often than others, or an assertion again."""
        draw = self._around.draw
        issued = self._around.wallet.issued[draw.choice(CLIENTS)]
        request = self._request(issued[-1 - min(int(draw.expovariate(0.8)), len(issued) - 1)])
        if self._replayable and draw.random() < 0.3:
            former = draw.choice(self._replayable)
            request = Request(former.credential, self._around.loop.time(), former.jti, former.assertion)
        self._present(node, request)

    def sign(self, node: Verifier) -> None:
        """Present a new assertion, under a client's newest key."""
        issued = self._around.wallet.issued[self._around.draw.choice(KEY_CLIENTS)]
        self._present(node, self._request(issued[-1]))

    def sign_briefly(self, node: Verifier) -> tuple[float, Callable[[Verifier], None]]:
        """Present a new assertion that lives for a moment. Return after how many seconds a correct clock
        refuses it, and a function that presents it again."""
        around = self._around
        credential = around.wallet.issued[around.draw.choice(KEY_CLIENTS)][-1]
        now, jti = around.loop.time(), f"{around.draw.getrandbits(32):08x}"
        assertion = credential.assertion(jti, WALL + now, _MOMENT)

        def again(node: Verifier) -> None:
            self._present(node, Request(credential, around.loop.time(), jti, assertion))

        again(node)
        return _MOMENT + LEEWAY, again

    def replay(self, node: Verifier) -> None:
        """Present one of the last assertions again."""
        if self._replayable:
            former = self._around.draw.choice(self._replayable)
            self._present(
                node, Request(former.credential, self._around.loop.time(), former.jti, former.assertion)
            )

    def administer_by(self, instance: Credentials) -> None:
        """Have this instance change a client; once the fleet has it, try every node."""
        change = self._around.wallet.change(self._around.draw.choice(CLIENTS))
        self._around.loop.create_task(self._administer_by(instance, change), context=copy_context())

    async def _administer_by(self, instance: Credentials, make: Make) -> None:
        done = await self.change(instance, make, 1.5)
        if done is not None and done[1]:
            self._probe(done[0])

    def present(self, node: Verifier, credential: Credential) -> None:
        """Present this credential to a node."""
        self._present(node, self._request(credential))

    def ask(self, node: Verifier, request: Request | TokenRequest) -> None:
        """Send a request to a node, and count the answer."""
        self._present(node, request)

    def request_of(self, credential: Credential) -> Request:
        """Build the request of a client that has this credential."""
        return self._request(credential)

    async def call(self, process: Process, work: Coroutine[Any, Any, Any]) -> Any:
        """Have a process work for a caller with a time limit; None without an answer."""
        if not process.alive:
            work.close()
            return None
        loop, network = self._around.loop, self._around.network
        answer = loop.create_future()

        def reply(task: asyncio.Task[Any]) -> None:
            if not task.cancelled():
                loop.call_later(network.delay(), _settle, answer, task.exception(), task)

        loop.call_later(network.delay(), lambda: process.spawn(work).add_done_callback(reply))
        timer = loop.call_later(_PATIENCE, _settle, answer, None, None)
        try:
            return await answer
        finally:
            timer.cancel()

    def _probe(self, commit: Commit) -> None:
        """Try every node with what was valid before the change, and must not be any more."""
        (name,) = commit.changed
        before = commit.parent.client(name) if commit.parent else None
        for credential in self._around.wallet.issued[name.rpartition(":")[2]][-4:]:
            if credential.is_accepted_by(before):
                for node in self._fleet.nodes:
                    self._present(node, self._request(credential))

    def _request(self, credential: Credential) -> Request:
        around = self._around
        now = around.loop.time()
        if credential.key < 0:
            return Request(credential, now)
        draw = around.draw
        jti = f"{draw.getrandbits(32):08x}"
        clock = WALL + now + draw.uniform(-CLOCK_SKEW, CLOCK_SKEW)
        lifetime = draw.uniform(0.5, 1.0) * ASSERTION_LIFETIME
        if lifetime > 0.8 * ASSERTION_LIFETIME:
            lifetime *= 10  # like many libraries: it is used up long before its stated expiry
        request = Request(credential, now, jti, credential.assertion(jti, clock, lifetime))
        self._replayable = [*self._replayable[-24:], request]
        return request

    def _present(self, node: Verifier, request: Request | TokenRequest) -> None:
        loop = self._around.loop

        def arrive() -> None:
            if node.process.alive:
                node.process.spawn(node.answer(request)).add_done_callback(self._count)

        loop.call_later(self._around.network.delay(), arrive)

    def _count(self, task: asyncio.Task[str]) -> None:
        if task.cancelled():
            return
        if task.exception() is not None:
            self._around.loop.errors.append(f"an answer raised {task.exception()!r}")
        else:
            self.answers[task.result()] = self.answers.get(task.result(), 0) + 1


def _settle(answer: Any, error: BaseException | None, task: Any) -> None:
    if answer.done():
        return
    if error is not None:
        answer.set_exception(error)
    else:
        answer.set_result(None if task is None else task.result())


Spawn = Callable[[], None]
