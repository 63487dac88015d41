"""The command's report has the result and no secret, and its exit code says whether somebody must decide."""

import hashlib
import json
import os
import threading
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from keyturn.migrate.compare import command
from keyturn.migrate.compare.command import ComparingOrder, run_compare
from keyturn.migrate.compare.side import Side
from keyturn.migrate.source import SourceOptions
from keyturn_shared.jose.signing import SigningKey

SECRET = "the-secret-of-orders-is-long"


KEYS: dict[str, list[dict[str, str]]] = {}
"""Published keys by host."""


def answering(request: httpx.Request) -> httpx.Response:
    """Both sides refuse every client, and the Keycloak quotes what it was sent."""
    path = request.url.path
    if path.endswith("/token"):
        sent = request.content.decode() if request.url.host == "old" else "invalid_client"
        return httpx.Response(401, json={"error": sent})
    return httpx.Response(
        200,
        json={"issuer": f"https://{request.url.host}/realms/shop", "keys": KEYS.get(request.url.host, [])},
    )


@pytest.fixture
def order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ComparingOrder:
    class MockedSide(Side):
        def __init__(self, *arguments: object, **options: object) -> None:
            transport = httpx.MockTransport(answering)
            super().__init__(*arguments, **options, transport=transport)  # type: ignore[arg-type]  # as given

    monkeypatch.setattr(command, "Side", MockedSide)
    file = tmp_path / "shop.json"
    document = {
        "realm": "shop",
        "clients": [{"clientId": "orders", "secret": SECRET}, {"clientId": "account"}],
    }
    file.write_text(json.dumps(document))
    source = SourceOptions(str(file), None, "master", "admin", None, allow_http=False)
    return ComparingOrder(
        source,
        keyturn_url="https://new",
        keycloak_url="https://old",
        to_realm=None,
        keys=None,
        introspect_as=None,
        concurrency=2,
        seconds=5.0,
        report=tmp_path / "report",
        as_json=False,
    )


def test_the_report_is_three_files_without_a_secret(
    order: ComparingOrder, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run_compare(order) == 1
    files = sorted((tmp_path / "report").iterdir())
    assert [file.name for file in files] == ["comparison.html", "comparison.json", "comparison.md"]
    printed = capsys.readouterr().out
    assert printed.startswith("1 client was compared; 1 needs a decision.")
    texts = [printed, *(file.read_text() for file in files)]
    assert all("refusal: error" in text for text in texts[:2])
    assert not any(SECRET in text for text in texts)
    report = json.loads(files[1].read_text())
    assert report["input"]["sha256"] == hashlib.sha256((tmp_path / "shop.json").read_bytes()).hexdigest()
    assert hashlib.sha256(files[1].read_bytes()).hexdigest() in files[2].read_text()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"keycloak_url": None}, "--keycloak-url is required with an export file"),
        ({"keyturn_url": "http://new.example.com"}, "everyone on the way can read the secrets"),
        ({"introspect_as": "nobody"}, "the source has no such client"),
    ],
)
def test_what_cannot_be_compared_is_said_and_nothing_written(
    order: ComparingOrder,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    changes: dict[str, str | None],
    said: str,
) -> None:
    assert run_compare(replace(order, **changes)) == 2  # type: ignore[arg-type]  # of these members
    assert said in capsys.readouterr().err
    assert not (tmp_path / "report").exists()


def test_only_the_owner_can_read_the_report(order: ComparingOrder, tmp_path: Path) -> None:
    run_compare(order)
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "report").iterdir()} == {0o600}


def test_a_report_that_cannot_be_written_is_told_before_or_after_the_result(
    order: ComparingOrder, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A comparison of an hour is not lost with the disk."""
    (tmp_path / "report").write_text("a file")
    assert run_compare(order) == 2
    told = capsys.readouterr()
    assert (told.out, "is not a directory" in told.err) == ("", True)
    (tmp_path / "report").unlink()
    (tmp_path / "report" / "comparison.md").mkdir(parents=True)
    assert run_compare(order) == 2
    told = capsys.readouterr()
    assert told.out.startswith("1 client was compared")
    assert "cannot be written" in told.err


@pytest.mark.parametrize("url", ["https://[::1", "https://x:99999", "https://x:a-password@", "https://x:0"])
def test_a_url_that_cannot_be_read_is_one_line_and_not_quoted(
    order: ComparingOrder, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    assert run_compare(replace(order, keyturn_url=url)) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    assert "a-password" not in told


def test_the_json_on_a_terminal_is_ascii(
    order: ComparingOrder, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    document = {"realm": "shop", "clients": [{"clientId": "a\x9b2J\u202e", "secret": SECRET}]}
    (tmp_path / "shop.json").write_text(json.dumps(document))
    run_compare(replace(order, as_json=True))
    printed = capsys.readouterr().out
    assert printed.isascii()
    assert json.loads(printed)["clients"][0]["clientId"] == "a\x9b2J\u202e"


def test_a_keycloak_is_not_compared_with_itself(
    order: ComparingOrder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before the switch, keyturn's public URL leads there."""
    shared, own = ({**SigningKey.generate("ES256").public_jwk} for _ in range(2))
    monkeypatch.setitem(KEYS, "old", [shared])
    monkeypatch.setitem(KEYS, "new", [own, shared])
    assert run_compare(order) == 2
    assert "both URLs lead to the same realm" in capsys.readouterr().err


def test_an_export_may_come_through_a_pipe(order: ComparingOrder, tmp_path: Path) -> None:
    """Its secrets are then on no disk in clear text."""
    data, pipe = (tmp_path / "shop.json").read_bytes(), tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(data,), daemon=True)
    writer.start()
    run_compare(replace(order, source=replace(order.source, source=str(pipe))))
    report = json.loads((tmp_path / "report" / "comparison.json").read_text())
    assert report["input"]["sha256"] == hashlib.sha256(data).hexdigest()


def test_a_client_with_a_certificate_introspects_for_no_others(
    order: ComparingOrder, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The comparison does not send certificates there, and would leave out every introspection."""
    client = {"clientId": "a", "clientAuthenticatorType": "client-x509"}
    (tmp_path / "shop.json").write_text(json.dumps({"realm": "shop", "clients": [client]}))
    for name in ("a.crt", "a.key"):
        (tmp_path / name).write_text("")
    assert run_compare(replace(order, keys=tmp_path, introspect_as="a")) == 2
    assert "--introspect-as a: it must not need a certificate" in capsys.readouterr().err
