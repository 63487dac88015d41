"""Users of access tokens: they request them, present them to resource servers, and have them ended."""

import asyncio
from dataclasses import replace

from tests.simulation.access_tokens import HeldToken
from tests.simulation.actors import Actors, Fleet
from tests.simulation.clients import CLIENTS
from tests.simulation.database import Make
from tests.simulation.surroundings import Surroundings
from tests.simulation.verifier import TokenRequest


class TokenUsers:
    """They are outside, like the other actors."""

    def __init__(self, fleet: Fleet, around: Surroundings, actors: Actors) -> None:
        self._fleet = fleet
        self._around = around
        self._actors = actors

    async def use(self) -> None:
        """Request tokens, and ask nodes about them, forever."""
        draw = self._around.draw
        while True:
            await asyncio.sleep(draw.expovariate(8.0))
            if not self._fleet.nodes:
                continue
            node, tokens = draw.choice(self._fleet.nodes), self._around.tokens
            if tokens and draw.random() < 0.7:
                newest = min(int(draw.expovariate(0.3)), len(tokens) - 1)
                self._actors.ask(node, TokenRequest(tokens[-1 - newest], self._around.loop.time()))
            else:
                issued = self._around.wallet.issued[draw.choice(CLIENTS)]
                self._actors.ask(node, replace(self._actors.request_of(issued[-1]), for_token=True))

    async def administer(self) -> None:
        """End tokens: one, all of a client, all of the realm. Usually wait, and check that none is valid."""
        draw = self._around.draw
        while True:
            await asyncio.sleep(draw.expovariate(1.2))
            if not self._fleet.instances:
                continue
            make, ended = self._draw_change()
            instance = draw.choice(self._fleet.instances)
            done = await self._actors.change(instance, make, draw.choice((0.0, 1.5, 3.0)))
            if done is not None and done[1]:
                for token in ended[-3:]:
                    for node in self._fleet.nodes:
                        self._actors.ask(node, TokenRequest(token, self._around.loop.time()))

    def _draw_change(self) -> tuple[Make, list[HeldToken]]:
        """Draw a change, and the tokens that it concerns."""
        draw, wallet, tokens = self._around.draw, self._around.wallet, self._around.tokens
        luck = draw.random()
        if tokens and luck < 0.5:
            token = draw.choice(tokens[-8:])
            return wallet.revoke_token(token.client_id, token.jti), [token]
        if luck < 0.8:
            client_id = draw.choice(CLIENTS)
            return wallet.end_tokens_of_client(client_id), [
                token for token in tokens if token.client_id == client_id
            ]
        return wallet.end_tokens_of_realm(), list(tokens)
