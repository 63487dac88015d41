"""Requirements are read completely, or refused."""

from pathlib import Path

import pytest

from tests.release.checkout import ReleaseError
from tests.release.pins import EVERYTHING, LOCAL, PKCS11, SHIPPED, TRACING, read_pins

_HASH = "--hash=sha256:" + "a" * 64


@pytest.mark.parametrize("path", [SHIPPED, LOCAL, TRACING, PKCS11, EVERYTHING], ids=lambda path: path.name)
def test_every_distribution_of_our_files_is_pinned_with_hashes(path: Path) -> None:
    pins = read_pins(path)
    named = [line for line in path.read_text().splitlines() if line[:1].isalnum()]
    assert len(pins) == len(named) > 50


def test_what_is_shipped_has_the_versions_that_are_tested() -> None:
    tested = {pin.name: pin for pin in read_pins(EVERYTHING)}
    for path in (SHIPPED, LOCAL, TRACING, PKCS11):
        for pin in read_pins(path):
            assert (pin.version, pin.sha256) == (tested[pin.name].version, tested[pin.name].sha256)


@pytest.mark.parametrize(("path", "extra"), [(TRACING, "opentelemetry-sdk"), (PKCS11, "python-pkcs11")])
def test_an_image_with_an_extra_has_all_that_one_without_it_has(path: Path, extra: str) -> None:
    assert set(read_pins(SHIPPED)) < set(read_pins(path))
    assert extra in {pin.name for pin in read_pins(path)}


def test_a_pin_has_a_normalized_name_its_marker_and_all_hashes(tmp_path: Path) -> None:
    (pin,) = read_pins(
        _file(tmp_path, f"Some_Name==1.0 ; python_version < '3.12' \\\n    {_HASH} \\\n    {_HASH}\n")
    )
    assert (pin.name, pin.version, str(pin.marker)) == ("some-name", "1.0", 'python_version < "3.12"')
    assert pin.purl == "pkg:pypi/some-name@1.0"
    assert pin.sha256 == ("a" * 64, "a" * 64)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"one {_HASH}", "does not pin the version of one"),
        (f"one>=1 {_HASH}", "does not pin the version of one"),
        (f"one==1.* {_HASH}", "does not pin the version of one"),
        (f"one==1,!=2 {_HASH}", "does not pin the version of one"),
        ("one==1", "has no hash for one"),
        ("one==1 --hash=sha256:abc", "is no pinned requirement"),
        ("--index-url somewhere", "is no pinned requirement"),
        (f"one==1 {_HASH}\nOne==2 {_HASH}", "pins one more than once"),
    ],
)
def test_anything_else_is_refused(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=said):
        read_pins(_file(tmp_path, text))


def _file(directory: Path, text: str) -> Path:
    path = directory / "requirements.txt"
    path.write_text(text)
    return path
