"""Requirements in which every distribution has one version and the hashes of its files."""

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from tests.release.checkout import REPOSITORY, ReleaseError

SHIPPED: Final = REPOSITORY / "deploy" / "requirements.txt"
"""The wheel with the extras credentials and verifier, and what builds it: all that the image holds."""
TRACING: Final = REPOSITORY / "deploy" / "requirements-tracing.txt"
"""The same with the extra tracing, for who builds an image with traces."""
PKCS11: Final = REPOSITORY / "deploy" / "requirements-pkcs11.txt"
"""The same with the extra pkcs11, for who builds an image whose keys a device unwraps."""
LOCAL: Final = REPOSITORY / "deploy" / "requirements-local.txt"
EVERYTHING: Final = REPOSITORY / "constraints.txt"
_HASH: Final = re.compile(r"\s--hash=sha256:([0-9a-f]{64})(?=\s|$)")


@dataclass(frozen=True, slots=True)
class Pin:
    """``name`` as the index normalizes it. ``sha256``: one for each file of that version, in hexadecimal.
    ``marker``: where it is installed; None for everywhere."""

    name: str
    version: str
    marker: Marker | None
    sha256: tuple[str, ...]

    @property
    def purl(self) -> str:
        return f"pkg:pypi/{self.name}@{self.version}"


def read_pins(path: Path) -> tuple[Pin, ...]:
    """Return what a file of requirements pins, sorted by name. Raises ReleaseError."""
    lines = path.read_text().replace("\\\n", " ").splitlines()
    pins = [_read(line, path) for line in lines if line.strip() and not line.lstrip().startswith("#")]
    twice = [name for name, times in Counter(pin.name for pin in pins).items() if times > 1]
    if twice:
        raise ReleaseError(f"{path.name} pins {twice[0]} more than once")
    return tuple(sorted(pins, key=lambda pin: pin.name))


def _read(line: str, path: Path) -> Pin:
    hashes = _HASH.findall(line)
    try:
        requirement = Requirement(_HASH.sub("", line).strip())
    except InvalidRequirement:
        raise ReleaseError(f"{path.name} has a line that is no pinned requirement: {line[:80]}") from None
    (specifier, *more) = requirement.specifier or (None,)
    if specifier is None or more or specifier.operator != "==" or "*" in specifier.version:
        raise ReleaseError(f"{path.name} does not pin the version of {requirement.name}")
    if not hashes:
        raise ReleaseError(f"{path.name} has no hash for {requirement.name}")
    name = canonicalize_name(requirement.name)
    return Pin(name, specifier.version, requirement.marker, tuple(sorted(hashes)))
