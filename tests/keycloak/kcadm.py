"""``make keycloak-kcadm``: Keycloak's own kcadm.sh, unmodified, against keyturn.

Every command must succeed and print what its row says. Each starts a Java process of its own.
"""

import os
import re
import shlex
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.testkit.java import java_home
from tests.testkit.keycloak import keycloak_home
from tests.testkit.local_stack import RunningStack
from tests.testkit.tools import run

_SECONDS = 120.0
_SECRET = "a-secret-of-forty-eight-bytes-long-enough-for-HS"


@dataclass(frozen=True)
class Command:
    """One call of kcadm.sh. ``shows``: a regular expression found in its output. ``keep``: a variable that
    gets the output, for the braces of later commands."""

    line: str
    shows: str = ""
    keep: str = ""


COMMANDS = (
    Command("config credentials --server {url} --realm master --client {admin} --secret {secret}"),
    Command("get serverinfo --fields 'systemInfo(version)'", r'"version" : "26\.'),
    Command("create realms -s realm=acme -s enabled=true", "acme"),
    Command("get realms --fields realm", '"acme"'),
    Command("get realms/acme --fields realm,enabled", '"enabled" : true'),
    Command("update realms/acme -s accessTokenLifespan=120"),
    Command("get realms/acme --fields accessTokenLifespan", "120"),
    Command("get keys -r acme --fields 'active(*)'", '"active"'),
    Command(
        f"create clients -r acme -s clientId=orders -s serviceAccountsEnabled=true -s secret={_SECRET} -i",
        keep="client",
    ),
    Command("get clients -r acme -q clientId=orders --fields id,clientId", "{client}"),
    Command("get clients -r acme -q clientId=ord -q search=true -q max=5 --fields clientId", "orders"),
    Command("get clients/{client} -r acme --fields clientAuthenticatorType", "client-secret"),
    Command("update clients/{client} -r acme -s name=Orders -s 'attributes.team=payments'"),
    Command("get clients/{client} -r acme --fields 'name,attributes(team)'", "payments"),
    Command("get clients/{client}/client-secret -r acme", _SECRET),
    Command("create clients/{client}/client-secret -r acme"),
    Command("get clients/{client}/client-secret -r acme --fields type", '"secret"'),
    Command("get clients/{client}/installation/providers/keycloak-oidc-keycloak-json -r acme", '"resource"'),
    Command("create clients/{client}/certificates/jwt.credential/generate -r acme"),
    Command("get clients/{client}/certificates/jwt.credential -r acme --fields certificate", "certificate"),
    Command("get clients/{client}/service-account-user -r acme --fields username", "service-account-orders"),
    Command("create roles -r acme -s name=reader -s 'description=may read'", "reader"),
    Command("get roles -r acme --fields name", "reader"),
    Command("get roles/reader -r acme --fields description", "may read"),
    Command("update roles/reader -r acme -s 'description=may read orders'"),
    Command("create clients/{client}/roles -r acme -s name=writer", "writer"),
    Command("add-roles -r acme --uusername service-account-orders --rolename reader"),
    Command("add-roles -r acme --uusername service-account-orders --cclientid orders --rolename writer"),
    Command("get-roles -r acme --uusername service-account-orders --fields name", "reader"),
    Command(
        "get-roles -r acme --uusername service-account-orders --cclientid orders --fields name", "writer"
    ),
    Command("remove-roles -r acme --uusername service-account-orders --rolename reader"),
    Command("add-roles -r acme --rname reader --cclientid orders --rolename writer"),
    Command("get-roles -r acme --rname reader --cclientid orders --fields name", "writer"),
    Command("delete roles/reader -r acme"),
    Command("create client-scopes -r acme -s name=tenant -s protocol=openid-connect -i", keep="scope"),
    Command("get client-scopes -r acme --fields name", "tenant"),
    Command("update client-scopes/{scope} -r acme -s description=changed"),
    Command("update clients/{client}/default-client-scopes/{scope} -r acme"),
    Command("get clients/{client}/default-client-scopes -r acme --fields name", "tenant"),
    Command("delete clients/{client}/default-client-scopes/{scope} -r acme"),
    Command("delete client-scopes/{scope} -r acme"),
    Command("create partial-export -r acme -q exportClients=true -o", '"orders"'),
    Command("create clear-keys-cache -r acme"),
    Command("create push-revocation -r acme"),
    Command("delete clients/{client} -r acme"),
    Command("delete realms/acme"),
)
"""In an order in which each has something to do."""


class CommandError(Exception):
    """A command failed, or printed something else."""


class Kcadm:
    """kcadm.sh with its own configuration file, and the variables of the commands so far."""

    def __init__(self, configuration: Path, **variables: str) -> None:
        self._program = keycloak_home() / "bin" / "kcadm.sh"
        self._configuration = configuration
        self._variables = variables
        self._environment = {
            "JAVA_HOME": str(java_home()),
            "KC_OPTS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx128m",
        }

    def call(self, command: Command) -> None:
        """Run it. Raises CommandError."""
        arguments = shlex.split(self._filled(command.line))
        whole = [self._program, *arguments, "--config", self._configuration]
        ended = run(whole, environment=dict(os.environ) | self._environment, seconds=_SECONDS)
        if ended.returncode != 0:
            raise CommandError(f"{command.line}: {ended.stderr.strip()[:500]}")
        if not re.search(self._filled(command.shows), ended.stdout + ended.stderr):
            raise CommandError(f"{command.line}: it does not show {command.shows}: {ended.stdout[:500]}")
        if command.keep:
            self._variables[command.keep] = ended.stdout.strip()

    def _filled(self, text: str) -> str:
        return re.sub(r"\{(\w+)\}", lambda found: self._variables.get(found[1], found[0]), text)


def main() -> int:
    failed = 0
    with (
        tempfile.TemporaryDirectory(prefix="keyturn-kcadm-") as directory,
        RunningStack(Path(directory) / "stack", "--no-demo", nodes=1) as stack,
    ):
        stack.start()
        admin = stack.local["admin"]
        known = {"url": stack.base_url, "admin": admin["client_id"], "secret": admin["client_secret"]}
        kcadm = Kcadm(Path(directory) / "kcadm.config", **known)
        for command in COMMANDS:
            try:
                kcadm.call(command)
            except CommandError as error:
                failed += 1
                print(f"FAILED: {error}", flush=True)
    print(f"{len(COMMANDS)} commands, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
