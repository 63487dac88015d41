"""Decisions and refusals of operations, without a database."""

from dataclasses import replace

import pytest

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.realm import Realm
from keyturn_credentials.domain.roles import MASTER, Principal, Role
from keyturn_credentials.domain.secrets import ClientSecrets, StoredSecret
from keyturn_credentials.errors import ForbiddenError, InvalidRequestError, LimitReachedError
from keyturn_credentials.operations.client_keys import with_keys, with_revoked_key
from keyturn_credentials.operations.permissions import CONFIGURE_CLIENTS, being_the_client
from keyturn_credentials.operations.realms import changed_realm
from keyturn_credentials.operations.secret_issuer import SecretIssuer
from keyturn_credentials.operations.secrets import renew_secret, revoke_rotated_secret
from keyturn_credentials.operations.token_revocation import MAX_REVOKED_TOKENS, revoke_token
from keyturn_shared.oauth.tokens.revocation import TokenToRevoke
from keyturn_shared.realm_rings import FleetRing
from keyturn_shared.secret import Secret

NOW = 1_000_000.0
REALM = Realm("realm-id", "acme")
CLIENT = Client("uuid", "realm-id", "orders")
MAKER = SecretIssuer(FleetRing([bytes(32)]))


def caller(*roles: Role, realm: str = "acme", uuid: str = "caller") -> Principal:
    return Principal(realm, uuid, "caller", frozenset(roles))


def token(digest: str, expires_at: float) -> TokenToRevoke:
    return TokenToRevoke(
        realm="acme",
        realm_id="realm-id",
        client_uuid="uuid",
        client_id="orders",
        digest=digest,
        expires_at=expires_at,
    )


@pytest.mark.parametrize(
    "principal",
    [
        caller(),
        caller(Role.VIEW_CLIENTS, Role.MANAGE_REALM),
        caller(Role.CONFIGURE_CLIENTS, realm="other"),
        caller(Role.MANAGE_REALM, realm=MASTER),
    ],
)
def test_a_caller_without_the_role_for_the_realm_is_refused(principal: Principal) -> None:
    with pytest.raises(ForbiddenError):
        CONFIGURE_CLIENTS(principal, "acme", [CLIENT])


def test_a_caller_is_refused_where_any_of_the_clients_holds_more() -> None:
    stronger = replace(CLIENT, attributes={"keyturn.admin.roles": "manage-realm"})
    configurer = caller(Role.CONFIGURE_CLIENTS)
    CONFIGURE_CLIENTS(configurer, "acme", [CLIENT, CLIENT])
    for clients in ([stronger, CLIENT], [CLIENT, stronger]):
        with pytest.raises(ForbiddenError):
            CONFIGURE_CLIENTS(configurer, "acme", clients)
    CONFIGURE_CLIENTS(caller(Role.CONFIGURE_CLIENTS, Role.MANAGE_REALM), "acme", [CLIENT, stronger])


def test_a_client_changes_itself_without_any_role_and_no_other() -> None:
    being_the_client(caller(uuid="uuid"), "acme", [CLIENT])
    with pytest.raises(ForbiddenError):
        being_the_client(caller(*Role, uuid="another"), "acme", [CLIENT])


def test_a_renewed_secret_is_the_one_given_and_the_client_keeps_the_rest() -> None:
    change = renew_secret(REALM, CLIENT, NOW, MAKER, Secret("a-new-secret"))
    assert change.after is not None
    current = change.after.secrets.current
    assert current is not None
    assert current.secret == change.value == Secret("a-new-secret")
    assert replace(change.after, secrets=CLIENT.secrets) == CLIENT


def test_a_public_client_gets_no_secret() -> None:
    with pytest.raises(InvalidRequestError):
        renew_secret(REALM, replace(CLIENT, document={"publicClient": True}), NOW, MAKER, Secret("x"))


def test_a_former_secret_is_dropped_and_without_one_nothing_is() -> None:
    """Keycloak's callers drop it without looking first."""
    assert revoke_rotated_secret(REALM, CLIENT, NOW).after == CLIENT
    kept, former = (StoredSecret(digest=name, created_at=NOW) for name in ("kept", "former"))
    change = revoke_rotated_secret(REALM, replace(CLIENT, secrets=ClientSecrets(kept, former)), NOW)
    assert change.after is not None
    assert change.after.secrets == ClientSecrets(kept, None)


def test_keys_are_set_and_removed_at_once_beside_what_else_there_is() -> None:
    client = replace(CLIENT, attributes={"team": "billing", "use.jwks.url": "true"})
    after = with_keys(client, {"use.jwks.url": None, "jwt.credential.kid": "one"})
    assert after.attributes == {"team": "billing", "jwt.credential.kid": "one"}


def test_a_key_that_is_revoked_again_keeps_its_first_date() -> None:
    once = with_revoked_key(CLIENT, "A" * 43, (), NOW)
    assert with_revoked_key(once, "A" * 43, (), NOW + 1).revoked_keys == {"A" * 43: NOW}
    with pytest.raises(InvalidRequestError):
        with_revoked_key(CLIENT, "no thumbprint", (), NOW)


def test_expired_tokens_make_room_for_others() -> None:
    full = replace(CLIENT, revoked_tokens={f"{number:032}": NOW for number in range(MAX_REVOKED_TOKENS)})
    with pytest.raises(LimitReachedError):
        revoke_token(full, token("f" * 32, NOW + 60), NOW)
    later = NOW + 86_400
    change = revoke_token(full, token("f" * 32, later + 60), later)
    assert change.after is not None
    assert change.after.revoked_tokens == {"f" * 32: later + 60}


@pytest.mark.parametrize("members", [{"realm": "renamed"}, {"enabled": False}])
def test_realm_master_stays_as_it_is(members: dict[str, object]) -> None:
    with pytest.raises(InvalidRequestError):
        changed_realm(Realm("id", MASTER), members, NOW)
