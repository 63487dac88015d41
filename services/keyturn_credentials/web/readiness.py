"""Readiness of the credentials service: whether it can commit a change, and propagate it."""

from typing import Final

from keyturn_credentials.relay.loop import RelayLoop
from keyturn_credentials.store.write_probe import WriteProbe
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.registry import FleetRegistry

_SILENT_MS: Final = 5_000
_UNTIL_THEN: Final = "changes are committed but do not reach any node until then"
_NOR_COMMITTED: Final = "and no change can be committed now"


class Readiness:
    """An instance is not ready if no change can succeed. It is degraded if changes are committed, but their
    propagation is unknown, which callers are told."""

    def __init__(self, probe: WriteProbe, registry: FleetRegistry, relay_loop: RelayLoop) -> None:
        self._probe = probe
        self._registry = registry
        self._relay_loop = relay_loop

    async def not_ready(self) -> dict[str, str]:
        """Return the reasons, by part; empty when changes can be committed."""
        failure = await self._probe.failure()
        return {} if failure is None else {"database": failure}

    async def degraded(self) -> dict[str, str]:
        """Return what keeps changes from the nodes, by part."""
        then = _UNTIL_THEN if await self._probe.failure() is None else _NOR_COMMITTED
        try:
            view = await self._registry.view()
        except RedisUnavailableError as error:
            return {"redis": f"Redis does not answer ({error.detail}): {then}"}
        head = view.head
        if head is None or not head.trusted:
            return {"redis": self._with_cause(f"no relay has filled this Redis yet: {then}")}
        silent = view.now - head.stamped_at
        if silent > _SILENT_MS:
            reason = f"no relay has reported for {silent // 1000} s: {then}"
            return {"relay": self._with_cause(reason)}
        return {}

    def _with_cause(self, reason: str) -> str:
        cause = self._relay_loop.last_error
        return reason if cause is None else f"{reason} (here it failed last with: {cause})"
