"""``docs/key-sets-guards.md`` shows every attack of the tables, and no other."""

from pathlib import Path

from tests.integration.network.hostile_servers import HOSTILE_SERVERS
from tests.integration.network.hostile_tls import HOSTILE_TLS
from tests.integration.network.http2_servers import HOSTILE_HTTP2
from tests.unit.shared.network.hostile_urls import HOSTILE_URLS

PAGE = (Path(__file__).parents[3] / "docs" / "key-sets-guards.md").read_text()


def shown(url: str) -> str:
    """Format for a table; invisible characters are escaped."""
    return url[:60].encode("unicode_escape").decode().replace("|", "") or " "


TABLES = {
    "URLs": [(f"{each.attack}: `{shown(each.url)}`", each.reason.value) for each in HOSTILE_URLS],
    "Servers": [(each.attack, each.reason) for each in HOSTILE_SERVERS],
    "HTTP/2": [(each.attack, each.reason) for each in HOSTILE_HTTP2],
    "TLS": [(each.attack, each.reason) for each in HOSTILE_TLS],
}


def rows_of(section: str) -> list[tuple[str, str]]:
    body = PAGE.split(f"## {section}\n")[1].split("\n## ")[0]
    rows = [line.strip("| ").rsplit(" | ", 1) for line in body.splitlines() if line.endswith("` |")]
    return [(attack, reason.strip("`")) for attack, reason in rows]


def test_the_page_has_the_rows_of_every_table() -> None:
    for section, rows in TABLES.items():
        assert rows_of(section) == rows, section


def test_every_attack_has_a_name_of_its_own() -> None:
    attacks = [attack for rows in TABLES.values() for attack, _ in rows]
    assert len(set(attacks)) == len(attacks) >= 60
