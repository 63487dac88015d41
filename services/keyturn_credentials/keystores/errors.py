"""Why a key store, a certificate or a key is refused. Nothing was imported or written when one is raised."""

from typing import ClassVar

from keyturn_credentials.errors import CredentialsError


class KeyStoreError(CredentialsError):
    """Base of everything this package refuses; never raised itself.

    ``code`` is keyturn's own. ``keycloak_error`` is what Keycloak puts into the member ``error`` for the same
    case, or for the nearest one that it tells apart. ``detail`` says precisely what is wrong, and never holds
    a password or key material.
    """

    code = "key_store"
    keycloak_error: ClassVar[str] = "error loading keystore"


class FormatNotSupportedError(KeyStoreError):
    """No such format, or one that can't be read or written here. Keycloak answers 406 to a download."""

    code = "key_store_format_not_supported"
    keycloak_error = "Not supported keystore format. Supported keystore formats: [JKS, PKCS12]"


class EmptyFileError(KeyStoreError):
    """There is nothing in the file."""

    code = "empty_file"
    keycloak_error = "file cannot be empty"


class OtherFormatError(KeyStoreError):
    """The file is not of the format it was said to be; ``detail`` says what it looks like."""

    code = "other_format"


class MalformedFileError(KeyStoreError):
    """The file is of its format, but damaged or contradicting itself."""

    code = "malformed_file"


class LimitExceededError(KeyStoreError):
    """The file is larger, deeper, or dearer to open than any honest one."""

    code = "limit_exceeded"


class UnsupportedAlgorithmError(KeyStoreError):
    """An encryption, digest, signature or key type that is not read here."""

    code = "unsupported_algorithm"


class PasswordMissingError(KeyStoreError):
    """A password that is needed was not given, or is empty."""

    code = "password_missing"
    keycloak_error = "password-missing"


class WrongStorePasswordError(KeyStoreError):
    """The store password does not open the archive, which might be damaged instead: one can't tell."""

    code = "wrong_store_password"
    keycloak_error = "Password verification failed"


class WrongKeyPasswordError(KeyStoreError):
    """The private key can't be opened. Keycloak imports the certificate regardless."""

    code = "wrong_key_password"


class AliasNotFoundError(KeyStoreError):
    """No entry has this alias. ``aliases``: those that exist, in the archive's order."""

    code = "alias_not_found"
    keycloak_error = "certificate-not-found"

    def __init__(self, detail: str, aliases: tuple[str, ...]) -> None:
        super().__init__(detail)
        self.aliases = aliases


class AliasAmbiguousError(KeyStoreError):
    """Several entries could be meant: no alias was given, or two entries share it."""

    code = "alias_ambiguous"
    keycloak_error = "certificate-not-found"

    def __init__(self, detail: str, aliases: tuple[str, ...]) -> None:
        super().__init__(detail)
        self.aliases = aliases


class CertificateNotFoundError(KeyStoreError):
    """The file, or the entry that was asked for, has no certificate or no key to verify signatures with."""

    code = "certificate_not_found"
    keycloak_error = "certificate-not-found"


class BrokenChainError(KeyStoreError):
    """The certificates do not make one chain from one certificate upwards."""

    code = "broken_chain"


class CertificateExpiredError(KeyStoreError):
    """``notAfter`` has passed (RFC 5280 section 4.1.2.5)."""

    code = "certificate_expired"


class CertificateNotYetValidError(KeyStoreError):
    """``notBefore`` lies in the future (RFC 5280 section 4.1.2.5)."""

    code = "certificate_not_yet_valid"


class WeakKeyError(KeyStoreError):
    """RSA below 2048 bits, or another key that proves nothing."""

    code = "weak_key"


class WeakSignatureError(KeyStoreError):
    """A certificate signed over MD5 or SHA-1."""

    code = "weak_signature"


class KeyMismatchError(KeyStoreError):
    """The private key of the entry is not that of its certificate."""

    code = "key_mismatch"


class PrivateKeyPresentError(KeyStoreError):
    """A private or symmetric key where only public ones belong. Whoever sent it should replace it."""

    code = "private_key_present"


class InvalidParameterError(KeyStoreError):
    """Something that was asked for can't be made: an alias, a password, a validity, a kind of key."""

    code = "invalid_key_store_parameter"
