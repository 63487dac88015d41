"""Last uses of a client's credentials, as rotations see them."""

from typing import Protocol

from keyturn_shared.errors import RedisUnavailableError


class LastUsed(Protocol):
    """Records of when credentials were last used. Raises RedisUnavailableError."""

    async def read(self, client_uuid: str) -> dict[str, float]: ...


async def used_credentials(last_used: LastUsed, client_uuid: str) -> dict[str, float]:
    """Return the names of a client's credentials and their last use; none while they cannot be read."""
    try:
        return await last_used.read(client_uuid)
    except RedisUnavailableError:
        return {}
