"""The release before this one, unpacked from its wheel."""

import sys
import zipfile
from pathlib import Path

from tests.testkit.tools import ToolError, run
from tests.topology.components import Release

_PREVIOUS = Path(__file__).parent / "previous"


def unpack_previous(directory: Path) -> Release:
    """Unpack the wheel below ``directory``. Raises ToolError unless Python then imports from there."""
    (wheel,) = _PREVIOUS.glob("keyturn-*.whl")
    place = directory / "previous-release"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)
    # Without the working directory, from which a program started with -m would import first.
    variables = {"PYTHONPATH": str(place), "PYTHONSAFEPATH": "1"}
    check = "import sys, keyturn, keyturn_credentials, keyturn_verifier, keyturn_shared as s; "
    check += "print(*(m.__file__ for m in (keyturn, keyturn_credentials, keyturn_verifier, s)), sep='\\n')"
    checked = run([sys.executable, "-c", check], environment=variables)
    told = checked.stdout.splitlines()
    if checked.returncode or not all(Path(each).is_relative_to(place) for each in told):
        raise ToolError(f"{wheel.name} is not what Python imports: {checked.stdout}{checked.stderr}")
    return Release("previous release", variables, _PREVIOUS / "keyturn.conf", None)
