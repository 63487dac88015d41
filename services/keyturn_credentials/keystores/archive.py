"""Contents of an archive to write, common to JKS and PKCS #12."""

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509

from keyturn_credentials.keystores.key_pairs import KeyPair
from keyturn_shared.keystores.entries import java_alias, listed
from keyturn_shared.keystores.errors import InvalidParameterError, PasswordMissingError
from keyturn_shared.keystores.limits import MAX_ALIAS_CHARACTERS, refuse_long_password
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
        raise InvalidParameterError(f"two entries have the same alias: {listed(aliases)}")


def is_unicode(text: str) -> bool:
    """Return whether a text can be encoded: JSON may contain half a surrogate pair."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_given(password: Secret | None) -> bool:
    return password is not None and password.reveal() != ""
