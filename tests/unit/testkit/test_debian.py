from pathlib import Path

from tests.testkit.debian import relink


def test_absolute_links_of_packages_point_into_their_directory(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "m2.conf").write_text("main is")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "m2.conf").symlink_to("/etc/m2.conf")
    (tmp_path / "conf").symlink_to("/etc")
    (tmp_path / "bin" / "near").symlink_to("m2.conf")
    for _ in range(2):
        relink(tmp_path)
        assert (tmp_path / "bin" / "m2.conf").read_text() == "main is"
        assert (tmp_path / "conf" / "m2.conf").read_text() == "main is"
        assert str((tmp_path / "bin" / "near").readlink()) == "m2.conf"
