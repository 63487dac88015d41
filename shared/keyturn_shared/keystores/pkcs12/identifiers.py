"""Object identifiers of PKCS #12, #9, #7 and #5."""

from typing import Final

from keyturn_shared.keystores.asn1 import oid

DATA: Final = oid("1.2.840.113549.1.7.1")
ENCRYPTED_DATA: Final = oid("1.2.840.113549.1.7.6")

KEY_BAG: Final = oid("1.2.840.113549.1.12.10.1.1")
SHROUDED_KEY_BAG: Final = oid("1.2.840.113549.1.12.10.1.2")
CERTIFICATE_BAG: Final = oid("1.2.840.113549.1.12.10.1.3")
SAFE_CONTENTS_BAG: Final = oid("1.2.840.113549.1.12.10.1.6")
X509_CERTIFICATE: Final = oid("1.2.840.113549.1.9.22.1")

FRIENDLY_NAME: Final = oid("1.2.840.113549.1.9.20")
LOCAL_KEY_ID: Final = oid("1.2.840.113549.1.9.21")
TRUSTED_KEY_USAGE: Final = oid("2.16.840.1.113894.746875.1.1")
"""Oracle's identifier, which makes a certificate without a key an entry ("trusted") for Java."""
ANY_KEY_USAGE: Final = oid("2.5.29.37.0")

PBES2: Final = oid("1.2.840.113549.1.5.13")
PBKDF2: Final = oid("1.2.840.113549.1.5.12")
PBMAC1: Final = oid("1.2.840.113549.1.5.14")

AES_256_CBC: Final = oid("2.16.840.1.101.3.4.1.42")
HMAC_SHA256: Final = oid("1.2.840.113549.2.9")
SHA256: Final = oid("2.16.840.1.101.3.4.2.1")

DIGESTS: Final = {
    oid("1.3.14.3.2.26"): "sha1",
    oid("2.16.840.1.101.3.4.2.4"): "sha224",
    SHA256: "sha256",
    oid("2.16.840.1.101.3.4.2.2"): "sha384",
    oid("2.16.840.1.101.3.4.2.3"): "sha512",
}
HMACS: Final = {
    oid("1.2.840.113549.2.7"): "sha1",
    oid("1.2.840.113549.2.8"): "sha224",
    HMAC_SHA256: "sha256",
    oid("1.2.840.113549.2.10"): "sha384",
    oid("1.2.840.113549.2.11"): "sha512",
}
