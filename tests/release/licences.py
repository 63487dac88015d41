"""Licences of distributions as SPDX expressions, and the policy of deploy/licences.toml."""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import msgspec
from license_expression import get_spdx_licensing
from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

from tests.release.checkout import REPOSITORY, ReleaseError
from tests.release.dependencies import installed
from tests.release.pins import Pin

_POLICY: Final = REPOSITORY / "deploy" / "licences.toml"
_LICENSING: Final = get_spdx_licensing()
_CLASSIFIERS: Final = {
    "Apache Software License": "Apache-",
    "BSD License": "BSD-",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
"""Licences in the index's older vocabulary, and how the SPDX identifier begins."""


class Exceptional(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    licence: str
    reason: str


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``accepted``: SPDX identifiers. ``excepted``, ``stated``: by distribution."""

    accepted: frozenset[str]
    excepted: dict[str, Exceptional]
    stated: dict[str, str]


@dataclass(frozen=True, slots=True)
class Licensed:
    """``is_declared``: the expression is in the distribution's metadata; otherwise in the policy."""

    pin: Pin
    expression: str
    is_declared: bool


def read_policy(path: Path = _POLICY) -> Policy:
    """Raises ReleaseError."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text()), Policy)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ReleaseError(f"{path.name}: {error}") from None


def licence_of(pin: Pin, policy: Policy) -> Licensed:
    """Return the licence as its author declares it, or else as the policy states it.

    Raises ReleaseError if neither is known, or if both are.
    """
    found = installed(pin)
    declared = None if found is None else _declared(found.metadata)
    stated = policy.stated.get(pin.name)
    if declared is not None and stated is not None:
        raise ReleaseError(f"{pin.name} declares its licence, {declared}: remove what the policy states")
    if declared is not None:
        return Licensed(pin, declared, is_declared=True)
    if stated is None:
        raise ReleaseError(f"the licence of {pin.name} {pin.version} is unknown")
    expression = _canonical(stated)
    if expression is None:
        raise ReleaseError(
            f"the licence that the policy states for {pin.name} is no SPDX expression: {stated}"
        )
    if found is not None:
        _compare_with_classifiers(pin, expression, found.metadata)
    return Licensed(pin, expression, is_declared=False)


def wrong_with_licences(licensed: Iterable[Licensed], policy: Policy) -> list[str]:
    """Return sentences, none if the policy accepts all of them and has nothing else."""
    all_of_them = {each.pin.name: each for each in licensed}
    wrong = []
    for name, each in all_of_them.items():
        excepted = policy.excepted.get(name)
        if excepted is not None and excepted.licence == each.expression:
            continue
        if not _is_accepted(_LICENSING.parse(each.expression), policy.accepted):
            wrong.append(
                f"{name} {each.pin.version} has the licence {each.expression}, which is not accepted"
            )
        elif excepted is not None:
            wrong.append(f"{name} needs no exception: its licence is {each.expression}")
    strange = (policy.excepted.keys() | policy.stated.keys()) - all_of_them.keys()
    wrong += [f"the policy for licences names {name}, which is not shipped" for name in sorted(strange)]
    wrong += [
        f"the exception for {name} has no reason" for name, e in policy.excepted.items() if not e.reason
    ]
    return wrong


def _declared(found: metadata.PackageMetadata) -> str | None:
    """Return the expression (PEP 639), or the older free text if that happens to be one."""
    for member in ("License-Expression", "License"):
        expression = _canonical(found[member]) if member in found else None
        if expression is not None:
            return expression
    return None


def _canonical(text: str) -> str | None:
    try:
        return str(canonicalize_license_expression(text))
    except InvalidLicenseExpression:
        return None


def _compare_with_classifiers(pin: Pin, expression: str, found: metadata.PackageMetadata) -> None:
    """Compare a stated licence with the classifiers, so that a change of licence is noticed."""
    named = [text.rpartition(" :: ")[2] for text in found.get_all("Classifier") or () if "License ::" in text]
    identifiers = [symbol.key for symbol in _LICENSING.license_symbols(expression)]
    for name in named:
        start = _CLASSIFIERS.get(name)
        if start is None or not any(identifier.startswith(start) for identifier in identifiers):
            message = f"the policy states {expression} for {pin.name}, whose metadata says {name}"
            raise ReleaseError(message)


def _is_accepted(node: Any, accepted: frozenset[str]) -> bool:
    if isinstance(node, _LICENSING.OR):
        return any(_is_accepted(each, accepted) for each in node.args)
    if isinstance(node, _LICENSING.AND):
        return all(_is_accepted(each, accepted) for each in node.args)
    return str(node) in accepted
