"""Signatures of webhooks."""

import base64
import json
import time

import pytest
from standardwebhooks import Webhook

from keyturn_shared.errors import ConfigurationError
from keyturn_shared.standard_webhooks import WebhookKeys, sign

KEY = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = base64.b64encode(bytes(range(32))).decode()
BODY = b'{"test": 2432232314}'


def test_a_signature_is_that_of_the_standard() -> None:
    """Standard Webhooks publishes this example with its reference implementations."""
    made = sign(base64.b64decode(KEY), "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", BODY)
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", [KEY, OTHER])
def test_during_a_rotation_a_receiver_with_either_secret_accepts_it(secret: str) -> None:
    keys = WebhookKeys.from_text(f"whsec_{KEY}\nwhsec_{OTHER}\n")
    # The library refuses timestamps that are not of these minutes.
    headers = dict(keys.headers("msg_1", int(time.time()), BODY))
    assert Webhook(secret).verify(BODY, headers) == json.loads(BODY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        KEY,
        "whsec_",
        "whsec_????",
        f"whsec_{KEY} nonsense",
        "whsec_" + "A" * 28,
        "whsec_" + "A" * 88,
    ],
)
def test_what_is_no_signing_secret_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        WebhookKeys.from_text(text)
    assert KEY not in refused.value.detail
