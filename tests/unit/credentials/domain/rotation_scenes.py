"""Rotations in every state, for the tests of their steps."""

from keyturn_credentials.domain.rotation import Kind, Move, Reason, Rotation, State
from keyturn_credentials.domain.rotation_rules import RotationRules
from keyturn_credentials.domain.rotation_steps import SecretFacts
from keyturn_credentials.domain.secrets import RotationPolicy

POLICY = RotationPolicy(expiration=1000, rotated_expiration=100, remaining_rotation=200)
RULES = RotationRules(POLICY)
STRICT = RotationRules(POLICY, retire_unused=True)
PREPARED_AT = 50.0
SUCCESSOR = SecretFacts(is_successor_current=True, current_expires_at=None)


def rotation_in(
    *states: State,
    reason: Reason = Reason.POLICY,
    start_at: float = 10.0,
    paused: bool = False,
    delivered: bool = False,
    deadline: float | None = None,
    retire_at: float | None = None,
) -> Rotation:
    """Return a rotation that was planned at 0 and then went through these states, one each 50 seconds."""
    moves = [Move(State.PLANNED, 0.0)]
    moves += [Move(state, PREPARED_AT * (number + 1), number) for number, state in enumerate(states)]
    return Rotation(
        id="rotation-1",
        realm_id="realm-1",
        client_uuid="uuid-1",
        kind=Kind.SECRET,
        reason=reason,
        created_at=0.0,
        start_at=start_at,
        overlap=100,
        history=tuple(moves),
        paused=paused,
        delivered=delivered,
        deadline=deadline,
        retire_at=retire_at,
    )
