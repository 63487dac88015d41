"""Variations of the token of a platform that a node must refuse."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from keyturn_shared.jose.signing import SigningKey
from tests.integration.workload.issuers import (
    CLUSTER_KEY,
    GITHUB_KEY,
    SPIRE_KEY,
    github,
    kubernetes,
    signed,
    spiffe,
)
from tests.integration.workload.scene import SPIFFE_TYPE

ATTACKER: Final = SigningKey.generate("RS256", kid="attacker")
ATTACKER_EC: Final = SigningKey.generate("ES256", kid=GITHUB_KEY.kid)
RELEASE: Final = "repo:octo-org/orders:ref:refs/heads/"


@dataclass(frozen=True)
class Attack:
    """``make``: makes the assertion, at the time of the attack. ``form``: further parameters of the
    request."""

    name: str
    code: str
    make: Callable[[], str]
    form: dict[str, str] = field(default_factory=dict)
    realm: str = "acme"


def job(
    name: str,
    code: str,
    *,
    key: SigningKey = GITHUB_KEY,
    header: dict[str, Any] | None = None,
    form: dict[str, str] | None = None,
    realm: str = "acme",
    **claims: Any,
) -> Attack:
    """Vary the token of a job of client ``deploy``."""
    return Attack(name, code, lambda: signed(key, github(**claims), header), form or {}, realm)


def named(name: str, code: str, client_id: str = "deploy", **more: Any) -> Attack:
    """Vary it in a request that names the client."""
    return job(name, code, form={"client_id": client_id}, **more)


def released(name: str, branch: str, code: str = "wrong_subject") -> Attack:
    """Try to match the pattern of client ``release``."""
    return named(f"pattern: {name}", code, "release", sub=f"{RELEASE}{branch}")


def pod(name: str, code: str, **claims: Any) -> Attack:
    return Attack(name, code, lambda: signed(CLUSTER_KEY, kubernetes(**claims)), {"client_id": "orders"})


def svid(name: str, code: str, *, key: SigningKey = SPIRE_KEY, **claims: Any) -> Attack:
    form = {"client_id": "billing", "kind": SPIFFE_TYPE}
    return Attack(f"SVID: {name}", code, lambda: signed(key, spiffe(**claims)), form)


def text(name: str, make: Callable[[], str], code: str = "malformed") -> Attack:
    return Attack(name, code, make)
