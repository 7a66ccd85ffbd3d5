"""What a protocol is: rows to a body, and a body to predictions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from infer_bench.typing import Array

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Body:
    """The content of a request, its type and what else its head says."""

    content: bytes
    content_type: str
    headers: Mapping[str, str] = field(default_factory=dict)


class Answer(NamedTuple):
    """What a right answer holds: `predictions` (rows of outputs), the server's own times in µs by phase, its path.

    A network's are its `outputs` by name, and no predictions.
    """

    predictions: Any
    phases: Mapping[str, float] = {}
    path: str = ""
    outputs: Mapping[str, Array] | None = None


class Codec(Protocol):
    """Turns rows into bodies and answers into predictions."""

    name: str
    carries_infinity: bool
    """Whether a body can hold one: JSON cannot."""

    def encode(self, records: Sequence[Record]) -> Body:
        """The body that asks for the predictions of these rows."""

    def decode(self, content: bytes, headers: Mapping[bytes, bytes], rows: int) -> Answer:
        """The answer for so many rows; `headers` by lower-case name. Raises `ValueError`, saying what is wrong."""
