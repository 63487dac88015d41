"""The console serves only its own files, which are small and cacheable."""

import gzip
import re

import httpx
import pytest
from starlette.applications import Starlette

from keyturn_credentials.console.assets import PAGE, assets
from keyturn_credentials.console.pages import page_routes

TRANSPORT = httpx.ASGITransport(Starlette(routes=page_routes()))


async def fetch(path: str, **headers: str) -> httpx.Response:
    async with httpx.AsyncClient(transport=TRANSPORT, base_url="http://keyturn.test") as http:
        return await http.get(path, headers=headers)


async def test_the_page_names_every_module_under_the_version_and_each_is_there() -> None:
    served = assets()
    page = served.by_path[PAGE].content.decode()
    named = re.findall(r'(?:href|src)="(/console/static/[^"]+)"', page)
    modules = {path for path in served.by_path if path.endswith(".js")}
    assert modules <= {name.removeprefix(f"/console/static/{served.version}/") for name in named}
    for name in named:
        answer = await fetch(name)
        assert answer.status_code == 200, name
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"


def test_what_a_module_imports_is_there() -> None:
    served = assets().by_path
    for path, asset in served.items():
        folder = path.rsplit("/", 1)[0]
        for imported in re.findall(r'from "(\.[^"]+)"', asset.content.decode()):
            parts: list[str] = folder.split("/")
            for part in imported.split("/"):
                if part == "..":
                    parts.pop()
                elif part != ".":
                    parts.append(part)
            assert "/".join(parts) in served, f"{path} imports {imported}"


def test_nothing_is_written_inline_or_loaded_from_elsewhere() -> None:
    for path, asset in assets().by_path.items():
        text = asset.content.decode()
        assert "innerHTML" not in text, path
        assert not re.search(r"<script(?![^>]+src=)|\son\w+=\"|\sstyle=\"|javascript:", text), path
        foreign = re.findall(r"(?:src|href|url|import|fetch)[=( ]+[\"']?https?://[^\"' )]+", text)
        assert foreign == [], path


async def test_what_did_not_change_is_not_sent_again() -> None:
    first = await fetch("/console/", **{"accept-encoding": "gzip"})
    assert first.headers["content-encoding"] == "gzip"
    assert first.headers["cache-control"] == "no-cache"
    again = await fetch("/console/", **{"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    plain = await fetch("/console/", **{"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == assets().by_path[PAGE].content
    assert plain.headers["etag"] != first.headers["etag"]


def test_all_of_it_is_small() -> None:
    weight = sum(len(asset.compressed) for asset in assets().by_path.values())
    assert weight < 128 * 1024
    for asset in assets().by_path.values():
        assert gzip.decompress(asset.compressed) == asset.content


@pytest.mark.parametrize("path", ["access.py", "js", "", "{version}/access.py", "x/%2e%2e/%2e%2e/access.py"])
async def test_a_file_that_is_not_the_consoles_is_not_there(path: str) -> None:
    answer = await fetch(f"/console/static/{path}".format(version=assets().version))
    assert answer.status_code == 404
    assert answer.text == "no such file"
