"""Entries of an archive, common to JKS and PKCS #12."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from keyturn_shared.keystores.errors import AliasAmbiguousError, AliasNotFoundError
from keyturn_shared.secret import Secret


class ProtectedKey(Protocol):
    """A private key inside an archive, still encrypted."""

    def open(self, password: Secret) -> bytes:
        """Decrypt to PKCS #8, DER. Raises WrongKeyPasswordError."""
        ...


@dataclass(frozen=True, slots=True)
class StoredEntry:
    """An entry as found in an archive. ``certificates``: DER. The first one is the entry's own; the others
    include its issuers, in any order."""

    alias: str
    certificates: tuple[bytes, ...]
    protected_key: ProtectedKey | None = field(repr=False)


def choose_entry(entries: Sequence[StoredEntry], alias: str | None) -> StoredEntry:
    """Return the entry with this alias, with the same case or else in any, like Java; without an alias, the
    only one. Raises AliasNotFoundError, AliasAmbiguousError."""
    aliases = tuple(entry.alias for entry in entries)
    found, problem = list(entries), "no alias was specified"
    if alias is not None:
        found = [entry for entry in entries if entry.alias == alias]
        found = found or [entry for entry in entries if java_alias(entry.alias) == java_alias(alias)]
        problem = f"{len(found) or 'no'} entries are called {alias[:100]!r}"
    if not found:
        raise AliasNotFoundError(f"{problem}; the archive has: {listed(aliases)}", aliases)
    entry, *others = found
    if others:
        raise AliasAmbiguousError(f"{problem}; the archive has: {listed(aliases)}", aliases)
    return entry


def java_alias(alias: str) -> str:
    """Return an alias as Java's key stores compare it."""
    return alias.lower()


def listed(aliases: Sequence[str]) -> str:
    """Return aliases for an error, at most twenty."""
    shown = ", ".join(repr(alias[:100]) for alias in aliases[:20])
    return f"{shown} and {len(aliases) - 20} more" if len(aliases) > 20 else shown
