"""``keyturn realms``."""

from keyturn.admin_cli.options import Json, ProfileName
from keyturn.admin_cli.session import opened


def realms(profile: ProfileName = None, as_json: Json = False) -> None:
    """List the realms in which you have any right."""
    with opened(profile, None, as_json=as_json) as session:
        found = session.api.get_list("/admin/realms", {"briefRepresentation": "true"})
        if as_json:
            session.out.json(found)
            return
        rows = [(each.get("realm"), each.get("enabled"), each.get("displayName")) for each in found]
        session.out.table(("REALM", "ENABLED", "DISPLAY NAME"), rows, none="No realms.")
