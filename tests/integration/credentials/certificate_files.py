"""Certificates as clients upload them."""

from datetime import UTC, datetime

from keyturn_credentials.keystores import certificate_body, generate_key_pair, self_signed_certificate
from keyturn_credentials.keystores.key_pairs import KeyPairKind


def pem(body: str, label: str = "CERTIFICATE") -> str:
    lines = [body[i : i + 64] for i in range(0, len(body), 64)]
    return "\n".join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", ""])


def certificate_pem() -> str:
    pair = generate_key_pair(KeyPairKind.P_256)
    return pem(certificate_body(self_signed_certificate(pair, "orders", now=datetime.now(UTC))))
