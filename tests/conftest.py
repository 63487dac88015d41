"""Fixtures that start the real services."""

from hypothesis import settings

# A busy machine must not fail a test.
settings.register_profile("keyturn", deadline=None)
settings.load_profile("keyturn")

pytest_plugins = [
    "tests.testkit.collecting",
    "tests.testkit.scheduling",
    "tests.testkit.nodejs",
    "tests.testkit.chromium",  # imports the one before, whose assertions pytest could not rewrite then
    "tests.testkit.keytool",
    "tests.testkit.postgres",
    "tests.testkit.processes",
    "tests.testkit.nginx",  # imports processes: as above
    "tests.testkit.redis",
    "tests.testkit.waiting",
]
