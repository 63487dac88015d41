"""``make sbom``: writes an SBOM (CycloneDX 1.7, JSON) of what the wheel needs and the image holds.

The same commit gives the same octets: the timestamp is that of the commit, the serial number is made of the
content.
"""

import argparse
import sys
from collections.abc import Iterable
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.bom_ref import BomRef
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.dependency import Dependency
from cyclonedx.model.license import LicenseAcknowledgement, LicenseExpression
from cyclonedx.model.tool import ToolRepository
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from keyturn import __version__
from tests.release.checkout import REPOSITORY, ReleaseError, source_date
from tests.release.dependencies import PRODUCT, dependency_graph, is_in_container, project
from tests.release.licences import Licensed, wrong_with_licences
from tests.release.licences_page import licences

VERSION: Final = SchemaVersion.V1_7
NAME: Final = f"{PRODUCT}-{__version__}.cdx.json"
_WRITER: Final = "cyclonedx-python-lib"
_PURL: Final = f"pkg:pypi/{PRODUCT}@{__version__}"


def describe(licensed: Iterable[Licensed], made_at: datetime) -> str:
    """Return the SBOM with a final newline. Raises ReleaseError."""
    licensed = tuple(licensed)
    graph = dependency_graph(each.pin for each in licensed)
    draft = _render(licensed, graph, made_at, UUID(int=0))
    text = _render(licensed, graph, made_at, uuid5(NAMESPACE_URL, draft))
    error = wrong_with(text)
    if error is not None:
        raise ReleaseError(f"the SBOM is not valid by the schema of CycloneDX: {error}")
    return text


def wrong_with(text: str) -> str | None:
    """Return the first fault by the schema of CycloneDX."""
    error = JsonStrictValidator(VERSION).validate_str(text)
    return None if error is None else str(error)


def _render(
    licensed: tuple[Licensed, ...], graph: dict[str, set[str]], made_at: datetime, serial_number: UUID
) -> str:
    product = _product()
    components = {each.pin.name: _component(each) for each in licensed}
    references = {name: part.bom_ref for name, part in components.items()} | {PRODUCT: product.bom_ref}
    bom = Bom(
        serial_number=serial_number,
        metadata=BomMetaData(timestamp=made_at, component=product, tools=_tools()),
        components=components.values(),
        dependencies=[
            Dependency(references[name], [Dependency(references[each]) for each in required])
            for name, required in graph.items()
        ],
    )
    return make_outputter(bom, OutputFormat.JSON, VERSION).output_as_string(indent=2) + "\n"


def _product() -> Component:
    return Component(
        type=ComponentType.APPLICATION,
        name=PRODUCT,
        version=__version__,
        description=project()["description"],
        bom_ref=BomRef(_PURL),
        purl=PackageURL.from_string(_PURL),
        licenses=[LicenseExpression(project()["license"], acknowledgement=LicenseAcknowledgement.DECLARED)],
    )


def _component(licensed: Licensed) -> Component:
    """Describe a distribution. One that only another platform needs is optional, with its marker."""
    pin = licensed.pin
    known = LicenseAcknowledgement.DECLARED if licensed.is_declared else LicenseAcknowledgement.CONCLUDED
    return Component(
        type=ComponentType.LIBRARY,
        name=pin.name,
        version=pin.version,
        bom_ref=BomRef(pin.purl),
        purl=PackageURL.from_string(pin.purl),
        scope=ComponentScope.REQUIRED if is_in_container(pin) else ComponentScope.OPTIONAL,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in pin.sha256],
        licenses=[LicenseExpression(licensed.expression, acknowledgement=known)],
        properties=() if pin.marker is None else [Property(name="keyturn:marker", value=str(pin.marker))],
    )


def _tools() -> ToolRepository:
    writer = Component(type=ComponentType.LIBRARY, name=_WRITER, version=metadata.version(_WRITER))
    return ToolRepository(components=[writer])


def write(directory: Path) -> Path:
    """Write the SBOM of this commit. Raises ReleaseError, also if a licence is not accepted."""
    licensed, policy = licences()
    wrong = wrong_with_licences(licensed, policy)
    if wrong:
        raise ReleaseError(wrong[0])
    text = describe(licensed, source_date())
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / NAME
    path.write_text(text)
    return path


def main() -> int:
    parser = argparse.ArgumentParser(prog="sbom", description=__doc__)
    parser.add_argument("--into", type=Path, default=REPOSITORY / "dist", help="a directory; default: dist")
    try:
        path = write(parser.parse_args().into)
    except ReleaseError as error:
        print(f"WRONG: {error}", file=sys.stderr)
        return 1
    print(f"wrote {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
