"""Pages for persons who were not signed in. They contain nothing that a caller or a provider chose."""

from dataclasses import dataclass
from typing import Final

from starlette.responses import Response

from keyturn_credentials.console.assets import BASE, assets
from keyturn_credentials.console.pages import SECURITY_HEADERS
from keyturn_credentials.oidc.errors import Refusal

TOO_MANY: Final = "too_many"

_TEMPLATE: Final = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Not signed in · keyturn</title>
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <link rel="icon" href="{static}icon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="{static}console.css">
  </head>
  <body>
    <main class="signin" id="main">
      <p class="brand"><img src="{static}icon.svg" alt="" width="32" height="32">keyturn</p>
      <div class="card">
        <h1>{heading}</h1>
        <p>{text}</p>
        <p>{advice}</p>
        <a class="button primary wide" href="/console/">Back to sign-in</a>
      </div>
      <p class="quiet small">Reason: <code>{reason}</code></p>
    </main>
  </body>
</html>
"""


@dataclass(frozen=True, slots=True)
class _Page:
    status: int
    heading: str
    text: str
    advice: str


_PAGES: Final = {
    Refusal.NOT_STARTED: _Page(
        400,
        "This sign-in cannot be completed",
        "It was not started in this browser, took longer than ten minutes, or was completed already.",
        "Sign in again from the console.",
    ),
    Refusal.DENIED: _Page(
        403,
        "The sign-in was declined",
        "Your identity provider did not let you sign in to this application.",
        "If you did not cancel it yourself, ask the people who administer your identity provider.",
    ),
    Refusal.PROVIDER_ERROR: _Page(
        502,
        "Your identity provider reported an error",
        "It did not complete the sign-in.",
        "Try again. If it happens again, the log of the credentials service has the details.",
    ),
    Refusal.UNTRUSTED: _Page(
        403,
        "The sign-in was refused",
        "What came back is not a valid answer of your identity provider to this sign-in.",
        "Sign in again from the console. If it happens again, the log of the credentials service has the"
        " details.",
    ),
    Refusal.GROUPS_UNREADABLE: _Page(
        403,
        "Your groups cannot be read",
        "Your identity provider sends your groups in a form that keyturn does not accept.",
        "Ask the people who administer keyturn to check KEYTURN_CONSOLE_OIDC_GROUPS_CLAIM.",
    ),
    Refusal.TOO_LARGE: _Page(
        403,
        "Your identity provider sends too much",
        "Its answer about you is larger than keyturn accepts, usually because you are in very many groups.",
        "Ask the people who administer your identity provider to send only the groups that have a role in"
        " keyturn.",
    ),
    Refusal.NO_ROLE: _Page(
        403,
        "You have no role here",
        "You are signed in at your identity provider, but none of your groups has a role in keyturn.",
        "Ask the people who administer keyturn for access, then sign in again.",
    ),
    Refusal.UNAVAILABLE: _Page(
        503,
        "Your identity provider is not responding",
        "Nobody can sign in with it at the moment.",
        "Try again in a moment. If it lasts, the log of the credentials service has the details.",
    ),
    TOO_MANY: _Page(
        429,
        "Too many failed sign-ins",
        "Too many sign-ins from your address have failed.",
        "Try again in a few minutes.",
    ),
}


def refusal_page(reason: Refusal | str) -> Response:
    """Build the page for a reason, with its status."""
    page = _PAGES[reason]
    html = _TEMPLATE.format(
        static=f"{BASE}{assets().version}/",
        heading=page.heading,
        text=page.text,
        advice=page.advice,
        reason=str(reason),
    )
    headers = {**SECURITY_HEADERS, "Cache-Control": "no-store"}
    if page.status in (429, 503):
        headers["Retry-After"] = "60" if page.status == 429 else "5"
    return Response(html, page.status, headers, media_type="text/html")
