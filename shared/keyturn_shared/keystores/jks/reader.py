"""Reads JKS. Nothing is parsed before the digest has confirmed the store password."""

import hmac
from typing import Final

from keyturn_shared.keystores.entries import StoredEntry
from keyturn_shared.keystores.errors import (
    LimitExceededError,
    MalformedFileError,
    PasswordMissingError,
    UnsupportedAlgorithmError,
    WrongStorePasswordError,
)
from keyturn_shared.keystores.jks.key_protector import JksProtectedKey
from keyturn_shared.keystores.jks.layout import (
    CERTIFICATE_ENTRY,
    CERTIFICATE_TYPE,
    DIGEST_BYTES,
    KEY_ENTRY,
    VERSION,
    VERSION_WITHOUT_TYPES,
    decode_text,
    store_digest,
)
from keyturn_shared.keystores.limits import MAX_CHAIN, MAX_ENTRIES, MAX_PROTECTED_KEY_BYTES
from keyturn_shared.keystores.magic import JKS_MAGIC
from keyturn_shared.secret import Secret

_EMPTY: Final = Secret("")


def read_jks(data: bytes, store_password: Secret | None) -> tuple[StoredEntry, ...]:
    """Read the entries of a JKS file, their private keys still encrypted. None: try an empty password. Raises
    PasswordMissingError, WrongStorePasswordError, MalformedFileError, LimitExceededError,
    UnsupportedAlgorithmError."""
    content, digest = data[:-DIGEST_BYTES], data[-DIGEST_BYTES:]
    if not hmac.compare_digest(store_digest(store_password or _EMPTY, content), digest):
        if store_password is None:
            raise PasswordMissingError("the archive needs its store password")
        raise WrongStorePasswordError("the store password is wrong, or the archive is damaged")
    return _Cursor(content).entries()


class _Cursor:
    """Reads the parts of the file one after the other."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._position = 0
        self._version = 0

    def entries(self) -> tuple[StoredEntry, ...]:
        if self._take(len(JKS_MAGIC)) != JKS_MAGIC:
            raise MalformedFileError("not a JKS archive")
        self._version = self._number(4)
        if self._version not in (VERSION_WITHOUT_TYPES, VERSION):
            raise UnsupportedAlgorithmError(f"JKS version {self._version}")
        entries = tuple(self._entry() for _ in range(self._count(MAX_ENTRIES, "entries")))
        if self._position != len(self._content):
            raise MalformedFileError("bytes after the last entry")
        return entries

    def _entry(self) -> StoredEntry:
        kind = self._number(4)
        alias = decode_text(self._take(self._number(2)))
        self._take(8)  # time of creation, in ms since 1970
        if kind == CERTIFICATE_ENTRY:
            return StoredEntry(alias, (self._certificate(),), None)
        if kind != KEY_ENTRY:
            raise MalformedFileError(f"an entry of kind {kind}")
        size = self._count(MAX_PROTECTED_KEY_BYTES, "bytes of a private key")
        protected_key = JksProtectedKey.parse(self._take(size))
        chain = tuple(self._certificate() for _ in range(self._count(MAX_CHAIN, "certificates in a chain")))
        return StoredEntry(alias, chain, protected_key)

    def _certificate(self) -> bytes:
        if self._version == VERSION:
            certificate_type = decode_text(self._take(self._number(2)))
            if certificate_type != CERTIFICATE_TYPE:
                raise UnsupportedAlgorithmError(f"a certificate of type {certificate_type[:40]!r}")
        return self._take(self._number(4))

    def _count(self, limit: int, what: str) -> int:
        count = self._number(4)
        if count > limit:
            raise LimitExceededError(f"the archive has {count} {what}; at most {limit} are allowed")
        return count

    def _number(self, size: int) -> int:
        return int.from_bytes(self._take(size), "big")

    def _take(self, size: int) -> bytes:
        octets = self._content[self._position : self._position + size]
        if len(octets) != size:
            raise MalformedFileError("the archive ends too early")
        self._position += size
        return octets
