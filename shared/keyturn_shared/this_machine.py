"""Hosts that are this machine. It imports little, so that the command line may."""

from ipaddress import ip_address


def is_this_machine(host: str) -> bool:
    """Return whether a URL's host is this machine without being looked up: what is sent there crosses no
    network, so that http is no worse than https."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"
