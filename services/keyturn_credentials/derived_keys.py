"""Warning that the log is signed with keys derived from the fleet keys, which every node has."""

from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Gauge

from keyturn_credentials.settings import CredentialsSettings

EVENT: Final = "log_keys_derived_from_fleet_keys"
_ADVICE: Final = (
    "KEYTURN_LOG_SIGNING_KEYS is not set: every node has KEYTURN_FLEET_KEYS and can therefore sign"
    " clients, secrets and keys of its own. Generate a key with: keyturn log-keys new"
)

_log = structlog.get_logger(__name__)


def tell_of_derived_keys(settings: CredentialsSettings, metrics: CollectorRegistry) -> None:
    """Warn at the start, and show it as a metric while the process runs."""
    derived = settings.log_signing_keys is None
    Gauge(
        "keyturn_log_keys_derived",
        "1 if the log is signed with keys derived from the fleet keys, which every node has",
        registry=metrics,
    ).set(derived)
    if derived:
        _log.warning(EVENT, told=_ADVICE)
