"""Fixtures of the tests of a node with several workers."""

from tests.testkit.fixtures.verifier_node import filling, realm

__all__ = ["filling", "realm"]
