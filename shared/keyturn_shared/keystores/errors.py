"""Refusals of archives of keys. Nothing was read or written when one is raised."""

from typing import ClassVar

from keyturn_shared.errors import KeyturnError


class KeyStoreError(KeyturnError):
    """Base of all refusals of this package; never raised itself.

    ``code`` is keyturn's own. ``keycloak_error`` is Keycloak's value of ``error`` for the same or the most
    similar case. ``detail`` says precisely what is wrong, and never contains a password or key material.
    """

    code = "key_store"
    keycloak_error: ClassVar[str] = "error loading keystore"


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


class InvalidParameterError(KeyStoreError):
    """A requested alias, password, validity or kind of key is not possible."""

    code = "invalid_key_store_parameter"
