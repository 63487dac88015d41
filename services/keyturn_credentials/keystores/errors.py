"""Refusals of files, certificates and keys. Nothing was imported or written when one is raised."""

from keyturn_shared.keystores.errors import KeyStoreError


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
