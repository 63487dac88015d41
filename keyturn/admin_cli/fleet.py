"""``keyturn fleet``."""

from typing import Annotated, Any, Final

import typer

from keyturn.admin_cli.exits import ExitCode
from keyturn.admin_cli.fleet_answer import FleetAnswer
from keyturn.admin_cli.options import Json, ProfileName, Realm
from keyturn.admin_cli.rendering import Output
from keyturn.admin_cli.session import opened

_HEADS: Final = ("NODE", "APPLIED", "BEHIND", "LEASE", "LEASE LEFT (MS)", "STANDING")


def fleet(
    watch: Annotated[bool, typer.Option("--watch", help="Show each change until Ctrl-C.")] = False,
    sequence: Annotated[
        int | None,
        typer.Option(min=1, help="Show which nodes have applied this change. Exits with 4 if not all."),
    ] = None,
    wait: Annotated[
        int, typer.Option(min=0, max=60, help="Seconds to wait until every node has applied --sequence.")
    ] = 0,
    realm: Realm = None,
    profile: ProfileName = None,
    as_json: Json = False,
) -> None:
    """Show the verifier nodes, and which of them have applied the newest change."""
    from keyturn.admin_cli.polling import poll

    with opened(profile, realm, as_json=as_json) as session:

        def read() -> dict[str, Any]:
            asked: dict[str, str | int | None] = (
                {} if sequence is None else {"sequence": sequence, "wait": wait}
            )
            return session.api.get(session.path("fleet"), asked, seconds=wait)

        if not watch:
            found = read()
            _show(found, session.out)
            if sequence is not None and not found.get("safe"):
                raise typer.Exit(ExitCode.UNCONFIRMED)
            return
        before: object = None
        for found in poll(read, session.out):
            if (seen := essence(found)) != before:
                before = seen
                _show(found, session.out, indent=None)


def essence(fleet: dict[str, Any]) -> object:
    """Return the part of a fleet's state that is worth another look; it excludes times."""
    nodes = [(node.get("id"), node.get("applied"), node.get("lease")) for node in fleet.get("nodes", ())]
    return fleet.get("head"), fleet.get("safe"), fleet.get("trusted"), nodes


def answer_of(fleet: dict[str, Any]) -> FleetAnswer:
    """Return what the nodes say of the change in question."""
    return FleetAnswer(
        known=True,
        nodes=len(fleet.get("nodes", ())),
        applied=int(fleet.get("applied", 0)),
        fenced=int(fleet.get("fenced", 0)),
        pending=len(fleet.get("pending", ())),
    )


def _show(fleet: dict[str, Any], out: Output, *, indent: int | None = 2) -> None:
    if out.as_json:
        out.json(fleet, indent=indent)
        return
    names = ("id", "applied", "behind", "lease", "lease_left_ms", "standing")
    rows = [[node.get(name) for name in names] for node in fleet.get("nodes", ())]
    out.table(_HEADS, rows, none="No nodes.")
    out.line(f"Change {fleet.get('sequence')}. {answer_of(fleet).sentence()}")
    if not fleet.get("trusted", True):
        out.message("keyturn: the log in Redis is not trusted; see docs/security.md")
