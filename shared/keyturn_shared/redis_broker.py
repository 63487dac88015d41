"""FastStream's broker for whatever Redis a URL names."""

from typing import Any

from faststream.redis import RedisBroker, RedisClusterBroker, RedisSentinelBroker

from keyturn_shared.redis_client import CONNECT_SECONDS, Endpoint


def make_broker(url: str, **options: Any) -> RedisBroker:
    """A broker that is not connected yet. ``options`` go to it. Raises ConfigurationError for the URL.

    Its reads block until there is something to read, so it has a time limit for connecting only.
    """
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
