"""``make release-check``: checks that this commit can be released under its version."""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from keyturn import __version__
from tests.release.archives import REPOSITORY, build, wrong_with
from tests.release.documents import wrong_with_documents


def main() -> int:
    argparse.ArgumentParser(prog="release-check", description=__doc__).parse_args()
    wrong = [*_wrong_with_version(), *_wrong_with_tree(), *wrong_with_documents()]
    with tempfile.TemporaryDirectory(prefix="keyturn-release-") as directory:
        archives = build(Path(directory))
        wrong += wrong_with(archives)
        print(f"built {archives.wheel.name} and {archives.source.name}")
    for sentence in wrong:
        print(f"WRONG: {sentence}")
    print(f"{__version__} {'cannot' if wrong else 'can'} be released")
    return 1 if wrong else 0


def _wrong_with_version() -> list[str]:
    newest = re.search(r"^## \[?v?(\d+\.\d+\.\d+)", (REPOSITORY / "CHANGELOG.md").read_text(), re.MULTILINE)
    wrong = []
    if newest is None or newest[1] != __version__:
        wrong.append(f"the newest version in CHANGELOG.md is not {__version__}")
    if f"v{__version__}" in _git("tag", "--list").split():
        wrong.append(f"v{__version__} is tagged already")
    return wrong


def _wrong_with_tree() -> list[str]:
    return ["there are changes that are not committed"] if _git("status", "--porcelain").strip() else []


def _git(*arguments: str) -> str:
    answer = subprocess.run(
        ["git", *arguments], cwd=REPOSITORY, check=True, capture_output=True, text=True, timeout=60
    )
    return answer.stdout


if __name__ == "__main__":
    sys.exit(main())
