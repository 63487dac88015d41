"""Redis clients with time limits, for a single server, Redis Sentinel and Redis Cluster."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast
from urllib.parse import SplitResult, parse_qs, unquote, urlencode, urlsplit

from redis.asyncio import Redis, RedisCluster, Sentinel
from redis.asyncio.cluster import ClusterNode
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from keyturn_shared.errors import ConfigurationError

CONNECT_SECONDS: Final = 2.0
ANSWER_SECONDS: Final = 3.0
_SINGLE: Final = frozenset({"redis", "rediss", "unix"})
_CA_FILE: Final = "ca_file"
_DEFAULT_PORTS: Final = {"sentinel": 26379, "cluster": 6379}
_SCHEMES: Final = "redis, rediss, unix, redis+sentinel or redis+cluster"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Parsed location of Redis; ``parse`` lists the forms of URLs. ``options``: for the connections to Redis.
    ``tls``: those that the Sentinels need as well."""

    kind: str
    url: str = field(repr=False)
    hosts: tuple[tuple[str, int], ...] = ()
    service: str = ""
    options: dict[str, Any] = field(default_factory=dict, repr=False)
    tls: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, url: str) -> "Endpoint":
        """Parse a URL. Raises ConfigurationError, without showing a password.

        ``redis://``, ``rediss://``, ``unix://``: one server.
        ``redis+sentinel://[user:password@]host:port,host:port/service[?tls=true]``: the primary of a service;
        the credentials are those of the servers, not of the Sentinels. TLS is for both.
        ``redis+cluster://[user:password@]host:port,host:port[?tls=true]``: a cluster.

        With TLS, ``ca_file=/path`` in the query names the certificates (PEM) to trust instead of the
        system's.
        """
        parts = urlsplit(url)
        if parts.scheme in _SINGLE:
            tls = _tls(parts, encrypted=parts.scheme == "rediss")
            return cls("single", _without_ca_file(parts) if tls else url, options=tls, tls=tls)
        prefix, _, kind = parts.scheme.partition("+")
        if prefix != "redis" or kind not in _DEFAULT_PORTS:
            raise ConfigurationError(f"a Redis URL must begin with {_SCHEMES}, not {parts.scheme!r}")
        userinfo, _, addresses = parts.netloc.rpartition("@")
        hosts = tuple(_host(address, _DEFAULT_PORTS[kind]) for address in addresses.split(","))
        service = parts.path.strip("/")
        if kind == "sentinel" and not service:
            raise ConfigurationError("a redis+sentinel URL must name its service in the path")
        options: dict[str, Any] = {}
        if userinfo:
            username, _, password = userinfo.partition(":")
            options = {"username": unquote(username) or None, "password": unquote(password) or None}
        encrypted = parse_qs(parts.query).get("tls") == ["true"]
        tls = _tls(parts, encrypted=encrypted) | ({"ssl": True} if encrypted else {})
        return cls(kind, url, hosts, service, options | tls, tls)


def connect(url: str, *, answer_seconds: float = ANSWER_SECONDS) -> Redis:
    """Make a client that connects on first use. Raises ConfigurationError for an invalid URL.

    Nothing is retried here: the meaning of a lost answer differs from call to call, so the caller decides. A
    cluster client has the commands of ``Redis`` too, so it is typed as one.
    """
    endpoint = Endpoint.parse(url)
    _check_ca_file(endpoint)
    limits = _limits(answer_seconds)
    try:
        if endpoint.kind == "cluster":
            nodes = [ClusterNode(host, port) for host, port in endpoint.hosts]
            limits["retry"] = Retry(NoBackoff(), 2)  # a slot that moved is asked again at its new place
            return cast("Redis", RedisCluster(startup_nodes=nodes, **limits, **endpoint.options))
        if endpoint.kind == "sentinel":
            sentinel = Sentinel(  # type: ignore[no-untyped-call]  # redis-py gives it no types
                endpoint.hosts, sentinel_kwargs=limits | endpoint.tls
            )
            primary: Redis = sentinel.master_for(endpoint.service, **limits, **endpoint.options)
            return primary
        client: Redis = Redis.from_url(endpoint.url, **limits, **endpoint.options)
    except ValueError as error:
        raise ConfigurationError(f"the Redis URL cannot be used: {error}") from error
    return client


def connect_to_server(url: str, host: str, port: int, *, answer_seconds: float = ANSWER_SECONDS) -> Redis:
    """Make a client of one server of a cluster with this URL, which follows no redirection."""
    return Redis(host=host, port=port, **_limits(answer_seconds), **Endpoint.parse(url).options)


def _limits(answer_seconds: float) -> dict[str, Any]:
    return {
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": answer_seconds,
        "retry": Retry(NoBackoff(), 0),
    }


def _host(address: str, default_port: int) -> tuple[str, int]:
    parts = urlsplit(f"//{address}")
    try:
        port = parts.port or default_port
    except ValueError as error:
        raise ConfigurationError(f"{address!r} in the Redis URL has no usable port") from error
    if not parts.hostname:
        raise ConfigurationError("the Redis URL has no host")
    return parts.hostname, port


def _tls(parts: SplitResult, *, encrypted: bool) -> dict[str, Any]:
    files = parse_qs(parts.query).get(_CA_FILE, [])
    if files and not encrypted:
        raise ConfigurationError("the Redis URL has a ca_file but does not use TLS")
    return {"ssl_ca_certs": files[-1]} if files else {}


def _without_ca_file(parts: SplitResult) -> str:
    query = {name: values for name, values in parse_qs(parts.query).items() if name != _CA_FILE}
    return parts._replace(query=urlencode(query, doseq=True)).geturl()


def _check_ca_file(endpoint: Endpoint) -> None:
    """Check it at start-up, instead of on every failing connection."""
    ca_file = endpoint.tls.get("ssl_ca_certs")
    if ca_file is not None and not Path(ca_file).is_file():
        raise ConfigurationError(f"the ca_file of the Redis URL does not exist: {ca_file}")
