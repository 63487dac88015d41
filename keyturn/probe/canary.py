"""The canary: a client that only the prober uses, and the calls that end its credentials."""

import base64
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from keyturn.admin_cli.api import AdminApi, Change, Query, path_of
from keyturn.admin_cli.exits import CommandError, ExitCode
from keyturn.admin_cli.fleet_answer import FleetAnswer
from keyturn_shared.secret import Secret

MARK: Final = "keyturn.probe.canary"
"""Attribute of the clients that a prober has created; it touches no other."""
_ADMIN_ROLES: Final = "keyturn.admin.roles"
_AHEAD_SECONDS: Final = 5
"""Seconds that ``notBefore`` is ahead of the server's time: the call may take as long to be committed."""
_LARGEST_SKEW: Final = 3600


@dataclass(frozen=True, slots=True)
class Call:
    """A call that changed the canary. ``began``, ``returned``: of a monotonic clock, in seconds. ``fleet``:
    None if the response does not say what the nodes have."""

    sequence: int | None
    fleet: FleetAnswer | None
    began: float
    returned: float

    @property
    def is_confirmed(self) -> bool:
        return self.fleet is not None and self.fleet.is_safe


class Canary:
    """Changes the canary of a realm, and nothing else. ``wait``: seconds that each call waits for the fleet.
    Every method raises CommandError."""

    def __init__(
        self,
        api: AdminApi,
        realm: str,
        client_id: str,
        *,
        wait: int,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self.realm = realm
        self.client_id = client_id
        self._api = api
        self._wait = wait
        self._elapsed = elapsed
        self._path = ""

    def prepare(self) -> Call | None:
        """Create the canary if it is absent, and enable it if a round left it otherwise. Return the call if
        one was needed. A client that no prober created is refused, and not changed."""
        found = self._find()
        if found is None:
            return self._create()
        attributes: Any = found.get("attributes")
        known = attributes if isinstance(attributes, dict) else {}
        if known.get(MARK) != "true" or known.get(_ADMIN_ROLES):
            raise CommandError(
                f"client {self.client_id} of realm {self.realm} was not created by keyturn probe, and is left"
                " as it is: choose another name with --canary",
                ExitCode.USAGE,
            )
        self._path = path_of(self.realm, "clients", str(found.get("id", "")))
        if found.get("enabled") is True and not found.get("notBefore"):
            return None
        return self.enable()

    def regenerate(self) -> tuple[Call, Secret]:
        """Give the canary a new secret. The former one ends at once, whatever the realm's policy is."""
        call, change = self._change("POST", f"{self._path}/client-secret", query={"overlap": 0})
        value = change.body.get("value")
        if not isinstance(value, str) or not value:
            raise CommandError("the response to a new secret does not have it; is this the URL of keyturn?")
        return call, Secret(value)

    def disable(self) -> Call:
        """Disable the canary: its secret and its tokens are refused."""
        return self._put({"enabled": False})

    def enable(self) -> Call:
        """Enable the canary, for tokens that are issued from now on."""
        return self._put({"enabled": True, "notBefore": 0})

    def end_tokens(self, token: str | None) -> Call:
        """End all tokens of the canary that were issued until now. ``token``: one that the call must end also
        if the clock of the node that issued it is ahead of the server's."""
        now = self._api.server_time(self._path, {})
        issued_at = 0 if token is None else read_issued_at(token)
        if issued_at > now + _LARGEST_SKEW:
            raise CommandError(f"a node's clock is {issued_at - now} s ahead of the server's")
        return self._put({"notBefore": max(now, issued_at) + _AHEAD_SECONDS})

    def was_changed_since(self, call: Call) -> bool:
        """Return whether there is a newer change of the canary than this one."""
        if call.sequence is None:
            return False
        query: Query = {"client_id": self.client_id, "after": call.sequence, "max": 1}
        return bool(self._api.get_list(path_of(self.realm, "event-log"), query))

    def count_nodes(self) -> int:
        """Return the number of nodes that hold a lease and serve every realm, each with all its workers."""
        nodes = self._api.get(path_of(self.realm, "fleet")).get("nodes")
        return count_nodes(nodes if isinstance(nodes, list) else [])

    def _find(self) -> dict[str, Any] | None:
        listed = self._api.get_list(path_of(self.realm, "clients"), {"clientId": self.client_id})
        return next((each for each in listed if each.get("clientId") == self.client_id), None)

    def _create(self) -> Call:
        """Create the canary. If somebody creates a client of that id at the same time, the server refuses."""
        representation = {
            "clientId": self.client_id,
            "name": "Canary of keyturn probe",
            "description": "Created by keyturn probe, which changes its secret every few seconds.",
            "enabled": True,
            "publicClient": False,
            "serviceAccountsEnabled": True,
            "clientAuthenticatorType": "client-secret",
            "attributes": {MARK: "true"},
        }
        call, change = self._change("POST", path_of(self.realm, "clients"), json=representation)
        uuid = (change.location or "").rpartition("/")[2]
        self._path = path_of(self.realm, "clients", uuid)
        return call

    def _put(self, members: dict[str, object]) -> Call:
        return self._change("PUT", self._path, json=members)[0]

    def _change(self, method: str, path: str, **content: Any) -> tuple[Call, Change]:
        began = self._elapsed()
        change = self._api.change(method, path, wait=self._wait, **content)
        return Call(change.sequence, change.fleet, began, self._elapsed()), change


def read_issued_at(token: str) -> int:
    """Return the ``iat`` of an access token (RFC 9068 section 2.2), whose signature is not checked; 0 if it
    cannot be read."""
    payload = token.split(".")[1:2]
    try:
        claims = json.loads(base64.urlsafe_b64decode("".join(payload) + "=="))
        return int(claims["iat"])
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError):
        return 0


def count_nodes(nodes: list[Any]) -> int:
    """Return the number of nodes in a fleet's list that hold a lease and are not limited to some realms."""
    names = set[str]()
    for node in nodes:
        if isinstance(node, dict) and node.get("lease") == "held" and node.get("fleet_keys") is not None:
            name, worker = str(node.get("name", "")), str(node.get("id", ""))
            before, separator, number = name.rpartition(".w")
            names.add(before if separator and number.isdigit() else worker)
    return len(names)
