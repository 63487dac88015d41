"""``async with Verifier(...)``: checks tokens in this process, from memory that follows the events."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from prometheus_client import CollectorRegistry

from keyturn.resource_server.errors import TokenRefusedError, VerifierUnavailableError, translated
from keyturn_shared.clock import Clock, SystemClock
from keyturn_shared.errors import KeyturnError
from keyturn_verifier.certificates.client_certificate import ClientCertificate
from keyturn_verifier.core import VerifierCore
from keyturn_verifier.errors import is_unavailable
from keyturn_verifier.node.states import RealmState
from keyturn_verifier.possession.requirement import PossessionCheck, PresentedToken
from keyturn_verifier.settings import VerifierSettings
from keyturn_verifier.tokens.verification import VerifiedToken

__all__ = ["PresentedRequest", "VerifiedToken", "Verifier"]

_LOOK_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class PresentedRequest:
    """How a token came, for tokens that are bound to a key or a certificate (RFC 9449, RFC 8705).

    ``urls``: absolute URLs the request may be known by. ``by_dpop``: under the DPoP scheme. ``proof``: its
    ``DPoP`` header. ``certificate``: reads the one of the connection.
    """

    method: str
    urls: tuple[str, ...]
    by_dpop: bool = False
    proof: str | None = None
    certificate: Callable[[], ClientCertificate | None] = lambda: None


class Verifier:
    """A member of the fleet inside a resource server. No request of its own leaves the process for a token
    whose client is in memory.

    ``realm``: whose tokens. ``audience``: what this resource server is called in their ``aud`` (RFC 9068
    section 4). ``settings``: from ``KEYTURN_*`` variables unless given; what has to be set is
    ``KEYTURN_REDIS_URL``, ``KEYTURN_FLEET_KEYS`` and ``KEYTURN_PUBLIC_URL``. ``registry``: where its metrics
    are registered. ``ready_seconds``: how long entering may take.
    """

    def __init__(
        self,
        realm: str,
        *,
        audience: str,
        settings: VerifierSettings | None = None,
        registry: CollectorRegistry | None = None,
        clock: Clock | None = None,
        ready_seconds: float = 10.0,
    ) -> None:
        """Raises pydantic's ValidationError and ConfigurationError for settings that cannot be used."""
        self.realm = realm
        self.audience = audience
        # Polling clients' JWKS URLs is work for the fleet's own nodes, unless settings say otherwise.
        self._settings = settings or VerifierSettings(fetcher_enabled=False)  # type: ignore[call-arg]
        self._core = VerifierCore(
            self._settings, clock or SystemClock(), registry if registry is not None else CollectorRegistry()
        )
        self._possession = PossessionCheck(self._core.dpop)
        self._ready_seconds = ready_seconds

    async def __aenter__(self) -> Self:
        """Join the fleet. Raises VerifierUnavailableError when that takes longer than ``ready_seconds``."""
        await self._core.start()
        try:
            async with asyncio.timeout(self._ready_seconds):
                await self._wait_until_ready()
        except TimeoutError:
            await self._core.stop()
            raise VerifierUnavailableError("unavailable", "the fleet could not be joined in time") from None
        except BaseException:  # also cancelled: nobody else ends what was started
            await self._core.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._core.stop()

    async def ready(self) -> bool:
        """Whether it may answer now, for the readiness of the service it is part of."""
        return not await self._core.not_ready()

    async def verify_access_token(
        self,
        token: str,
        *,
        audience: str | None = None,
        scopes: Collection[str] = (),
        request: PresentedRequest | None = None,
    ) -> VerifiedToken:
        """An access token of the realm for this resource server (RFC 9068 section 4), with all ``scopes``.

        Without ``request`` a token that is bound to a key or certificate is refused. Raises
        TokenRefusedError, with the reason ``insufficient_scope`` if it is only a scope that is missing, and
        VerifierUnavailableError.
        """
        shown = request or PresentedRequest("", ())
        presented = PresentedToken(token, shown.by_dpop, shown.proof, shown.certificate, shown.method)

        async def possession(_: RealmState, claims: Mapping[str, Any]) -> None:
            await self._possession.require(claims, presented, shown.urls)

        try:
            verified = await self._core.verifier.verify(
                self.realm, token, audience=audience or self.audience, possession=possession
            )
        except KeyturnError as error:
            raise translated(error, unavailable=is_unavailable(error)) from error
        if not verified.issued_by_realm:
            raise TokenRefusedError("wrong_issuer", "signed by a client, not issued by the realm")
        granted = verified.claims.get("scope")
        if not set(granted.split() if isinstance(granted, str) else ()).issuperset(scopes):
            raise TokenRefusedError("insufficient_scope", " ".join(sorted(scopes)))
        return verified

    async def verify_client_token(
        self, token: str, *, audience: str | None = None, single_use: bool = True
    ) -> VerifiedToken:
        """A token that a client of the realm has signed itself, by the rules of an assertion (RFC 7523).

        ``single_use``: good once in the whole fleet, by its ``jti``. Nothing that it says of scopes counts.
        One that is bound to a key or certificate (``cnf``) is refused: nothing shows that it is in the right
        hands. Raises TokenRefusedError and VerifierUnavailableError.
        """
        try:
            verified = await self._core.verifier.verify(
                self.realm, token, audience=audience or self.audience, single_use=single_use
            )
        except KeyturnError as error:
            raise translated(error, unavailable=is_unavailable(error)) from error
        if verified.issued_by_realm:
            raise TokenRefusedError("wrong_issuer", "issued by the realm, not signed by a client")
        return verified

    async def _wait_until_ready(self) -> None:
        while True:
            if await self.ready():
                return
            await asyncio.sleep(_LOOK_SECONDS)
