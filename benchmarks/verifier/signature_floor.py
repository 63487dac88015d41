"""The floor of a signature: cryptography's ES256 verification of a token's size of octets, and nothing else.

    python -m benchmarks.verifier.signature_floor SECONDS

Prints verifications per second of one core.
"""

import os
import sys
import time
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

_OCTETS: Final = 600
_AT_ONCE: Final = 100


def main() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    message, how = os.urandom(_OCTETS), ec.ECDSA(hashes.SHA256())
    signature, public = private.sign(message, how), private.public_key()
    begun, count = time.perf_counter(), 0
    while time.perf_counter() - begun < float(sys.argv[1]):
        for _ in range(_AT_ONCE):
            public.verify(signature, message, how)
        count += _AT_ONCE
    print(count / (time.perf_counter() - begun))


if __name__ == "__main__":
    main()
