"""Webhooks, verified by the reference implementation of their standard and decrypted by jwcrypto."""

import base64
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jwcrypto.jwk import JWK

from keyturn.agent.sinks.webhooks import WebhookSink
from tests.integration.agent.runs import CLIENT, FIRST, SECOND, Run
from tests.integration.agent.subscriber import Subscriber, protected_header
from tests.testkit.http_receiver import Answer

DAY = 24 * 3600


@pytest.fixture
def subscriber(tmp_path: Path) -> Iterator[Subscriber]:
    with Subscriber(tmp_path) as subscriber:
        yield subscriber


def run_of(subscriber: Subscriber, directory: Path) -> Run:
    run = Run(WebhookSink(subscriber.settings, CLIENT), directory)
    run.time = time.time()  # the reference implementation has no other clock
    return run


@pytest.mark.parametrize(
    ("made", "algorithm"),
    [
        ({"kty": "EC", "crv": "P-256", "kid": "one"}, "ECDH-ES+A256KW"),
        ({"kty": "EC", "crv": "P-521", "use": "enc"}, "ECDH-ES+A256KW"),
        ({"kty": "OKP", "crv": "X25519", "alg": "ECDH-ES+A256KW"}, "ECDH-ES+A256KW"),
        ({"kty": "RSA", "size": 2048, "kid": "two"}, "RSA-OAEP-256"),
    ],
)
async def test_the_secret_is_a_jwe_for_the_receiver(
    tmp_path: Path, made: dict[str, Any], algorithm: str
) -> None:
    with Subscriber(tmp_path, JWK.generate(**made)) as subscriber:
        run = run_of(subscriber, tmp_path)
        assert (await run.look())["last_error"] is None
        ((id_, event),) = subscriber.events.items()
    assert id_.startswith("msg_")
    assert event["secret"] == FIRST
    assert event["type"] == "client.secret.rotated"
    assert (event["data"]["issuer"], event["data"]["client_id"]) == (CLIENT.issuer, "orders")
    header = protected_header(event["data"]["secret"])
    assert (header["alg"], header["enc"], header.get("kid")) == (algorithm, "A256GCM", made.get("kid"))
    assert FIRST.encode() not in subscriber.requests[0].body


async def test_an_event_keeps_its_id_until_it_is_received_also_after_a_restart(
    subscriber: Subscriber, tmp_path: Path
) -> None:
    run = run_of(subscriber, tmp_path)
    subscriber.first = [Answer(500), Answer(302, None, {"Location": "/hooks/elsewhere"}), Answer(429)]
    await run.look()
    assert "redirects are not followed" in str((await run.look(after=1))["last_error"])
    run.restart()
    await run.look()
    assert (await run.look(after=1))["current"] is True
    assert len({each.headers["webhook-id"] for each in subscriber.requests}) == 1
    assert len({each.json()["timestamp"] for each in subscriber.requests}) == 1, "of the event"
    run.secret.use(SECOND)
    await run.look(after=1)
    assert [event["secret"] for event in subscriber.events.values()] == [FIRST, SECOND]
    run.restart()
    await run.look()
    assert len(subscriber.requests) == 5


async def test_an_event_is_given_up_after_a_day_and_a_newer_one_is_sent(
    subscriber: Subscriber, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = run_of(subscriber, tmp_path)
    subscriber.rules = lambda _: Answer(503)
    begun = run.time
    while run.time - begun < DAY + 600:
        await run.look(after=60)
    told = caplog.records[-1].getMessage()
    assert told.endswith("given up until there is another secret: the receiver answers 503")
    tried = len(subscriber.requests)
    assert 24 * 11 < tried < 24 * 15, "every five minutes"
    run.secret.use(SECOND)
    await run.look()
    run.restart()
    await run.look()
    assert len(subscriber.requests) == tried + 2


async def test_a_receiver_that_is_gone_gets_nothing_more(
    subscriber: Subscriber, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = run_of(subscriber, tmp_path)
    subscriber.first = [Answer(410)]
    status = await run.look()
    assert status["last_error"] == "the receiver answers 410, it wants no more webhooks"
    run.secret.use(SECOND)
    for _ in range(3):
        await run.look(after=1000)
    assert len(subscriber.requests) == 1
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert "is disabled until the agent starts again" in record.getMessage()
    run.restart()
    assert (await run.look())["current"] is True


async def test_during_a_rotation_of_the_signing_secret_both_sign(
    subscriber: Subscriber, tmp_path: Path
) -> None:
    former = f"whsec_{base64.b64encode(os.urandom(24)).decode()}"
    subscriber.secret_file.write_text(f"{former}\n{subscriber.signing}\n")
    assert (await run_of(subscriber, tmp_path).look())["current"] is True
    assert subscriber.requests[0].headers["webhook-signature"].count("v1,") == 2


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("receiver.jwk", "{}", "is not a public JWK of type EC, OKP or RSA"),
        ("receiver.jwk", "no JSON", "is not a public JWK"),
        ("receiver.jwk", JWK.generate(kty="EC", crv="P-256").export_private(), "has a private key"),
        ("receiver.jwk", JWK.generate(kty="oct", size=256).export(), "is not a public JWK"),
        ("receiver.jwk", '{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}', "it is no valid JWK"),
        ("receiver.jwk", JWK.generate(kty="RSA", size=1024).export_public(), "has less than 2048 bits"),
        ("receiver.jwk", '{"kty": []}', "is not a public JWK"),
        (
            "receiver.jwk",
            JWK.generate(kty="EC", crv="P-256", use="sig").export_public(),
            "not for encryption",
        ),
        ("receiver.jwk", JWK.generate(kty="OKP", crv="Ed25519").export_public(), "it is no valid JWK"),
        ("signing", "", "signing has no text"),
        ("signing", "whsec_c2hvcnQ=", "is not a file of signing secrets"),
        ("signing", "a2V5IG9mIG1vcmUgdGhhbiAyNCBieXRlcw==", "is not a file of signing secrets"),
        ("signing", "whsec_%%%", "is not a file of signing secrets"),
    ],
    ids=range(13),
)
async def test_without_usable_keys_nothing_is_sent(
    subscriber: Subscriber, tmp_path: Path, file: str, content: str, told: str
) -> None:
    good = (tmp_path / file).read_text()
    (tmp_path / file).write_text(content)
    run = run_of(subscriber, tmp_path)
    assert told in str((await run.look())["last_error"])
    assert subscriber.requests == []
    (tmp_path / file).write_text(good)
    assert (await run.look(after=1))["current"] is True


async def test_neither_logs_nor_the_record_have_the_secret(
    subscriber: Subscriber, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    run = run_of(subscriber, tmp_path)
    subscriber.first = [Answer(400, {"echo": FIRST})]
    with caplog.at_level(logging.DEBUG):
        await run.look()
        await run.look(after=1)
    for text in (caplog.text, run.record.read_text()):
        assert FIRST not in text
        assert subscriber.signing not in text
