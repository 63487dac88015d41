"""Signatures of webhooks."""

import base64

from keyturn.agent.sinks.webhooks import sign


def test_a_signature_is_that_of_the_standard() -> None:
    """Standard Webhooks publishes this example with its reference implementations."""
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    made = sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
