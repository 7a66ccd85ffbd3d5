"""The socket that all workers share."""

import errno
import ipaddress
import socket

from infer_bench.errors import CannotRun


def bind(host: str, port: int) -> socket.socket:
    """A socket bound to the address, on which nobody listens yet: until a worker does, connections are refused.

    An address of IPv6 may stand in brackets. Raises `CannotRun` for an address that is taken or not this machine's.
    """
    host = strip_brackets(host)
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise CannotRun(
            f"{host!r} is no address of this machine: {_reason(error)}", "as in --host 127.0.0.1, ::1 or 0.0.0.0"
        ) from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        other = "--host" if error.errno == errno.EADDRNOTAVAIL else "--port"
        raise CannotRun(
            f"port {port} of {host} cannot be opened: {_reason(error)}", f"choose another {other}"
        ) from None
    return listener


def strip_brackets(host: str) -> str:
    """An address of IPv6 without the brackets that it has in a URL."""
    return host[1:-1] if host.startswith("[") and host.endswith("]") else host


def is_loopback(host: str) -> bool:
    """Whether only this machine can connect to `host`."""
    host = strip_brackets(host)
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def url_of(listener: socket.socket) -> str:
    """The address that clients are told."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _reason(error: Exception) -> str:
    return str(getattr(error, "strerror", "") or error)
