"""Each address of a name is a node, looked up anew each time."""

import socket

import httpx
import pytest

from keyturn.probe.targets import MAX_NODES, UnresolvedError, nodes_of, resolve


def test_a_name_with_several_addresses_is_as_many_nodes() -> None:
    url = httpx.URL("http://verifier.test:8080")
    nodes, unresolved = nodes_of([url], lambda host, port: ["10.0.0.1", "10.0.0.2"])
    assert [node.label for node in nodes] == [
        "verifier.test:8080 (10.0.0.1)",
        "verifier.test:8080 (10.0.0.2)",
    ]
    assert unresolved == []


def test_one_address_under_two_names_is_one_node() -> None:
    urls = [httpx.URL("http://a.test:8080"), httpx.URL("http://b.test:8080"), httpx.URL("http://b.test:8081")]
    nodes, _ = nodes_of(urls, lambda host, port: ["10.0.0.1"])
    assert [(node.url.host, node.url.port) for node in nodes] == [("a.test", 8080), ("b.test", 8081)]


def test_a_name_without_an_address_is_told_beside_the_others() -> None:
    def look_up(host: str, port: int) -> list[str]:
        if host == "gone.test":
            raise UnresolvedError("gone.test has no address")
        return ["10.0.0.1"]

    urls = [httpx.URL("https://gone.test"), httpx.URL("https://a.test")]
    nodes, unresolved = nodes_of(urls, look_up)
    assert [node.label for node in nodes] == ["a.test:443 (10.0.0.1)"]
    assert unresolved == ["gone.test has no address"]


def test_a_name_with_too_many_addresses_is_told() -> None:
    addresses = [f"10.0.{number // 250}.{number % 250}" for number in range(MAX_NODES + 3)]
    nodes, unresolved = nodes_of([httpx.URL("http://a.test")], lambda host, port: addresses)
    assert len(nodes) == MAX_NODES
    assert unresolved == [f"{MAX_NODES + 3} addresses were found, and only {MAX_NODES} of them are asked"]


def test_a_machine_with_addresses_of_both_families_is_one_node(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = (socket.SOCK_STREAM, 6, "")
    found = [
        (socket.AF_INET6, *kind, ("fd00::1", 80, 0, 0)),
        (socket.AF_INET, *kind, ("10.0.0.2", 80)),
        (socket.AF_INET, *kind, ("10.0.0.1", 80)),
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    assert resolve("a.test", 80) == ["10.0.0.1", "10.0.0.2"]
    del found[1:]
    assert resolve("a.test", 80) == ["fd00::1"]


def test_an_address_stands_for_itself() -> None:
    nodes, _ = nodes_of([httpx.URL("http://127.0.0.1:8080"), httpx.URL("http://[::1]:8080")])
    assert [node.label for node in nodes] == ["127.0.0.1:8080", "::1:8080"]


def test_a_name_that_cannot_be_looked_up_is_not_an_error_of_the_round() -> None:
    with pytest.raises(UnresolvedError, match="has no address"):
        resolve("a" * 300, 80)
