"""Forbidden URLs, by the reason of their refusal."""

from dataclasses import dataclass

from keyturn_shared.network.refusal import Reason


@dataclass(frozen=True)
class HostileUrl:
    """``leads_to``: the resolver's result for its name, if it gets that far."""

    attack: str
    url: str
    reason: Reason
    leads_to: tuple[str, ...] = ()


def _address(attack: str, host: str) -> HostileUrl:
    return HostileUrl(attack, f"https://{host}/jwks", Reason.ADDRESS_NOT_ALLOWED)


def _name(attack: str, *addresses: str) -> HostileUrl:
    return HostileUrl(attack, "https://client.example/jwks", Reason.ADDRESS_NOT_ALLOWED, addresses)


def _host(attack: str, host: str) -> HostileUrl:
    return HostileUrl(attack, f"https://{host}/jwks", Reason.HOST_NOT_ALLOWED)


def _invalid(attack: str, url: str) -> HostileUrl:
    return HostileUrl(attack, url, Reason.URL_INVALID)


def _scheme(attack: str, url: str) -> HostileUrl:
    return HostileUrl(attack, url, Reason.SCHEME_NOT_ALLOWED)


def _port(attack: str, port: int) -> HostileUrl:
    return HostileUrl(attack, f"https://client.example:{port}/jwks", Reason.PORT_NOT_ALLOWED)


ADDRESSES = (
    _address("loopback", "127.0.0.1"),
    _address("loopback, another one of its 16 million", "127.99.0.3"),
    _address("private, 10/8", "10.0.0.7"),
    _address("private, 172.16/12", "172.31.255.254"),
    _address("private, 192.168/16", "192.168.1.1"),
    _address("cloud metadata", "169.254.169.254"),
    _address("link-local", "169.254.1.1"),
    _address("shared address space of carriers (metadata of one cloud)", "100.100.100.200"),
    _address("this network", "0.0.0.0"),
    _address("broadcast", "255.255.255.255"),
    _address("multicast", "224.0.0.1"),
    _address("benchmarking network", "198.18.0.1"),
    _address("documentation network", "192.0.2.1"),
    _address("reserved for later", "240.0.0.1"),
    _address("IPv6 loopback", "[::1]"),
    _address("IPv6 unspecified", "[::]"),
    _address("IPv6 link-local", "[fe80::1]"),
    _address("IPv6 unique local", "[fd00::1]"),
    _address("IPv6 metadata of one cloud", "[fd00:ec2::254]"),
    _address("IPv6 site-local", "[fec0::1]"),
    _address("IPv6 multicast", "[ff02::1]"),
    _address("IPv6 documentation", "[2001:db8::1]"),
    _address("IPv4-mapped loopback", "[::ffff:127.0.0.1]"),
    _address("IPv4-mapped metadata, in hex", "[::ffff:a9fe:a9fe]"),
    _address("IPv4-compatible private", "[::10.0.0.7]"),
    _address("NAT64 of metadata", "[64:ff9b::169.254.169.254]"),
    _address("NAT64 of a local prefix", "[64:ff9b:1::10.0.0.7]"),
    _address("6to4 of a private address", "[2002:0a00:0007::1]"),
    _address("Teredo with a private client", "[2001:0:4136:e378:8000:63bf:f5ff:fff8]"),
    _address("ISATAP of a private address", "[2606:4700::5efe:10.0.0.7]"),
)

NAMES = (
    _name("a name of loopback", "127.0.0.1"),
    _name("a name of metadata", "169.254.169.254"),
    _name("a name with a public and a private address", "93.184.216.34", "10.0.0.7"),
    _name("a name with a public IPv4 and a private IPv6 address", "93.184.216.34", "fd00::1"),
    _name("a name of an IPv4-mapped private address", "::ffff:10.0.0.7"),
    HostileUrl("localhost", "https://localhost/jwks", Reason.ADDRESS_NOT_ALLOWED, ("127.0.0.1", "::1")),
    HostileUrl("a name that does not resolve", "https://client.example/jwks", Reason.RESOLUTION_FAILED),
)

FORMS = (
    _host("decimal address", "2130706433"),
    _host("hexadecimal address", "0x7f000001"),
    _host("octal address", "0177.0.0.1"),
    _host("hexadecimal parts", "0x7f.0x0.0x0.0x1"),
    _host("short address", "127.1"),
    _host("one part too many", "1.127.0.0.1"),
    _host("a part above 255", "127.0.0.256"),
    _host("address with a dot at its end", "127.0.0.1."),
    _host("name that ends in a number", "client.example.1"),
    _host("name that ends in a hexadecimal number", "client.0x7f"),
    _host("IPv6 zone", "[fe80::1%25eth0]"),
    _host("empty label", "client..example"),
    _host("percent-encoded host", "client%2eexample"),
    _host("label that begins with a hyphen", "-client.example"),
    _host("fullwidth digits", "１２７.０.０.１"),
    _host("circled letters", "ⓛocalhost"),
    _address("ideographic full stops in an address", "127。0。0。1"),
    _host("zero-width joiner in a name", "local\u200dhost"),
    _host("mixed directions in a name", "a\u05d0b.example"),
)

SYNTAX = (
    _invalid("user information before another host", "https://client.example@127.0.0.1/jwks"),
    _invalid("user and password", "https://user:password@client.example/jwks"),
    _invalid("backslash for a slash", "https://client.example\\@127.0.0.1/jwks"),
    _invalid("fragment", "https://client.example/jwks#@127.0.0.1/"),
    HostileUrl("no host", "https:///jwks", Reason.HOST_NOT_ALLOWED),
    _invalid("one slash", "https:/client.example/jwks"),
    _invalid("space", "https://client.example/jw ks"),
    _invalid("line break that would add a header", "https://client.example/jwks\r\nX-Injected: 1"),
    _invalid("NUL", "https://client.example/\0jwks"),
    _invalid("tab inside the host", "https://127.0\t.0.1/jwks"),
    _invalid("empty port", "https://client.example:/jwks"),
    _invalid("port that is not a number", "https://client.example:http/jwks"),
    _invalid("port above 65535", "https://client.example:65536/jwks"),
    _invalid("unfinished bracket", "https://[::1/jwks"),
    _invalid("letters beyond ASCII in the path", "https://client.example/j\u00fcks"),
    _invalid("longer than 2,048 characters", f"https://client.example/{'a' * 2048}"),
    _invalid("nothing", ""),
    _scheme("file", "file:///etc/passwd"),
    _scheme("gopher", "gopher://127.0.0.1:6379/_FLUSHALL"),
    _scheme("ftp", "ftp://client.example/jwks"),
    _scheme("data", "data:application/json,{}"),
    _scheme("relative to a scheme", "//client.example/jwks"),
    HostileUrl("plain http to a public address", "http://93.184.216.34/jwks", Reason.SCHEME_NOT_ALLOWED),
    _port("port of SSH", 22),
    _port("port of mail", 25),
    _port("port of the printer", 631),
    _port("port 0", 0),
)

HOSTILE_URLS = (*ADDRESSES, *NAMES, *FORMS, *SYNTAX)
