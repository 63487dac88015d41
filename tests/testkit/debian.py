"""Debian's packages, unpacked without root if a program is not on PATH."""

import re
import shutil
from pathlib import Path
from typing import Final

from tests.testkit.tools import TOOLS, ToolError, made_once, must_run, run

_SECONDS: Final = 120.0


def debian_program(package: str, program: str) -> Path:
    """Find the program on PATH, or unpack Debian's, with its dependencies. Raises ToolError. ``program``: its
    path in the package, such as ``usr/sbin/nginx``."""
    name = Path(program).name
    if found := shutil.which(name, path="/usr/sbin:/usr/local/sbin") or shutil.which(name):
        return Path(found)
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        raise ToolError(f"there is no {name}: install it (here it cannot be had from Debian's packages)")
    directory = TOOLS / package
    made_once(package, directory / ".unpacked", str(directory), lambda: _unpack(package, directory))
    wrapped = directory / name
    made_once(f"{package}-{name}", directory / f".{name}", str(directory), lambda: _wrap(program, wrapped))
    return wrapped


def _unpack(package: str, directory: Path) -> None:
    """Unpack it and its missing dependencies; with separate package lists if there are none."""
    shutil.rmtree(directory, ignore_errors=True)
    lists = directory / "lists"
    (lists / "partial").mkdir(parents=True)
    options: list[str] = []
    if run(["apt-get", "--simulate", "install", package]).returncode != 0:
        options = ["-o", f"Dir::State::lists={lists}", "-o", f"Dir::Cache={directory}"]
        must_run(["apt-get", *options, "-o", "APT::Sandbox::User=", "update"], seconds=_SECONDS)
    plan = must_run(["apt-get", *options, "--simulate", "--no-install-recommends", "install", package])
    packages = re.findall(r"^Inst (\S+)", plan, re.MULTILINE)
    must_run(["apt-get", *options, "download", *packages], cwd=directory, seconds=_SECONDS)
    root = directory / "root"
    for archive in sorted(directory.glob("*.deb")):
        must_run(["dpkg", "-x", archive, root])
    relink(root)


def _wrap(program: str, wrapper: Path) -> None:
    """Write a script that runs a program of the package with the libraries beside it."""
    root = wrapper.parent / "root"
    wrapper.write_text(f'#!/bin/sh\n{_variables(root)} exec "{root / program}" "$@"\n')
    wrapper.chmod(0o755)


def relink(root: Path) -> None:
    """Let absolute links of the packages point into their directory, as they would after a change of root."""
    for link in root.rglob("*"):
        if link.is_symlink() and (target := link.readlink()).is_absolute() and root not in target.parents:
            link.unlink()
            link.symlink_to(root / target.relative_to("/"))


def _variables(root: Path) -> str:
    """Return the search paths for libraries, and Ruby's own."""
    libraries = {str(found.parent) for found in root.rglob("*.so*")}
    ruby = {str(found.parent) for name in ("json.rb", "rbconfig.rb") for found in root.rglob(name)}
    paths = {"LD_LIBRARY_PATH": libraries, "RUBYLIB": ruby}
    return " ".join(f'{name}="{":".join(sorted(found))}"' for name, found in paths.items() if found)
