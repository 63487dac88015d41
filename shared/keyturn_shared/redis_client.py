"""Redis clients with time limits, for a single server, Redis Sentinel and Redis Cluster."""

from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from redis.asyncio import Redis, RedisCluster, Sentinel
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from keyturn_shared.errors import ConfigurationError

CONNECT_SECONDS: Final = 2.0
ANSWER_SECONDS: Final = 3.0
_SINGLE: Final = frozenset({"redis", "rediss", "unix"})
_DEFAULT_PORTS: Final = {"sentinel": 26379, "cluster": 6379}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where Redis is, read from its URL; ``parse`` says which forms there are."""

    kind: str
    url: str = field(repr=False)
    hosts: tuple[tuple[str, int], ...] = ()
    service: str = ""
    options: dict[str, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def parse(cls, url: str) -> "Endpoint":
        """Read a URL. Raises ConfigurationError, without showing a password.

        ``redis://``, ``rediss://``, ``unix://``: one server.
        ``redis+sentinel://[user:password@]host:port,host:port/service[?tls=true]``: the primary of a service;
        the credentials are those of the servers, not of the sentinels.
        ``redis+cluster://[user:password@]host:port,host:port[?tls=true]``: a cluster.
        """
        parts = urlsplit(url)
        if parts.scheme in _SINGLE:
            return cls("single", url)
        prefix, _, kind = parts.scheme.partition("+")
        if prefix != "redis" or kind not in _DEFAULT_PORTS:
            raise ConfigurationError(f"a Redis URL cannot begin with {parts.scheme!r}")
        userinfo, _, addresses = parts.netloc.rpartition("@")
        hosts = tuple(_host(address, _DEFAULT_PORTS[kind]) for address in addresses.split(","))
        service = parts.path.strip("/")
        if kind == "sentinel" and not service:
            raise ConfigurationError("a redis+sentinel URL names its service in the path")
        options: dict[str, Any] = {}
        if userinfo:
            username, _, password = userinfo.partition(":")
            options = {"username": unquote(username) or None, "password": unquote(password) or None}
        if parse_qs(parts.query).get("tls") == ["true"]:
            options["ssl"] = True
        return cls(kind, url, hosts, service, options)


def connect(url: str, *, answer_seconds: float = ANSWER_SECONDS) -> Redis:
    """A client that connects when first used. Raises ConfigurationError for a URL that cannot be used.

    Nothing is retried here: what a lost answer means differs from call to call, so the caller decides. The
    client of a cluster has the commands of ``Redis`` too, so it is typed as one.
    """
    endpoint = Endpoint.parse(url)
    limits: dict[str, Any] = {
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": answer_seconds,
        "retry": Retry(NoBackoff(), 0),
    }
    try:
        if endpoint.kind == "cluster":
            nodes = [ClusterNode(host, port) for host, port in endpoint.hosts]
            limits["retry"] = Retry(NoBackoff(), 2)  # a slot that moved is asked again at its new place
            cluster: Any = RedisCluster(startup_nodes=nodes, **limits, **endpoint.options)
            return cluster  # type: ignore[no-any-return]
        if endpoint.kind == "sentinel":
            sentinel = Sentinel(endpoint.hosts, sentinel_kwargs=limits)  # type: ignore[no-untyped-call]
            primary: Redis = sentinel.master_for(endpoint.service, **limits, **endpoint.options)
            return primary
        client: Redis = Redis.from_url(url, **limits)
    except ValueError as error:
        raise ConfigurationError(f"the Redis URL cannot be used: {error}") from error
    return client


def _host(address: str, default_port: int) -> tuple[str, int]:
    parts = urlsplit(f"//{address}")
    try:
        port = parts.port or default_port
    except ValueError as error:
        raise ConfigurationError(f"{address!r} in the Redis URL has no usable port") from error
    if not parts.hostname:
        raise ConfigurationError("the Redis URL names no host")
    return parts.hostname, port
