"""Clients of realm ``master`` that can administer keyturn. Pure."""

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.client_keys import keys_of
from keyturn_credentials.domain.roles import Role
from keyturn_credentials.errors import InvalidRequestError


def administers(client: Client | None) -> bool:
    """Return whether this client of realm ``master`` can sign in and administer everything: it is enabled,
    has a service account, the role ``admin`` and a credential. Whether a secret has expired does not count:
    that ends no client for good."""
    if client is None or not client.enabled or not client.service_accounts_enabled:
        return False
    try:
        return Role.ADMIN in client.admin_roles and _has_credential(client)
    except InvalidRequestError:  # a role, or keys, that an earlier release accepted
        return False


def _has_credential(client: Client) -> bool:
    if client.needs_secret:
        return client.secrets.current is not None
    if client.has_own_keys:
        keys = keys_of(client)
        return bool(keys.url or keys.keys)
    return True  # a certificate that its subject describes
