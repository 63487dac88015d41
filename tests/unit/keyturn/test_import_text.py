"""The report of an import for people: what matters first, one line for each client."""

from keyturn.import_text import lines, summary
from keyturn_credentials.operations.import_report import Action, ImportedClient, ImportedRealm, ImportReport

CLIENTS = (
    ImportedClient("orders", Action.ADDED, "1"),
    ImportedClient("billing", Action.ADDED, "2", ("the secret is new", "no keys")),
    ImportedClient("old", Action.REFUSED, None, ("protocol saml",)),
)
REPORT = ImportReport(
    False, CLIENTS, 7, ImportedRealm("acme", Action.ADDED, "r", ("sslRequired is left out",))
)


def test_the_summary_comes_first_and_counts() -> None:
    assert list(lines([REPORT], only_problems=False)) == [
        "realm acme added; clients: 2 added, 0 overwritten, 0 skipped, 1 refused; 1 with notes",
        "realm acme: sslRequired is left out",
        "added       orders",
        "added       billing: the secret is new; no keys",
        "refused     old: protocol saml",
    ]


def test_only_problems_are_those_that_somebody_should_look_at() -> None:
    assert [line.split()[1] for line in list(lines([REPORT], only_problems=True))[2:]] == ["billing:", "old:"]


def test_clients_of_several_realms_are_told_apart() -> None:
    other = ImportReport(True, CLIENTS[:1], None, ImportedRealm("b", Action.SKIPPED))
    shown = list(lines([REPORT, other], only_problems=False))
    assert (
        shown[1]
        == summary(other)
        == ("dry run: realm b skipped; clients: 1 added, 0 overwritten, 0 skipped, 0 refused")
    )
    assert shown[-1] == "added       b/orders"
