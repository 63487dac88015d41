from tests.testkit.fixtures.administrators import scene

__all__ = ["scene"]
