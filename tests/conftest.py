"""Fixtures that bring the real things."""

pytest_plugins = ["tests.support.redis"]
