"""``keyturn policy``."""

from typing import Annotated, Any, Final

import typer

from keyturn.admin_cli.client_lookup import find_client
from keyturn.admin_cli.exits import ExitCode
from keyturn.admin_cli.options import DEFAULT_WAIT, Json, ProfileName, Realm, Wait
from keyturn.admin_cli.policy_rules import RULES, assignment, in_force
from keyturn.admin_cli.rotations import show_plan
from keyturn.admin_cli.session import opened

app: Final = typer.Typer(
    help="Show, set and check the policy for rotations.", no_args_is_help=True, rich_markup_mode=None
)

_Client = Annotated[
    str | None, typer.Option("--client", help="Of this client (client ID or UUID) instead of the realm.")
]
_PLAN_DAYS: Final = 90


@app.command()
def show(
    client: _Client = None, realm: Realm = None, profile: ProfileName = None, as_json: Json = False
) -> None:
    """Show the policy of the realm, or the one in force for a client."""
    with opened(profile, realm, as_json=as_json) as session:
        of_realm = session.api.get(session.path()).get("attributes") or {}
        own: dict[str, Any] = {}
        if client is not None:
            own = find_client(session, client).get("attributes") or {}
        rules = in_force(own, of_realm)
        if as_json:
            session.out.json({rule.name: rule.value for rule in rules})
            return
        rows = [(rule.name, rule.value, rule.source) for rule in rules]
        session.out.table(("RULE", "VALUE", "SET FOR"), rows, none="No policy: no secret expires or rotates.")


@app.command("set")
def set_(
    rules: Annotated[
        list[str],
        typer.Argument(help=f"NAME=VALUE; NAME= removes. Names: {', '.join(RULES)}.", metavar="NAME=VALUE"),
    ],
    client: _Client = None,
    realm: Realm = None,
    profile: ProfileName = None,
    wait: Wait = DEFAULT_WAIT,
    as_json: Json = False,
) -> None:
    """Set or remove rules of the policy; the others stay as they are.

    Times are seconds, or such as 12h or 90d. The server checks the policy as a whole, and
    changes nothing if a rule is invalid.
    """
    with opened(profile, realm, as_json=as_json) as session:
        attributes = dict(assignment(rule) for rule in rules)
        parts = () if client is None else ("clients", str(find_client(session, client)["id"]))
        change = session.change("PUT", *parts, wait=wait, json={"attributes": attributes})
        of = f"realm {session.realm}" if client is None else f"client {client}"
        session.finish(change, f"Set the policy of {of}", attributes=attributes)


@app.command()
def check(
    days: Annotated[int, typer.Option(min=1, max=36_500, help="How many days to look ahead.")] = _PLAN_DAYS,
    realm: Realm = None,
    profile: ProfileName = None,
    as_json: Json = False,
) -> None:
    """List clients that the policy would lock out. Exits with 1 if there are any."""
    with opened(profile, realm, as_json=as_json) as session:
        planned = session.api.get_list(session.path("rotations", "plan"), {"days": days, "max": 1000})
        locked_out = [each for each in planned if each.get("effect") == "expires"]
        if locked_out or as_json:
            show_plan(session, locked_out)
        else:
            session.out.line(f"No client is locked out within {days} days")
        if len(planned) == 1000:
            session.out.message("Only the first 1000 entries of the plan were checked: use fewer --days")
        if locked_out:
            raise typer.Exit(ExitCode.FAILED)
