"""Target of a change of a role."""

from dataclasses import dataclass

from keyturn_credentials.operations.targets import RealmTarget


@dataclass(frozen=True, slots=True)
class RoleTarget:
    """The role ``role_id``, or one of this ``name``: of the realm, or of the client ``client_uuid``.
    ``is_of_client``: whose it is, which never changes; an import may bring roles of a client that there is
    not."""

    realm: RealmTarget
    is_of_client: bool
    name: str = ""
    client_uuid: str | None = None
    role_id: str | None = None
