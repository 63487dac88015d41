"""FastStream's broker for any kind of Redis URL."""

from typing import Any

from faststream.redis import RedisBroker, RedisClusterBroker, RedisSentinelBroker

from keyturn_shared.redis_client import CONNECT_SECONDS, Endpoint


def make_broker(url: str, **options: Any) -> RedisBroker:
    """Make an unconnected broker. ``options`` are passed to it. Raises ConfigurationError for an invalid URL.
    Its reads block until data arrives, so it has a time limit for connecting only."""
    endpoint = Endpoint.parse(url)
    limits: dict[str, Any] = {"socket_connect_timeout": CONNECT_SECONDS}
    if endpoint.kind == "sentinel":
        return RedisSentinelBroker(
            sentinels=list(endpoint.hosts),
            sentinel_master_name=endpoint.service,
            **limits,
            sentinel_kwargs=limits | endpoint.tls,
            **endpoint.options,
            **options,
        )
    if endpoint.kind == "cluster":
        host, port = endpoint.hosts[0]
        scheme = "rediss" if endpoint.options.get("ssl") else "redis"
        credentials = {name: value for name, value in endpoint.options.items() if name != "ssl"}
        return RedisClusterBroker(f"{scheme}://{host}:{port}", **credentials, **options)
    return RedisBroker(endpoint.url, **limits, **endpoint.options, **options)
