from pathlib import Path

import pytest

from keyturn_credentials.settings import CredentialsSettings
from tests.testkit.admin_api import settings_for
from tests.testkit.fixtures.credentials_service import api

__all__ = ["api"]


@pytest.fixture
def settings(tmp_path: Path) -> CredentialsSettings:
    """Settings with a database of its own, for what needs no running service."""
    return settings_for(f"sqlite+aiosqlite:///{tmp_path}/own.db", "redis://nobody.invalid")
