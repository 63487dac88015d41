import pytest

from tests.testkit.java import artifact_path, java_version
from tests.testkit.tools import ToolError


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ('openjdk version "17.0.15" 2025-04-15', 17),
        ('java version "1.8.0_452"', 8),
        ('openjdk version "25" 2025-09-16', 25),
        ('Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "21.0.7" 2025-04-15 LTS', 21),
    ],
)
def test_the_version_of_java_is_read_from_its_output(text: str, version: int) -> None:
    assert java_version(text) == version


def test_a_program_that_prints_no_version_is_not_java() -> None:
    with pytest.raises(ToolError, match="does not tell its version"):
        java_version("command not found")


def test_an_artifact_is_found_at_its_place_in_the_repository() -> None:
    path = artifact_path("org.keycloak:keycloak-quarkus-dist:26.7.3:tar.gz")
    assert str(path) == "org/keycloak/keycloak-quarkus-dist/26.7.3/keycloak-quarkus-dist-26.7.3.tar.gz"
