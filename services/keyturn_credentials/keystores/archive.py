"""Contents of an archive, common to JKS and PKCS #12."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from cryptography import x509

from keyturn_credentials.keystores.errors import (
    AliasAmbiguousError,
    AliasNotFoundError,
    CertificateNotFoundError,
    InvalidParameterError,
    PasswordMissingError,
)
from keyturn_credentials.keystores.key_pairs import KeyPair
from keyturn_credentials.keystores.limits import MAX_ALIAS_CHARACTERS, refuse_long_password
from keyturn_shared.secret import Secret


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """A private key with its certificate and that certificate's issuers, leaf first."""

    alias: str
    key_pair: KeyPair
    chain: tuple[x509.Certificate, ...]

    def __post_init__(self) -> None:
        if not self.chain or self.chain[0].public_key() != self.key_pair.public_key:
            raise ValueError("the first certificate does not belong to the key pair")


@dataclass(frozen=True, slots=True)
class CertificateEntry:
    """A certificate alone, which Java calls trusted: the realm's, or a client's whose private key was
    discarded."""

    alias: str
    certificate: x509.Certificate


@dataclass(frozen=True, slots=True)
class ArchivePasswords:
    """``store`` protects the archive, ``key`` the private keys in it; without key entries ``key`` is not
    used."""

    store: Secret | None
    key: Secret | None = None


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


def check_passwords(entries: Sequence[KeyEntry | CertificateEntry], passwords: ArchivePasswords) -> Secret:
    """Return the store password. Raises PasswordMissingError, in Keycloak's words, and
    InvalidParameterError."""
    has_key = any(isinstance(entry, KeyEntry) for entry in entries)
    purpose = "jks generation and download" if has_key else "jks download"
    if has_key and not _is_given(passwords.key):
        raise PasswordMissingError(f"Need to specify a key password for {purpose}")
    if passwords.store is None or not _is_given(passwords.store):
        raise PasswordMissingError(f"Need to specify a store password for {purpose}")
    refuse_long_password(passwords.store, passwords.key)
    return passwords.store


def check_aliases(aliases: Sequence[str]) -> None:
    """Raise InvalidParameterError unless each alias names one entry. Java ignores case."""
    if not aliases:
        raise InvalidParameterError("the archive must have an entry")
    for alias in aliases:
        if not is_unicode(alias) or not 0 < len(alias) <= MAX_ALIAS_CHARACTERS:
            raise InvalidParameterError("an alias must not be empty, too long or invalid Unicode")
    if len({java_alias(alias) for alias in aliases}) < len(aliases):
        raise InvalidParameterError(f"two entries have the same alias: {_listed(aliases)}")


def choose_entry(entries: Sequence[StoredEntry], alias: str | None) -> StoredEntry:
    """Return the entry with this alias, with the same case or else in any, like Java; without an alias, the
    only one. Raises AliasNotFoundError, AliasAmbiguousError, CertificateNotFoundError."""
    if not entries:
        raise CertificateNotFoundError("the archive has no entry with a certificate")
    aliases = tuple(entry.alias for entry in entries)
    found, problem = list(entries), "no alias was specified"
    if alias is not None:
        found = [entry for entry in entries if entry.alias == alias]
        found = found or [entry for entry in entries if java_alias(entry.alias) == java_alias(alias)]
        problem = f"{len(found) or 'no'} entries are called {alias[:100]!r}"
    if not found:
        raise AliasNotFoundError(f"{problem}; the archive has: {_listed(aliases)}", aliases)
    entry, *others = found
    if others:
        raise AliasAmbiguousError(f"{problem}; the archive has: {_listed(aliases)}", aliases)
    if not entry.certificates:
        raise CertificateNotFoundError(f"the entry {entry.alias[:100]!r} has a key, but no certificate")
    return entry


def java_alias(alias: str) -> str:
    """Return an alias as Java's key stores compare it."""
    return alias.lower()


def is_unicode(text: str) -> bool:
    """Return whether a text can be encoded: JSON may contain half a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_given(password: Secret | None) -> bool:
    return password is not None and password.reveal() != ""


def _listed(aliases: Sequence[str]) -> str:
    shown = ", ".join(repr(alias[:100]) for alias in aliases[:20])
    return f"{shown} and {len(aliases) - 20} more" if len(aliases) > 20 else shown
