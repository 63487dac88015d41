"""The format "JSON Web Key Set" (RFC 7517 section 5)."""

from codecs import BOM_UTF8
from typing import Final

from keyturn_credentials.keystores.certificates import key_refused
from keyturn_credentials.keystores.errors import (
    CertificateNotFoundError,
    OtherFormatError,
    PrivateKeyPresentError,
)
from keyturn_credentials.keystores.formats import appearance
from keyturn_shared.jose.errors import InvalidKeySetError, KeyRefusal
from keyturn_shared.jose.key_set import MAX_KEY_SET_BYTES, KeySet, has_private_keys, read_document
from keyturn_shared.keystores.errors import KeyStoreError, LimitExceededError, MalformedFileError

# Keys of these kinds are not a mistake: the set has them for other purposes.
_OF_OTHER_PURPOSES: Final = frozenset(
    {
        KeyRefusal.UNKNOWN_KEY_TYPE,
        KeyRefusal.UNKNOWN_CURVE,
        KeyRefusal.UNKNOWN_ALGORITHM,
        KeyRefusal.NOT_FOR_SIGNATURES,
    }
)


def read_key_set(data: bytes) -> tuple[str, KeySet]:
    """Return the text of a set, and its signature keys, at least one.

    A key that cannot be used is skipped with its reason, as at a JWKS URL. Raises OtherFormatError,
    MalformedFileError, LimitExceededError, PrivateKeyPresentError, WeakKeyError, UnsupportedAlgorithmError,
    CertificateNotFoundError.
    """
    if len(data) > MAX_KEY_SET_BYTES:
        raise LimitExceededError(f"a key set of more than {MAX_KEY_SET_BYTES} bytes")
    if appearance(data) != "JSON":
        raise OtherFormatError(f"the file is not a JSON Web Key Set: it looks like {appearance(data)}")
    text = data.removeprefix(BOM_UTF8).strip()
    try:
        document = read_document(text)
        if has_private_keys(document):
            raise PrivateKeyPresentError(
                "the key set contains a private or symmetric key, which only its owner should see"
            )
        if "keys" not in document and "kty" in document:
            raise OtherFormatError('the file is a single JSON Web Key, not a set: {"keys": [...]}')
        key_set = KeySet.from_members(document)
    except InvalidKeySetError as error:
        raise MalformedFileError(f"the key set: {error.detail}") from None
    if not key_set.keys:
        raise _no_key(key_set)
    return text.decode(), key_set


def _no_key(key_set: KeySet) -> KeyStoreError:
    for skipped in key_set.skipped:
        if skipped.reason not in _OF_OTHER_PURPOSES:
            return key_refused(skipped.reason, skipped.detail, f"key {skipped.index} of the set")
    return CertificateNotFoundError("the key set has no key that verifies signatures")
