"""Each client authenticator is complete: facts, verifier, rules, and a line in the console."""

import json
import re
from pathlib import Path
from typing import get_args

import keyturn_credentials.console
from keyturn_credentials.domain.authenticators import AUTHENTICATORS, RULES
from keyturn_shared.client_authenticators import (
    CLIENT_AUTHENTICATORS,
    AuthenticatorId,
)
from keyturn_shared.clock import SystemClock
from keyturn_shared.jose.compact import UnverifiedToken, parse_compact
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.oauth.client_authentication.assertions import AssertionCheck
from keyturn_shared.oauth.client_authentication.certificates import CertificateCheck
from keyturn_shared.oauth.client_authentication.credentials import Presented, UnverifiedAssertion
from keyturn_shared.oauth.client_authentication.dummy_keys import DummyKeys
from keyturn_shared.oauth.client_authentication.registry import (
    EQUALIZED_AS,
    AssertionVerifier,
    Verifiers,
    build_verifiers,
)
from keyturn_shared.oauth.client_authentication.secrets import SecretCheck
from keyturn_shared.realm_rings import FleetRing

CONSOLE = Path(keyturn_credentials.console.__file__).parent / "static" / "js" / "authenticators.js"


def verifiers() -> Verifiers:
    clock, keys = SystemClock(), None
    return build_verifiers(
        AssertionCheck(keys, None, None, clock, lifetime_cap=60, clock_skew=0),  # type: ignore[arg-type]  # not asked
        SecretCheck(FleetRing([bytes(32)]), clock),
        CertificateCheck(keys, None, clock, clock_skew=0),  # type: ignore[arg-type]  # not asked
        DummyKeys(),
    )


def test_each_authenticator_has_a_verifier_and_rules() -> None:
    known = set(get_args(AuthenticatorId))
    assert CLIENT_AUTHENTICATORS.keys() == known == set(AUTHENTICATORS)
    assert verifiers().keys() == known
    assert RULES.keys() == known
    assert all(name == authenticator.id for name, authenticator in CLIENT_AUTHENTICATORS.items())


def test_each_kind_of_credentials_is_burned_by_a_verifier() -> None:
    assert EQUALIZED_AS.keys() == set(get_args(Presented))
    assert set(EQUALIZED_AS.values()) <= verifiers().keys()


def test_the_console_knows_the_same_of_each_authenticator() -> None:
    table = re.search(r"^const AUTHENTICATORS = (\{.*?^\});", CONSOLE.read_text(), re.DOTALL | re.MULTILINE)
    assert table is not None
    shown = json.loads(re.sub(r",(\s*[}\]])", r"\1", re.sub(r"(\w+):", r'"\1":', table[1])))
    assert shown.keys() == CLIENT_AUTHENTICATORS.keys()
    for name, facts in CLIENT_AUTHENTICATORS.items():
        assert shown[name]["credential"] == facts.credential
        assert shown[name]["label"]
        chosen = set(shown[name]["algorithms"])
        assert chosen <= facts.algorithms
        assert bool(chosen) is facts.sends_assertions


def test_work_for_nothing_is_done_with_the_assertion_that_was_sent() -> None:
    """The algorithm says how much work that is."""
    spent: list[UnverifiedToken] = []

    class StandInKeys(DummyKeys):
        def equalize_time(self, token: UnverifiedToken) -> None:
            spent.append(token)

    key = SigningKey.generate()
    token = parse_compact(key.sign_compact(key.header_segment("JWT"), {"sub": "a"}))
    AssertionVerifier(None, StandInKeys()).equalize_time(UnverifiedAssertion(token, "a"))  # type: ignore[arg-type]  # not asked
    assert spent == [token]
