"""Comparison of all clients of a realm, a bounded number at a time."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from keyturn.migrate.compare.credentials import Credential, Keys, NoCredentialError, credential_of
from keyturn.migrate.compare.differences import Difference, Granted, Refused, differences
from keyturn.migrate.compare.expectations import Sides
from keyturn.migrate.compare.side import Side, SideError
from keyturn_credentials.domain.export_reading import ExportedClient
from keyturn_shared.errors import ConfigurationError


class Verdict(StrEnum):
    """Outcome for one client. EXPECTED: it differs by design alone. FAILED: a side gave no answer.
    NOT_COMPARED: there is no credential to compare with."""

    SAME = "same"
    EXPECTED = "expected"
    UNEXPLAINED = "unexplained"
    FAILED = "failed"
    NOT_COMPARED = "notCompared"


@dataclass(frozen=True, slots=True)
class Compared:
    """Outcome for one client. ``granted``: both sides issued a token; ``introspected``: both described it as
    active; ``reason``: why it failed or was not compared."""

    client_id: str
    verdict: Verdict
    differences: Sequence[Difference] = ()
    granted: bool = False
    introspected: bool = False
    reason: str | None = None


FINE: Final = frozenset({Verdict.SAME, Verdict.EXPECTED, Verdict.NOT_COMPARED})
"""Verdicts that need no decision."""


async def compare_all(
    clients: Sequence[ExportedClient],
    sides: tuple[Side, Side],
    keys: Keys,
    *,
    introspector: Credential | None = None,
    concurrency: int,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> list[Compared]:
    """Compare clients at both sides, the Keycloak first, at most ``concurrency`` at a time. Return an outcome
    for each, in their order: the failure of one is no other's."""
    results: dict[int, Compared] = {}
    waiting = iter(enumerate(clients))

    async def work() -> None:
        for index, client in waiting:
            results[index] = await _compare(client, sides, keys, introspector)
            progress(len(results), len(clients))

    async with asyncio.TaskGroup() as group:
        for _ in range(min(concurrency, len(clients))):
            group.create_task(work())
    return [results[index] for index in range(len(clients))]


async def _compare(
    client: ExportedClient, sides: tuple[Side, Side], keys: Keys, introspector: Credential | None
) -> Compared:
    try:
        credential = credential_of(client, keys)
    except NoCredentialError as error:
        return Compared(client.client_id, Verdict.NOT_COMPARED, reason=str(error))
    except ConfigurationError as error:
        return Compared(client.client_id, Verdict.FAILED, reason=error.detail)
    answers = await asyncio.gather(
        *(_ask(side, credential, introspector) for side in sides), return_exceptions=False
    )
    faults = [answer.detail for answer in answers if isinstance(answer, SideError)]
    if faults:
        return Compared(client.client_id, Verdict.FAILED, reason="; ".join(faults))
    keycloak, keyturn = (answer for answer in answers if not isinstance(answer, SideError))
    issuers = (sides[0].endpoints.issuer, sides[1].endpoints.issuer)
    asked_by = None if introspector is None else introspector.client_id
    facts = Sides(issuers, client.client_id, client.service_account is not None, asked_by)
    return outcome_of(client.client_id, differences(facts, keycloak, keyturn), keycloak, keyturn)


def outcome_of(
    client_id: str, found: Sequence[Difference], keycloak: Granted | Refused, keyturn: Granted | Refused
) -> Compared:
    """Return the outcome for a client that both sides answered. Pure."""
    if any(each.reason is None for each in found):
        verdict = Verdict.UNEXPLAINED
    else:
        verdict = Verdict.EXPECTED if found else Verdict.SAME
    if not (isinstance(keycloak, Granted) and isinstance(keyturn, Granted)):
        return Compared(client_id, verdict, found)
    active = [
        each.introspection is not None and each.introspection.get("active") is True
        for each in (keycloak, keyturn)
    ]
    return Compared(client_id, verdict, found, granted=True, introspected=all(active))


async def _ask(
    side: Side, credential: Credential, introspector: Credential | None
) -> Granted | Refused | SideError:
    try:
        return await side.ask(credential, introspector)
    except SideError as error:
        return error
