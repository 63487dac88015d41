"""A session of the console without a browser."""

import httpx
from playwright.async_api import BrowserContext

from tests.testkit.local_stack import RunningStack

COOKIE = "keyturn_session"


def sign_in(stack: RunningStack, credentials: dict[str, str] | None = None) -> httpx.Response:
    """Return the answer to a sign-in: by default, of the first admin."""
    url = f"{stack.base_url}/console/session"
    return httpx.post(
        url, json=credentials or stack.local["admin"], trust_env=False, timeout=30
    ).raise_for_status()


async def give_session(context: BrowserContext, stack: RunningStack) -> None:
    """Give a browser the session that serves all tests which do not end it."""
    if stack.console_session is None:
        stack.console_session = sign_in(stack).cookies[COOKIE]
    await give_cookie(context, stack.base_url, stack.console_session)


async def give_cookie(context: BrowserContext, base_url: str, session: str) -> None:
    await context.add_cookies(
        [{"name": COOKIE, "value": session, "url": base_url, "httpOnly": True, "sameSite": "Strict"}]
    )
