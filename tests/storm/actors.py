"""Clients of a storm, each with an administrator who makes consecutive changes."""

import asyncio
import json
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

from tests.storm.credentials import (
    PLACES_OF_TOKENS,
    REVOKE_TARGET,
    AccessToken,
    Credential,
    Shown,
    at_token_endpoint,
    form_headers,
)
from tests.storm.means import InlineKeys, Means, Secret
from tests.storm.probes import Probes
from tests.storm.recorder import Effect, Made, Recorder
from tests.testkit.admin_client import Admin, refusal
from tests.testkit.http_client import Answer, NoAnswerError, Server

_KEPT: Final = 12
_NOT_WAITED_FOR: Final = 0.15
_LEAD_SECONDS: Final = 2
"""``notBefore`` is this far ahead, so that all tokens issued before are ended, by their count."""
_TOKEN_TRIES: Final = 20
_AGAIN_SECONDS: Final = 0.3
_PROBE_SECONDS: Final = 3.0
_UNKNOWN: Final = (408, 429)


class Actor:
    """``known``: current or ended credentials that were or may be presented. One change at a time."""

    def __init__(
        self, means: Means, admin: Admin, recorder: Recorder, probes: Probes, draw: random.Random, term: float
    ) -> None:
        self.busy = False
        self.known: deque[Credential | AccessToken] = deque(maxlen=_KEPT)
        self.means = means
        self._admin = admin
        self._recorder = recorder
        self._probes = probes
        self._random = draw
        self._term = term
        self._waits = True
        self._uuid = ""

    @property
    def client_id(self) -> str:
        return self.means.client_id

    async def register(self) -> None:
        """Create or recreate the client."""
        body = json.dumps(
            {
                "clientId": self.client_id,
                "serviceAccountsEnabled": True,
                "clientAuthenticatorType": self.means.authenticator,
                **self.means.representation(),
            }
        ).encode()

        async def attempt(headers: dict[str, str]) -> Answer:
            return await self._admin.call("POST", "/clients", body, headers=headers)

        effect = Effect(makes=self.means.registers)
        made = await self._recorder.change(f"{self.client_id} made", attempt, effect, done_by=409)
        self._uuid = await self._find() if made.answer is None else _made(made.answer)
        self.known.extend(self.means.live)

    async def move(self) -> None:
        """Change something, and present its subject at every node. Raises AbandonedError."""
        moves: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (8 if not self.means.exhausted else 0, self.end_one),
            (2, self.disable_and_enable),
            (2, self.delete_and_make_anew),
            (2, self.change_authenticator_and_back),
            (3, self.revoke_token if isinstance(self.means, Secret) else self.show_twice),
            (1 if isinstance(self.means, Secret) else 0, self.end_tokens),
        ]
        [move] = self._random.choices([move for _, move in moves], [weight for weight, _ in moves])
        await move()

    async def change(
        self,
        name: str,
        method: str,
        below: str,
        effect: Effect,
        *,
        body: dict[str, Any] | None = None,
        told: Callable[[Answer], Effect] | None = None,
        unanswered: Effect | None = None,
        before: Callable[[], None] | None = None,
        done_by: int = 0,
    ) -> Made:
        """Make a change, as in ``Changes``."""
        sent = b"" if body is None else json.dumps(body).encode()
        steps = [before] if before is not None else []

        async def attempt(headers: dict[str, str]) -> Answer:
            while steps:
                steps.pop()()
            return await self._admin.call(method, f"/clients/{self._uuid}{below}", sent, headers=headers)

        return await self._recorder.change(
            f"{name} ({self.client_id})",
            attempt,
            effect,
            told=told,
            unanswered=unanswered,
            done_by=done_by,
            waits=self._waits,
        )

    def may_have_happened(self, name: str, begun: float, effect: Effect) -> None:
        """Note a possible change, as in ``Changes``."""
        self._recorder.note_possible(f"{name} ({self.client_id})", begun, effect)

    async def show_live_everywhere(self) -> None:
        """Present current credentials until every node has answered about them."""
        await asyncio.gather(*self._probe(*self.means.live))

    async def end_one(self, *, waits: bool | None = None) -> None:
        """End a credential; by default sometimes without a wait."""
        self._waits = self._random.random() >= _NOT_WAITED_FOR if waits is None else waits
        try:
            ended = await self.means.end_one(self)
            if not self._waits:
                await asyncio.sleep(self._term)
        finally:
            self._waits = True
        self.known.extend(self.means.live[-1:])
        self._probe(*ended, *self.means.live[-1:])

    async def disable_and_enable(self) -> None:
        """Tokens issued before stay ended."""
        token, enabled = await self._token(), ("client", self.client_id, "enabled")
        ends = Effect(ends=frozenset({enabled}), ends_issued_to=frozenset({self.client_id}))
        await self.change("disabled", "PUT", "", ends, body={"enabled": False})
        await self._probe_and_wait(*self.means.live[:1], *token)
        await self.change("enabled", "PUT", "", Effect(makes=frozenset({enabled})), body={"enabled": True})
        self._probe(*self.means.live[:1], *token)

    async def delete_and_make_anew(self) -> None:
        """Recreate it with the same id and credentials; one assertion is presented before and after."""
        token, live = await self._token(), self.means.live[0]
        proof = live.prove()
        await self._recorder.show(self._probes.any_server(self._random), at_token_endpoint(live, proof))
        there = ("client", self.client_id, "there")
        ends = Effect(ends=frozenset({there}), ends_issued_to=frozenset({self.client_id}))
        await self.change("deleted", "DELETE", "", ends, done_by=404)
        await self._probe_and_wait(live, *token)
        await self.register()
        self._probes.begin(lambda: at_token_endpoint(live, proof))
        self._probe(live, *token)

    async def change_authenticator_and_back(self) -> None:
        """Meanwhile the credentials belong to another method."""
        own, live = self.means.method, self.means.live[0]
        other = "client-secret" if isinstance(self.means, InlineKeys) else "client-jwt"
        changed = {"clientAuthenticatorType": other}
        await self.change("authenticator changed", "PUT", "", Effect(ends=frozenset({own})), body=changed)
        await self._probe_and_wait(live)
        changed = {"clientAuthenticatorType": self.means.authenticator}
        back = Effect(makes=frozenset({own}))
        await self.change("authenticator changed back", "PUT", "", back, body=changed)
        self._probe(live)

    async def end_tokens(self) -> None:
        """End all tokens issued so far by ``notBefore``."""
        token = await self._token()
        ends = Effect(ends_issued_to=frozenset({self.client_id}))

        async def attempt(headers: dict[str, str]) -> Answer:
            moment = {"notBefore": int(time.time()) + _LEAD_SECONDS}
            body = json.dumps(moment).encode()
            return await self._admin.call("PUT", f"/clients/{self._uuid}", body, headers=headers)

        await self._recorder.change(f"notBefore ({self.client_id})", attempt, ends)
        self._probe(*token)
        # Tokens issued before that moment count as issued before.
        await asyncio.sleep(_LEAD_SECONDS + 1)

    async def revoke_token(self) -> None:
        """Revoke a token as the client itself (RFC 7009)."""
        tokens = await self._token()
        if not tokens:
            return
        token, proof = tokens[0], self.means.live[-1].prove()
        form = urlencode({"token": token.text, **proof.form}).encode()
        asked: list[Server] = []

        async def attempt(headers: dict[str, str]) -> Answer:
            server = self._probes.any_server(self._random)
            asked.append(server)
            sent, seconds = form_headers(proof) | headers, self._admin.answer_seconds
            answer = await server.ask("POST", REVOKE_TARGET, headers=sent, body=form, timeout=seconds)
            if answer.status in _UNKNOWN:  # the node could not reach the credentials service
                raise NoAnswerError(f"token revoked: {answer.status}")
            if answer.status >= 400:
                raise refusal("token revoked", answer)
            return answer

        def in_vain(answer: Answer) -> None:
            """Note that the token had ended before, by an unanswered change or one without a wait; or the
            answer is judged."""
            self._recorder.note_refused(token, "revoke", asked[-1], answer.sent)

        ends = Effect(ends=frozenset({token.register}))
        await self._recorder.change(f"token revoked ({self.client_id})", attempt, ends, in_vain=in_vain)
        self._probe(token)

    async def show_twice(self) -> None:
        """Present one assertion at two places at a time, and everywhere afterwards."""
        live = self.means.live[0]
        proof = live.prove()
        servers = [self._probes.any_server(self._random) for _ in range(2)]
        await asyncio.gather(
            *(self._recorder.show(server, at_token_endpoint(live, proof)) for server in servers)
        )
        self._probes.begin(lambda: at_token_endpoint(live, proof))

    async def _token(self) -> list[AccessToken]:
        """Return a newly issued token; none if no node issued one."""
        for _ in range(_TOKEN_TRIES):
            server = self._probes.any_server(self._random)
            seen = await self._recorder.show(server, at_token_endpoint(self.means.live[0]))
            if seen.token is not None:
                self.known.append(seen.token)
                return [seen.token]
            await asyncio.sleep(_AGAIN_SECONDS)
        return []

    def _probe(self, *what: Credential | AccessToken) -> list[asyncio.Task[None]]:
        return [task for each in what for task in self._probes.begin(partial(self._shown, each))]

    async def _probe_and_wait(self, *what: Credential | AccessToken) -> None:
        """Wait until nodes were asked, except those that do not answer: the next step reverts the change."""
        await asyncio.wait(self._probe(*what), timeout=_PROBE_SECONDS)

    def _shown(self, what: Credential | AccessToken) -> Shown:
        if isinstance(what, AccessToken):
            return self._random.choice(PLACES_OF_TOKENS)(what)
        return at_token_endpoint(what)

    async def _find(self) -> str:
        while True:
            try:
                answer = await self._admin.call("GET", f"/clients?clientId={self.client_id}")
            except NoAnswerError:
                await asyncio.sleep(_AGAIN_SECONDS)
                continue
            [client] = json.loads(answer.body)
            return str(client["id"])


def _made(answer: Answer) -> str:
    return answer.headers["location"].rsplit("/", 1)[1]
