"""Keys in PKCS#11 tokens: HSMs, smart cards, and what looks like one."""

from keyturn.extras import needing

with needing("pkcs11"):
    from keyturn.pkcs11.key_wrapping import Pkcs11KeyWrapping
    from keyturn.pkcs11.signer import Pkcs11Signer

__all__ = ["Pkcs11KeyWrapping", "Pkcs11Signer"]
