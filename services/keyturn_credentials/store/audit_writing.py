"""The row of an audit entry that is about to be written."""

import secrets
from collections.abc import Mapping
from typing import Any, Final

from keyturn_credentials.domain.audit_chain.entries import FIELDS, NONCE_OCTETS, make_mac
from keyturn_credentials.domain.roles import Principal
from keyturn_shared.sealing import KeyRing

WRITTEN: Final = (*FIELDS, "mac")
"""Columns of a new entry; those of the chain follow later."""


def audit_row(
    ring: KeyRing,
    principal: Principal,
    *,
    occurred_at: float,
    action: str,
    realm_id: str,
    remote_address: str | None = None,
    client_uuid: str | None = None,
    client_id: str | None = None,
    sequence: int | None = None,
    details: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the row by columns, with its authentication code under the first key of the ring."""
    person = principal.person
    row = {
        "occurred_at": occurred_at,
        "realm_id": realm_id,
        "action": action,
        "client_uuid": client_uuid,
        "client_id": client_id,
        "actor_realm": "" if person else principal.realm,
        "actor_client_id": principal.client_id,
        "actor_issuer": person.issuer if person else None,
        "actor_subject": person.subject if person else None,
        "actor_name": person.name if person else None,
        "remote_address": remote_address,
        "sequence": sequence,
        "details": dict(details or {}),
    }
    row["mac"] = make_mac(ring, secrets.token_urlsafe(NONCE_OCTETS), row)
    return row
