"""Fixtures of the tests of a migration."""

from tests.testkit.fixtures.verifier_node import filling, node, realm

__all__ = ["filling", "node", "realm"]
