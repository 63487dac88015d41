"""One command: its profile, the API, the output, and how it ends."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn.admin_cli.rendering import Output

if TYPE_CHECKING:
    from keyturn.admin_cli.api import AdminApi, Change


@dataclass(frozen=True, slots=True)
class Session:
    """``realm``: the one that the command works on. ``caller``: realm and client ID of the administrator."""

    api: "AdminApi"
    realm: str
    out: Output
    caller: tuple[str, str] | None = None

    def path(self, *parts: str) -> str:
        """Return a path below the realm's."""
        from keyturn.admin_cli.api import path_of

        return path_of(self.realm, *parts)

    def is_own_client(self, client: Mapping[str, Any]) -> bool:
        """Return True for the representation of the client that the administrator is signed in with."""
        return self.caller == (self.realm, client.get("clientId"))

    def change(self, method: str, *parts: str, wait: int, **content: Any) -> "Change":
        """Make a change below the realm's path. Raises CommandError."""
        if wait:
            self.out.progress("Waiting for the nodes …")
        try:
            return self.api.change(method, self.path(*parts), wait=wait, **content)
        finally:
            self.out.end_progress()

    def finish(self, change: "Change", done: str, **members: object) -> None:
        """Report a change, and end with UNCONFIRMED if nodes may not have applied it. ``members``: what
        JSON has besides."""
        fleet = change.fleet
        if self.out.as_json:
            shown = None if fleet is None else fleet.members()
            safe = None if fleet is None else fleet.is_safe
            self.out.json({**members, "sequence": change.sequence, "fleet": shown, "safe": safe})
        else:
            self.out.line(done)
            if fleet is not None:
                self.out.line(fleet.sentence())
        if change.notice:
            self.out.message(f"keyturn: {change.notice}")
        if change.is_unconfirmed:
            raise typer.Exit(ExitCode.UNCONFIRMED)


@contextmanager
def reporting() -> Iterator[None]:
    """End the command with the exit code of a CommandError, and its detail on standard error."""
    try:
        yield
    except CommandError as error:
        end_with(error)


def end_with(error: CommandError) -> NoReturn:
    """Print the error, and end with its exit code."""
    Output(as_json=False).message(f"keyturn: {error.detail}")
    raise typer.Exit(error.exit_code)


@contextmanager
def opened(profile: str | None, realm: str | None, *, as_json: bool) -> Iterator[Session]:
    """Open a session with a profile."""
    from keyturn.admin_cli.api import AdminApi
    from keyturn.admin_cli.profiles import ProfileStore
    from keyturn.admin_cli.servers import check_server, connect
    from keyturn.admin_cli.tokens import ProfileTokens

    out = Output(as_json)
    with reporting():
        store = ProfileStore.of(os.environ)
        found = store.load(profile)
        server = connect(check_server(found.server, insecure_http=found.insecure_http), found.ca_file)
        try:
            tokens = ProfileTokens(found, store, server)
            caller = (found.realm, found.client_id)
            yield Session(AdminApi(server, tokens), realm or found.default_realm, out, caller)
        finally:
            out.end_progress()
            server.close()
