"""Refusals of key stores, certificates and keys. Nothing was imported or written when one is raised."""

from typing import ClassVar

from keyturn_credentials.errors import CredentialsError


class KeyStoreError(CredentialsError):
    """Base of all refusals of this package; never raised itself.

    ``code`` is keyturn's own. ``keycloak_error`` is Keycloak's value of ``error`` for the same or the most
    similar case. ``detail`` says precisely what is wrong, and never contains a password or key material.
    """

    code = "key_store"
    keycloak_error: ClassVar[str] = "error loading keystore"


class FormatNotSupportedError(KeyStoreError):
    """The format is unknown, or can't be read or written here. Keycloak answers 406 to a download."""

    code = "key_store_format_not_supported"
    keycloak_error = "Not supported keystore format. Supported keystore formats: [JKS, PKCS12]"


class EmptyFileError(KeyStoreError):
    """The file is empty."""

    code = "empty_file"
    keycloak_error = "file cannot be empty"


class OtherFormatError(KeyStoreError):
    """The file does not have the stated format; ``detail`` says what it looks like."""

    code = "other_format"


class MalformedFileError(KeyStoreError):
    """The file has its format, but is damaged or inconsistent."""

    code = "malformed_file"


class LimitExceededError(KeyStoreError):
    """The file exceeds the limit of size, nesting or key derivation."""

    code = "limit_exceeded"


class UnsupportedAlgorithmError(KeyStoreError):
    """The encryption, digest, signature or key type is not supported."""

    code = "unsupported_algorithm"


class PasswordMissingError(KeyStoreError):
    """A required password is missing or empty."""

    code = "password_missing"
    keycloak_error = "password-missing"


class WrongStorePasswordError(KeyStoreError):
    """The store password does not open the archive, or the archive is damaged: the two are
    indistinguishable."""

    code = "wrong_store_password"
    keycloak_error = "Password verification failed"


class WrongKeyPasswordError(KeyStoreError):
    """The private key can't be decrypted. Keycloak imports the certificate regardless."""

    code = "wrong_key_password"


class AliasNotFoundError(KeyStoreError):
    """No entry has this alias. ``aliases``: those that exist, in the archive's order."""

    code = "alias_not_found"
    keycloak_error = "certificate-not-found"

    def __init__(self, detail: str, aliases: tuple[str, ...]) -> None:
        super().__init__(detail)
        self.aliases = aliases


class AliasAmbiguousError(KeyStoreError):
    """The alias is ambiguous: none was specified, or two entries share it."""

    code = "alias_ambiguous"
    keycloak_error = "certificate-not-found"

    def __init__(self, detail: str, aliases: tuple[str, ...]) -> None:
        super().__init__(detail)
        self.aliases = aliases


class CertificateNotFoundError(KeyStoreError):
    """The file, or the requested entry, has no certificate or no key for verifying signatures."""

    code = "certificate_not_found"
    keycloak_error = "certificate-not-found"


class BrokenChainError(KeyStoreError):
    """The certificates do not form one chain upwards from one certificate."""

    code = "broken_chain"


class CertificateExpiredError(KeyStoreError):
    """``notAfter`` has passed (RFC 5280 section 4.1.2.5)."""

    code = "certificate_expired"


class CertificateNotYetValidError(KeyStoreError):
    """``notBefore`` lies in the future (RFC 5280 section 4.1.2.5)."""

    code = "certificate_not_yet_valid"


class WeakKeyError(KeyStoreError):
    """The key is RSA below 2048 bits, or another one that proves nothing."""

    code = "weak_key"


class WeakSignatureError(KeyStoreError):
    """A certificate is signed over MD5 or SHA-1."""

    code = "weak_signature"


class KeyMismatchError(KeyStoreError):
    """The private key of the entry does not belong to its certificate."""

    code = "key_mismatch"


class PrivateKeyPresentError(KeyStoreError):
    """There is a private or symmetric key where only public ones belong. Its owner should replace it."""

    code = "private_key_present"


class InvalidParameterError(KeyStoreError):
    """A requested alias, password, validity or kind of key is not possible."""

    code = "invalid_key_store_parameter"
