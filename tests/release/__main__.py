"""``make release-check``: checks that this commit can be released under its version."""

import argparse
import re
import shutil
import sys
import tempfile
from pathlib import Path

from keyturn import __version__
from tests.release import sbom
from tests.release.archives import build, wrong_with
from tests.release.checkout import REPOSITORY, ReleaseError, git
from tests.release.documents import wrong_with_documents
from tests.release.reproduction import digest, wrong_with_reproduction

_SUMS = "SHA256SUMS"


def main() -> int:
    parser = argparse.ArgumentParser(prog="release-check", description=__doc__)
    parser.add_argument(
        "--into", type=Path, help="a directory that gets the files to publish, if all is right"
    )
    options = parser.parse_args()
    wrong = [*_wrong_with_version(), *_wrong_with_tree(), *wrong_with_documents()]
    with tempfile.TemporaryDirectory(prefix="keyturn-release-") as name:
        directory = Path(name)
        files, faults = _make(directory)
        wrong += faults
        sums = "".join(f"{digest(file)}  {file.name}\n" for file in files)
        print(sums, end="")
        if options.into is not None and not wrong:
            _publish(files, sums, options.into)
    for sentence in wrong:
        print(f"WRONG: {sentence}")
    print(f"{__version__} {'cannot' if wrong else 'can'} be released")
    return 1 if wrong else 0


def _make(directory: Path) -> tuple[list[Path], list[str]]:
    """Return what is published, and sentences about faults."""
    archives = build(directory / "built")
    wrong = [*wrong_with(archives), *wrong_with_reproduction(archives, directory)]
    files = [archives.wheel, archives.source]
    try:
        files.append(sbom.write(directory))
    except ReleaseError as error:
        wrong.append(str(error))
    return files, wrong


def _publish(files: list[Path], sums: str, directory: Path) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    for file in files:
        shutil.copyfile(file, directory / file.name)
    (directory / _SUMS).write_text(sums)


def _wrong_with_version() -> list[str]:
    newest = re.search(r"^## \[?v?(\d+\.\d+\.\d+)", (REPOSITORY / "CHANGELOG.md").read_text(), re.MULTILINE)
    wrong = []
    if newest is None or newest[1] != __version__:
        wrong.append(f"the newest version in CHANGELOG.md is not {__version__}")
    if f"v{__version__}" in git("tag", "--list").split():
        wrong.append(f"v{__version__} is tagged already")
    return wrong


def _wrong_with_tree() -> list[str]:
    return ["there are changes that are not committed"] if git("status", "--porcelain").strip() else []


if __name__ == "__main__":
    sys.exit(main())
