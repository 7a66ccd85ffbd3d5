"""Requests as bytes, made before any of them is due."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from infer_bench.engines.http.messages import write_post
from infer_bench.engines.http.protocols.base import Codec, Record
from infer_bench.engines.http.target import Target


@dataclass(frozen=True, slots=True)
class Payloads:
    """Whole HTTP requests of `rows` rows each; the request at a place is the one that is next in turn.

    Of a share of a schedule, `order` has the place of each request in the whole.
    """

    requests: tuple[bytes, ...]
    rows: int
    order: Sequence[int] | None = None

    def turn(self, place: int) -> int:
        """Which payload is sent at a place of the schedule."""
        return (place if self.order is None else self.order[place]) % len(self.requests)

    def at(self, place: int) -> bytes:
        """The bytes of the request at a place of the schedule."""
        return self.requests[self.turn(place)]


def build_payloads(
    target: Target, codec: Codec, records: Sequence[Record], batch: int, headers: Mapping[str, str]
) -> Payloads:
    """Requests of `batch` records each, until all have had their turn; after the last record comes the first."""
    size = len(records)
    bodies = (codec.encode([records[(start + i) % size] for i in range(batch)]) for start in range(0, size, batch))
    return Payloads(tuple(write_post(target, body, headers) for body in bodies), batch)
