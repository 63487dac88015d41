from tests.testkit.fixtures.credentials_service import api

__all__ = ["api"]
