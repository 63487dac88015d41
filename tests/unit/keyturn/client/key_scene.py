"""A client with keys of its own, and its server."""

from pathlib import Path
from typing import Any

from keyturn import (
    ClientCredentials,
    ClientKeys,
    Signer,
    SigningKey,
    offer_new_key,
)
from tests.testkit.key_server import ISSUER, KeyServer


class EnoughError(Exception):
    """Ends a task that runs for ever."""


class Scene:
    """A client with a registered key, or with a JWKS URL, and its server."""

    def __init__(
        self, first: Signer | None = None, *, jwks_url: bool = False, state: Path | None = None
    ) -> None:
        self.first = first or SigningKey.generate()
        self.keys = ClientKeys(self.first, state=state, elapsed=self.now, now=self.now)
        self.credentials = ClientCredentials(ISSUER, "worker", self.keys, now=self.now)
        (jwk,) = self.jwks()["keys"]
        self.server = KeyServer(jwk, published=self.jwks if jwks_url else None)
        self.waited: list[float] = []
        self.looks = 3

    def now(self) -> float:
        return self.server.now if hasattr(self, "server") else 1_800_000_000.0

    def jwks(self) -> dict[str, Any]:
        return self.keys.jwks

    async def sleep(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.server.now += seconds

    async def sleep_until_enough(self, seconds: float) -> None:
        await self.sleep(seconds)
        if len(self.waited) >= self.looks:
            raise EnoughError

    async def offer(self, **options: Any) -> float:
        async with self.server.http() as http:
            return await offer_new_key(self.keys, self.credentials, http, sleep=self.sleep, **options)

    async def token(self) -> str:
        async with self.server.http() as http:
            return (await ClientCredentials(ISSUER, "worker", self.keys, now=self.now).token(http)).text


def thumbprint_of_next(scene: Scene) -> str:
    """Return the kid of the one key that was offered."""
    (kid,) = set(scene.server.offered)
    return kid
