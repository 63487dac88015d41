"""Reasons of failed fetches, reduced so that tenants learn nothing of keyturn's own network. Pure."""

from typing import Final

from keyturn_credentials.domain.roles import MASTER, Principal, Role
from keyturn_shared.network.refusal import Reason

_TELLING: Final = frozenset({Reason.RESOLUTION_FAILED, Reason.ADDRESS_NOT_ALLOWED, Reason.SCHEME_NOT_ALLOWED})
"""These reasons, and the address in the detail, would reveal how names resolve inside."""
_UNTOLD: Final = (
    "the host has no public address, or the URL is plain http; an administrator of realm master can see which"
)


def shown_failure(
    reason: str | None, detail: str | None, principal: Principal
) -> tuple[str | None, str | None]:
    """Return reason and detail as this caller may see them. Administrators of the whole installation see
    everything; others see the same text for every target that was refused before anything was sent to it."""
    if reason not in _TELLING or principal.may(Role.ADMIN, MASTER):
        return reason, detail
    return Reason.ADDRESS_NOT_ALLOWED.value, _UNTOLD
