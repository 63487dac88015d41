"""A secret's stage follows from its times and the policy."""

import pytest

from keyturn_credentials.domain.secret_expiry import Stage, expiry_of
from keyturn_credentials.domain.secrets import ClientSecrets, RotationPolicy, StoredSecret

POLICY = RotationPolicy(expiration=1000, rotated_expiration=100, remaining_rotation=200)


def secret(expires_at: float | None) -> StoredSecret:
    return StoredSecret("digest", 0.0, expires_at)


@pytest.mark.parametrize(
    ("now", "stage", "former_ends_at"),
    [
        (10.0, Stage.OVERLAPPING, 100.0),
        (100.0, Stage.IN_FORCE, None),
        (799.0, Stage.IN_FORCE, None),
        (800.0, Stage.DUE, None),
        (1000.0, Stage.EXPIRED, None),
    ],
)
def test_a_secret_passes_through_the_stages(now: float, stage: Stage, former_ends_at: float | None) -> None:
    expiry = expiry_of(ClientSecrets(secret(1000.0), secret(100.0)), POLICY, now)
    assert expiry is not None
    assert (expiry.stage, expiry.former_ends_at) == (stage, former_ends_at)
    assert (expiry.due_at, expiry.expires_at) == (800.0, 1000.0)


def test_a_former_secret_without_an_end_overlaps_while_a_rotation_is_under_way() -> None:
    expiry = expiry_of(ClientSecrets(secret(1000.0), secret(None)), POLICY, 10.0)
    assert expiry is not None
    assert (expiry.stage, expiry.former_ends_at) == (Stage.OVERLAPPING, None)


def test_without_a_policy_nothing_is_ever_due() -> None:
    expiry = expiry_of(ClientSecrets(secret(None)), None, 1e9)
    assert expiry is not None
    assert (expiry.stage, expiry.due_at) == (Stage.IN_FORCE, None)


def test_a_client_without_a_secret_has_no_rotation() -> None:
    assert expiry_of(ClientSecrets(), POLICY, 0.0) is None


def test_without_a_period_before_the_end_nothing_is_due_before_it() -> None:
    ending = ClientSecrets(StoredSecret(digest="d", created_at=5.0, expires_at=100.0))
    without, least = (expiry_of(ending, RotationPolicy(100, 0, left), 99.0) for left in (0, 1))
    assert without is not None
    assert (without.stage, without.due_at, without.created_at) == (Stage.IN_FORCE, None, 5.0)
    assert least is not None
    assert (least.stage, least.due_at, least.expires_at) == (Stage.DUE, 99.0, 100.0)
    unending = expiry_of(
        ClientSecrets(StoredSecret(digest="d", created_at=5.0)), RotationPolicy(100, 0, 9), 1.0
    )
    assert unending is not None
    assert (unending.stage, unending.due_at) == (Stage.IN_FORCE, None)
