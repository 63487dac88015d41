"""node-oidc-provider with some persons, and the console's stack as its client."""

import json

from keyturn_shared.jose.signing import SigningKey
from tests.browser.console import Console
from tests.testkit.nodejs import install_packages, node_directory
from tests.testkit.ports import find_free_port
from tests.testkit.processes import Processes, RunningProcess
from tests.testkit.waiting import wait_until_blocking

CLIENT_ID = "keyturn-console"
CLIENT_SECRET = "the-secret-of-the-console-at-the-provider"
NAME = "Example ID"
_FONTS = "https://fonts.googleapis.com/**"
ACCOUNTS = {
    "ada": {"name": "Ada Lovelace", "groups": ["admins", "staff"]},
    "bob": {"name": "Bob Viewer", "groups": ["viewers"]},
    "eve": {"name": "Eve Nobody", "groups": ["staff"]},
}
ROLES = {"admins": {"master": ["admin"]}, "viewers": {"master": ["view-clients"]}}


class PersonProvider:
    """One that can be stopped, and started again at the same address with new keys."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._port = find_free_port()
        self._process: RunningProcess | None = None
        self._kid = 0
        self.issuer = f"http://127.0.0.1:{self._port}"

    def settings(self) -> dict[str, str]:
        """Return the stack's settings for it."""
        return {
            "KEYTURN_CONSOLE_OIDC_ISSUER": self.issuer,
            "KEYTURN_CONSOLE_OIDC_NAME": NAME,
            "KEYTURN_CONSOLE_OIDC_CLIENT_ID": CLIENT_ID,
            "KEYTURN_CONSOLE_OIDC_CLIENT_SECRET": CLIENT_SECRET,
            "KEYTURN_CONSOLE_OIDC_ROLES": json.dumps(ROLES),
            "KEYTURN_CONSOLE_OIDC_ALLOWED_NETWORKS": "127.0.0.0/8",
        }

    def start(self, base_url: str) -> None:
        """Start it with a key of its own, for the console at this URL."""
        self._kid += 1
        key = SigningKey.generate("RS256", kid=f"key-{self._kid}")
        client = {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "redirect_uris": [f"{base_url}/console/oidc/callback"],
            "backchannel_logout_uri": f"{base_url}/console/oidc/back-channel-logout",
            "backchannel_logout_session_required": True,
        }
        given = {
            "clients": [client],
            "accounts": ACCOUNTS,
            "scopes": {"openid": ["sub"], "profile": ["name", "groups"]},
            "jwks": {"keys": [json.loads(key.export_private_jwk())]},
        }
        script = install_packages() / "oidc-persons.mjs"
        node = node_directory() / "bin" / "node"
        self._process = process = self._processes.start([node, script, str(self._port), json.dumps(given)])

        def is_ready() -> bool:
            assert process.alive, process.output()
            return "ready" in process.output()

        wait_until_blocking(is_ready)

    def said(self) -> str:
        """Return its output."""
        assert self._process is not None
        return self._process.output()

    def stop(self) -> None:
        assert self._process is not None
        self._process.stop()


async def sign_in(console: Console, provider: PersonProvider, login: str) -> None:
    """Sign in at the provider, from the console's sign-in page to what comes after it."""
    page = console.page
    # Its pages ask for a font of others, which is not there.
    await page.route(_FONTS, lambda route: route.abort())
    console.visited += [provider.issuer, _FONTS.removesuffix("**")]
    console.expected += [provider.issuer, _FONTS.removesuffix("**")]
    await page.get_by_role("link", name=f"Sign in with {NAME}").click()
    await page.get_by_placeholder("Enter any login").fill(login)
    await page.get_by_placeholder("and password").fill("any")
    await page.get_by_role("button", name="Sign-in").click()
    await page.get_by_role("button", name="Continue").click()
