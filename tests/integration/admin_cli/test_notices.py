"""Notices from the command line."""

from tests.testkit.local_stack import eventually
from tests.testkit.program import Program


def test_what_needs_a_person_is_listed_with_what_to_do(signed_in: Program) -> None:
    signed_in.ok(
        *("clients", "create", "ending"),
        *("--attribute", "keyturn.secret.expiration-period=864000"),
        *("--attribute", "keyturn.rotation.automatic=false"),
    )
    uuid = signed_in.run("clients", "show", "ending", "--json").json["id"]

    def listed() -> list[dict[str, object]]:
        found = signed_in.run("notices", "--json").json
        return [each for each in found if each["client_uuid"] == uuid]

    (notice,) = eventually(listed, seconds=120)
    assert (notice["code"], notice["client_id"]) == ("secret_ending", "ending")
    shown = signed_in.ok("notices").out
    assert "secret_ending" in shown
    assert "Start a rotation: keyturn rotations start CLIENT." in shown
    signed_in.ok("clients", "delete", "ending", "--yes")
