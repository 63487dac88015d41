"""Times are judged with one leeway, and a token is used no longer than the lifetime cap."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keyturn_shared.jose.claims import judge_times
from keyturn_shared.jose.errors import JoseError

NOW = 1_000_000.0


def _judge(claims: dict[str, Any], **options: Any) -> float | str:
    """When the claims stop being accepted, or the code they are refused with."""
    try:
        return judge_times(claims, now=NOW, **options)
    except JoseError as error:
        return error.code


@pytest.mark.parametrize(
    ("claims", "outcome"),
    [
        ({"exp": NOW + 60, "iat": NOW}, NOW + 75),
        ({"exp": NOW + 60}, NOW + 75),
        ({"exp": NOW + 60.5}, "lifetime_too_long"),
        ({"exp": NOW - 14.9}, NOW + 0.1),
        ({"exp": NOW - 15}, "expired"),
        ({"exp": NOW + 60, "iat": NOW + 15}, NOW + 75),
        ({"exp": NOW + 60, "iat": NOW + 15.1}, "not_yet_valid"),
        ({"exp": NOW + 60, "nbf": NOW + 15}, NOW + 75),
        ({"exp": NOW + 60, "nbf": NOW + 15.1}, "not_yet_valid"),
        ({"exp": NOW + 59, "iat": NOW - 1}, NOW + 74),
        ({"exp": NOW + 60, "iat": NOW - 1}, "lifetime_too_long"),
        ({"exp": NOW - 20, "iat": NOW + 20}, "expired"),
        ({"iat": NOW}, "missing_claim"),
        ({}, "missing_claim"),
    ],
)
def test_boundaries_with_the_usual_leeway_and_cap(claims: dict[str, Any], outcome: float | str) -> None:
    """15 seconds of leeway, 60 of lifetime."""
    judged = _judge(claims)
    assert judged == (pytest.approx(outcome) if isinstance(outcome, float) else outcome)


@pytest.mark.parametrize(
    ("claims", "outcome"),
    [
        ({"exp": NOW + 3600, "iat": NOW}, NOW + 75),
        ({"exp": NOW + 3600, "iat": NOW - 74}, NOW + 1),
        ({"exp": NOW + 3600, "iat": NOW - 75}, "lifetime_too_long"),
        ({"exp": NOW + 3600}, "lifetime_too_long"),
        ({"exp": NOW + 30, "iat": NOW - 10}, NOW + 45),
    ],
)
def test_a_long_declared_lifetime_can_be_let_pass_while_fresh(
    claims: dict[str, Any], outcome: float | str
) -> None:
    """As Keycloak does: an hour is declared, a minute can be used."""
    assert _judge(claims, cap_declared_lifetime=False) == outcome


def test_without_a_cap_only_exp_ends_it() -> None:
    """Access tokens of a realm live as long as they say."""
    assert _judge({"exp": NOW + 86_400, "iat": NOW - 86_400}, lifetime_cap=None) == NOW + 86_415


# Whole and half seconds: sums of them are exact.
_times = st.integers(-400, 400).map(lambda halves: NOW + halves / 2)


@settings(deadline=None)
@given(
    exp=_times,
    iat=st.none() | _times,
    nbf=st.none() | _times,
    leeway=st.integers(0, 30),
    cap=st.integers(1, 120),
    capped=st.booleans(),
)
def test_no_token_outlives_the_cap(
    exp: float, iat: float | None, nbf: float | None, leeway: int, cap: int, capped: bool
) -> None:
    """Whatever is accepted is refused from the returned moment on, which is at most cap and leeway away."""
    claims = {name: value for name, value in (("exp", exp), ("iat", iat), ("nbf", nbf)) if value is not None}
    options: dict[str, Any] = {"leeway": leeway, "lifetime_cap": cap, "cap_declared_lifetime": capped}
    refused_from = _judge(claims, **options)
    if isinstance(refused_from, str):
        return
    assert NOW < refused_from <= NOW + cap + 2 * leeway
    with pytest.raises(JoseError):
        judge_times(claims, now=refused_from, **options)
