"""``keyturn probe``."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from keyturn.admin_cli.options import DEFAULT_WAIT, AdminClientId, CaFile, InsecureHttp, ProfileName
from keyturn.admin_cli.session import reporting


def probe(
    node: Annotated[
        list[str] | None,
        typer.Option(
            "--node",
            help="Base URL of a node; can be given several times. A name with several addresses is as many"
            " nodes, looked up anew for each round.",
        ),
    ] = None,
    realm: Annotated[
        str | None,
        typer.Option(
            "--realm",
            "-r",
            help="The realm of the canary. By default, the one chosen at sign-in. Not master.",
        ),
    ] = None,
    canary: Annotated[
        str, typer.Option(help="Client ID of the canary, which is created if it is absent.")
    ] = "keyturn-probe",
    once: Annotated[bool, typer.Option("--once", help="Run one round; its result is the exit code.")] = False,
    interval: Annotated[
        int, typer.Option(min=1, max=3600, help="Seconds from the end of a round to the next one.")
    ] = 15,
    wait: Annotated[
        int, typer.Option(min=1, max=60, help="Seconds that each change waits until every node applied it.")
    ] = DEFAULT_WAIT,
    metrics_address: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Serve /metrics for Prometheus and /health at this address."),
    ] = None,
    profile: ProfileName = None,
    server: Annotated[
        str | None,
        typer.Option(help="Sign in at this base URL instead of with a profile, with the options below."),
    ] = None,
    client_id: AdminClientId = None,
    admin_realm: Annotated[
        str | None, typer.Option(help="The realm of the administrator. By default, the canary's.")
    ] = None,
    secret_file: Annotated[
        Path | None, typer.Option(help="Read the administrator's secret from this file for each token.")
    ] = None,
    key_file: Annotated[
        Path | None, typer.Option(help="Sign in with this private key: a JWK with alg, or PEM.")
    ] = None,
    ca_file: CaFile = None,
    insecure_http: InsecureHttp = False,
    forwarded_for: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Send this address in X-Forwarded-For. For a prober in a network of KEYTURN_TRUSTED_PROXIES:"
            " an address outside of them.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON for each round.")] = False,
) -> None:
    """Show from outside that no node accepts what a confirmed call has ended.

    Each round gives a client of its own a new secret, disables it and ends its tokens, and asks every node
    after each call. Without --once, rounds go on until SIGTERM or Ctrl-C.
    """
    from keyturn.probe.access import SignIn
    from keyturn.probe.running import Options, run

    with reporting():
        sign_in = SignIn(
            server,
            client_id,
            admin_realm,
            secret_file,
            key_file,
            profile,
            ca_file,
            insecure_http,
            forwarded_for,
        )
        options = Options(
            sign_in,
            tuple(node or ()),
            realm,
            canary,
            once,
            interval,
            wait,
            metrics_address,
            as_json,
        )
        code = run(options)
    sys.exit(code)
