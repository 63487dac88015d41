"""Refusal of private keys: keyturn stores no client's private key, in any member."""

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from keyturn_credentials.errors import InvalidRequestError
from keyturn_shared.jose import strict_json
from keyturn_shared.jose.errors import JoseError
from keyturn_shared.jose.jwk import has_private_members

_ARMOUR: Final = re.compile(r"-----BEGIN (?:[A-Z0-9]+ )?PRIVATE KEY-----")
_MEMBER: Final = re.compile(r'"(?:d|p|q|dp|dq|qi|k)"\s*:\s*"')

# PKCS #8, PKCS #1 and SEC 1 keys begin with a SEQUENCE whose first member is the version, INTEGER 0 or 1;
# certificates and public keys begin with a SEQUENCE in a SEQUENCE.
_DER: Final = re.compile(rb"\x30(?:[\x00-\x7f]|\x81.|\x82..)\x02\x01[\x00\x01]", re.DOTALL)
_DER_HEAD_CHARACTERS: Final = 16

REALM_MEMBERS: Final = frozenset(
    {"codeSecret", "components", "federatedUsers", "privateKey", "smtpServer"}
    | {"userFederationProviders", "users"}
)
"""Members of Keycloak's RealmRepresentation that contain secrets of entities other than clients. They have no
effect here, so they are not stored."""


def refuse_private_keys(values: Mapping[str, Any]) -> None:
    """Raise InvalidRequestError naming the member that contains a private key, at any depth."""
    for name, value in values.items():
        if _has_private_key(value):
            raise InvalidRequestError(f"{name}: a private key is not accepted here; nothing was stored")


def _has_private_key(value: object) -> bool:
    if isinstance(value, str):
        return _text_has_private_key(value)
    if isinstance(value, Mapping):
        if isinstance(value.get("kty"), str) and has_private_members(value):
            return True
        return _any_has(value.values())
    return isinstance(value, list) and _any_has(value)


def _any_has(values: Iterable[object]) -> bool:
    return any(_has_private_key(value) for value in values)


def _text_has_private_key(text: str) -> bool:
    if _ARMOUR.search(text):
        return True
    if '"kty"' in text:
        try:
            return _any_has(strict_json.decode_object(b'{"value":%s}' % text.encode()).values())
        except JoseError:
            return _MEMBER.search(text) is not None  # not strict JSON, but a lenient reader may accept it
    stripped = text.lstrip()
    if not stripped.startswith("M"):  # the base64 of every SEQUENCE begins with it
        return False
    try:
        head = base64.b64decode(stripped[:_DER_HEAD_CHARACTERS], validate=True)
    except (binascii.Error, ValueError):
        return False
    return _DER.match(head) is not None
