"""``make migration``: the next file of the chain."""

import shutil
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

import keyturn_credentials.store.migrations as migrations
from keyturn_credentials.store.migrations.__main__ import begin


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    copied = tmp_path / "migrations"
    shutil.copytree(Path(migrations.__file__).parent, copied, ignore=shutil.ignore_patterns("__pycache__"))
    return copied


def test_it_follows_the_newest_one(scripts: Path) -> None:
    before = ScriptDirectory(str(scripts)).get_current_head()
    path = begin(scripts, "trust_levels")
    chain = ScriptDirectory(str(scripts))
    assert before is not None
    head = chain.get_current_head()
    assert head == f"{int(before) + 1:04}"
    assert path.name == f"{head}_trust_levels.py"
    assert chain.get_revision(head).down_revision == before


@pytest.mark.parametrize("name", ["", "a", "Trust", "trust levels", "../trust", "trust-levels"])
def test_a_name_that_is_no_module_is_refused(scripts: Path, name: str) -> None:
    before = sorted(scripts.rglob("*"))
    with pytest.raises(ValueError, match="is not a name"):
        begin(scripts, name)
    assert sorted(scripts.rglob("*")) == before
