"""The floor of an HTTP server in Python: uvicorn with uvloop and llhttp, without a framework.

    python -m benchmarks.verifier.asgi_floor PORT OCTETS

The application reads each request to its end and always sends the same ``OCTETS``.
"""

import sys
from typing import Any, Final

import uvicorn

_PORT, _OCTETS = int(sys.argv[1]), int(sys.argv[2])
_BODY: Final = b"x" * _OCTETS
_FIELDS: Final = [
    (b"content-type", b"application/json"),
    (b"cache-control", b"no-store"),
    (b"pragma", b"no-cache"),
    (b"content-length", str(_OCTETS).encode()),
]


async def application(scope: Any, receive: Any, send: Any) -> None:
    """Answer any request."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": _FIELDS})
    await send({"type": "http.response.body", "body": _BODY})


if __name__ == "__main__":
    uvicorn.run(
        application,
        port=_PORT,
        loop="uvloop",
        http="httptools",
        lifespan="off",
        access_log=False,
        log_level="warning",
    )
