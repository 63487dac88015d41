"""Revocation of a single access token (RFC 7009)."""

from dataclasses import replace
from functools import partial
from typing import Final

from keyturn_credentials.domain.client import MAX_TOKEN_LIFESPAN, Client
from keyturn_credentials.domain.projection_builder import Projector
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.errors import (
    ForbiddenError,
    InvalidRequestError,
    LimitReachedError,
    NotFoundError,
)
from keyturn_credentials.operations.changes import Change, Changes, ClientChange, Done
from keyturn_credentials.operations.permissions import being_the_client
from keyturn_credentials.operations.targets import ClientTarget
from keyturn_credentials.store.unit_of_work import Actor
from keyturn_shared.events import TokenRevoked
from keyturn_shared.oauth.tokens.revocation import TokenToRevoke

MAX_REVOKED_TOKENS: Final = 1000
"""Tokens of one client remembered at a time, each until it has expired."""
_CLOCKS_APART: Final = 600
"""Seconds a token is remembered after its expiry: longer than the clocks of any two nodes differ."""
_DIGEST_CHARACTERS: Final = 32


class TokenRevocationOperations:
    """Operations of token revocation. They raise the errors of ``Changes``, and InvalidRequestError."""

    def __init__(self, changes: Changes, projector: Projector) -> None:
        self._changes = changes
        self._projector = projector

    async def revoke(self, actor: Actor, token: TokenToRevoke, *, by_node: bool = False) -> Done[Client]:
        """Refuse the token from now on. The client's version stays: administrators could not overwrite this
        change. Raises LimitReachedError when the client has as many remembered tokens as allowed;
        ForbiddenError ``by_node`` for tokens that no node forwards."""
        if len(token.digest) != _DIGEST_CHARACTERS:
            raise InvalidRequestError("not the digest of a token")

        def decide(realm: Realm, client: Client, now: float) -> ClientChange[Client]:
            if token.realm_id not in (None, realm.id):
                raise NotFoundError("the client belongs to another realm of this name")
            if by_node:
                self._refuse_what_no_node_says(realm, client, token)
            return revoke_token(client, token, now)

        target = ClientTarget(actor, token.realm, token.client_uuid)
        return await self._changes.change_client(target, being_the_client, decide, is_revision=False)

    def _refuse_what_no_node_says(self, realm: Realm, client: Client, token: TokenToRevoke) -> None:
        """Raise for a request that no genuine node sends. Otherwise a holder of a node's keys could use up an
        administrator's revocations, or make the audit log blame someone else."""
        if client.client_id != token.client_id or self._projector.project_client(realm, client).administers:
            raise ForbiddenError("HTTP 403 Forbidden")


def revoke_token(client: Client, token: TokenToRevoke, now: float) -> ClientChange[Client]:
    """Remember the token, and drop those that have expired. Raises LimitReachedError."""
    kept = {
        digest: expires_at
        for digest, expires_at in client.revoked_tokens.items()
        if expires_at + _CLOCKS_APART > now
    }
    if token.digest not in kept and len(kept) >= MAX_REVOKED_TOKENS:
        raise LimitReachedError(
            f"{MAX_REVOKED_TOKENS} tokens of the client are revoked and have not expired;"
            " notBefore ends all that were issued so far"
        )
    # Revoked again, it is an event again: the caller gets a sequence to wait for.
    kept[token.digest] = min(token.expires_at, now + MAX_TOKEN_LIFESPAN + _CLOCKS_APART)
    after = replace(client, revoked_tokens=kept)
    event = partial(TokenRevoked, token_digest=token.digest, expires_at=kept[token.digest])
    return Change(after=after, event=event, value=after, details={"token_digest": token.digest})
