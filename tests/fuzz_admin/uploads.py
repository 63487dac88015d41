"""Damaged archives, PEM files and key sets, uploaded as callers do."""

import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random

import httpx
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keyturn_credentials.keystores import (
    CertificateEntry,
    KeyEntry,
    KeyPairKind,
    KeyStoreFormat,
    write_archive,
)
from keyturn_shared.jose.signing import SigningKey
from keyturn_shared.keystores.jks.layout import store_digest
from tests.fuzz_admin.mutations import mutated
from tests.fuzz_admin.service import REALM, Service, make_realm
from tests.testkit import key_material
from tests.testkit.tools import REPOSITORY

_OPENSSL = REPOSITORY / "tests" / "testkit" / "openssl_archives"
_OPENSSL_PASSWORD = "openssl password"
_OF_ANOTHER_KIND = ("chain", "empty-password", "md5-des", "rc4", "rc4-40")
"""Archives that are refused, or that need another password."""
_STATUSES = (200, 400)
_WARM = 0.25
_DIGEST_BYTES = 20


@dataclass(frozen=True)
class Upload:
    """A file and its form fields."""

    file: bytes
    form: dict[str, str]


@dataclass
class Report:
    """``memory``: KiB of the process after a quarter of the uploads, and at the end. ``slowest``: seconds."""

    statuses: Counter[int] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    memory: tuple[int, int] = (0, 0)
    slowest: float = 0.0

    @property
    def growth(self) -> int:
        return self.memory[1] - self.memory[0]

    def describe(self) -> str:
        codes = ", ".join(f"{code} {count}" for code, count in self.codes.most_common())
        return (
            f"{self.statuses.total()} damaged uploads: {self.statuses[400]} refused, {self.statuses[200]} "
            f"imported; slowest {self.slowest:.2f} s; memory {self.memory[0]} KiB after a quarter of them, "
            f"{self.memory[1]} KiB at the end\n  {codes}"
        )


def originals() -> list[Upload]:
    """Return files whose import succeeds."""
    now = datetime.now(UTC)
    kinds = (KeyPairKind.RSA_2048, KeyPairKind.P_256, KeyPairKind.ED25519)
    entries: list[KeyEntry | CertificateEntry] = [
        KeyEntry(kind.lower(), key_material.key_pair(kind), (key_material.certificate(kind, kind),))
        for kind in kinds
    ]
    entries.append(CertificateEntry("realm", key_material.certificate()))
    passwords = {"storePassword": key_material.STORE.reveal(), "keyPassword": key_material.KEY.reveal()}
    made = []
    for archive_format in (KeyStoreFormat.JKS, KeyStoreFormat.JKS, KeyStoreFormat.PKCS12):
        archive = write_archive(archive_format, entries, key_material.PASSWORDS, now=now)
        made += [
            Upload(archive, {"keystoreFormat": archive_format, "keyAlias": entry.alias, **passwords})
            for entry in entries
        ]
    both = {"storePassword": _OPENSSL_PASSWORD, "keyPassword": _OPENSSL_PASSWORD}
    made += [
        Upload(file.read_bytes(), {"keystoreFormat": "PKCS12", **both})
        for file in sorted(_OPENSSL.glob("*.p12"))
        if file.stem not in _OF_ANOTHER_KIND
    ]
    # Nothing detects damage there before it is parsed.
    made += [
        Upload((_OPENSSL / f"{name}.p12").read_bytes(), {"keystoreFormat": "PKCS12", **both})
        for name in ("no-mac",) * 6
    ]
    certificate = key_material.certificate(KeyPairKind.P_256, "P-256")
    made.append(Upload(key_material.pem([certificate]), {"keystoreFormat": "Certificate PEM"}))
    public_key = certificate.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    made.append(Upload(public_key, {"keystoreFormat": "Public Key PEM"}))
    keys = [SigningKey.generate(alg, kid=alg).public_jwk for alg in ("ES256", "EdDSA")]
    made.append(Upload(json.dumps({"keys": keys}).encode(), {"keystoreFormat": "JSON Web Key Set"}))
    return made


def run(service: Service, *, count: int, number: int) -> Report:
    """Upload ``count`` damaged files. Raises AssertionError for any answer but 200 and 400, and for a refused
    upload that changed something."""
    random = Random(number)
    files = originals()
    report = Report()
    with service.client() as client:
        uuid = make_realm(client, keys={"clientAuthenticatorType": "client-jwt"})["keys"]
        path = f"/admin/realms/{REALM}/clients/{uuid}"
        for original in files:
            answer = _send(client, path, original)
            assert answer.status_code == 200, (original.form, answer.text)
        after_a_quarter = service.memory()
        for position in range(count):
            _try(client, path, _damaged(files, random), report)
            if position == int(count * _WARM):
                after_a_quarter = service.memory()
        report.memory = (after_a_quarter, service.memory())
    return report


def _damaged(files: Sequence[Upload], random: Random) -> Upload:
    original = random.choice(files)
    form = dict(original.form)
    if random.random() < 0.1:
        form["keystoreFormat"] = random.choice(list(KeyStoreFormat))
    if random.random() < 0.05:
        form.pop(random.choice(list(form)))
    damaged = mutated(original.file, [other.file for other in files], random)
    if form.get("keystoreFormat") == KeyStoreFormat.JKS and random.random() < 0.7:
        # With the password, anyone can compute a valid digest over anything.
        content = damaged[:-_DIGEST_BYTES]
        damaged = content + store_digest(key_material.STORE, content)
    return Upload(damaged, form)


def _try(client: httpx.Client, path: str, upload: Upload, report: Report) -> None:
    before = client.get(path).headers["etag"]
    begun = time.monotonic()
    answer = _send(client, path, upload)
    report.slowest = max(report.slowest, time.monotonic() - begun)
    assert answer.status_code in _STATUSES, (answer.status_code, upload.form, upload.file.hex())
    report.statuses[answer.status_code] += 1
    if answer.status_code == 400:
        report.codes[answer.json()["code"]] += 1
        assert client.get(path).headers["etag"] == before, (upload.form, upload.file.hex())


def _send(client: httpx.Client, path: str, upload: Upload) -> httpx.Response:
    # There is no fleet to wait for.
    return client.post(
        f"{path}/certificates/jwt.credential/upload",
        data=upload.form,
        files={"file": ("file", upload.file)},
        headers={"Prefer": "respond-async"},
    )
