"""A sign-in on its way through the provider: begun here, completed with the provider's answer."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

import msgspec

from keyturn_credentials.oidc.configuration import OidcConfiguration
from keyturn_credentials.oidc.errors import LogoutTokenError, Refusal, SignInError, SignInRefusedError
from keyturn_credentials.oidc.id_token import check_id_token
from keyturn_credentials.oidc.logout_token import MAX_SID_CHARACTERS, Logout, check_logout_token
from keyturn_credentials.oidc.person_claims import groups_in, name_in
from keyturn_credentials.oidc.provider import Provider, TokenResponse
from keyturn_shared.clock import Clock
from keyturn_shared.jose.compact import MAX_TOKEN_BYTES, parse_compact
from keyturn_shared.jose.errors import JoseError

FLOW_SECONDS: Final = 600
"""Time that a person has to sign in at the provider."""
MAX_CODE_CHARACTERS: Final = 4096


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """The beginning of a sign-in, kept by the browser in a sealed cookie. ``began``: NumericDate seconds.
    ``provider``: see ``provider_key``; ``return_to``: path of the page to show afterwards."""

    state: str
    nonce: str
    verifier: str
    return_to: str
    began: float
    provider: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A person whom the provider has authenticated. ``groups``: keys of those with roles; ``sid``: the
    session at the provider, if it has named one."""

    flow: Flow
    subject: str
    name: str
    groups: tuple[str, ...]
    sid: str | None


def provider_key(configuration: OidcConfiguration) -> str:
    """Return a short text that stands for the provider and this service as its client."""
    named = f"{configuration.issuer}\0{configuration.client_id}"
    return hashlib.sha256(named.encode()).hexdigest()[:16]


class PersonSignIn:
    """Begins and completes sign-ins, and reads logout tokens. ``random``: makes a text of 256 bits."""

    def __init__(
        self, provider: Provider, clock: Clock, *, random: Callable[[], str] = secrets.token_urlsafe
    ) -> None:
        self.configuration = provider.configuration
        self._provider = provider
        self._clock = clock
        self._random = random

    async def begin(self, return_to: str) -> tuple[Flow, str]:
        """Return a new sign-in, and the URL to send the browser to (OpenID Connect Core section 3.1.2.1; RFC
        7636 section 4.3). Raises SignInError."""
        own, metadata = self.configuration, await self._provider.metadata()
        flow = Flow(
            state=self._random(),
            nonce=self._random(),
            verifier=self._random(),
            return_to=return_to,
            began=self._clock.now(),
            provider=provider_key(own),
        )
        query = {
            "response_type": "code",
            "client_id": own.client_id,
            "redirect_uri": own.redirect_uri,
            "scope": own.scope,
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": _challenge(flow.verifier),
            "code_challenge_method": "S256",
        }
        endpoint = metadata.authorization_endpoint
        return flow, f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    async def complete(self, flow: Flow | None, answer: Mapping[str, str]) -> SignedIn:
        """Return the person whom the provider's answer is about. ``answer``: the parameters that occur once.
        Raises SignInError and SignInRefusedError."""
        if flow is None or not hmac.compare_digest(answer.get("state", "").encode(), flow.state.encode()):
            raise SignInError(Refusal.NOT_STARTED, "state is not that of a sign-in of this browser")
        if self._clock.now() - flow.began > FLOW_SECONDS or flow.provider != provider_key(self.configuration):
            raise SignInError(Refusal.NOT_STARTED, "the sign-in began too long ago")
        await self._check_issuer(answer)
        if "error" in answer:
            raise _refusal_of(answer["error"])
        code = answer.get("code", "")
        if not 0 < len(code) <= MAX_CODE_CHARACTERS:
            raise SignInRefusedError(Refusal.PROVIDER_ERROR, "the answer has neither code nor error")
        tokens = await self._provider.redeem(code, flow.verifier)
        subject, claims = await self._verified(tokens, flow)
        return await self._person(flow, subject, claims, tokens)

    async def read_logout(self, text: str) -> Logout:
        """Return the logout that a token demands. Raises LogoutTokenError, and SignInError if the provider's
        keys cannot be fetched."""
        try:
            token = parse_compact(text)
            logout = check_logout_token(token, self.configuration, now=self._clock.now())
            await self._provider.verify(token)
        except JoseError as error:
            raise LogoutTokenError(f"the logout token is refused: {error.detail}") from None
        return logout

    async def _check_issuer(self, answer: Mapping[str, str]) -> None:
        """Check ``iss`` of the answer (RFC 9207 section 2.4): who sent it must be the provider of the
        sign-in."""
        stated = answer.get("iss")
        if stated is None and not (await self._provider.metadata()).states_issuer:
            return
        if stated != self.configuration.issuer:
            raise SignInRefusedError(Refusal.UNTRUSTED, f"the answer is by {stated!r:.200}")

    async def _verified(self, tokens: TokenResponse, flow: Flow) -> tuple[str, Mapping[str, Any]]:
        if len(tokens.id_token) > MAX_TOKEN_BYTES:
            raise SignInError(Refusal.TOO_LARGE, f"an ID token of {len(tokens.id_token)} bytes")
        try:
            token = parse_compact(tokens.id_token)
            subject = check_id_token(token, self.configuration, nonce=flow.nonce, now=self._clock.now())
            await self._provider.verify(token)
        except JoseError as error:
            raise SignInRefusedError(Refusal.UNTRUSTED, f"ID token: {error.code}: {error.detail}") from None
        return subject, token.claims

    async def _person(
        self, flow: Flow, subject: str, claims: Mapping[str, Any], tokens: TokenResponse
    ) -> SignedIn:
        own, sid = self.configuration, claims.get("sid")
        # Many providers put groups into the ID token only if asked; the same claims are at userinfo. What
        # gives roles is read from one of the two as a whole.
        stating = claims
        if own.groups.find(claims) is None and tokens.access_token is not None:
            stating = await self._provider.userinfo(tokens.access_token, subject)
        groups = own.roles.keys_among(groups_in(stating, own.groups, subject))
        return SignedIn(
            flow=flow,
            subject=subject,
            name=name_in({**stating, **claims}, own.name_claim, subject),
            groups=groups,
            sid=sid if isinstance(sid, str) and 0 < len(sid) <= MAX_SID_CHARACTERS else None,
        )


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def _refusal_of(code: str) -> SignInError:
    """Return the error for an error of the authorization endpoint (OpenID Connect Core section 3.1.2.6)."""
    detail = f"the provider answered {code!r:.80}"
    if code == "temporarily_unavailable":
        return SignInError(Refusal.UNAVAILABLE, detail)
    declined = code in ("access_denied", "login_required", "interaction_required", "consent_required")
    return SignInError(Refusal.DENIED if declined else Refusal.PROVIDER_ERROR, detail)
