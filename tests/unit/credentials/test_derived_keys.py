"""An operator is warned if every node could sign the log."""

import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from structlog.testing import capture_logs

from keyturn_credentials.derived_keys import EVENT, tell_of_derived_keys
from keyturn_credentials.settings import CredentialsSettings
from keyturn_shared.sealing import KeyRing
from keyturn_shared.signed_log.keys import LogSigningKeys


@pytest.mark.parametrize("own", [False, True])
def test_a_log_signed_with_keys_that_every_node_has_is_warned_of_and_shown(own: bool) -> None:
    settings = CredentialsSettings(
        encryption_keys=SecretStr(KeyRing.generate_key()),
        fleet_keys=SecretStr(KeyRing.generate_key()),
        log_signing_keys=SecretStr(LogSigningKeys.generate_key()) if own else None,
    )
    metrics = CollectorRegistry()
    with capture_logs() as logs:
        tell_of_derived_keys(settings, metrics)
    warned = [entry["event"] for entry in logs if entry["log_level"] == "warning"]
    assert warned == ([] if own else [EVENT])
    assert metrics.get_sample_value("keyturn_log_keys_derived") == (0 if own else 1)
