"""``keyturn notices``."""

from typing import Any, Final

from keyturn.admin_cli.options import Json, Most, ProfileName, Realm
from keyturn.admin_cli.rendering import time_text
from keyturn.admin_cli.session import opened

_HEADS: Final = ("SINCE", "SEVERITY", "CODE", "CLIENT ID OR KEY", "ENDS", "DETAIL")


def notices(
    most: Most = 1000, realm: Realm = None, profile: ProfileName = None, as_json: Json = False
) -> None:
    """Show what needs a person, newest first: what ends and nothing replaces, what fails, what waits."""
    with opened(profile, realm, as_json=as_json) as session:
        found = session.api.get_list(session.path("notices"), {"max": most})
        if as_json:
            session.out.json(found)
            return
        session.out.table(_HEADS, [_row(each) for each in found], none="No notices.")
        advice = {str(each.get("code")): each for each in found}
        for code in sorted(advice):
            session.out.line(f"{code}: {advice[code].get('text')} {advice[code].get('advice')}")


def _row(notice: dict[str, Any]) -> tuple[object, ...]:
    return (
        time_text(notice.get("since")),
        notice.get("severity"),
        notice.get("code"),
        notice.get("client_id") or notice.get("kid"),
        time_text(notice.get("ends_at")),
        notice.get("detail"),
    )
