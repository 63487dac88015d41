"""Advisories about pinned distributions, and those that are ignored until a day."""

import re
import tomllib
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated, Final

import msgspec
from packaging.utils import canonicalize_name

from tests.release.checkout import REPOSITORY, ReleaseError
from tests.release.pins import Pin

IGNORED: Final = REPOSITORY / "deploy" / "advisories.toml"
_LONGEST: Final = timedelta(days=180)
"""An exception is looked at again after this at the latest."""

_Text = Annotated[str, msgspec.Meta(pattern=r"\S")]


class Ignored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``id``: any name of the advisory. ``until``: the last day on which it is ignored (UTC)."""

    id: _Text
    distribution: _Text
    reason: _Text
    until: date


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    ignored: tuple[Ignored, ...] = ()


class Advisory(msgspec.Struct, frozen=True):
    """One advisory as pip-audit reports it. ``aliases``: its names elsewhere, such as that of the CVE."""

    id: str
    fix_versions: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    @property
    def names(self) -> set[str]:
        return {self.id, *self.aliases}


class Audited(msgspec.Struct, frozen=True):
    """One distribution as pip-audit reports it. ``skip_reason``: why nothing is known about it."""

    name: str
    version: str = ""
    vulns: tuple[Advisory, ...] = ()
    skip_reason: str | None = None


class Report(msgspec.Struct, frozen=True):
    dependencies: tuple[Audited, ...]


def read_ignored(path: Path = IGNORED) -> tuple[Ignored, ...]:
    """Raises ReleaseError."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text()), _File).ignored
    except OSError as error:
        raise ReleaseError(f"{path.name} cannot be read: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise ReleaseError(f"{path.name}: {error}") from None


def printable(text: str) -> str:
    """Return a text of the database without control characters."""
    return re.sub(r"[^\x20-\x7e]", "?", text)


def read_report(output: str) -> Report | None:
    """Return the report in what pip-audit printed; None if there is none."""
    try:
        return msgspec.json.decode(output, type=Report)
    except msgspec.DecodeError:
        return None


def wrong_with_report(
    report: Report, pins: Iterable[Pin], shipped: set[str], ignored: Iterable[Ignored], today: date
) -> list[str]:
    """Return sentences, none if each pin was audited, and each advisory is ignored for good reason.

    ``pins``: those of the audited file; for other platforms, none need have been audited. ``shipped``: names.
    """
    ignored = tuple(ignored)
    wrong = [
        f"{each.distribution}: {advisory_fault}"
        for each in ignored
        for advisory_fault in _wrong_with_exception(each, report, today)
    ]
    for audited in report.dependencies:
        where = "shipped" if canonicalize_name(audited.name) in shipped else "for development"
        wrong += [
            f"{audited.name} {audited.version} ({where}): {_describe(advisory)}"
            for advisory in audited.vulns
            if not any(_concerns(each, audited, advisory) and each.until >= today for each in ignored)
        ]
    known = {canonicalize_name(each.name) for each in report.dependencies if each.skip_reason is None}
    wrong += [
        f"{pin.name} {pin.version} was not audited" for pin in pins if _is_here(pin) and pin.name not in known
    ]
    return wrong


def _wrong_with_exception(each: Ignored, report: Report, today: date) -> list[str]:
    concerned = any(
        _concerns(each, audited, advisory) for audited in report.dependencies for advisory in audited.vulns
    )
    if not concerned:
        return [f"nothing reports {each.id} any more; remove it from {IGNORED.name}"]
    if each.until < today:
        return [f"{each.id} was ignored until {each.until} only"]
    if each.until > today + _LONGEST:
        return [f"{each.id} is ignored until {each.until}, more than {_LONGEST.days} days from now"]
    return []


def _concerns(each: Ignored, audited: Audited, advisory: Advisory) -> bool:
    return (
        canonicalize_name(each.distribution) == canonicalize_name(audited.name) and each.id in advisory.names
    )


def _is_here(pin: Pin) -> bool:
    return pin.marker is None or pin.marker.evaluate()


def _describe(advisory: Advisory) -> str:
    names = ", ".join([advisory.id, *sorted(advisory.names - {advisory.id})])
    fixed = " or ".join(advisory.fix_versions)
    return f"{printable(names)}; {'fixed in ' + printable(fixed) if fixed else 'no version fixes it'}"
