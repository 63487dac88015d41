"""Clients with keys, for the tests of their rotations."""

import json
from typing import Any

from keyturn_credentials.domain.roles import Principal
from keyturn_credentials.domain.rotation import Rotation, State
from keyturn_credentials.operations.registered_keys import thumbprints_of
from keyturn_credentials.operations.targets import ClientTarget
from keyturn_credentials.store.unit_of_work import Actor
from keyturn_shared.jose.jwk import VerificationKey
from keyturn_shared.jose.signing import SigningKey
from tests.conformance.store.rotations.scene import DAY, Scene

PERIOD = {"keyturn.key.rotation-period": str(90 * DAY), "keyturn.key.overlap": str(2 * DAY)}
Jwk = dict[str, Any]


def new_jwk() -> Jwk:
    return SigningKey.generate("ES256").public_jwk


def thumbprint(jwk: Jwk) -> str:
    return VerificationKey.from_jwk(jwk).thumbprint


def key_set(*jwks: Jwk) -> dict[str, str]:
    return {"use.jwks.string": "true", "jwks.string": json.dumps({"keys": jwks})}


AT_URL = {"use.jwks.url": "true", "jwks.url": "https://orders.example/k_jwks"}


async def key_client(scene: Scene, jwk: Jwk | None, **attributes: str) -> str:
    """Create a client that authenticates with this key, or with those at its URL."""
    keys = AT_URL if jwk is None else key_set(jwk)
    return await scene.create(
        "orders", clientAuthenticatorType="client-jwt", attributes={**keys, **attributes}
    )


def itself(uuid: str) -> ClientTarget:
    return ClientTarget(Actor(Principal("acme", uuid, "orders", frozenset())), "acme", uuid)


async def newest(scene: Scene, uuid: str) -> Rotation:
    return (await scene.rotations(uuid))[0]


async def registered(scene: Scene, uuid: str) -> frozenset[str]:
    return thumbprints_of(await scene.client(uuid))


def states(rotation: Rotation) -> list[State]:
    return [move.state for move in rotation.history]
