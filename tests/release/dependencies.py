"""The graph of the distributions that are shipped, from the metadata of those that are installed."""

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import metadata
from typing import Any, Final

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.release.checkout import REPOSITORY, ReleaseError
from tests.release.pins import Pin

PRODUCT: Final = "keyturn"
_EXTRAS: Final = ("credentials", "verifier")
CONTAINER: Final[Mapping[str, str]] = {
    "implementation_name": "cpython",
    "implementation_version": "3.13.0",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_release": "",
    "platform_system": "Linux",
    "platform_version": "",
    "python_full_version": "3.13.0",
    "python_version": "3.13",
    "sys_platform": "linux",
}
"""The markers of the image, so that the graph is the same wherever it is made."""
_ENVIRONMENTS: Final = (
    CONTAINER,
    {
        **CONTAINER,
        "implementation_version": "3.11.0",
        "python_full_version": "3.11.0",
        "python_version": "3.11",
    },
    {**CONTAINER, "os_name": "nt", "platform_system": "Windows", "sys_platform": "win32"},
)
"""Environments in which anything that is pinned is installed."""


@cache
def project() -> dict[str, Any]:
    """Return the table ``project`` of pyproject.toml."""
    document: dict[str, Any] = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    return document


def is_in_container(pin: Pin) -> bool:
    return pin.marker is None or pin.marker.evaluate(dict(CONTAINER))


def installed(pin: Pin) -> metadata.Distribution | None:
    """Return the distribution in this environment; None if it is for another platform.

    Raises ReleaseError if another version is here, or none although it should be.
    """
    try:
        found = metadata.distribution(pin.name)
    except metadata.PackageNotFoundError:
        if pin.marker is None or pin.marker.evaluate():
            raise ReleaseError(f"{pin.name} is not installed: run `make install`") from None
        return None
    if found.version != pin.version:
        message = f"{pin.name} {found.version} is installed, {pin.version} is pinned: run `make install`"
        raise ReleaseError(message)
    return found


def dependency_graph(pins: Iterable[Pin]) -> dict[str, set[str]]:
    """Return for each distribution, and for keyturn, the names of those that it requires.

    Raises ReleaseError if a requirement is not pinned, or a pin is not required.
    """
    by_name = {pin.name: pin for pin in pins}
    graph: dict[str, set[str]] = {name: set() for name in (PRODUCT, *by_name)}
    waiting = [(PRODUCT, requirement) for requirement in _direct()]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        parent, requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name not in by_name:
            raise ReleaseError(f"{parent} requires {name}, which is not pinned")
        graph[parent].add(name)
        asked = (name, frozenset(requirement.extras))
        if asked not in seen:
            seen.add(asked)
            waiting += [(name, each) for each in _required(by_name[name], requirement.extras)]
    unneeded = sorted(by_name.keys() - {name for name, _ in seen})
    if unneeded:
        raise ReleaseError(f"{unneeded[0]} is pinned, but nothing requires it")
    return graph


def _direct() -> Iterator[Requirement]:
    texts = list(project()["dependencies"])
    for extra in _EXTRAS:
        texts += project()["optional-dependencies"][extra]
    built_with = (REPOSITORY / "deploy" / "requirements.in").read_text().splitlines()
    texts += [line for line in built_with if line and not line.startswith("#")]
    waiting = [Requirement(text) for text in texts]
    while waiting:
        requirement = waiting.pop()
        if requirement.name == PRODUCT:
            for extra in requirement.extras:
                waiting += map(Requirement, project()["optional-dependencies"][extra])
        elif _applies(requirement.marker, ()):
            yield requirement


def _required(pin: Pin, extras: Iterable[str]) -> Iterator[Requirement]:
    found = installed(pin)
    for requirement in map(Requirement, (found and found.requires) or ()):
        if _applies(requirement.marker, extras):
            yield requirement


def _applies(marker: Marker | None, extras: Iterable[str]) -> bool:
    return marker is None or any(
        marker.evaluate({**environment, "extra": extra})
        for environment in _ENVIRONMENTS
        for extra in (*extras, "")
    )
