"""Sessions of clients other than the first admin."""

import httpx

from tests.browser.console import Console
from tests.testkit.console_realm import REALM
from tests.testkit.console_session import COOKIE, give_cookie


async def give_session_of(console: Console, client_id: str, secret: str) -> None:
    """Give the browser the session of an admin client of the realm."""
    credentials = {"realm": REALM, "client_id": client_id, "client_secret": secret}
    async with httpx.AsyncClient(base_url=console.base, trust_env=False, timeout=30) as http:
        answer = (await http.post("/console/session", json=credentials)).raise_for_status()
    await give_cookie(console.context, console.base, answer.cookies[COOKIE])
