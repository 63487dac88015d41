"""Redis URLs: the meaning of each form, and refusals."""

import pytest

from keyturn_shared.errors import ConfigurationError
from keyturn_shared.redis_client import Endpoint, connect


@pytest.mark.parametrize(
    "url", ["redis://127.0.0.1:6379/0", "rediss://u:p@redis.internal", "unix:///run/r.sock"]
)
def test_a_single_server_is_passed_on_as_it_is(url: str) -> None:
    assert Endpoint.parse(url) == Endpoint("single", url)


def test_a_sentinel_url_names_its_hosts_service_and_the_servers_credentials() -> None:
    endpoint = Endpoint.parse("redis+sentinel://node:p%40ss@a:1,b/primary?tls=true")
    assert (endpoint.kind, endpoint.service) == ("sentinel", "primary")
    assert endpoint.hosts == (("a", 1), ("b", 26379))
    assert endpoint.options == {"username": "node", "password": "p@ss", "ssl": True}


def test_a_cluster_url_names_the_nodes_to_ask_first() -> None:
    assert Endpoint.parse("redis+cluster://a:7000,[::1]").hosts == (("a", 7000), ("::1", 6379))


@pytest.mark.parametrize("url", ["redis+sentinel://a/s?tls=true", "redis+cluster://a?tls=true", "rediss://a"])
def test_a_private_ca_is_trusted_by_all_connections(url: str) -> None:
    mark = "&" if "?" in url else "?"
    endpoint = Endpoint.parse(f"{url}{mark}ca_file=/etc/redis%20ca.pem")
    assert endpoint.options["ssl_ca_certs"] == endpoint.tls["ssl_ca_certs"] == "/etc/redis ca.pem"


def test_of_a_single_server_the_rest_of_the_query_is_kept() -> None:
    assert Endpoint.parse("rediss://a/1?ca_file=/ca&health_check_interval=3").url == (
        "rediss://a/1?health_check_interval=3"
    )


def test_a_private_ca_without_tls_and_one_that_is_not_there_are_refused() -> None:
    for url in ("redis://a?ca_file=/ca", "redis+cluster://a?ca_file=/ca"):
        with pytest.raises(ConfigurationError, match="does not use TLS"):
            Endpoint.parse(url)
    with pytest.raises(ConfigurationError, match="does not exist"):
        connect("rediss://a?ca_file=/no/such/file")


def test_credentials_are_not_printed() -> None:
    printed = repr(Endpoint.parse("redis+sentinel://node:hunter2@a/s"))
    assert "hunter2" not in printed


@pytest.mark.parametrize(
    "url",
    [
        "",
        "http://x",
        "redis+sentinel://a:1",
        "redis+cluster://",
        "redis+cluster://a:x",
        "redis+other://a",
        "6379",
    ],
)
def test_other_forms_are_refused(url: str) -> None:
    with pytest.raises(ConfigurationError):
        Endpoint.parse(url)
