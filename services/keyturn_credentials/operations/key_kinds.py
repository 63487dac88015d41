"""Kinds of key pairs by signature algorithm. Pure."""

from typing import Final

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.client import Client
from keyturn_credentials.errors import InvalidRequestError
from keyturn_credentials.keystores import KeyPairKind

_BY_ALG: Final = {
    "ES256": KeyPairKind.P_256,
    "ES384": KeyPairKind.P_384,
    "ES512": KeyPairKind.P_521,
    "EdDSA": KeyPairKind.ED25519,
    "Ed25519": KeyPairKind.ED25519,
}
"""All other algorithms are RSA's, with a key of any size."""
_RSA: Final = frozenset(set(KeyPairKind) - set(_BY_ALG.values()))


def kind_by_alg(alg: str, rsa: KeyPairKind) -> KeyPairKind:
    """Return the kind for this algorithm; ``rsa`` if it is RSA's."""
    return _BY_ALG.get(alg, rsa)


def kind_for(client: Client, asked: KeyPairKind | None, rsa: KeyPairKind) -> KeyPairKind:
    """Return the kind to generate for a client: the requested one, else the one for its only algorithm, else
    ``rsa``, as in Keycloak. Raises InvalidRequestError for one that the client could not use."""
    alg = client.signing_alg
    if asked is None:
        return rsa if alg is None else kind_by_alg(alg, rsa)
    if alg is None:
        return asked
    fitting = {_BY_ALG[alg]} if alg in _BY_ALG else _RSA
    if asked not in fitting:
        raise InvalidRequestError(
            f"the client may only use {alg} ({attributes.SIGNING_ALG}), and a key of type"
            f" {asked.value} does not fit it"
        )
    return asked
