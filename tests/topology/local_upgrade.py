"""The upgrade of a local stack: this release starts on the data directory of the previous one, on SQLite."""

from pathlib import Path
from typing import Any, Final

from tests.testkit.local_stack import Admin, RunningStack, ask_token, eventually
from tests.topology.components import Release
from tests.topology.kept_data import missing

_REALM: Final = "kept"
_CLIENTS: Final = 5


def run_local_upgrade(directory: Path, previous: Release) -> list[str]:
    """Fill a stack of the previous release, end it, and start this release in its place. Return what is not
    as it was."""
    data = directory / "local-stack"
    with RunningStack(data, nodes=1, **previous.variables) as stack:
        stack.start()
        admin = Admin(stack, _REALM)
        admin.make_realm()
        uuids = {f"kept-{number}": "" for number in range(_CLIENTS)}
        for client_id in uuids:
            uuids[client_id] = admin.make_client(client_id, name=client_id.title())
        rotating = uuids["kept-0"]
        former = {client_id: admin.secret(uuid) for client_id, uuid in uuids.items()}
        admin.call("POST", f"/clients/{rotating}/rotations", json={"kind": "secret", "reason": "manual"})
        secrets = {client_id: admin.secret(uuid) for client_id, uuid in uuids.items()}
        before = {uuid: admin.call("GET", f"/clients/{uuid}").json() for uuid in uuids.values()}
        admin.http.close()
        stack.stop()
    with RunningStack(data, nodes=1) as stack:
        stack.start()
        admin = Admin(stack, _REALM)
        wrong = _refused(stack, former) + _refused(stack, secrets)
        for uuid, representation in before.items():
            wrong += missing(representation, admin.call("GET", f"/clients/{uuid}").json(), f"client {uuid}")
        for client_id, uuid in uuids.items():
            if admin.secret(uuid) != secrets[client_id]:
                wrong.append(f"{client_id} has another secret")

        def is_used() -> bool:
            [rotation] = admin.call("GET", f"/clients/{rotating}/rotations").json()
            return rotation["state"] in ("in_use", "retired", "done")

        eventually(is_used)
        admin.http.close()
        return wrong


def _refused(stack: RunningStack, secrets: dict[str, Any]) -> list[str]:
    answers = {each: ask_token(stack.base_url, _REALM, each, secret) for each, secret in secrets.items()}
    return [f"{each}: {answer.text}" for each, answer in answers.items() if answer.status_code != 200]
