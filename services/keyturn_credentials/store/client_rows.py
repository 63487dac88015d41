"""Columns of a client for the comparison of two states, with its secrets as they are in memory."""

from typing import Any

from keyturn_credentials.domain.client import Client
from keyturn_credentials.domain.client_keys import certificate_ends_at
from keyturn_credentials.domain.rotation_planning import own_key_rotation_at, own_rotation_at
from keyturn_credentials.domain.secrets import StoredSecret


def unsealed_row(client: Client) -> dict[str, Any]:
    """Return a comparable row: encrypting a secret again changes its ciphertext."""
    return {
        "uuid": client.uuid,
        "realm_id": client.realm_id,
        "client_id": client.client_id,
        "enabled": client.enabled,
        "authenticator": client.authenticator,
        "attributes": client.attributes,
        "document": client.document,
        "secrets": client.secrets,
        "revoked_keys": client.revoked_keys,
        "keys_not_before": client.keys_not_before,
        "version": client.version,
        "token_generation": client.token_generation,
        "revoked_tokens": client.revoked_tokens,
        "service_account": client.service_account.as_stored(),
        "secret_expires_at": _end_of(client.secrets.current),
        "former_secret_ends_at": _end_of(client.secrets.rotated),
        "own_rotation_at": own_rotation_at(client),
        "keys_since": client.keys_since,
        "own_key_rotation_at": own_key_rotation_at(client),
        "certificate_ends_at": certificate_ends_at(client),
    }


def _end_of(stored: StoredSecret | None) -> float | None:
    return None if stored is None else stored.expires_at
