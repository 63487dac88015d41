"""Options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

Realm = Annotated[
    str | None, typer.Option("--realm", "-r", help="The realm. By default, the one chosen at sign-in.")
]
ProfileName = Annotated[
    str | None,
    typer.Option(
        "--profile", "-p", envvar="KEYTURN_PROFILE", help="The profile. By default, the one last signed in."
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Wait = Annotated[
    int,
    typer.Option(
        min=0, max=60, help="Seconds to wait until every node has applied the change; 0 does not wait."
    ),
]
DEFAULT_WAIT = 10
Client = Annotated[str, typer.Argument(help="The client: its client ID or its UUID.")]
Most = Annotated[int, typer.Option("--max", min=1, max=1000, help="The largest number of entries to show.")]
AdminClientId = Annotated[str | None, typer.Option("--client-id", help="The client ID of the administrator.")]
CaFile = Annotated[
    Path | None, typer.Option("--ca-file", help="Trust only the CA certificates in this PEM file for TLS.")
]
InsecureHttp = Annotated[
    bool,
    typer.Option(
        "--insecure-http", help="Allow http:// to another machine. Credentials can be read in transit."
    ),
]
