"""Charts, rendered by Helm itself."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.testkit.go_program import build_go, run_go

_SECONDS = 60.0


class ChartError(Exception):
    """Helm does not render the chart with these values; the message is Helm's."""


def build_helm() -> None:
    """Build Helm once, which takes minutes. Raises ToolError."""
    build_go(Path(__file__).parent)


def render_chart(
    chart: Path, values: Mapping[str, Any], *, release: str = "keyturn", namespace: str = "id"
) -> list[dict[str, Any]]:
    """Return the manifests. Raises ChartError, and ToolError if Helm cannot be built."""
    asked = {"chart": str(chart), "release": release, "namespace": namespace, "values": dict(values)}
    ended = run_go(Path(__file__).parent, stdin=json.dumps(asked), seconds=_SECONDS)
    if ended.returncode != 0:
        raise ChartError(ended.stderr.strip())
    texts = json.loads(ended.stdout)
    documents = (document for path in sorted(texts) for document in yaml.safe_load_all(texts[path]))
    return [document for document in documents if document]
