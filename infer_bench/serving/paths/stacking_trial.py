"""May requests of a network go through it together? Drawn ones are answered alone and together, and compared."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from infer_bench.engines.base import Session
from infer_bench.engines.feeds.tensors import TensorFeed
from infer_bench.engines.session import first_line
from infer_bench.engines.training_mode import VARYING
from infer_bench.errors import EngineError, InferBenchError
from infer_bench.serving.paths.stacking import MOST_BYTES, Stacking
from infer_bench.typing import Array
from infer_bench.workers.tasks.batch_invariance import compare_output
from infer_bench.workers.tasks.draw_requests import DrawRequests, draw_for_session

PARTS = (1, 2, 3)
"""So many drawn requests are each of those that go together first."""
SIZES = (2, 8, 16, 32, 64)
"""And so many single ones then; no more than were tried go together."""
LONGEST_NS = 25_000_000
"""Two requests that take longer each would make one another wait."""
LARGEST_COST = 0.8
"""Of several requests together, as a share of what they take one by one: above it, little is gained by waiting."""
_DRAWN = 16
_REPEATS = 3
_EXAGGERATION = 64.0
Arrays = Mapping[str, Array]


def try_stacking(session: Session) -> Stacking | str:
    """How a network's requests go together; where they do not, why, as the end of a sentence."""
    spec = session.spec
    if any(remark.code in VARYING for remark in spec.remarks):
        return "no two answers need be alike"
    fixed = [tensor.name for tensor in spec.inputs if tensor.batch_axis is None and not tensor.optional]
    if fixed:
        return f"the input {fixed[0]!r} has no free batch axis"
    try:
        columns = draw_for_session(session, DrawRequests(_DRAWN, 0)).columns
    except (InferBenchError, MemoryError):
        return "no request could be drawn to try it"
    axes = {t.name: t.batch_axis for t in spec.inputs if t.name in columns and t.batch_axis is not None}
    requests = [{name: np.asarray(columns[name][i]) for name in axes} for i in range(len(next(iter(columns.values()))))]
    try:
        return _Trial(session, requests, Stacking(TensorFeed(spec.inputs), axes, {}, 1, 0.0, 0.0)).run()
    except _Refusal as refusal:
        return str(refusal)
    except (InferBenchError, MemoryError) as error:
        return f"the network does not take several: {error}"
    except Exception as error:  # noqa: BLE001 - an engine from outside may raise anything, and is served nevertheless
        return f"the network does not take several: {first_line(error)}"


class _Refusal(Exception):
    """Why requests do not go together."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What the network gives for a request with `count` entries along the batch axes."""

    count: int
    outputs: Arrays


class _Trial:
    """`stacking` lacks the outputs' axes, which the first answers show."""

    def __init__(self, session: Any, requests: Sequence[Arrays], stacking: Stacking) -> None:
        self._session, self._requests, self._stacking = session, requests, stacking
        self._row_bytes = 0.0

    def run(self) -> Stacking:
        """Raises `_Refusal`, and `InferBenchError` where the network refuses several requests."""
        parts = self._list_parts()
        self._require_quick(parts[0], self._answer(parts[0]).count)
        alone = [self._answer(part) for part in parts]
        self._require_different(alone)
        stack = self._stacking.join(parts)
        together = self._answer(stack)
        self._stacking = replace(self._stacking, outputs=_find_axes(alone, together))
        self._require_same(together, alone)
        self._require_apart()
        self._require_cheaper(stack)
        self._learn_share(parts[0], alone[0])
        return replace(self._stacking, most_rows=self._find_most(alone[0].count))

    def _list_parts(self) -> list[Arrays]:
        """Requests of one, two and three drawn ones, none of which are the same."""
        if len(self._requests) < sum(PARTS):
            raise _Refusal("its requests are too large")
        rest = iter(self._requests)
        return [self._stacking.join([next(rest) for _ in range(count)]) for count in PARTS]

    def _answer(self, request: Arrays) -> _Answer:
        session = self._session
        outputs = session.named_outputs(session.predict(session.preprocess(request)))
        count = {request[name].shape[axis] for name, axis in self._stacking.inputs.items()}
        if len(count) > 1:
            raise _Refusal("its inputs do not share a batch axis")
        return _Answer(count.pop(), {name: np.array(array) for name, array in outputs.items()})

    def _require_different(self, alone: Sequence[_Answer]) -> None:
        """Where all get the same, nobody would see that they are mixed up."""
        first, other = alone[0].outputs, self._answer(self._requests[1]).outputs
        if all(np.array_equal(first[name], other.get(name)) for name in first):  # type: ignore[arg-type]
            raise _Refusal("drawn requests all get the same answer, so that it cannot be tried")

    def _require_quick(self, request: Arrays, count: int) -> None:
        times = [self._measure([request]) for _ in range(_REPEATS)]
        self._stacking = replace(self._stacking, row_ns=min(clock_ns for clock_ns, _ in times) / count)
        if min(map(min, times)) > LONGEST_NS:
            raise _Refusal(f"a request alone takes more than {LONGEST_NS // 1_000_000} ms")

    def _require_same(self, together: _Answer, alone: Sequence[_Answer]) -> None:
        """Each part's outputs are the same as alone, but for rounding."""
        parts = self._stacking.split(together.outputs, [answer.count for answer in alone])
        for name, axis in self._stacking.outputs.items():
            ours, theirs = ([one[name] for one in side] for side in (parts, [answer.outputs for answer in alone]))
            if any(
                one.shape != other.shape or one.dtype != other.dtype for one, other in zip(ours, theirs, strict=True)
            ):
                raise _Refusal(f"the output {name!r} cannot be cut apart by request")
            if compare_output(name, np.concatenate(ours, axis), np.concatenate(theirs, axis)).differs:
                raise _Refusal(f"the output {name!r} depends on the requests beside it")

    def _require_apart(self) -> None:
        """A request between two of far larger numbers gets what it gets alone: none is scaled by what a batch holds."""
        large = [_exaggerate(request) for request in self._requests[:2]]
        alone = self._answer(self._requests[2])
        try:
            together = self._answer(self._stacking.join([large[0], self._requests[2], large[1]]))
        except InferBenchError:  # it refuses such numbers, and each is asked alone then
            return
        part = self._stacking.split(together.outputs, [alone.count] * 3)[1]
        self._require_same(_Answer(alone.count, part), [alone])

    def _require_cheaper(self, stack: Arrays) -> None:
        """Together they take less time than one by one: of the CPU or of the clock."""
        singles = self._requests[: sum(PARTS)]
        one_by_one, together = ([self._measure(requests) for _ in range(_REPEATS)] for requests in (singles, [stack]))
        pairs = zip(zip(*together, strict=True), zip(*one_by_one, strict=True), strict=True)
        if min(min(ours) / max(1, min(theirs)) for ours, theirs in pairs) > LARGEST_COST:
            raise _Refusal("together they take as long as one by one")

    def _measure(self, requests: Sequence[Arrays]) -> tuple[int, int]:
        """The ns of all, by the clock and of the CPU."""
        session = self._session
        start, cpu_start = time.perf_counter_ns(), time.process_time_ns()
        for request in requests:
            session.named_outputs(session.predict(session.preprocess(request)))
        cpu_ns = time.process_time_ns() - cpu_start
        return time.perf_counter_ns() - start, cpu_ns

    def _learn_share(self, request: Arrays, answer: _Answer) -> None:
        """How much larger the outputs are than the inputs."""
        ours, theirs = (sum(array.nbytes for array in arrays.values()) for arrays in (request, answer.outputs))
        self._row_bytes = (ours + theirs) / answer.count
        self._stacking = replace(self._stacking, output_share=theirs / max(1, ours))

    def _find_most(self, count: int) -> int:
        """The largest number of rows that were tried, each drawn request being `count` of them."""
        most = count * sum(PARTS)
        for size, requests in self._list_sizes():
            stack = self._stacking.join(requests)
            try:
                together = self._answer(stack)
            except (EngineError, MemoryError):
                return most
            alone = [self._answer(request) for request in requests[: len(self._requests)]]
            parts = self._stacking.split(together.outputs, [count] * size)[: len(alone)]
            for part, answer in zip(parts, alone, strict=True):
                self._require_same(_Answer(count, part), [answer])
            most = max(most, count * size)
            if min(self._measure([stack])) > LONGEST_NS:  # not counting what others make it wait
                break
        return most

    def _list_sizes(self) -> Iterator[tuple[int, list[Arrays]]]:
        """Single requests, in growing numbers, the same again where there are no more."""
        for size in SIZES:
            if size * self._row_bytes > MOST_BYTES:
                return
            yield size, [self._requests[i % len(self._requests)] for i in range(size)]


def _find_axes(alone: Sequence[_Answer], together: _Answer) -> dict[str, int]:
    """The axis of each output whose size is the number of entries, whatever that is. Raises `_Refusal` without one."""
    answers = [*alone, together]
    axes = {}
    for name in dict.fromkeys(name for answer in answers for name in answer.outputs):
        if any(name not in answer.outputs for answer in answers):
            raise _Refusal(f"the output {name!r} is not always there")
        shapes = [answer.outputs[name].shape for answer in answers]
        counts = tuple(answer.count for answer in answers)
        sizes = list(zip(*shapes, strict=True)) if len({len(shape) for shape in shapes}) == 1 else []
        free = [axis for axis, size in enumerate(sizes) if size == counts]
        if len(free) != 1 or any(len(set(size)) > 1 for axis, size in enumerate(sizes) if axis not in free):
            raise _Refusal(f"the output {name!r} has no axis that counts requests")
        axes[name] = free[0]
    return axes


def _exaggerate(request: Arrays) -> dict[str, Array]:
    """The same request with its floats far larger."""
    return {
        name: np.asarray(array * array.dtype.type(_EXAGGERATION)) if array.dtype.kind == "f" else array
        for name, array in request.items()
    }
