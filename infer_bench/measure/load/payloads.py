"""Requests as bytes, made before any of them is due."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from infer_bench.measure.load.protocols.base import Body, Codec, Record
from infer_bench.measure.load.target import Target
from infer_bench.version import __version__


@dataclass(frozen=True, slots=True)
class Payloads:
    """Whole HTTP requests of `rows` rows each; the request at a place is the one that is next in turn."""

    requests: tuple[bytes, ...]
    rows: int

    def turn(self, place: int) -> int:
        """Which payload is sent at a place of the schedule."""
        return place % len(self.requests)

    def at(self, place: int) -> bytes:
        """The bytes of the request at a place of the schedule."""
        return self.requests[place % len(self.requests)]


def build_payloads(
    target: Target, codec: Codec, records: Sequence[Record], batch: int, headers: Mapping[str, str]
) -> Payloads:
    """Requests of `batch` records each, until all have had their turn; after the last record comes the first."""
    size = len(records)
    bodies = (codec.encode([records[(start + i) % size] for i in range(batch)]) for start in range(0, size, batch))
    return Payloads(tuple(_write_post(target, body, headers) for body in bodies), batch)


def write_get(target: Target, path: str, headers: Mapping[str, str]) -> bytes:
    """A request for what is at `path`."""
    return _write(target, f"GET {path}", headers)


def _write_post(target: Target, body: Body, headers: Mapping[str, str]) -> bytes:
    about = {"Content-Type": body.content_type, "Content-Length": str(len(body.content)), **body.headers}
    return _write(target, f"POST {target.path}", {**about, **headers}) + body.content


def _write(target: Target, line: str, headers: Mapping[str, str]) -> bytes:
    common = {"Host": target.authority, "User-Agent": f"infer-bench/{__version__}", "Accept": "*/*"}
    head = "".join(f"{name}: {value}\r\n" for name, value in {**common, **headers}.items())
    return f"{line} HTTP/1.1\r\n{head}\r\n".encode()


def name_token(token: str) -> dict[str, str]:
    """The header that carries a bearer token; none without one."""
    return {"Authorization": f"Bearer {token}"} if token else {}
