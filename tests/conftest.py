"""Fixtures that bring the real things."""

from hypothesis import settings

# A busy machine is no failure.
settings.register_profile("keyturn", deadline=None)
settings.load_profile("keyturn")

pytest_plugins = [
    "tests.support.node",
    "tests.support.chromium",  # imports the one before, whose assertions pytest then could not rewrite
    "tests.support.keytool",
    "tests.support.postgres",
    "tests.support.processes",
    "tests.support.nginx",  # imports processes: as above
    "tests.support.redis",
    "tests.support.waiting",
]
