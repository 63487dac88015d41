"""Reads PKCS #12: from the PFX to entries by alias, as Java sees them."""

from contextlib import suppress

from keyturn_shared.keystores import asn1
from keyturn_shared.keystores.entries import StoredEntry
from keyturn_shared.keystores.errors import (
    MalformedFileError,
    PasswordMissingError,
    UnsupportedAlgorithmError,
    WrongStorePasswordError,
)
from keyturn_shared.keystores.limits import DerivationBudget
from keyturn_shared.keystores.pkcs12 import identifiers
from keyturn_shared.keystores.pkcs12.bags import Attributes, BagReader, CertificateBag, KeyBag
from keyturn_shared.keystores.pkcs12.encryption import DecryptionError, decrypt
from keyturn_shared.keystores.pkcs12.integrity import verify_mac
from keyturn_shared.secret import Secret

_EMPTY = Secret("")
_VERSION = 3
_ENCRYPTED_DATA_VERSIONS = (0, 2)


def read_pkcs12(data: bytes, store_password: Secret | None) -> tuple[StoredEntry, ...]:
    """Read the entries of a PKCS #12 file, their private keys still encrypted.

    None: try an empty password and no password, which RFC 7292 appendix B.1 encodes differently: both are in
    use. A file with neither MAC nor encryption needs no password. Raises PasswordMissingError,
    WrongStorePasswordError, MalformedFileError, LimitExceededError, UnsupportedAlgorithmError.
    """
    budget = DerivationBudget()
    if store_password is not None:
        return _read(data, store_password, budget)
    for nothing in (_EMPTY, None):
        with suppress(WrongStorePasswordError):
            return _read(data, nothing, budget)
    raise PasswordMissingError("the archive needs its store password")


def _read(data: bytes, password: Secret | None, budget: DerivationBudget) -> tuple[StoredEntry, ...]:
    pfx = asn1.Reader(asn1.definite(data)).sequence()
    if pfx.integer() != _VERSION:
        raise MalformedFileError("not a PKCS #12 archive of version 3")
    safe = _content(pfx.sequence())
    is_authentic = not pfx.at_end
    if is_authentic:
        verify_mac(pfx.sequence(), safe, password, budget)
    bags = BagReader(password, budget)
    contents = asn1.Reader(asn1.definite(safe)).sequence()
    while not contents.at_end:
        bags.read(_safe_contents(contents.sequence(), password, budget, is_authentic))
    return _entries(bags.keys, bags.certificates)


def _content(content_info: asn1.Reader) -> bytes:
    """Read the octets of a ContentInfo with Data (RFC 5652 sections 3 and 4)."""
    if content_info.identifier() != identifiers.DATA:
        raise UnsupportedAlgorithmError("the archive is signed or encrypted with a public key")
    return content_info.explicit(0).octets()


def _safe_contents(
    content_info: asn1.Reader, password: Secret | None, budget: DerivationBudget, is_authentic: bool
) -> bytes:
    kind = content_info.identifier()
    if kind == identifiers.DATA:
        return content_info.explicit(0).octets()
    if kind != identifiers.ENCRYPTED_DATA:
        raise UnsupportedAlgorithmError("the archive is encrypted with a public key")
    encrypted_data = content_info.explicit(0).sequence()
    if encrypted_data.integer() not in _ENCRYPTED_DATA_VERSIONS:
        raise MalformedFileError("EncryptedData of an unknown version")
    encrypted = encrypted_data.sequence()
    if encrypted.identifier() != identifiers.DATA:
        raise MalformedFileError("the content of EncryptedData is not data")
    algorithm, ciphertext = encrypted.sequence(), _implicit_octets(encrypted)
    try:
        plaintext = decrypt(algorithm, ciphertext, password, budget)
        if plaintext[:1] != bytes([asn1.SEQUENCE]):
            raise DecryptionError("no SafeContents")
        return plaintext
    except DecryptionError:
        if is_authentic:  # the password was right
            raise MalformedFileError(
                "the store password opens the archive, but not its encrypted contents:"
                " they have another password"
            ) from None
        raise WrongStorePasswordError("the store password is wrong, or the archive is damaged") from None


def _implicit_octets(reader: asn1.Reader) -> bytes:
    """Read ``[0] IMPLICIT OCTET STRING``, in one piece or, in BER, in several."""
    octets = reader.optional(asn1.primitive_context(0))
    return asn1.joined_octets(reader.expect(asn1.context(0))) if octets is None else octets


def _entries(keys: list[KeyBag], certificates: list[CertificateBag]) -> tuple[StoredEntry, ...]:
    """Return keys with their certificates, then certificates that are entries, in Java's order.

    An entry without a name has a number, from 1 on. Java requires its own mark on a certificate for an entry;
    here the mark is not needed if the archive has no keys at all, because OpenSSL does not write it.
    """
    everything = tuple(bag.certificate for bag in certificates)
    entries: list[StoredEntry] = []
    unnamed = 0
    for key in keys:
        unnamed += key.attributes.friendly_name is None
        own = _own_certificate(key, len(keys), certificates)
        chain = () if own is None else (own.certificate, *everything)
        entries.append(StoredEntry(key.attributes.friendly_name or str(unnamed), chain, key.key))
    for bag in certificates:
        if bag.attributes.is_trusted or not keys:
            unnamed += bag.attributes.friendly_name is None
            alias = bag.attributes.friendly_name or str(unnamed)
            entries.append(StoredEntry(alias, (bag.certificate, *everything), None))
    return tuple(entries)


def _own_certificate(
    key: KeyBag, number_of_keys: int, certificates: list[CertificateBag]
) -> CertificateBag | None:
    """Return the certificate with the key's localKeyID and friendlyName, else with one of them, else, for a
    single key, the first without its own mark."""
    key_id, name = key.attributes.local_key_id, key.attributes.friendly_name

    def closeness(bag: CertificateBag) -> int:
        same_id = key_id is not None and bag.attributes.local_key_id == key_id
        same_name = name is not None and bag.attributes.friendly_name == name
        return 2 * same_id + same_name

    best = max(certificates, key=closeness, default=None)
    if best is not None and closeness(best):
        return best
    if number_of_keys > 1:
        return None
    unmarked = (bag for bag in certificates if bag.attributes == Attributes())
    return next(unmarked, None)
