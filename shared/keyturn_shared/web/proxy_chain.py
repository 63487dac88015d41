"""Reports requests that do not fit the configured chain of proxies."""

from typing import Final

import structlog
from prometheus_client import CollectorRegistry, Counter

from keyturn_shared.network.trusted_proxies import ChainFault, Origin

_ADVICE: Final = {
    ChainFault.UNTRUSTED_PEER: "its X-Forwarded-For is ignored because it is not in KEYTURN_TRUSTED_PROXIES",
    ChainFault.NO_ADDRESS: "this trusted proxy sends no X-Forwarded-For, so its callers cannot be told apart",
    ChainFault.ONLY_PROXIES: "every address is in KEYTURN_TRUSTED_PROXIES: does a proxy replace"
    " X-Forwarded-For instead of appending to it? Its callers cannot be told apart",
    ChainFault.MALFORMED: "this trusted proxy sends an X-Forwarded-For that is not an address",
}

_log = structlog.get_logger(__name__)


class ProxyChainCheck:
    """Counts mismatches, and logs each kind once per process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        counter = Counter(
            "keyturn_proxy_chain_faults",
            "Requests whose X-Forwarded-For does not fit KEYTURN_TRUSTED_PROXIES, by kind",
            ["fault"],
            registry=registry,
        )
        self._counts = {fault: counter.labels(fault.value) for fault in ChainFault}
        self._logged: set[ChainFault] = set()

    def note(self, origin: Origin) -> None:
        """Check the origin of a request."""
        fault = origin.fault
        if fault is None:
            return
        self._counts[fault].inc()
        if fault not in self._logged:
            self._logged.add(fault)
            _log.warning(
                "proxy_chain_not_as_configured",
                fault=fault.value,
                address=origin.nearest,
                detail=_ADVICE[fault],
            )
