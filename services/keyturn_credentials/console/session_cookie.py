"""The console's cookies: never readable by scripts, never of another host."""

from starlette.responses import Response


def set_cookie(
    response: Response, name: str, value: str, seconds: int, *, secure: bool, strict: bool = True
) -> None:
    """Set a cookie for this many seconds; 0 deletes it. ``secure``: only over https. ``strict``: not sent
    with requests that another site caused, not even when it leads here."""
    response.set_cookie(
        name,
        value,
        max_age=seconds,
        path="/",
        secure=secure,
        httponly=True,
        samesite="strict" if strict else "lax",
    )
