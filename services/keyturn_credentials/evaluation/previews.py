"""Readable parts of a token. Pure."""

from collections.abc import Mapping
from typing import Any

from keyturn_credentials.domain.evaluation import TokenPreview
from keyturn_shared.jose import base64url, strict_json


def preview_of(token: str, claims: Mapping[str, Any]) -> TokenPreview:
    """Return the header of a well-formed token with these claims."""
    header = strict_json.decode_object(base64url.decode(token.partition(".")[0].encode("ascii")))
    return TokenPreview(header, claims)


def expiry_note(claims: Mapping[str, Any], now: float) -> dict[str, str]:
    """Return the note on the check of ``exp``, by the check's name; none without the claim."""
    expires = claims.get("exp")
    if expires is None:
        return {}
    if expires <= now:
        return {"expiry": f"exp passed {now - expires:.0f} s ago, within the tolerance for clocks."}
    return {"expiry": f"exp is {expires - now:.0f} s ahead."}
