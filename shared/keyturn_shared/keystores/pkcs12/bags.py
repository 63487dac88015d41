"""The bags of a PKCS #12 file (RFC 7292 section 4.2)."""

from contextlib import suppress
from dataclasses import dataclass, field

from keyturn_shared.keystores import asn1
from keyturn_shared.keystores.errors import LimitExceededError, MalformedFileError, WrongKeyPasswordError
from keyturn_shared.keystores.limits import MAX_ENTRIES, MAX_PROTECTED_KEY_BYTES, DerivationBudget
from keyturn_shared.keystores.pkcs12 import identifiers
from keyturn_shared.keystores.pkcs12.encryption import decrypt
from keyturn_shared.secret import Secret


@dataclass(frozen=True, slots=True)
class ShroudedKey:
    """A private key under its own encryption. ``encoded``: the contents of an EncryptedPrivateKeyInfo (RFC
    5958 section 3)."""

    encoded: bytes = field(repr=False)
    budget: DerivationBudget = field(repr=False)
    store_password: Secret | None = field(repr=False)

    def open(self, password: Secret) -> bytes:
        """Decrypt to PKCS #8, DER, with the key password, else with the archive's own.

        Java's KeyStore can give a key its own password. All other tools have one for the whole file, and
        Keycloak and keytool ask for a key password only to ignore it, so for such a file it cannot be wrong.

        Raises WrongKeyPasswordError, UnsupportedAlgorithmError, LimitExceededError.
        """
        for candidate in dict.fromkeys((password, self.store_password)):
            info = asn1.Reader(self.encoded)
            with suppress(MalformedFileError):
                return _private_key_info(decrypt(info.sequence(), info.octets(), candidate, self.budget))
        raise WrongKeyPasswordError("neither the key password nor the store password opens the private key")


@dataclass(frozen=True, slots=True)
class PlainKey:
    """A private key that only the encryption of the archive protected."""

    encoded: bytes = field(repr=False)

    def open(self, password: Secret) -> bytes:
        """Return PKCS #8, DER. No password is needed, so any is accepted."""
        return self.encoded


@dataclass(frozen=True, slots=True)
class Attributes:
    """``friendly_name``: Java's alias. ``local_key_id``: equal for a key and its certificate."""

    friendly_name: str | None = None
    local_key_id: bytes | None = None
    is_trusted: bool = False


@dataclass(frozen=True, slots=True)
class KeyBag:
    key: ShroudedKey | PlainKey
    attributes: Attributes


@dataclass(frozen=True, slots=True)
class CertificateBag:
    certificate: bytes
    attributes: Attributes


class BagReader:
    """Collects the keys and X.509 certificates of SafeContents; other bags (CRLs, secrets) are skipped."""

    def __init__(self, store_password: Secret | None, budget: DerivationBudget) -> None:
        self.keys: list[KeyBag] = []
        self.certificates: list[CertificateBag] = []
        self._store_password = store_password
        self._budget = budget

    def read(self, safe_contents: bytes) -> None:
        """Read SafeContents. Raises MalformedFileError, LimitExceededError."""
        self._read(asn1.Reader(asn1.definite(safe_contents)).sequence())

    def _read(self, bags: asn1.Reader) -> None:
        while not bags.at_end:
            bag = bags.sequence()
            kind, value = bag.identifier(), bag.explicit(0)
            if kind == identifiers.SAFE_CONTENTS_BAG:
                self._read(value.sequence())  # nested as deeply as ASN.1 may nest
            elif kind in (identifiers.KEY_BAG, identifiers.SHROUDED_KEY_BAG):
                self.keys.append(KeyBag(self._key(kind, value), _attributes(bag)))
            elif kind == identifiers.CERTIFICATE_BAG:
                certificate = _certificate(value.sequence())
                if certificate is not None:
                    self.certificates.append(CertificateBag(certificate, _attributes(bag)))
            if len(self.keys) + len(self.certificates) > MAX_ENTRIES:
                raise LimitExceededError(f"more than {MAX_ENTRIES} keys and certificates")

    def _key(self, kind: bytes, value: asn1.Reader) -> ShroudedKey | PlainKey:
        content = value.expect(asn1.SEQUENCE)
        if len(content) > MAX_PROTECTED_KEY_BYTES:
            raise LimitExceededError(f"a private key of more than {MAX_PROTECTED_KEY_BYTES} bytes")
        if kind == identifiers.KEY_BAG:
            return PlainKey(asn1.sequence(content))
        return ShroudedKey(content, self._budget, self._store_password)


def _private_key_info(plaintext: bytes) -> bytes:
    """Return the plaintext if it begins like PKCS #8: one wrong password in 256 leaves valid padding."""
    asn1.Reader(plaintext).sequence().integer()
    return plaintext


def _certificate(bag: asn1.Reader) -> bytes | None:
    return bag.explicit(0).octets() if bag.identifier() == identifiers.X509_CERTIFICATE else None


def _attributes(bag: asn1.Reader) -> Attributes:
    encoded = bag.optional(asn1.SET)
    friendly_name, local_key_id, is_trusted = None, None, False
    reader = asn1.Reader(encoded or b"")
    while not reader.at_end:
        attribute = reader.sequence()
        kind, values = attribute.identifier(), asn1.Reader(attribute.expect(asn1.SET))
        if kind == identifiers.FRIENDLY_NAME:
            friendly_name = _text(values.expect(asn1.BMP_STRING))
        elif kind == identifiers.LOCAL_KEY_ID:
            local_key_id = values.octets()
        elif kind == identifiers.TRUSTED_KEY_USAGE:
            is_trusted = True
    return Attributes(friendly_name, local_key_id, is_trusted)


def _text(octets: bytes) -> str:
    try:
        return octets.decode("utf-16-be")
    except UnicodeDecodeError:
        raise MalformedFileError("an alias is not a BMPString") from None
