"""Answers of a server as raw octets."""


def is_whole(octets: bytes) -> bool:
    """Tell if an answer of HTTP/1.1 has arrived with its body."""
    end = octets.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = octets[: end + 4].lower()
    at = head.find(b"content-length:")
    if at >= 0:
        return len(octets) >= end + 4 + int(head[at + 15 : head.index(b"\r\n", at)])
    return b"transfer-encoding: chunked" not in head or octets.endswith(b"0\r\n\r\n")
