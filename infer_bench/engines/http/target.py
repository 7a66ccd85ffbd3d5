"""Where requests go: an address of the user's own."""

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from infer_bench.errors import CannotRun, UsageError

DEFAULT_PATH = "/predict"
_PORTS = {"http": 80, "https": 443}
_EXAMPLE = "write it as in http://127.0.0.1:8080/predict"


@dataclass(frozen=True, slots=True)
class Target:
    """An HTTP address, taken apart. `path` has its query; `authority` is what the header `Host` says."""

    url: str
    host: str
    port: int
    path: str
    authority: str
    tls: bool


def parse_target(text: str) -> Target:
    """The target that a URL names; without a path it is `/predict`. Raises `UsageError` for anything else."""
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname or "", parts.port
        host.encode("idna")
    except ValueError as error:
        raise UsageError(f"{text!r} is no address: {error}", _EXAMPLE) from None
    if parts.scheme not in _PORTS or not host:
        raise UsageError(f"{text!r} is no address of a service", _EXAMPLE)
    if parts.username is not None or parts.password is not None:
        raise UsageError("an address with a name or a password would stand in the report", "leave them out")
    path = quote(parts.path if parts.path not in ("", "/") else DEFAULT_PATH, safe="/%:@!$&'()*+,;=-._~")
    query = f"?{quote(parts.query, safe='/%:@!$&()*+,;=-._~?')}" if parts.query else ""
    name = f"[{host}]" if ":" in host else host.encode("idna").decode()
    authority = name if port is None else f"{name}:{port}"
    url = f"{parts.scheme}://{authority}{path}{query}"
    return Target(url, host, port or _PORTS[parts.scheme], path + query, authority, parts.scheme == "https")


def resolve(target: Target, *, is_mine: bool) -> tuple[str, ...]:
    """The target's IP addresses, in the order to try them.

    Raises `CannotRun` where the name has none, and `UsageError` for another machine's unless `is_mine`.
    """
    try:
        entries = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CannotRun(f"{target.host} has no address: {reason}", "see that the name is spelt right") from None
    addresses = tuple(dict.fromkeys(str(entry[4][0]) for entry in entries))
    if not is_mine and not all(map(is_loopback, addresses)):
        raise UsageError(
            f"{target.host} is not this machine, and a load can bring a service down",
            "--target-is-mine says that it is yours",
        )
    return addresses


def is_loopback(address: str) -> bool:
    """Whether an IP address is this machine's alone."""
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback
