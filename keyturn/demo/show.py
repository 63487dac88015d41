"""The demo: a client moves from one key to the next, and no node accepts the old one any more."""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from typing import Any, Final

import httpx
from rich.console import Console
from rich.table import Table
from rich.text import Text

from keyturn.demo.operator import RESPONSE_TIMEOUT_SECONDS, Change, Operator
from keyturn.demo.process import CLIENT_ID, REALM, DemoClientProcess
from keyturn.demo.watch import watched
from keyturn.local.errors import StackError
from keyturn.local.local_file import LocalStack, RunningNode

ACCEPTANCE_SECONDS: Final = 20.0
"""Time to retry before a key counts as not accepted: twice the minimum interval between two fetches of its
JWKS URL (10 s)."""
_RETRY_SECONDS: Final = 0.25

Row = tuple[str, ...]


class Show:
    """Runs the steps and prints each with its actual outcome. A failed step raises StackError."""

    def __init__(
        self, console: Console, nodes: Sequence[RunningNode], operator: Operator, client: DemoClientProcess
    ) -> None:
        self._console = console
        self._nodes = nodes
        self._operator = operator
        self._client = client
        self._issuer = ""
        self._steps = 0

    async def run(self) -> None:
        await self._operator.log_in()
        await self._operator.make_realm(REALM)
        uuid = await self._operator.replace_client(REALM, CLIENT_ID, self._client.jwks_url)
        self._issuer = await self._operator.issuer(REALM)

        self._step(
            f"Client {CLIENT_ID} serves its keys at {self._client.jwks_url} and gets a token from each node"
        )
        self._print([await self._until_accepted(node, "first") for node in self._nodes])

        self._step("It publishes a second key and signs with that at once")
        await self._client.publish("first", "second")
        self._print([await self._until_accepted(node, "second") for node in self._nodes])

        self._step("It withdraws the first key; the operator clears its key cache")
        await self._client.publish("second")
        await self._print_change(self._operator.clear_keys_cache(REALM, uuid))

        self._step("The operator revokes the first key, by its thumbprint")
        await self._print_change(self._operator.revoke_key(REALM, uuid, self._client.kids["first"]))

        self._step("Each node is tried with both keys")
        self._print([await self._refused(node, "first") for node in self._nodes])
        self._print([await self._until_accepted(node, "second") for node in self._nodes])
        every = len(self._nodes)
        self._say(
            f"\nAll nodes agree ({every} of {every}): the first key is refused, the second accepted.",
            "bold green",
        )

    async def _until_accepted(self, node: RunningNode, key: str) -> Row:
        """Request a token, with a new assertion each time, until the node issues one."""
        begun = time.perf_counter()
        tries = 0
        while True:
            answer = await self._client.token(node.base_url, self._issuer, key)
            tries += 1
            waited = time.perf_counter() - begun
            if answer["status"] == 200:
                again = "" if tries == 1 else f"on attempt {tries}, after {waited:.1f} s"
                return (node.id, f"{key} key", "accepted", f"{answer['ms']} ms", again)
            if waited > ACCEPTANCE_SECONDS:
                raise StackError(f"{node.id} does not accept the {key} key: {_describe(answer)}")
            await asyncio.sleep(_RETRY_SECONDS)

    async def _refused(self, node: RunningNode, key: str) -> Row:
        answer = await self._client.token(node.base_url, self._issuer, key)
        if answer["error"] not in ("invalid_client", "unauthorized_client"):
            raise StackError(f"{node.id} does not refuse the {key} key: {_describe(answer)}")
        return (node.id, f"{key} key", "refused", f"{answer['ms']} ms", _describe(answer))

    async def _print_change(self, call: Awaitable[Change]) -> None:
        change, returned, seen = await watched(self._operator, REALM, call)
        if not change.confirmed:
            raise StackError(f"the fleet did not confirm event {change.sequence}: {change.fleet}")
        rows: list[Row] = []
        for node in self._nodes:
            if node.id not in seen:
                raise StackError(f"{node.id} has not reported event {change.sequence}")
            rows.append(
                (
                    node.id,
                    f"event {change.sequence}",
                    "applied",
                    f"{seen[node.id]:.1f} ms",
                    "after the call began",
                )
            )
        rows.append(("call", f"event {change.sequence}", "returned", f"{returned:.1f} ms", change.fleet))
        self._print(rows)

    def _step(self, text: str) -> None:
        self._steps += 1
        self._say(f"\n{self._steps}. {text}", "bold")

    def _print(self, rows: Sequence[Row]) -> None:
        table = Table.grid(padding=(0, 2))
        styles = {"accepted": "green", "applied": "green", "returned": "green", "refused": "red"}
        for name, what, outcome, duration, note in rows:
            cells = (Text(f"   {name}"), Text(what), Text(outcome, styles[outcome]))
            table.add_row(*cells, Text(duration, justify="right"), Text(note, "dim"))
        self._console.print(table)

    def _say(self, text: str, style: str) -> None:
        self._console.print(Text(text, style))


async def show(console: Console, local: LocalStack, client: DemoClientProcess) -> None:
    """Run the demo on a running stack. Raises StackError when a step fails."""
    async with httpx.AsyncClient(timeout=RESPONSE_TIMEOUT_SECONDS, trust_env=False) as http:
        try:
            await Show(console, local.nodes, Operator(local, http), client).run()
        except (KeyError, ValueError, TypeError) as error:
            raise StackError(f"a response did not have the expected form: {error!r}") from error


def _describe(answer: dict[str, Any]) -> str:
    return f"{answer['status']} {answer['error']}"
