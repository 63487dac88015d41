"""Changes of everything that an answer rests on."""

from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import replace

from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.projection import (
    client_field,
    token_digest,
)
from tests.testkit.filled_redis import client_of, projected_key
from tests.testkit.oauth_scene import CLIENT_KEY, REALM_KEY
from tests.unit.verifier.web.node_in_memory import API, CLIENTS, SECRETS, START, NodeInMemory, secrets_of

Step = Callable[[NodeInMemory], Any]


def change(name: str, **members: Any) -> Step:
    def step(node: NodeInMemory) -> None:
        client = node.clients.get(name)
        if client is not None:
            node.put_client(replace(client, **members))

    return step


def of_realm(**members: Any) -> Step:
    return lambda node: node.put_realm(replace(node.realm, **members))


def recreate(name: str) -> Step:
    def step(node: NodeInMemory) -> None:
        uuid = f"new-uuid-of-{name}"
        node.remove_client(name)
        node.put_client(client_of(node.realm, name, uuid=uuid, secrets=secrets_of(uuid, SECRETS[:1])))

    return step


def remove(name: str) -> Step:
    return lambda node: node.remove_client(name)


def end_tokens(name: str) -> Step:
    def step(node: NodeInMemory) -> None:
        client = node.clients.get(name)
        if client is not None:
            node.put_client(replace(client, token_generation=client.token_generation + 1))

    return step


def shift(seconds: float) -> Step:
    def step(node: NodeInMemory) -> None:
        node.clock.time += seconds

    return step


def forget(name: str) -> Step:
    return lambda node: node.memory.away.add(client_field(node.realm.id, name))


OTHER_REALM_KEY: Final = SigningKey.generate(kid="realm-key-2")


def _of_client(name: str) -> dict[str, dict[str, Any]]:
    """Return members of a client that change, by what that means."""
    return {
        "disabling": {"enabled": False},
        "enabling": {"enabled": True},
        "rotation": {"secrets": secrets_of(f"uuid-of-{name}", SECRETS[1:])},
        "overlap": {"secrets": secrets_of(f"uuid-of-{name}", SECRETS, START + 40)},
        "the other order": {"secrets": secrets_of(f"uuid-of-{name}", SECRETS[::-1], START + 40)},
        "no secret": {"secrets": ()},
        "transport": {"secret_transport": "post"},
        "any transport": {"secret_transport": "any"},
        "no service account": {"service_accounts_enabled": False},
        "a service account": {"service_accounts_enabled": True},
        "notBefore": {"not_before": int(START) + 1},
        "audiences": {"resource_audiences": (API,)},
        "no audiences": {"resource_audiences": ()},
        "promotion": {"administers": True},
        "demotion": {"administers": False},
        "plain tokens": {"plain_token_type": True},
        "typed tokens": {"plain_token_type": False},
        "certificate binding": {"mtls_bound_tokens": True},
        "key binding": {"dpop_bound_tokens": True},
        "no binding": {"mtls_bound_tokens": False, "dpop_bound_tokens": False},
        "a key": {"authenticator": "client-jwt", "jwks": {"keys": [CLIENT_KEY.public_jwk]}},
        "a secret again": {"authenticator": "client-secret"},
        "revocation": {"revoked_tokens": {token_digest("plain"): START + 300}},
    }


CHANGES: Final[dict[str, Step]] = {
    **{
        f"{label} of {name}": change(name, **members)
        for name in CLIENTS
        for label, members in _of_client(name).items()
    },
    **{f"end of the tokens of {name}": end_tokens(name) for name in CLIENTS},
    **{f"recreation of {name}": recreate(name) for name in CLIENTS},
    **{f"removal of {name}": remove(name) for name in CLIENTS},
    **{f"eviction of {name}": forget(name) for name in CLIENTS},
    "realm disabled": of_realm(enabled=False),
    "realm enabled": of_realm(enabled=True),
    "open introspection": of_realm(open_introspection=True),
    "closed introspection": of_realm(open_introspection=False),
    "realm of administrators": of_realm(administers=True),
    "ordinary realm": of_realm(administers=False),
    "realm's notBefore": of_realm(not_before=int(START) + 1),
    "realm's tokens ended": of_realm(token_generation=1),
    "realm's other key": of_realm(signing_keys=(projected_key(OTHER_REALM_KEY),)),
    "realm's key again": of_realm(signing_keys=(projected_key(REALM_KEY),)),
    "realm renamed": of_realm(name="renamed"),
    "realm's name again": of_realm(name="acme"),
    "a while": shift(31.0),
    "a long while": shift(400.0),
    "clock set back": shift(-60.0),
    "lease lost": lambda node: node.lease.void(),
    "lease held": NodeInMemory.hold_lease,
}
