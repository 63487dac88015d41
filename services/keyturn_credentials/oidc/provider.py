"""Requests to the identity provider. Every one goes through the guarded fetcher, with limits on time and
size."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from keyturn_credentials.oidc.configuration import OidcConfiguration
from keyturn_credentials.oidc.discovery import ProviderMetadata
from keyturn_credentials.oidc.errors import Refusal, SignInError, SignInRefusedError, unavailable
from keyturn_credentials.oidc.refreshed import Refreshed
from keyturn_shared.clock import Clock
from keyturn_shared.jose import strict_json
from keyturn_shared.jose.compact import UnverifiedToken
from keyturn_shared.jose.errors import (
    BadSignatureError,
    InvalidKeySetError,
    MalformedError,
    UnknownKidError,
)
from keyturn_shared.jose.key_set import KeySet
from keyturn_shared.jose.verify import require_algorithm, verify_with_key_set
from keyturn_shared.network.fetcher import FetchPolicy, GuardedFetcher
from keyturn_shared.network.refusal import FetchRefused, Reason
from keyturn_shared.runtime.admission import leave_place

ANSWER_SECONDS: Final = 10.0
MAX_ANSWER_BYTES: Final = 64 * 1024
"""Of a token response or userinfo."""
MAX_DOCUMENT_BYTES: Final = 256 * 1024
"""Of the discovery document and the key set."""
_ACCESS_TOKEN: Final = re.compile(r"[!-~]+")
_DISCOVERY: Final = "/.well-known/openid-configuration"

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class TokenResponse:
    """An ID token that nobody has verified yet, and the access token for userinfo, if there is one."""

    id_token: str = field(repr=False)
    access_token: str | None = field(repr=False)


class Provider:
    """The configured provider, with its discovery document and keys. Every method raises SignInError."""

    def __init__(
        self,
        configuration: OidcConfiguration,
        fetcher: GuardedFetcher,
        clock: Clock,
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.configuration = configuration
        self._fetcher = fetcher
        self._clock = clock
        self._policy = FetchPolicy(
            total_seconds=ANSWER_SECONDS,
            first_byte_seconds=ANSWER_SECONDS,
            max_bytes=MAX_ANSWER_BYTES,
            allowed_networks=configuration.networks,
        )
        self._metadata = Refreshed(self._fetch_metadata, clock, sleep=sleep)
        self._keys = Refreshed(self._fetch_keys, clock, sleep=sleep)

    async def metadata(self) -> ProviderMetadata:
        """Return the provider's metadata, fetched within the last ten minutes."""
        leave_place()
        return await self._metadata.get()

    async def keys(self) -> KeySet:
        """Return the provider's keys, fetched within the last ten minutes."""
        return await self._keys.get()

    async def verify(self, token: UnverifiedToken) -> None:
        """Check the signature with the provider's keys, which are fetched anew for an unknown ``kid``. Raises
        JoseError too."""
        require_algorithm(token, (await self.metadata()).algorithms)
        try:
            verify_with_key_set(token, await self.keys())
        except (UnknownKidError, BadSignatureError) as error:
            if isinstance(error, BadSignatureError) and token.header.kid is not None:
                raise
            verify_with_key_set(token, await self._keys.newer())

    async def redeem(self, code: str, verifier: str) -> TokenResponse:
        """Exchange a code for tokens (OpenID Connect Core section 3.1.3; RFC 7636 section 4.5)."""
        endpoint, own = (await self.metadata()).token_endpoint, self.configuration
        parts = own.credential.authenticate(own.client_id, endpoint, self._clock.now())
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": own.redirect_uri,
            "code_verifier": verifier,
            **parts.form,
        }
        try:
            result = await self._fetcher.post_form(
                endpoint, form, policy=self._policy, authorization=parts.authorization
            )
        except FetchRefused as refused:
            raise _error_of("token endpoint", refused) from None
        answer = _object(result.body, "token response")
        if result.status != 200:
            raise _refused_code(answer)
        id_token, access_token = answer.get("id_token"), answer.get("access_token")
        if not isinstance(id_token, str):
            raise SignInError(Refusal.PROVIDER_ERROR, "the token response has no ID token")
        return TokenResponse(id_token, access_token if isinstance(access_token, str) else None)

    async def userinfo(self, access_token: str, subject: str) -> Mapping[str, Any]:
        """Return the person's claims at the userinfo endpoint (OpenID Connect Core section 5.3); none without
        such an endpoint. Raises SignInRefusedError for another person's."""
        endpoint = (await self.metadata()).userinfo_endpoint
        if endpoint is None:
            return {}
        if not _ACCESS_TOKEN.fullmatch(access_token):  # the error of sending it would show it
            raise SignInError(Refusal.PROVIDER_ERROR, "the access token is not printable ASCII")
        try:
            result = await self._fetcher.fetch(
                endpoint, policy=self._policy, authorization=f"Bearer {access_token}"
            )
        except FetchRefused as refused:
            raise _error_of("userinfo endpoint", refused) from None
        claims = _object(result.body, "userinfo")
        if claims.get("sub") != subject:
            raise SignInRefusedError(Refusal.UNTRUSTED, "userinfo is about another person", subject=subject)
        return claims

    async def _fetch_metadata(self) -> ProviderMetadata:
        url = self.configuration.issuer.rstrip("/") + _DISCOVERY
        return ProviderMetadata.read(await self._document(url, "discovery document"), self.configuration)

    async def _fetch_keys(self) -> KeySet:
        try:
            return KeySet.from_json(await self._document((await self.metadata()).jwks_uri, "key set"))
        except InvalidKeySetError as error:
            raise unavailable(f"the provider's key set is unusable: {error.detail}") from None

    async def _document(self, url: str, what: str) -> bytes:
        policy = FetchPolicy(max_bytes=MAX_DOCUMENT_BYTES, allowed_networks=self.configuration.networks)
        try:
            return (await self._fetcher.fetch(url, policy=policy)).body
        except FetchRefused as refused:
            _log.warning("identity_provider_failed", what=what, reason=refused.reason.value)
            raise unavailable(f"{what}: {refused.reason.value}: {refused.detail[:200]}") from None


def _error_of(what: str, refused: FetchRefused) -> SignInError:
    detail = f"{what}: {refused.reason.value}: {refused.detail[:200]}"
    if refused.reason is Reason.TOO_LARGE:
        return SignInError(Refusal.TOO_LARGE, detail)
    if refused.reason in (Reason.STATUS, Reason.REDIRECT, Reason.CONTENT_TYPE, Reason.CONTENT_ENCODING):
        return SignInError(Refusal.PROVIDER_ERROR, detail)
    return unavailable(detail)


def _refused_code(answer: Mapping[str, Any]) -> SignInError:
    """Return the error for an error of the token endpoint (RFC 6749 section 5.2)."""
    code = answer.get("error")
    detail = f"the token endpoint refused: {code!r:.80}"
    if code == "invalid_grant":
        return SignInRefusedError(Refusal.UNTRUSTED, detail)
    return SignInError(Refusal.PROVIDER_ERROR, detail)


def _object(body: bytes, what: str) -> dict[str, Any]:
    try:
        return strict_json.decode_object(body)
    except MalformedError as error:
        raise SignInError(Refusal.PROVIDER_ERROR, f"{what}: {error.detail}") from None
