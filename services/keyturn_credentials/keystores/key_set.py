"""The format "JSON Web Key Set" (RFC 7517 section 5)."""

from typing import Final

from keyturn_credentials.keystores.certificates import key_refused
from keyturn_credentials.keystores.errors import (
    CertificateNotFoundError,
    LimitExceededError,
    MalformedFileError,
    OtherFormatError,
    PrivateKeyPresentError,
)
from keyturn_credentials.keystores.formats import appearance
from keyturn_shared.jose import strict_json
from keyturn_shared.jose.errors import InvalidKeyError, InvalidKeySetError, KeyRefusal, MalformedError
from keyturn_shared.jose.jwk import PRIVATE_MEMBERS
from keyturn_shared.jose.key_set import MAX_KEY_SET_BYTES, KeySet

# Keys of these kinds are nobody's mistake: the set has them for other purposes.
_PASSED_OVER: Final = frozenset(
    {
        KeyRefusal.UNKNOWN_KEY_TYPE,
        KeyRefusal.UNKNOWN_CURVE,
        KeyRefusal.UNKNOWN_ALGORITHM,
        KeyRefusal.NOT_FOR_SIGNATURES,
    }
)


def read_key_set(data: bytes) -> tuple[str, KeySet]:
    """The text of a set, and its keys that verify signatures, of which there is at least one.

    Keys for encryption and of unknown kinds are passed over; a weak or damaged key refuses the whole set.
    Raises OtherFormatError, MalformedFileError, LimitExceededError, PrivateKeyPresentError, WeakKeyError,
    UnsupportedAlgorithmError, CertificateNotFoundError.
    """
    if len(data) > MAX_KEY_SET_BYTES:
        raise LimitExceededError(f"a key set of more than {MAX_KEY_SET_BYTES} octets")
    if appearance(data) != "JSON":
        raise OtherFormatError(f"the file is not a JSON Web Key Set: it looks like {appearance(data)}")
    text = data.strip()
    try:
        document = strict_json.decode_object(text)
    except MalformedError as error:
        raise MalformedFileError(f"the key set is {error.detail}") from None
    _refuse_private_keys(document)
    if "keys" not in document and "kty" in document:
        raise OtherFormatError('the file is a single JSON Web Key, not a set: {"keys": [...]}')
    try:
        key_set = KeySet.from_members(document)
    except InvalidKeySetError as error:
        raise MalformedFileError(f"the key set: {error.detail}") from None
    for skipped in key_set.skipped:
        if skipped.reason not in _PASSED_OVER:
            raise key_refused(
                InvalidKeyError(skipped.reason, skipped.detail), f"key {skipped.index} of the set"
            )
    if not key_set.keys:
        raise CertificateNotFoundError("the key set has no key that verifies signatures")
    return text.decode(), key_set


def _refuse_private_keys(document: dict[str, object]) -> None:
    keys = document.get("keys")
    for jwk in [document, *(keys if isinstance(keys, list) else ())]:
        if isinstance(jwk, dict) and not PRIVATE_MEMBERS.isdisjoint(jwk):
            raise PrivateKeyPresentError(
                "the key set has a private or symmetric key in it, which nobody but its owner should ever see"
            )
