"""What the local stack says on the terminal."""

import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from keyturn.stack.local_file import LocalStack


class Terminal:
    """Lines for a person; the same lines without colours where the output is a file."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)
        self._begun = time.monotonic()

    def say(self, text: str, style: str = "") -> None:
        self.console.print(Text(text, style=style))

    def trouble(self, text: str, lines: Sequence[str] = ()) -> None:
        """Something went wrong that the stack deals with itself; the last lines of the log say more."""
        self.say(text, "yellow")
        for line in lines:
            self.say(f"  {line}", "dim")

    def ready(
        self, local: LocalStack, *, data: Path, secrets: Path, networks: str, show_secret: bool
    ) -> None:
        """Where everything is, and the first login."""
        self.say(f"\nkeyturn is ready ({time.monotonic() - self._begun:.1f} s)\n", "bold green")
        table = Table.grid(padding=(0, 3))
        rows = [("Base URL", local.base_url), ("Console", f"{local.base_url}/console/")]
        rows += [(node.id, node.base_url) for node in local.nodes]
        rows.append(("First login", f"realm {local.admin.realm}, client {local.admin.client_id}"))
        if show_secret:
            rows.append(("Secret", f"{local.admin.client_secret} (shown once; kept in {secrets})"))
        else:
            rows.append(("Secret", f"in {secrets}"))
        rows.append(("Data and logs", str(data)))
        rows.append(("JWKS URLs", f"may point to {networks} here; in production that is refused by default"))
        for name, value in rows:
            table.add_row(Text(name, "dim"), Text(value))
        self.console.print(table)
        self.say("")
