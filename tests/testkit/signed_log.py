"""Signing like the credentials service, for tests that write to Redis themselves."""

from typing import Final

from keyturn_shared.signed_log.keys import LogSigningKeys
from keyturn_shared.signed_log.signer import LogSigner

LOG: Final = "00000000-0000-4000-8000-000000000001"


def signer_for(fleet_keys: str) -> LogSigner:
    """Return the signer of a deployment whose only keys are the fleet keys."""
    return LogSigner(LogSigningKeys.derived_from(fleet_keys), LOG)
