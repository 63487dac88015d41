"""Scenes for attackers who hold part of the system."""

from tests.testkit.fixtures.administrators import scene
from tests.testkit.fixtures.credentials_service import api
from tests.testkit.fixtures.verifier_node import filling, realm

__all__ = ["api", "filling", "realm", "scene"]
