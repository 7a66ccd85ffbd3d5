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

    def at(self, place: int) -> bytes:
        """The bytes of the request at a place of the schedule."""
        return self.requests[place % len(self.requests)]


def build_payloads(target: Target, codec: Codec, records: Sequence[Record], batch: int) -> Payloads:
    """A request for every record, of `batch` records from it on; after the last record comes the first."""
    size = len(records)
    starts = range(0, size, batch) if size % batch == 0 else range(size)
    bodies = (codec.encode([records[(start + i) % size] for i in range(batch)]) for start in starts)
    return Payloads(tuple(_write_request(target, body) for body in bodies), batch)


def _write_request(target: Target, body: Body) -> bytes:
    headers: Mapping[str, str] = {
        "Host": target.authority,
        "User-Agent": f"infer-bench/{__version__}",
        "Accept": "*/*",
        "Content-Type": body.content_type,
        "Content-Length": str(len(body.content)),
        **body.headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {target.path} HTTP/1.1\r\n{head}\r\n".encode() + body.content
