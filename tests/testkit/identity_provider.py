"""An identity provider that says what a test wants, over real HTTP. One that nobody here wrote is
``tests/node/oidc-persons.mjs``."""

import base64
import hashlib
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from keyturn_shared.jose.signing import SigningKey
from tests.testkit.served import listen, served, url_of

CLIENT_ID = "keyturn-console"
CLIENT_SECRET = "the secret: of keyturn at the provider"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_DISCOVERY = "/.well-known/openid-configuration"


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a verifier (RFC 7636 section 4.2)."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class IdentityProvider:
    """``key`` signs and ``published`` is at the JWKS URL. ``metadata`` changes the discovery document.
    ``challenges`` and ``tokens``: by code; a code is redeemed once. ``forms``: token requests, with their
    header. ``requests`` counts by path; ``down``: paths that answer 503."""

    def __init__(self, base: str, now: Callable[[], float] = time.time) -> None:
        self.issuer = base
        self.now = now
        self.key = SigningKey.generate("ES256", kid="first")
        self.published = [self.key.public_jwk]
        self.metadata: dict[str, Any] = {}
        self.challenges: dict[str, str] = {}
        self.tokens: dict[str, dict[str, Any]] = {}
        self.people: dict[str, dict[str, Any]] = {}
        self.forms: list[tuple[str | None, dict[str, str]]] = []
        self.requests: Counter[str] = Counter()
        self.down: set[str] = set()

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route(_DISCOVERY, self._answer(self._metadata)),
                Route("/jwks", self._answer(self._jwks)),
                Route("/token", self._answer(self._token), methods=["POST"]),
                Route("/userinfo", self._answer(self._userinfo)),
            ]
        )

    def claims(self, **claims: Any) -> dict[str, Any]:
        """Return the claims of a good ID token but for its nonce; None leaves one out."""
        now = int(self.now())
        usual = {"iss": self.issuer, "aud": CLIENT_ID, "sub": "ada-1", "iat": now, "exp": now + 300}
        return {name: value for name, value in {**usual, **claims}.items() if value is not None}

    def logout_claims(self, **claims: Any) -> dict[str, Any]:
        """Return the claims of a good logout token; None leaves one out."""
        return self.claims(**{"jti": f"logout-{time.monotonic_ns()}", "events": {LOGOUT_EVENT: {}}, **claims})

    def sign(self, claims: Mapping[str, Any], *, typ: str = "JWT", key: SigningKey | None = None) -> str:
        """Return a token."""
        used = key or self.key
        return used.sign_compact(used.header_segment(typ), claims)

    def issue(self, code: str, challenge: str, **answer: Any) -> None:
        """Make a code that its verifier redeems for this token response."""
        self.challenges[code], self.tokens[code] = challenge, answer

    def rotate(self, kid: str) -> None:
        """Sign with a new key; the former one is published no more."""
        self.key = SigningKey.generate("ES256", kid=kid)
        self.published = [self.key.public_jwk]

    def _answer(self, handler: Any) -> Any:
        async def answer(request: Request) -> Response:
            self.requests[request.url.path] += 1
            if request.url.path in self.down:
                return Response("later", 503)
            made: Response = await handler(request)
            return made

        return answer

    async def _metadata(self, _: Request) -> Response:
        usual = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize?tenant=1",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            "authorization_response_iss_parameter_supported": True,
        }
        document = {name: value for name, value in {**usual, **self.metadata}.items() if value is not None}
        return JSONResponse(document)

    async def _jwks(self, _: Request) -> Response:
        return JSONResponse({"keys": self.published})

    async def _token(self, request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        self.forms.append((request.headers.get("authorization"), form))
        code = form.get("code", "")
        challenge = self.challenges.pop(code, None)
        if challenge is None or challenge_of(form.get("code_verifier", "")) != challenge:
            return JSONResponse({"error": "invalid_grant"}, 400)
        return Response(json.dumps(self.tokens[code]), media_type="application/json")

    async def _userinfo(self, request: Request) -> Response:
        return JSONResponse(self.people[request.headers["authorization"].removeprefix("Bearer ")])


@asynccontextmanager
async def running_provider(now: Callable[[], float] = time.time) -> AsyncIterator[IdentityProvider]:
    """Run one on the loopback interface. ``now``: its time, in NumericDate seconds."""
    listening = listen()
    provider = IdentityProvider(url_of(listening), now)
    async with served(provider.app(), listening=listening):
        yield provider
