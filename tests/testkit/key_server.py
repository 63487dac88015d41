"""A realm's side of a client with keys, which verifies all that it is sent with PyJWT."""

from collections.abc import Callable
from typing import Any, Final

import httpx
import jwt

ISSUER: Final = "https://id.example.test/realms/acme"
OVERLAP_SECONDS: Final = 10.0
Jwks = Callable[[], dict[str, Any]]


class KeyServer:
    """Token endpoint and own rotation of the client ``worker``.

    ``published``: its JWK Set at the moment, for a client with a JWKS URL; else keys are ``registered``.
    ``state``: of its rotation ``r-1``, None without one. It goes on as keyturn's does: the former key ends
    some seconds after the new one was used. ``refuses_registration``: status and error. ``behind``: looks
    until every node has a registered key. ``refused``: why requests were. ``fails``: statuses of the next
    answers.
    """

    def __init__(self, *registered: dict[str, Any], published: Jwks | None = None) -> None:
        self.registered = {str(jwk["kid"]): jwk for jwk in registered}
        self.published = published
        self.state: str | None = None
        self.paused = False
        self.allowed = True
        self.refuses_registration: tuple[int, str] | None = None
        self.behind = 0
        self.fails: list[int] = []
        self.offered: list[str] = []
        self.used: list[str] = []
        self.refused: list[str] = []
        self.now = 1_800_000_000.0
        self._former: set[str] = set()
        self._used_at: float | None = None

    def wants_key(self) -> None:
        """Begin a rotation."""
        self._former = set(self.keys())
        self.state, self._used_at = "planned", None

    def roll_back(self) -> None:
        """Make the former keys the only valid ones again."""
        self.registered = {kid: jwk for kid, jwk in self.registered.items() if kid in self._former}
        self.state = None

    def keys(self) -> dict[str, dict[str, Any]]:
        if self.published is None:
            return self.registered
        return {jwk["kid"]: jwk for jwk in self.published()["keys"]}

    def http(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(self))

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self._go_on()
        if self.fails:
            return httpx.Response(self.fails.pop(0), text="busy")
        form = dict(httpx.QueryParams(request.content.decode()))
        place = request.url.path.removeprefix("/realms/acme")
        audience = f"{ISSUER}/rotation" if place.startswith("/rotation") else ISSUER
        try:
            kid, claims = self._authenticate(form["client_assertion"], audience)
        except (jwt.InvalidTokenError, KeyError) as error:
            self.refused.append(str(error))
            return httpx.Response(401, json={"error": "invalid_client", "error_description": str(error)})
        match place:
            case "/protocol/openid-connect/token":
                self._note_use(kid)
                return httpx.Response(200, json={"access_token": f"token of {kid}", "expires_in": 300})
            case "/rotation":
                return httpx.Response(200, json=self._shown())
            case "/rotation/key":
                return self._take(claims["next_key"])
        return httpx.Response(404)

    def _authenticate(self, assertion: str, audience: str) -> tuple[str, dict[str, Any]]:
        header = jwt.get_unverified_header(assertion)
        claims = _verified(assertion, self.keys()[header["kid"]], audience)
        assert (claims["iss"], claims["sub"]) == ("worker", "worker")
        assert 0 < claims["exp"] - claims["iat"] <= 60
        return header["kid"], claims

    def _note_use(self, kid: str) -> None:
        self.used.append(kid)
        if kid not in self._former and self.state in ("planned", "prepared"):
            self.state, self._used_at = "in_use", self.now

    def _go_on(self) -> None:
        if self._used_at is not None and self.now >= self._used_at + OVERLAP_SECONDS:
            self.registered = {kid: jwk for kid, jwk in self.registered.items() if kid not in self._former}
            self.state, self._used_at = None, None

    def _take(self, proof: str) -> httpx.Response:
        if not self.allowed:
            return httpx.Response(403, json={"error": "forbidden"})
        header = jwt.get_unverified_header(proof)
        jwk = header["jwk"]
        claims = _verified(proof, jwk, f"{ISSUER}/rotation")
        assert (header["typ"], claims["iss"]) == ("next-key+jwt", "worker")
        assert isinstance(claims["iat"], int)
        assert not {"d", "p", "q", "k"} & jwk.keys()
        if self.published is not None:
            return httpx.Response(409, json={"error": "keys_published"})
        if self.refuses_registration is not None:
            status, error = self.refuses_registration
            return httpx.Response(status, json={"error": error})
        self.offered.append(jwk["kid"])
        self.registered[jwk["kid"]] = jwk
        if self.state == "planned":
            self.state = "prepared"
        return httpx.Response(200, json=self._shown())

    def _shown(self) -> dict[str, Any]:
        if self.state is None:
            return {"rotation": None, "interval": 42}
        waits_for = {"planned": "successor", "prepared": "use", "in_use": "overlap"}.get(self.state)
        if self.state == "prepared" and self.behind > 0:
            self.behind -= 1
            waits_for = "nodes"
        if self.paused:
            waits_for = "person"
        times = {"deadline": None, "retire_at": None}
        rotation = {"id": "r-1", "kind": "key", "state": self.state, "paused": self.paused, **times}
        return {"rotation": rotation | {"waits_for": waits_for}, "interval": 5}


def _verified(token: str, jwk: dict[str, Any], audience: str) -> dict[str, Any]:
    """Verify a JWS, but not its times: the test's clock is another one."""
    key = jwt.PyJWK(jwk)
    times = {"verify_exp": False, "verify_iat": False}
    return jwt.decode(token, key.key, algorithms=[jwk["alg"]], audience=audience, options=times)  # type: ignore[arg-type]  # fewer options than there are
