"""The local stack's output on the terminal."""

import time
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from keyturn.local.data_directory import DataDirectory
from keyturn.local.local_file import LocalStack


class Terminal:
    """Lines for a person; without colours if the output is a file."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)
        self._begun = time.monotonic()

    def say(self, text: str, style: str = "") -> None:
        self.console.print(Text(text, style=style))

    def trouble(self, text: str, lines: Sequence[str] = ()) -> None:
        """Report a problem that the stack handles itself, with the last lines of the log."""
        self.say(text, "yellow")
        for line in lines:
            self.say(f"  {line}", "dim")

    def failure(self, text: str) -> None:
        """Report that a requested action failed."""
        self.say(text, "bold red")

    def ready(self) -> None:
        self.say(f"keyturn is ready after {time.monotonic() - self._begun:.1f} s", "bold green")

    def welcome(
        self,
        local: LocalStack,
        directory: DataDirectory,
        *,
        console_link: str | None,
        networks: str,
        show_secret: bool,
    ) -> None:
        """Print the URLs and the first login. ``console_link``: None if nobody could use one."""
        secret = f"in {directory.secrets_file}"
        if show_secret:
            secret = f"{local.admin.client_secret} (shown only once; stored {secret})"
        rows = [
            ("Base URL", local.base_url),
            ("Console", f"{local.base_url}/console/"),
            *((node.id, node.base_url) for node in local.nodes),
            ("First admin", f"realm {local.admin.realm}, client {local.admin.client_id}"),
            ("Secret", secret),
            *(
                [("Sign-in link", f"{console_link} (within 5 minutes; keyturn console prints another)")]
                if console_link is not None
                else []
            ),
            ("Data and logs", str(directory.path)),
            ("JWKS URLs", f"may point to {networks} in this stack; in production that is refused by default"),
        ]
        self.say("")
        for name, value in rows:
            # Not a table: a secret or URL that is broken into lines cannot be copied.
            self.console.print(Text(f"{name:<15}", "dim") + Text(value))
        self.say("\nCtrl-C stops all of it.", "dim")
