"""Algorithms that clients' tokens are signed with: the realm's own, or the one a client asks for. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.realm_keys import further_algs, signing_alg
from keyturn_credentials.domain.roles import MASTER
from keyturn_credentials.errors import InvalidRequestError
from keyturn_shared.jose.algorithms import ASYMMETRIC_NAMES


def algs_asked_for(representations: Iterable[object]) -> set[str]:
    """Return the known algorithms that clients ask for. Administrators' tokens are signed with their realm's
    own."""
    found: set[str] = set()
    for representation in representations:
        values = representation.get("attributes") if isinstance(representation, Mapping) else None
        if isinstance(values, Mapping) and not values.get(attributes.ADMIN_ROLES):
            asked = values.get(attributes.ACCESS_TOKEN_ALG)
            found |= {asked.strip()} & ASYMMETRIC_NAMES if isinstance(asked, str) else set()
    return found


def with_token_algs(realm: Realm, algs: Iterable[str]) -> Realm:
    """Return the realm with keys for these algorithms too, even if its own changes later; the same realm if
    it has them. Clients of ``master`` get their tokens as administrators do."""
    named = attributes.words(realm.attributes, attributes.FURTHER_KEY_ALGS)
    more = [alg for alg in sorted(algs) if alg not in named]
    if realm.name == MASTER or not more:
        return realm
    listed = {attributes.FURTHER_KEY_ALGS: ",".join((*named, *more))}
    return replace(realm, attributes={**realm.attributes, **listed})


def signs_with(realm: Realm, client: Client) -> tuple[str, ...]:
    """Return the algorithms that the client's tokens can be signed with."""
    own = signing_alg(realm)
    return (own,) if realm.name == MASTER or client.admin_roles else (own, *further_algs(realm))


def check_token_alg(before: Client | None, after: Client, realm: Realm) -> None:
    """Raise InvalidRequestError where the client's tokens are to be signed with what the realm has no key
    for. One that was set already may be put back: until the realm agrees the client gets no tokens."""
    wanted = after.access_token_alg
    if wanted is None or (before is not None and before.access_token_alg == wanted):
        return
    known = signs_with(realm, after)
    if wanted not in known:
        raise InvalidRequestError(
            f"attribute {attributes.ACCESS_TOKEN_ALG}: the realm signs with {', '.join(known)}; its"
            f" defaultSignatureAlgorithm changes that for all clients"
        )


def asked_in(representation: Mapping[str, Any]) -> set[str]:
    """Return the algorithm that the representation of one client asks for, if any."""
    return algs_asked_for((representation,))
