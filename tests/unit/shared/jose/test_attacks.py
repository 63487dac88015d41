"""Every attack of the suite is refused, with the code of its reason."""

import re
from collections import Counter

import pytest

from keyturn_shared.jose.errors import InvalidKeyError, JoseError
from tests.unit.shared.jose.attacks import (
    Attack,
    algorithms,
    headers,
    key_sets,
    keys,
    serialization,
    signatures,
    times,
)
from tests.unit.shared.jose.scene import accept, accept_with_secret, header_with, signed

ATTACKS = [
    *algorithms.ATTACKS,
    *headers.ATTACKS,
    *serialization.ATTACKS,
    *signatures.ATTACKS,
    *keys.ATTACKS,
    *key_sets.ATTACKS,
    *times.ATTACKS,
]


def _test_id(name: str) -> str:
    return re.sub(r"[^ -~]", "?", name)[:80]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: _test_id(attack.name))
def test_attack_is_refused(attack: Attack) -> None:
    with pytest.raises(JoseError) as refused:
        attack.attempt()
    error = refused.value
    code = error.reason.value if isinstance(error, InvalidKeyError) else error.code
    assert code == attack.expected, error.detail


def test_names_and_sources_are_complete() -> None:
    """There are at least 150 cases; each has a unique name and a source."""
    assert len(ATTACKS) >= 150
    assert [name for name, count in Counter(attack.name for attack in ATTACKS).items() if count > 1] == []
    assert all(attack.source for attack in ATTACKS)


@pytest.mark.parametrize(
    "alg", ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]
)
def test_scene_accepts_honest_token(alg: str) -> None:
    """The attacks fail for their own reason: otherwise the same tokens are accepted."""
    kid = "RS256" if alg[:2] in ("RS", "PS") else alg
    accept(signed(header_with(alg=alg, kid=kid), alg=alg))


@pytest.mark.parametrize("alg", ["EdDSA", "Ed25519"])
def test_scene_accepts_honest_ed25519_token(alg: str) -> None:
    """Ed25519 has two names for one algorithm."""
    accept(signed(header_with(alg=alg, kid="EdDSA"), alg="EdDSA"))


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_scene_accepts_honest_mac(alg: str) -> None:
    accept_with_secret(algorithms._hs(alg, "s" * 64), "s" * 64)
