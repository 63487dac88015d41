"""Key stores for Keycloak's "Keys" tab: generation, export and import. No I/O, and no private key is stored.

Generate: ``generate_key_pair``, ``self_signed_certificate``, ``write_archive``. Import:
``import_credentials``. Every refusal is a KeyStoreError with a stable ``code``.
"""

from keyturn_credentials.keystores.archive import ArchivePasswords, CertificateEntry, KeyEntry
from keyturn_credentials.keystores.certificates import (
    DEFAULT_VALIDITY_YEARS,
    certificate_body,
    self_signed_certificate,
)
from keyturn_credentials.keystores.formats import ARCHIVE_FORMATS, KeyStoreFormat
from keyturn_credentials.keystores.importing import (
    ImportedCertificate,
    ImportedKeys,
    ImportedKeySet,
    ImportedPublicKey,
    import_credentials,
    public_key_body,
)
from keyturn_credentials.keystores.key_pairs import KeyPair, KeyPairKind, generate_key_pair
from keyturn_credentials.keystores.writing import write_archive
from keyturn_shared.keystores.errors import KeyStoreError
from keyturn_shared.keystores.limits import MAX_FILE_BYTES

__all__ = [
    "ARCHIVE_FORMATS",
    "DEFAULT_VALIDITY_YEARS",
    "MAX_FILE_BYTES",
    "ArchivePasswords",
    "CertificateEntry",
    "ImportedCertificate",
    "ImportedKeySet",
    "ImportedKeys",
    "ImportedPublicKey",
    "KeyEntry",
    "KeyPair",
    "KeyPairKind",
    "KeyStoreError",
    "KeyStoreFormat",
    "certificate_body",
    "generate_key_pair",
    "import_credentials",
    "public_key_body",
    "self_signed_certificate",
    "write_archive",
]
