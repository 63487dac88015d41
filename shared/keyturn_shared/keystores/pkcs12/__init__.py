"""PKCS #12 (RFC 7292) as Java, OpenSSL and browsers exchange it: password privacy and password integrity.

A file is a PFX: an AuthenticatedSafe under a MAC. The safe is a list of SafeContents, each in plain text or
encrypted, each a list of bags: private keys (mostly "shrouded", that is encrypted once more) and
certificates. Java's alias is the attribute friendlyName, and localKeyID links a key to its certificate.
"""

from keyturn_shared.keystores.pkcs12.reader import read_pkcs12

__all__ = ["read_pkcs12"]
