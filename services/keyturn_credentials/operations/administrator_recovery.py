"""Recovery of an administrator by someone who has the database and its keys, not the admin API."""

from dataclasses import replace
from typing import Final

from keyturn_credentials.domain import attributes
from keyturn_credentials.domain.authenticators import DEFAULT_AUTHENTICATOR
from keyturn_credentials.domain.client import Client, check_client
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.roles import MASTER, Role
from keyturn_credentials.domain.secrets import check_chosen
from keyturn_credentials.errors import NotFoundError
from keyturn_credentials.operations.changes import Change, Changes, ClientChange
from keyturn_credentials.operations.clients import ClientOperations
from keyturn_credentials.operations.permissions import MANAGE_CLIENTS
from keyturn_credentials.operations.secret_issuer import SecretIssuer
from keyturn_credentials.operations.targets import ClientTarget
from keyturn_credentials.store.unit_of_work import SYSTEM, Store
from keyturn_shared.events import ClientUpdated
from keyturn_shared.secret import Secret

_DETAILS: Final = {
    "reason": "administrator_recovered",
    "changed": ["enabled", "clientAuthenticatorType", "secret", f"attributes.{attributes.ADMIN_ROLES}"],
}


class AdministratorRecovery:
    """Makes an administrator of realm ``master``, or gives one back its access. Raises the errors of
    ``Changes``, and InvalidRequestError."""

    def __init__(
        self, store: Store, changes: Changes, clients: ClientOperations, secrets: SecretIssuer
    ) -> None:
        self._store = store
        self._changes = changes
        self._clients = clients
        self._secrets = secrets

    async def run(self, client_id: str, secret: Secret) -> tuple[int, bool]:
        """Let this client administer everything with this secret. Return the sequence of the event, and
        whether the client is new. Raises NotFoundError if there is no realm ``master``."""
        check_chosen(secret.reveal())
        async with self._store.find() as reading:
            realm = await reading.realms.get(MASTER)
            if realm is None:
                raise NotFoundError(
                    "the database has no realm master yet: the first start of the credentials service makes"
                    " it, with an administrator"
                )
            client = await reading.clients.find(realm.id, client_id)
        if client is None:
            return await self._make(client_id, secret), True

        def decide(realm: Realm, client: Client, now: float) -> ClientChange[None]:
            after = recovered(realm, client, secret, now, self._secrets)
            return Change(after=after, event=ClientUpdated, value=None, details=_DETAILS)

        target = ClientTarget(SYSTEM, MASTER, client.uuid)
        return (await self._changes.change_client(target, MANAGE_CLIENTS, decide)).sequence, False

    async def _make(self, client_id: str, secret: Secret) -> int:
        representation = {
            "clientId": client_id,
            "name": "Recovered administrator",
            "secret": secret.reveal(),
            "standardFlowEnabled": False,
            "attributes": {attributes.ADMIN_ROLES: Role.ADMIN.value},
        }
        return (await self._clients.create(SYSTEM, MASTER, representation)).sequence


def recovered(realm: Realm, client: Client, secret: Secret, now: float, secrets: SecretIssuer) -> Client:
    """Return the client, enabled, with the role ``admin`` and this secret alone. Its former secret ends at
    once, and so do its tokens: whoever locked the administrator out may have them."""
    opened = replace(
        client,
        enabled=True,
        authenticator=DEFAULT_AUTHENTICATOR,
        attributes={
            **{name: value for name, value in client.attributes.items() if name != attributes.SIGNING_ALG},
            attributes.ADMIN_ROLES: Role.ADMIN.value,
        },
        document={
            **client.document,
            "publicClient": False,
            "bearerOnly": False,
            "serviceAccountsEnabled": True,
        },
        token_generation=client.token_generation + 1,
    )
    after = secrets.renew(check_client(opened), realm, secret, now)
    return replace(after, secrets=replace(after.secrets, rotated=None))
