"""Grants that a node would make, from the projections in the database."""

from typing import Any

from keyturn_credentials.store.database import Database
from keyturn_shared.oauth.claims.token_profile import profile_of
from keyturn_shared.oauth.tokens.grant import Grant, decide_grant
from keyturn_shared.projection import client_field, decode_client, decode_realm, projection_value, realm_field
from tests.testkit.admin_api import AdminApi
from tests.testkit.stored_projections import stored_projections


async def granted(api: AdminApi, realm_name: str) -> tuple[str, Grant]:
    """The subject of the client's tokens, and what a node grants it."""
    realm_id = (await api.call("GET", f"/{realm_name}")).json()["id"]
    fields = [realm_field(realm_name), client_field(realm_id, "worker")]
    database = Database(api.settings.database_url)
    found = await stored_projections(database, fields)
    await database.close()
    first, second = (projection_value(0, body) for _, body in (found[field] for field in fields) if body)
    realm, client = decode_realm(first)[1], decode_client(second)[1]
    return client.subject, decide_grant(profile_of(realm, client), None, ())


def roles_in(grant: Grant) -> dict[str, Any]:
    """Return the claims about roles."""
    return {name: grant.claims[name] for name in ("realm_access", "resource_access") if name in grant.claims}
