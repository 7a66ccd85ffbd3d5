"""What a network gives for a block of requests: every output by its name, in its own dtype and shape."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from infer_bench.stats.agreement.rounding import find_decades
from infer_bench.typing import Array, Bools, Floats, Ints

NamedArrays = Mapping[str, Sequence[Array]]
"""Output name → one array a request, of any shape."""
Method = Literal["float64", "noise"]


@dataclass(frozen=True, slots=True, eq=False)
class Yardstick:
    """What says how much a network rounds, for the same requests as its predictions.

    `exact` are its outputs in float64, and each of `shaken` those after its numbers were moved by an ulp, of weights
    and requests. With the method `noise` there is no float64: `exact` are its own outputs, and what `shaken` ones move
    is the measure. `sizes` (requests,) are the largest magnitudes in each request. `is_coarse`: parts
    of the network work in less than float32. `precisions` are the narrowest dtypes in which outputs are computed.
    """

    exact: NamedArrays
    shaken: Sequence[NamedArrays]
    sizes: Floats
    method: Method = "float64"
    is_coarse: bool = False
    precisions: Mapping[str, str] = field(default_factory=dict)

    @property
    def decades(self) -> Ints:
        """The power of ten of each request's size (requests,)."""
        return find_decades(self.sizes)


@dataclass(frozen=True, slots=True, eq=False)
class NamedPredictions:
    """Outputs by name, one array a request; where `refusals` (requests,), that array is empty.

    `complaint` is what the library said of the first request it refused. `yardstick` is None where it is not known
    what the network rounds.
    """

    outputs: NamedArrays
    refusals: Bools
    complaint: str = ""
    yardstick: Yardstick | None = field(default=None)

    @property
    def requests(self) -> int:
        """How many requests."""
        return len(self.refusals)
