"""A realm with one client: its token endpoint, and the rotation of its secret."""

import base64

from tests.testkit.http_receiver import Answer, Receiver, Request


class Issuer(Receiver):
    """``accepted``: secrets of the client ``orders``, the newest last; each after the first is a rotation's.
    ``confirmed``: ids of rotations."""

    def __init__(self, first: str) -> None:
        super().__init__(self._answer)
        self.accepted = [first]
        self.confirmed: list[str] = []

    @property
    def issuer(self) -> str:
        return f"{self.url}/realms/acme"

    def _answer(self, request: Request) -> Answer:
        scheme, _, pair = request.headers.get("authorization", "").partition(" ")
        client_id, _, secret = base64.b64decode(pair).decode().partition(":")
        if (scheme, client_id) != ("Basic", "orders") or secret.replace("+", " ") not in self.accepted:
            return Answer(401, {"error": "invalid_client"})
        match request.url.path:
            case "/realms/acme/protocol/openid-connect/token":
                return Answer(200, {"access_token": "an access token", "expires_in": 300})
            case "/realms/acme/rotation/delivered":
                self.confirmed.append(request.body.decode().removeprefix("rotation="))
                return Answer(200, {})
            case "/realms/acme/rotation" if len(self.accepted) == len(self.confirmed) + 1:
                return Answer(200, {"rotation": None, "interval": 1})
            case "/realms/acme/rotation":
                rotation = {"id": f"rotation-{len(self.accepted)}", "state": "prepared"}
                return Answer(200, {"rotation": rotation, "interval": 1, "secret": self.accepted[-1]})
        return Answer(404)
