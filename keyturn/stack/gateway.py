"""The nginx configuration of the local stack's gateway. Pure.

It puts one base URL in front of the credentials service and the nodes. In production a gateway of the
operator's choice does this; ``docs/gateways`` has files for several.
"""

import json
import re
from collections.abc import Iterable, Sequence
from typing import Final
from urllib.parse import urlsplit

from keyturn_shared.network.proxy_headers import PROXY_HEADERS

BODY_BYTES: Final = 10 * 1024 * 1024
"""Maximum request body; a longer one is refused with 413. A body is buffered, so that it can be sent to
another node."""

UPLOAD_BYTES_A_SECOND: Final = 8 * 1024 * 1024
"""Maximum rate at which one connection is read."""

_CREDENTIALS_PATHS: Final = ("/admin", "/console", "/health", "/metrics")
_NODE_PATHS: Final = ("/realms", "/.well-known")
_HEADER_NAME: Final = re.compile(r"[A-Za-z0-9-]{1,64}")

_TOLD: Final = {
    "X-Forwarded-For": "$remote_addr",
    "X-Forwarded-Proto": "$scheme",
    "X-Forwarded-Host": "$http_host",
}
"""Headers about the caller. No proxy is in front of the gateway, so it starts the chain."""

_CONFIGURATION: Final = """\
# Written by keyturn up at every start.
master_process off;  # one process: whatever ends it, nothing of it is left behind
pid nginx.pid;
error_log stderr warn;

events {{
    worker_connections {connections};
}}

# nginx reads chunk extensions, and bodies it answers without using, without limit, at the speed of its core.
# So a connection is taken here first, which reads it at a bounded rate.
stream {{
    server {{
        listen {listen} rcvbuf=32k;  # read in small bites, between which others have their turn
        proxy_pass {inner};
        proxy_protocol on;  # tells the caller's address
        proxy_upload_rate {upload_bytes_a_second};
        proxy_half_close on;  # a refusal reaches a caller who is still sending
        proxy_timeout 80s;  # longer than any timeout below
    }}
}}

http {{
    access_log off;
    server_tokens off;
    default_type application/octet-stream;
    client_body_temp_path client_body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;

    tcp_nodelay on;
    keepalive_timeout 75s;
    keepalive_requests 100000;
    client_header_timeout 10s;
    client_body_timeout 30s;
    large_client_header_buffers 4 32k;
    client_max_body_size {body_bytes};
    client_body_buffer_size 128k;
    absolute_redirect off;
    port_in_redirect off;

    upstream credentials {{
        server {credentials};
        keepalive 32;
    }}

    # No failure of one request marks a node as down (max_fails=0): another is asked, for this request alone.
    upstream nodes {{
{nodes}
        keepalive 64;
    }}

    proxy_http_version 1.1;
    proxy_connect_timeout 2s;
    proxy_send_timeout 75s;
    proxy_read_timeout 75s;  # longer than the longest Prefer: wait
    proxy_buffer_size 32k;
    proxy_buffers 8 32k;
    proxy_max_temp_file_size 0;
    proxy_set_header Connection "";
    proxy_set_header HTTP2-Settings "";
    proxy_set_header Host $http_host;
{headers}

    server {{
        listen {inner} proxy_protocol;
        set_real_ip_from {inner_host};
        real_ip_header proxy_protocol;
{problems}

        location = / {{
            return 307 /console/;
        }}

        location / {{
            return 404;
        }}

        # The credentials service itself answers administrators, whose realm is master,
        # and clients that take their new secret.
        location ~ ^/(realms/master/(protocol|\\.well-known)/|\\.well-known/[^/]+/realms/master$) {{
            proxy_pass http://credentials;
            proxy_next_upstream off;
        }}

        location ~ ^/realms/[^/]+/rotation(/(delivered|key))?$ {{
            proxy_pass http://credentials;
            proxy_next_upstream off;
        }}

        location ~ ^({credentials_paths})(/|$) {{
            proxy_pass http://credentials;
            proxy_next_upstream off;
            proxy_buffering off;  # events are passed on as they come
        }}

        location ~ ^({node_paths})(/|$) {{
            proxy_pass http://nodes;
            # A node that answers 503 granted nothing: another may be asked.
            proxy_next_upstream error http_503 non_idempotent;
            proxy_next_upstream_timeout 5s;
        }}
    }}
}}
"""

_PROBLEMS: Final = (
    (400, "Bad request", "the request could not be parsed", False),
    (404, "Not found", "unknown path; available: /admin, /console, /realms, /health, /metrics", False),
    (408, "Request timeout", "the request was not received in time", False),
    (413, "Content too large", f"a request body must not exceed {BODY_BYTES} bytes", False),
    (414, "URI too long", "the request URI is too long", False),
    (431, "Request header fields too large", "the header fields are too long", False),
    (500, "Internal server error", "the gateway failed", False),
    (502, "Bad gateway", "the service cannot be reached; the request may have been carried out", True),
    (504, "Gateway timeout", "the service did not respond in time", False),
)
"""nginx's own errors: status, title, detail, and whether to retry."""

_OWN_CODES: Final = {431: 494}
"""nginx's own numbers of statuses in ``error_page``."""


def gateway_configuration(
    listen: str,
    inner: str,
    credentials: str,
    nodes: Sequence[str],
    *,
    connections: int,
    certificate_header: str = "",
) -> str:
    """Build the file for these base URLs.

    ``listen``: address and port for callers. ``inner``: those at which the file's own listener takes their
    connections over; no other program may use them. ``connections``: to callers, services and itself.
    ``certificate_header``: one more header that nodes may trust.
    """
    return _CONFIGURATION.format(
        listen=listen,
        inner=inner,
        inner_host=inner.rpartition(":")[0],
        upload_bytes_a_second=UPLOAD_BYTES_A_SECOND,
        connections=connections,
        body_bytes=BODY_BYTES,
        credentials=urlsplit(credentials).netloc,
        nodes="\n".join(f"        server {urlsplit(node).netloc} max_fails=0;" for node in nodes),
        credentials_paths="|".join(map(re.escape, _CREDENTIALS_PATHS)),
        node_paths="|".join(map(re.escape, _NODE_PATHS)),
        headers=_indented(4, _proxy_headers(certificate_header)),
        problems=_indented(8, _problem_pages()),
    )


def _proxy_headers(certificate_header: str) -> Iterable[str]:
    """Replace or remove every header that a caller could forge in a gateway's name."""
    for name, value in _TOLD.items():
        yield f"proxy_set_header {name} {value};"
    emptied = set(PROXY_HEADERS)
    if _HEADER_NAME.fullmatch(certificate_header):
        emptied.add(certificate_header.lower())
    for name in sorted(emptied - {name.lower() for name in _TOLD}):
        yield f'proxy_set_header {name} "";'


def _problem_pages() -> Iterable[str]:
    """Build problem details (RFC 9457)."""
    for status, title, detail, again in _PROBLEMS:
        body = json.dumps({"type": "about:blank", "title": title, "status": status, "detail": detail})
        retry = " add_header Retry-After 1 always;" if again else ""
        # No named location: nginx cannot use one for a request line that it could not parse, and answers 500.
        yield f"error_page {_OWN_CODES.get(status, status)} = /problem-{status};"
        answer = f"internal; default_type application/problem+json;{retry} return {status} '{body}';"
        yield f"location = /problem-{status} {{ {answer} }}"


def _indented(columns: int, lines: Iterable[str]) -> str:
    return "\n".join(" " * columns + line for line in lines)
