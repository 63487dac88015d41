"""A policy for rotations that is tried and not stored: what is wrong with it, and what it would do. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from urllib.parse import quote

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.bounds import MAX_ATTRIBUTES
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.merging import merge_attributes
from keyturn_credentials.domain.rotation_planning import Effect, Planned, plan_for
from keyturn_credentials.domain.rotation_rules import RotationRules
from keyturn_credentials.domain.secrets import Due, due_change, set_expiry
from keyturn_credentials.errors import InvalidMembersError, InvalidRequestError

_WITHIN: Final = {
    attributes.POLICY_ROTATED_EXPIRATION: attributes.POLICY_EXPIRATION,
    attributes.POLICY_REMAINING_ROTATION: attributes.POLICY_EXPIRATION,
    attributes.KEY_OVERLAP: attributes.KEY_PERIOD,
}
"""Times with the one that they must not exceed."""
_NAMES: Final = (
    attributes.POLICY_EXPIRATION,
    *_WITHIN,
    attributes.KEY_PERIOD,
    attributes.KEY_REVOKE_FORMER,
    attributes.ROTATION_AUTOMATIC,
    attributes.ROTATION_WINDOW,
    attributes.ROTATION_JITTER,
    attributes.ROTATION_MAX_AT_ONCE,
    attributes.ROTATION_DISABLED_LIMIT,
    attributes.ROTATION_RETIRE_UNUSED,
    attributes.ROTATION_SELF_SERVICE,
)
_LONGEST: Final = {attributes.POLICY_EXPIRATION: "9999999999"}
"""A policy without a lifetime is not looked at."""


def try_policy(
    stored: Mapping[str, str], changes: Mapping[str, object], *, of_client: bool
) -> dict[str, str]:
    """Return the stored attributes with those changed. Raises InvalidMembersError with everything that is
    wrong, each attribute once, and InvalidRequestError for too many."""
    if len(changes) > MAX_ATTRIBUTES:
        raise InvalidRequestError(
            f"attributes has {len(changes)} members; at most {MAX_ATTRIBUTES} are allowed"
        )
    tried, problems = dict(stored), dict[str, str]()
    for name, value in changes.items():
        if name not in _NAMES:
            problems[name] = f"{name} is not an attribute of a policy"
        elif of_client and name == attributes.ROTATION_MAX_AT_ONCE and value not in (None, ""):
            problems[name] = f"{name} is an attribute of realms only"
        else:
            try:
                tried = merge_attributes(tried, {name: value})
            except InvalidRequestError as error:
                problems[name] = error.detail
    problems = _problems_of({name: tried.get(name, "").strip() for name in _NAMES}) | problems
    if problems:
        found = {_pointer_of(name): detail for name, detail in problems.items()}
        raise InvalidMembersError(found)
    return tried


def plan_after_sweep(client: Client, rules: RotationRules, now: float) -> Planned | None:
    """Return what will happen to the client's secret under rules of its realm, which give it an expiry if it
    has none."""
    if not client.is_confidential:
        return None
    if rules.policy is not None and due_change(client.secrets, rules.policy, now) is Due.SET_EXPIRY:
        client = replace(client, secrets=set_expiry(client.secrets, rules.policy, now))
    return plan_for(client, rules, now)


def plan_after_change(client: Client, rules: RotationRules, now: float) -> Planned | None:
    """Return what will happen to the client's secret once these rules are its own: storing them is a change
    of the client."""
    current = client.secrets.current
    due = due_change(client.secrets, rules.policy, now, automatic=rules.automatic)
    if due is Due.FORGET_ROTATED:
        return None
    if due is Due.ROTATE and current is not None and current.expires_at is not None:
        return Planned(client.uuid, client.client_id, now, current.expires_at, Effect.ROTATES_STRICTLY)
    return plan_after_sweep(client, rules, now)


def _problems_of(values: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in values.items():
        problem = _problem_of({**_LONGEST, name: value}) if value else None
        if problem is not None:
            found[name] = problem
    for name, whole in _WITHIN.items():
        are_right = values[name] and values[whole] and not found.keys() & {name, whole}
        if are_right and _problem_of({name: values[name], whole: values[whole]}) is not None:
            found[name] = f"{name} must not exceed {whole}"
    return found


def _problem_of(values: Mapping[str, str]) -> str | None:
    try:
        RotationRules.from_attributes({}, values)
    except InvalidRequestError as error:
        return error.detail
    return None


def _pointer_of(name: str) -> str:
    escaped = name.replace("~", "~0").replace("/", "~1")
    return f"#/attributes/{quote(escaped, safe='~')}"
