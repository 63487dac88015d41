"""``async with Verifier(...)``: checks tokens in this process, from memory that follows the events."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, Self

import structlog
from prometheus_client import CollectorRegistry

from keyturn.resource_server.errors import TokenRefusedError, VerifierUnavailableError, translated
from keyturn_shared.clock import Clock, SystemClock
from keyturn_shared.errors import KeyturnError
from keyturn_shared.oauth.certificates.client_certificate import ClientCertificate
from keyturn_shared.oauth.entities import RealmState
from keyturn_shared.oauth.errors import is_unavailable
from keyturn_shared.oauth.sender_constraint.requirement import PossessionCheck, PresentedToken
from keyturn_shared.oauth.tokens.verification import VerifiedToken
from keyturn_verifier.core import VerifierCore
from keyturn_verifier.settings import ResourceServerSettings, VerifierSettings

__all__ = ["PresentedRequest", "VerifiedToken", "Verifier"]

_log = structlog.get_logger(__name__)

_POLL_SECONDS: Final = 0.02


@dataclass(frozen=True, slots=True)
class PresentedRequest:
    """The request of a token bound to a key or a certificate (RFC 9449, RFC 8705).

    ``urls``: absolute URLs that a proof may name. ``by_dpop``: sent under the DPoP scheme. ``proof``: its
    ``DPoP`` header. ``certificate``: returns the one of the connection.
    """

    method: str
    urls: tuple[str, ...]
    by_dpop: bool = False
    proof: str | None = None
    certificate: Callable[[], ClientCertificate | None] = lambda: None


class Verifier:
    """A node of the fleet inside a resource server. A token whose client is in memory causes no network
    request.

    ``realm``: issuer of the tokens. ``audience``: this resource server in their ``aud`` (RFC 9068 section 4).
    ``settings``: by default from ``KEYTURN_*`` variables; required are ``KEYTURN_REDIS_URL``,
    ``KEYTURN_LOG_VERIFICATION_KEYS`` and ``KEYTURN_PUBLIC_URL``, of which only the password of Redis is
    secret. ``registry``: where its metrics are registered. ``ready_seconds``: how long entering may take.
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
        """Load the settings. Raises pydantic's ValidationError and ConfigurationError for invalid ones."""
        self.realm = realm
        self.audience = audience
        self._settings = settings or ResourceServerSettings()
        if self._settings.fleet_keys is not None:
            _warn_of_secret_keys()
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
            raise VerifierUnavailableError(
                "unavailable", "the verifier could not join the fleet in time"
            ) from None
        except BaseException:  # also on cancellation: nothing else ends what was started
            await self._core.stop()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._core.stop()

    async def ready(self) -> bool:
        """Return whether it can answer now, for the readiness of its service."""
        return not await self._core.not_ready()

    async def verify_access_token(
        self,
        token: str,
        *,
        audience: str | None = None,
        scopes: Collection[str] = (),
        request: PresentedRequest | None = None,
    ) -> VerifiedToken:
        """Verify an access token of the realm for this resource server (RFC 9068 section 4), with all
        ``scopes``.

        Without ``request``, a token bound to a key or certificate is refused. Raises TokenRefusedError, with
        the reason ``insufficient_scope`` if only a scope is missing, and VerifierUnavailableError.
        """
        audience = audience or self.audience
        try:
            known = self._core.verifier.verify_at_once(self.realm, token, audience=audience)
            if known is not None and not known.is_bound and (request is None or not request.by_dpop):
                verified = VerifiedToken(known.client_id, known.own_claims(), True)
            else:
                verified = await self._verify(token, audience, request or PresentedRequest("", ()))
        except KeyturnError as error:
            raise translated(error, unavailable=is_unavailable(error)) from error
        if not verified.issued_by_realm:
            raise TokenRefusedError("wrong_issuer", "signed by a client, not issued by the realm")
        granted = verified.claims.get("scope") if scopes else None
        if scopes and not set(granted.split() if isinstance(granted, str) else ()).issuperset(scopes):
            raise TokenRefusedError("insufficient_scope", " ".join(sorted(scopes)))
        return verified

    async def _verify(self, token: str, audience: str, request: PresentedRequest) -> VerifiedToken:
        presented = PresentedToken(token, request.by_dpop, request.proof, request.certificate, request.method)

        async def possession(_: RealmState, claims: Mapping[str, Any]) -> None:
            await self._possession.require(claims, presented, request.urls)

        return await self._core.verifier.verify(self.realm, token, audience=audience, possession=possession)

    async def verify_client_token(
        self, token: str, *, audience: str | None = None, single_use: bool = True
    ) -> VerifiedToken:
        """Verify a token that a client of the realm signed itself, by the rules of an assertion (RFC 7523).

        ``single_use``: good once in the whole fleet, by its ``jti``. Scopes in it do not count. Without the
        fleet keys, tokens signed with a client secret are refused (``shared_secret_not_held``). A token bound
        to a key or certificate (``cnf``) is refused: nothing proves who holds it. Raises TokenRefusedError
        and VerifierUnavailableError.
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
            await asyncio.sleep(_POLL_SECONDS)


@cache
def _warn_of_secret_keys() -> None:
    """Warn once per process."""
    _log.warning(
        "resource_server_holds_fleet_keys",
        advice="set KEYTURN_LOG_VERIFICATION_KEYS instead: these keys open every realm's signing keys",
    )
