"""Private keys in archives: JKS and PKCS#12."""

from cryptography.hazmat.primitives.serialization import load_der_private_key

from keyturn_shared.keystores.entries import choose_entry
from keyturn_shared.keystores.errors import AliasNotFoundError, WrongKeyPasswordError
from keyturn_shared.keystores.jks import read_jks
from keyturn_shared.keystores.limits import refuse_long_password
from keyturn_shared.keystores.magic import JKS_MAGIC
from keyturn_shared.keystores.pkcs12 import read_pkcs12
from keyturn_shared.secret import Secret


def key_in_archive(
    content: bytes, *, password: str | None, key_password: str | None, alias: str | None
) -> object:
    """Return the private key with this alias; without an alias, the only one.

    ``key_password``: by default the archive's. Raises KeyStoreError, and ValueError, TypeError or
    UnsupportedAlgorithm for a key that cannot be loaded.
    """
    store, own = (None if text is None else Secret(text) for text in (password, key_password))
    refuse_long_password(store, own)
    entries = read_jks(content, store) if content.startswith(JKS_MAGIC) else read_pkcs12(content, store)
    keys = [entry for entry in entries if entry.protected_key is not None]
    if not keys:
        raise AliasNotFoundError("the archive has no private key", ())
    entry = choose_entry(keys, alias)
    assert entry.protected_key is not None  # noqa: S101 - for mypy: these are filtered above
    try:
        encoded = entry.protected_key.open(own or store or Secret(""))
    except WrongKeyPasswordError:
        if own is not None:
            raise
        raise WrongKeyPasswordError(
            f"the key {entry.alias[:100]!r} has a password of its own, and none is given"
        ) from None
    return load_der_private_key(encoded, None)
