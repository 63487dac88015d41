"""Readiness of the credentials service: whether it can commit a change, and propagate it."""

from collections.abc import Callable
from typing import Final

from keyturn_credentials.relay.loop import RelayLoop
from keyturn_credentials.store.write_probe import WriteProbe
from keyturn_shared.errors import RedisUnavailableError
from keyturn_shared.fleet.registry import FleetRegistry

_SILENT_MS: Final = 5_000
_MEANWHILE: Final = "until this is fixed, changes are committed but do not reach the nodes"
_NOR_COMMITTED: Final = "and no change can be committed now"


class Readiness:
    """An instance is not ready if no change can succeed. It is degraded if changes are committed but may not
    reach the nodes, whose responses say ``Keyturn-Fleet: unknown`` or count pending nodes; or if the chain of
    the audit log does not grow. ``audit``: returns why, by part."""

    def __init__(
        self,
        probe: WriteProbe,
        registry: FleetRegistry,
        relay_loop: RelayLoop,
        audit: Callable[[], dict[str, str]],
    ) -> None:
        self._probe = probe
        self._registry = registry
        self._relay_loop = relay_loop
        self._audit = audit

    async def not_ready(self) -> dict[str, str]:
        """Return the reasons, by part; empty when changes can be committed."""
        failure = await self._probe.failure()
        return {} if failure is None else {"database": failure}

    async def degraded(self) -> dict[str, str]:
        """Return what keeps changes from the nodes, or from the chain of the audit log, by part."""
        return await self._unpropagated() | self._audit()

    async def _unpropagated(self) -> dict[str, str]:
        meanwhile = _MEANWHILE if await self._probe.failure() is None else _NOR_COMMITTED
        try:
            view = await self._registry.view()
        except RedisUnavailableError as error:
            return {"redis": f"Redis does not answer ({error.detail}): {meanwhile}"}
        head = view.head
        if head is None or not head.trusted:
            reason = (
                "this Redis is empty, or was restarted or replaced, and no relay has refilled it:"
                f" {meanwhile}"
            )
            return {"redis": self._with_cause(reason)}
        silent = view.now - head.stamped_at
        if silent > _SILENT_MS:
            reason = f"no relay has reported for {silent // 1000} s: {meanwhile}"
            return {"relay": self._with_cause(reason)}
        return {}

    def _with_cause(self, reason: str) -> str:
        cause = self._relay_loop.last_error
        return reason if cause is None else f"{reason} (last error on this instance: {cause})"
