"""One output of two networks over all requests: figures at any time, the verdict once they are pooled."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from infer_bench.stats.agreement.limits import Limits
from infer_bench.stats.agreement.rounding import DIFFERENT, FEWEST_ROWS, SAME
from infer_bench.stats.agreement.tally import Tally
from infer_bench.stats.agreement.tensors.named_predictions import Method
from infer_bench.stats.agreement.tensors.request_errors import WHOLE, RequestErrors
from infer_bench.stats.agreement.tensors.slice_errors import PooledErrors, SliceErrors
from infer_bench.stats.agreement.ulps import ulp_of
from infer_bench.typing import Indices

Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Elements judged together: slices along `axis` of the requests of these sizes."""

    decades: frozenset[int]
    axis: str
    slices: Indices
    errors: PooledErrors

    def of_request(self, request: RequestErrors, precision: str) -> PooledErrors | None:
        """The part of it that is of one request; None where that has none."""
        errors = request.slices.get(self.axis)
        return None if errors is None or request.decade not in self.decades else errors.pool(self.slices, precision)


@dataclass(frozen=True, slots=True, eq=False)
class OutputComparison:
    """The output `name` compared, a `RequestErrors` a request.

    `dtypes` and `shapes` (of a request; of the first, `varies` where others differ) are the reference's and the
    candidate's. `unlike` are the sizes of the first request in which they differ. `tally` holds the figures of all
    numbers, `largest` the reference's largest magnitude. `scores`: its last axis looks like classes. `method` and
    `by_candidate` say what measures rounding, None where nothing does; `precision` is the dtype that rounds.
    """

    name: str
    dtypes: tuple[str, str]
    shapes: tuple[Shape, Shape]
    varies: bool = False
    unlike: tuple[int, Shape, Shape] | None = None
    requests: tuple[RequestErrors, ...] = ()
    tally: Tally = field(default_factory=Tally)
    largest: float = 0.0
    scores: bool = False
    method: Method | None = None
    by_candidate: bool = False
    precision: str = "float32"

    def __add__(self, other: "OutputComparison") -> "OutputComparison":
        return replace(
            self,
            varies=self.varies or other.varies or self.shapes[0] != other.shapes[0],
            unlike=self.unlike or other.unlike,
            requests=self.requests + other.requests,
            tally=self.tally + other.tally,
            largest=max(self.largest, other.largest),
            scores=self.scores and other.scores,
            method=self.method or other.method,
        )

    @property
    def is_exact(self) -> bool:
        """Whether it is compared exactly: integers, truth values or text."""
        return not any(dtype.startswith(("float", "complex")) for dtype in self.dtypes)

    @property
    def is_empty(self) -> bool:
        """Whether both sides gave not a single value for any request."""
        return self.unlike is None and not self.varies and 0 in self.shapes[0]

    @property
    def unequal(self) -> int:
        """How many exact values differ, ties left out."""
        return sum(request.unequal - request.ties for request in self.requests)

    def pools(self) -> list[Pool]:
        """What is judged together: requests of a like size, and slices of a like scale. Empty without a measure."""
        return [pool for group in _by_size(self.requests) for pool in _pools(group, self.precision)]

    def worst_pool(self) -> PooledErrors | None:
        """The one in which the error is the most multiples, of those that can be measured."""
        pools = (pool.errors for pool in self.pools() if pool.errors.is_measure)
        return max(pools, key=lambda errors: errors.ratio, default=None)

    def is_near(self, limits: Limits) -> bool:
        """Whether it rounds more than the network that is the measure, and yet not so much as to differ."""
        if not limits.by_rounding or self.failing(limits):
            return False
        return any(pool.errors.is_near for pool in self.pools() if pool.errors.is_measure)

    def failing(self, limits: Limits) -> frozenset[int]:
        """The numbers of the requests in which it counts as different."""
        pools = self.pools() if limits.by_rounding else []
        tie = self._tie(pools)
        numbers = {r.number for r in self.requests if r.is_mismatch or self._is_relabelled(r, tie)}
        numbers |= {r.number for r in self.requests if r.is_beyond and not (pools and r.slices)}
        return frozenset(numbers.union(*map(self._failing_in, pools)))

    def _failing_in(self, pool: Pool) -> set[int]:
        """The requests that differ in what is judged together, by the tolerances where rounding is no measure."""
        parts = {r.number: pool.of_request(r, self.precision) for r in self.requests}
        errors = {number: part for number, part in parts.items() if part is not None}
        if not pool.errors.is_measure:
            return {number for number, part in errors.items() if part.is_beyond}
        if not pool.errors.is_different:
            return set()
        unit, limit = pool.errors.unit, pool.errors.limit
        beyond = {n for n, e in errors.items() if e.other > DIFFERENT * unit or e.largest_other > limit}
        return beyond or {max(errors, key=lambda number: errors[number].other)}

    def label_changes(self, limits: Limits) -> tuple[int, int]:
        """Places at which the largest score is another class's, and those among them that are ties."""
        tie = self._tie(self.pools() if limits.by_rounding else [])
        margins = [request.margins for request in self.requests if self.scores]
        count = sum(len(part) for part in margins)
        return count, sum(int((part <= tie).sum()) for part in margins)

    def _is_relabelled(self, request: RequestErrors, tie: float) -> bool:
        """Whether the label of the whole request is another one; of labels at many places the scores decide."""
        one_label = self.scores and math.prod(self.shapes[0][:-1]) == 1
        return one_label and bool((request.margins > tie).any())

    def _tie(self, pools: Sequence[Pool]) -> float:
        """How near two scores are that rounding may swap."""
        ulp = ulp_of(self.largest, self.precision)
        units = [pool.errors.unit for pool in pools if pool.errors.is_measure]
        return 2 * SAME * max([ulp, *units])


def _by_size(requests: Iterable[RequestErrors]) -> list[list[RequestErrors]]:
    """Requests that can be measured, by their size; those of too few elements together with the next larger."""
    by_decade: dict[int, list[RequestErrors]] = {}
    for request in requests:
        if request.slices:
            by_decade.setdefault(request.decade, []).append(request)
    groups: list[list[RequestErrors]] = []
    for decade in sorted(by_decade):
        few = groups and _elements(groups[-1]) < FEWEST_ROWS
        groups.append((groups.pop() if few else []) + by_decade[decade])
    if len(groups) > 1 and _elements(groups[-1]) < FEWEST_ROWS:
        groups[-2:] = [groups[-2] + groups[-1]]
    return groups


def _elements(requests: Iterable[RequestErrors]) -> float:
    return sum(float(request.slices[WHOLE].count.sum()) for request in requests)


def _pools(requests: Sequence[RequestErrors], precision: str) -> list[Pool]:
    """The pools of the way of cutting that tells most scales apart."""
    decades = frozenset(request.decade for request in requests)
    ways = []
    for axis in requests[0].slices:
        parts = [request.slices[axis] for request in requests if axis in request.slices]
        if len(parts) == len(requests) and len({part.slices for part in parts}) == 1:
            total: SliceErrors = sum(parts[1:], parts[0])
            ways.append([Pool(decades, axis, which, total.pool(which, precision)) for which in total.clusters()])
    return max(ways, key=len)
