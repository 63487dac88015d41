"""SoftHSM, a PKCS#11 token in software, from Debian's package."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pkcs11
from pkcs11.constants import Attribute, ObjectClass
from pkcs11.mechanisms import KeyType

from tests.testkit.debian import debian_program
from tests.testkit.tools import ToolError, must_run

PIN: Final = "pin of the token"
_CONFIGURATION: Final = "SOFTHSM2_CONF"
_MODULES: Final = ("usr/lib/softhsm/libsofthsm2.so", "usr/lib64/pkcs11/libsofthsm2.so")


def find_softhsm() -> tuple[Path, Path]:
    """Find the program that makes tokens, and the module. Raises ToolError."""
    program = debian_program("softhsm2", "usr/bin/softhsm2-util")
    for root in (program.parent / "root", Path("/")):
        for module in _MODULES:
            if (root / module).is_file():
                return program, root / module
    raise ToolError("there is no libsofthsm2.so: install softhsm2")


@dataclass(frozen=True)
class SoftHsm:
    """Tokens in a directory. ``environment``: for a process that uses them."""

    module: Path
    directory: Path
    program: Path

    @property
    def environment(self) -> dict[str, str]:
        return {_CONFIGURATION: str(self.directory / "softhsm2.conf")}

    def make_token(self, label: str) -> None:
        """Make a token with the PIN ``PIN``, and let this process see it."""
        common = ("--module", self.module, "--init-token", "--free", "--label", label)
        must_run([self.program, *common, "--pin", PIN, "--so-pin", "pin of the officer"])
        pkcs11.lib(str(self.module)).reinitialize()

    def add_secret_key(self, token: str, label: str, key_id: bytes, value: bytes, **changes: Any) -> None:
        """Import an AES key into a token, as an operator would: a KEK, except for ``changes`` of its
        attributes, by their names."""
        template = {
            Attribute.CLASS: ObjectClass.SECRET_KEY,
            Attribute.KEY_TYPE: KeyType.AES,
            Attribute.TOKEN: True,
            Attribute.PRIVATE: True,
            Attribute.SENSITIVE: True,
            Attribute.EXTRACTABLE: False,
            Attribute.WRAP: True,
            Attribute.UNWRAP: True,
            Attribute.LABEL: label,
            Attribute.ID: key_id,
            Attribute.VALUE: value,
        }
        named = {Attribute[name]: given for name, given in changes.items()}
        found = pkcs11.lib(str(self.module)).get_token(token_label=token)
        with found.open(rw=True, user_pin=PIN) as session:
            session.create_object(template | named)

    def remove_key(self, token: str, key_id: bytes) -> None:
        """Delete a secret key of a token."""
        library = pkcs11.lib(str(self.module))
        library.reinitialize()  # another process may have made the key
        with library.get_token(token_label=token).open(rw=True, user_pin=PIN) as session:
            session.get_key(ObjectClass.SECRET_KEY, id=key_id).destroy()

    @contextmanager
    def without_tokens(self) -> Iterator[None]:
        """Take all tokens away, as from a reader."""
        tokens, away = self.directory / "tokens", self.directory / "away"
        tokens.rename(away)
        tokens.mkdir()
        try:
            yield
        finally:
            shutil.rmtree(tokens)
            away.rename(tokens)


@contextmanager
def softhsm(directory: Path) -> Iterator[SoftHsm]:
    """Let this process, and those that it starts, have tokens in a directory. The module reads its
    configuration when it is initialized."""
    program, module = find_softhsm()
    (directory / "tokens").mkdir()
    made = SoftHsm(module, directory, program)
    (directory / "softhsm2.conf").write_text(
        f"directories.tokendir = {directory / 'tokens'}\nobjectstore.backend = file\nlog.level = ERROR\n"
    )
    before = os.environ.get(_CONFIGURATION)
    os.environ |= made.environment
    try:
        yield made
    finally:
        pkcs11.lib(str(module)).finalize()
        del os.environ[_CONFIGURATION]
        if before is not None:
            os.environ[_CONFIGURATION] = before
