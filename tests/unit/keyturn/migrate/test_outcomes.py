"""Outcomes of a migration: the summary first, then what to do."""

from keyturn.migrate.advice import UNKNOWN
from keyturn.migrate.outcomes import Outcome, describe, is_complete, lines, outcome_of
from keyturn_credentials.domain.export_reading import OWN_CLIENT
from keyturn_credentials.operations.import_report import Action, ImportedClient, ImportedRealm, ImportReport

CLIENTS = (
    ImportedClient("orders", Action.ADDED, "1"),
    ImportedClient("billing", Action.ADDED, "2", ("notBefore: tokens issued before 2026 are refused",)),
    ImportedClient("old", Action.REFUSED, None, ("protocol saml is not served by keyturn",)),
    ImportedClient("odd", Action.REFUSED, None, ("something new",)),
    ImportedClient("broker", Action.REFUSED, None, (OWN_CLIENT,)),
    ImportedClient("there", Action.SKIPPED, "3", ("a client with this id already exists",)),
)
REPORT = ImportReport(
    True, CLIENTS, None, ImportedRealm("acme", Action.ADDED, "r", ("sslRequired is left out: x",))
)


def test_every_client_has_one_outcome() -> None:
    assert [outcome_of(client) for client in CLIENTS] == [
        Outcome.UNCHANGED,
        Outcome.CHANGED,
        Outcome.REFUSED,
        Outcome.REFUSED,
        Outcome.OWN,
        Outcome.PRESENT,
    ]


def test_a_report_is_complete_if_only_keycloaks_own_stay() -> None:
    assert not is_complete([REPORT])
    assert is_complete([ImportReport(True, (CLIENTS[0], CLIENTS[4]))])


def test_the_summary_comes_first_and_each_reason_has_what_to_do() -> None:
    found = list(lines([REPORT], only_problems=True))
    assert found[0] == (
        "plan: realm acme added; clients: 1 as they are, 1 with changes, 1 already there, 2 refused,"
        " 1 Keycloak's own, which stay"
    )
    assert [line.split()[1] for line in found if line.startswith(("changed", "refused", "own", "unch"))] == [
        "acme/billing",
        "acme/old",
        "acme/odd",
    ]
    assert found[-1] == f"    → {UNKNOWN}"
    assert sum(line.startswith("    → ") for line in found) == 4
    assert "acme/broker" in "".join(lines([REPORT], only_problems=False))


def test_programs_get_the_same() -> None:
    (realm,) = describe([REPORT], only_problems=False)
    assert realm["counts"] == {"unchanged": 1, "changed": 1, "present": 1, "own": 1, "refused": 2}
    assert realm["clients"][2]["notes"] == [
        {
            "reason": "protocol saml is not served by keyturn",
            "toDo": "keep this client on a server for that protocol",
        }
    ]
    (fewer,) = describe([REPORT], only_problems=True)
    assert [client["clientId"] for client in fewer["clients"]] == ["billing", "old", "odd"]
    assert fewer["counts"] == realm["counts"]
