"""Two networks' named outputs compared for blocks of requests, and added over blocks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from infer_bench.stats.agreement.limits import Limits
from infer_bench.stats.agreement.tally import Tally
from infer_bench.stats.agreement.tensors.class_scores import look_like_scores
from infer_bench.stats.agreement.tensors.exact_values import is_float
from infer_bench.stats.agreement.tensors.named_predictions import NamedPredictions, Yardstick
from infer_bench.stats.agreement.tensors.output_comparison import OutputComparison
from infer_bench.stats.agreement.tensors.request_errors import OutputUnits, compare_request
from infer_bench.stats.agreement.ulps import coarser
from infer_bench.typing import Array, Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class NetworkComparison:
    """Requests compared, an `OutputComparison` a name that both networks give.

    `reference_alone` and `candidate_alone` are the numbers of the requests that one side alone answers,
    `refused_by_both` those of neither. `missing` outputs only the reference gives, `extra` ones only the candidate;
    the missing count as different.
    """

    requests: int = 0
    outputs: Mapping[str, OutputComparison] = field(default_factory=dict)
    reference_alone: frozenset[int] = frozenset()
    candidate_alone: frozenset[int] = frozenset()
    refused_by_both: int = 0
    missing: tuple[str, ...] = ()
    extra: tuple[str, ...] = ()

    def __add__(self, other: "NetworkComparison") -> "NetworkComparison":
        names = [*self.outputs, *(name for name in other.outputs if name not in self.outputs)]
        return NetworkComparison(
            self.requests + other.requests,
            {name: _add(self.outputs.get(name), other.outputs.get(name)) for name in names},
            self.reference_alone | other.reference_alone,
            self.candidate_alone | other.candidate_alone,
            self.refused_by_both + other.refused_by_both,
            self.missing or other.missing,
            self.extra or other.extra,
        )

    def failing(self, limits: Limits) -> frozenset[int]:
        """The numbers of the requests that count as different."""
        alone = self.reference_alone | (self.candidate_alone if limits.count_refusals else frozenset())
        return alone.union(*(output.failing(limits) for output in self.outputs.values()))


def _add(one: OutputComparison | None, other: OutputComparison | None) -> OutputComparison:
    if one is None or other is None:
        either = one or other
        assert either is not None  # a name is of one of them
        return either
    return one + other


def compare_networks(
    reference: NamedPredictions, candidate: NamedPredictions, limits: Limits, *, first: int = 0
) -> NetworkComparison:
    """Compare both sides' outputs for the same requests, whose first has the number `first`.

    Raises `ValueError` when the numbers of requests differ.
    """
    if reference.requests != candidate.requests:
        raise ValueError(f"{reference.requests} requests cannot be compared with {candidate.requests}")
    numbers = np.arange(first, first + reference.requests, dtype=np.int64)
    common = ~reference.refusals & ~candidate.refusals
    places = np.flatnonzero(common).tolist()
    shared = [name for name in reference.outputs if name in candidate.outputs]
    return NetworkComparison(
        requests=reference.requests,
        outputs={name: _compare_output(name, reference, candidate, places, numbers, limits) for name in shared}
        if places
        else {},
        reference_alone=frozenset(numbers[~reference.refusals & candidate.refusals].tolist()),
        candidate_alone=frozenset(numbers[reference.refusals & ~candidate.refusals].tolist()),
        refused_by_both=int((reference.refusals & candidate.refusals).sum()),
        missing=tuple(name for name in reference.outputs if name not in candidate.outputs) if places else (),
        extra=tuple(name for name in candidate.outputs if name not in reference.outputs) if places else (),
    )


def _compare_output(
    name: str,
    reference: NamedPredictions,
    candidate: NamedPredictions,
    places: Sequence[int],
    numbers: Ints,
    limits: Limits,
) -> OutputComparison:
    ours, theirs = reference.outputs[name], candidate.outputs[name]
    yardstick, by_candidate = choose_yardstick(reference, candidate)
    decades = np.zeros(len(numbers), dtype=np.int64) if yardstick is None else yardstick.decades
    scores = all(look_like_scores(name, ours[place]) for place in places)
    requests = tuple(
        compare_request(
            int(numbers[place]), int(decades[place]), ours[place], theirs[place],
            _units(name, place, yardstick, by_candidate=by_candidate), limits, scores=scores,
        )
        for place in places
    )  # fmt: skip
    alike = [place for place in places if ours[place].shape == theirs[place].shape]
    unlike = next((place for place in places if ours[place].shape != theirs[place].shape), None)
    first = places[0]
    return OutputComparison(
        name,
        (ours[first].dtype.name, theirs[first].dtype.name),
        (ours[first].shape, theirs[first].shape),
        varies=len({ours[place].shape for place in places}) > 1,
        unlike=None if unlike is None else (int(numbers[unlike]), ours[unlike].shape, theirs[unlike].shape),
        requests=requests,
        tally=_tally([ours[place] for place in alike], [theirs[place] for place in alike], limits),
        largest=max((_largest(ours[place]) for place in places), default=0.0),
        scores=scores,
        method=yardstick.method if yardstick and any(request.slices for request in requests) else None,
        by_candidate=by_candidate,
        precision=_precision(name, reference, yardstick, ours[first]),
    )


def _precision(name: str, reference: NamedPredictions, yardstick: Yardstick | None, ours: Array) -> str:
    """Whose ulp no error is below; outputs that were saved in a coarser dtype are as exact as that is."""
    precisions = {} if yardstick is None else yardstick.precisions
    own = precisions.get(name, precisions.get("", "float32"))
    return own if reference.yardstick is not None else coarser(own, ours.dtype.name)


def choose_yardstick(reference: NamedPredictions, candidate: NamedPredictions) -> tuple[Yardstick | None, bool]:
    """What measures rounding, and whether it is the candidate's: where the reference has none, or a coarser one."""
    ours, theirs = reference.yardstick, candidate.yardstick
    if ours is None or (ours.is_coarse and theirs is not None and not theirs.is_coarse):
        return theirs, theirs is not None
    return ours, False


def _units(name: str, place: int, yardstick: Yardstick | None, *, by_candidate: bool) -> OutputUnits | None:
    if yardstick is None or name not in yardstick.exact:
        return None
    shaken = [draw[name][place] for draw in yardstick.shaken if name in draw]
    return OutputUnits(yardstick.exact[name][place], shaken, yardstick.method, by_candidate)


def _tally(reference: Sequence[Array], candidate: Sequence[Array], limits: Limits) -> Tally:
    """The figures of all numbers; none of text."""
    pairs = [(a, b) for a, b in zip(reference, candidate, strict=True) if _is_numeric(a) and _is_numeric(b)]
    if not pairs:
        return Tally()
    ours, theirs = (np.concatenate([_flat(side) for side in sides]) for sides in zip(*pairs, strict=True))
    return Tally.of(ours, theirs, limits)


def _flat(values: Array) -> Floats:
    return np.asarray(values, dtype=np.float64).reshape(-1)


def _is_numeric(values: Array) -> bool:
    return is_float(values) or values.dtype.kind in "biu"


def _largest(values: Array) -> float:
    if not _is_numeric(values) or not values.size:
        return 0.0
    magnitudes = np.abs(_flat(values))
    return float(np.where(np.isfinite(magnitudes), magnitudes, 0.0).max())
