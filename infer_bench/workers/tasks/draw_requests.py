"""Draws requests for a network, in shapes and with values of which a run has shown that it takes them."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infer_bench.data.tensors.draw import choose_rules, draw_requests, list_inputs, split_shapes
from infer_bench.data.tensors.shapes import LARGER, ShapeTrial, list_trials
from infer_bench.data.tensors.values import GUESSES, ValueRule
from infer_bench.data.tensors.variation import look_up, vary
from infer_bench.engines.base import Session
from infer_bench.engines.session import first_line, is_out_of_memory
from infer_bench.errors import DataError, InferBenchError
from infer_bench.formats.graph_uses import InputUse
from infer_bench.model import Remark
from infer_bench.report.common import DrawnInput
from infer_bench.request_choices import RequestChoices, Shape
from infer_bench.typing import Array, Columns
from infer_bench.workers.protocol import SessionRequest

MOST_POOR = 6
"""So many shapes are tried that run and whose outputs tell nothing."""
MOST_GUESSED = 8
"""So many requests have to be answered where values are guessed: others would be, by chance, those that are refused."""
MOST_STACKED = 8
"""So many shapes are tried of two requests that are stacked."""
MOST_LARGER = 6
"""So many of the larger shapes are tried."""
Outputs = Mapping[str, Array]


@dataclass(frozen=True, slots=True, eq=False)
class DrawnRequests:
    """The requests, as a `data.Table` has its columns; how each input was drawn; what the runs have shown.

    `looks_up`: some input's ids are the places that were asked for.
    """

    columns: Columns
    inputs: tuple[DrawnInput, ...]
    remarks: tuple[Remark, ...]
    looks_up: bool = False


@dataclass(frozen=True, slots=True)
class DrawRequests(SessionRequest[DrawnRequests]):
    """Draw at most `count` requests for the session's network, as far as the `choices` leave it open.

    With `varied` their values are others than the likely ones, see `variation.vary`; those that are `larger` have the
    largest shapes of the ladder in place of the first that will do, and are not padded.
    Ids are the rows at `places` of the tables that they look up.
    """

    title = "draw"
    count: int
    seed: int
    choices: RequestChoices = field(default_factory=RequestChoices)
    varied: bool = False
    larger: bool = False
    places: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class _Outcome:
    """A trial that has run. It `is_poor` where an output is empty or nowhere finite, or the same for two requests."""

    trial: ShapeTrial
    rules: Mapping[str, ValueRule]
    is_poor: bool


def draw_for_session(session: Session, request: DrawRequests) -> DrawnRequests:
    """Try, choose, draw. Raises `DataError` for a network that takes none of the trials, and for choices of its own."""
    return _Drawing(session, request).draw()


class _Drawing:
    def __init__(self, session: Session, request: DrawRequests) -> None:
        self._session, self._request = session, request
        self._inputs = list_inputs(session.spec.inputs, request.choices)
        read_uses = getattr(session, "input_uses", None)
        self._uses: Mapping[str, InputUse] = read_uses() if read_uses else {}
        self._are_stacked = False
        self._too_large: ShapeTrial | None = None

    def draw(self) -> DrawnRequests:
        outcomes = [self._choose(shapes) for shapes in split_shapes(self._request.choices)]
        if self._request.larger:
            outcomes = [self._enlarge(outcome) for outcome in outcomes]
        trials, rules = [outcome.trial for outcome in outcomes], [outcome.rules for outcome in outcomes]
        if self._request.places:
            places = self._request.places
            rules = [{name: look_up(rule, places) for name, rule in by_name.items()} for by_name in rules]
        if self._request.varied:
            dtypes = {tensor.name: tensor.dtype for tensor in self._inputs}
            with_padding = not self._request.larger
            rules = [
                {name: vary(rule, dtypes[name], padded=with_padding) for name, rule in by_name.items()}
                for by_name in rules
            ]
        columns, inputs = draw_requests(self._inputs, trials, rules, self._request.count, self._request.seed)
        looks_up = any(rule.numbers for by_name in rules for rule in by_name.values())
        return DrawnRequests(columns, inputs, tuple(self._remarks(columns)), looks_up)

    def _choose(self, shapes: Mapping[str, Shape]) -> _Outcome:
        """The first trial that will do; of a network that takes no single request, of two that are stacked."""
        sizes = self._request.choices.sizes
        trials = list_trials(self._inputs, self._uses, shapes, sizes)
        outcome, error = self._try(trials)
        pairs = {} if outcome or shapes else self._stack_two()
        if pairs:
            stacked = list_trials(self._inputs, self._uses, shapes, {**pairs, **sizes})
            outcome, _ = self._try(stacked[:MOST_STACKED])
            self._are_stacked = outcome is not None
        if outcome is None:
            raise self._describe_failure(trials, error)
        return outcome

    def _enlarge(self, outcome: _Outcome) -> _Outcome:
        """The first of the larger shapes that will do. Raises `DataError` where there is none."""
        choices = self._request.choices
        shapes = split_shapes(choices)[0]
        trials = list_trials(self._inputs, self._uses, shapes, choices.sizes, LARGER)
        larger = [trial for trial in trials if _count_elements(trial) > _count_elements(outcome.trial)]
        if not larger:
            raise DataError("no larger shape is known of any input")
        other, error = self._try(larger[:MOST_LARGER])
        if other is None or other.is_poor:
            raise self._describe_failure(larger, error)
        return other

    def _stack_two(self) -> dict[str, int]:
        """Two requests along every named batch axis."""
        axes = [t.shape[t.batch_axis] for t in self._inputs if t.shape is not None and t.batch_axis is not None]
        return {axis: 2 for axis in axes if isinstance(axis, str)}

    def _try(self, trials: Sequence[ShapeTrial]) -> tuple[_Outcome | None, Exception | None]:
        """The first trial whose outputs tell something, else the first that runs; the first error.

        Once the memory did not suffice, only smaller ones are tried.
        """
        poor: list[_Outcome] = []
        error: Exception | None = None
        for trial, guess in self._list_attempts(trials):
            if self._too_large and _count_elements(trial) >= _count_elements(self._too_large):
                continue
            try:
                outcome = self._run_trial(trial, guess)
            except (InferBenchError, MemoryError) as failure:
                error = error or failure
                self._too_large = trial if is_out_of_memory(failure) else self._too_large
                continue
            if not outcome.is_poor:
                return outcome, error
            poor.append(outcome)
            if len(poor) == MOST_POOR:
                break
        return (poor[0] if poor else None), error

    def _list_attempts(self, trials: Sequence[ShapeTrial]) -> Iterator[tuple[ShapeTrial, str]]:
        """All shapes with what is drawn, and again with zeros and ones where only a guess was drawn."""
        rules = choose_rules(self._inputs, self._uses, trials[0], self._request.choices.fills)
        guesses = GUESSES if any(rule.guess for rule in rules.values()) else GUESSES[:1]
        return ((trial, guess) for guess in guesses for trial in trials)

    def _run_trial(self, trial: ShapeTrial, guess: str) -> _Outcome:
        rules = choose_rules(self._inputs, self._uses, trial, self._request.choices.fills, guess)
        is_guess = any(rule.guess and not rule.is_constant for rule in rules.values())
        count = MOST_GUESSED if is_guess else 2
        columns, _ = draw_requests(self._inputs, [trial], [rules], count, self._request.seed)
        outputs = self._run(_request_at(columns, 0))
        is_poor = any(_is_empty(array) or _is_nowhere_finite(array) for array in outputs.values())
        is_poor = is_poor or self._answers_alike(columns, outputs)
        for place in range(2, len(next(iter(columns.values())))):
            self._run(_request_at(columns, place))
        return _Outcome(trial, rules, is_poor)

    def _answers_alike(self, columns: Columns, first: Outputs) -> bool:
        """Whether a second request that differs from the first gets the same answer."""
        if len(next(iter(columns.values()))) < 2 or _are_equal(columns):
            return False
        second = self._run(_request_at(columns, 1))
        return all(_is_same(array, second.get(name)) for name, array in first.items())

    def _run(self, request: Mapping[str, Array]) -> Outputs:
        session: Any = self._session
        outputs: Outputs = session.named_outputs(session.predict(session.preprocess(request)))
        return outputs

    def _describe_failure(self, trials: Sequence[ShapeTrial], error: Exception | None) -> DataError:
        """What the first trial ended in; the hint says which inputs leave something open."""
        message = error.message if isinstance(error, InferBenchError) else first_line(error) if error else ""
        shapes = _describe_shapes(trials[0])
        free = next((t for t in self._inputs if t.name in trials[0].unsized_inputs), None)
        name = (free or self._inputs[0]).name
        option = f"--shape {name}:{_text(trials[0].shapes[name])}" if free else f"--fill {name}=zeros"
        how = "choose otherwise" if self._request.choices else f"say {option}"
        attempts = f"{len(trials)} shapes were tried, first {shapes}" if len(trials) > 1 else shapes
        return DataError(
            f"no request could be drawn ({attempts}): {message}", f"give requests with --data FILE.npz, or {how}"
        )

    def _remarks(self, columns: Columns) -> Iterator[Remark]:
        """What two runs of the first request, and one of the second, show of the outputs."""
        if self._are_stacked:
            yield Remark(
                "stacked-requests", "it takes no single request: each that was drawn is two, stacked", _USE_DATA
            )
        if self._too_large:
            text = (
                f"the memory does not suffice for a request of {_describe_shapes(self._too_large)}: it is a smaller one"
            )
            yield Remark("out-of-memory", text, "--shape gives another, and a larger memory the likely one")
        first, again = (self._run(_request_at(columns, 0)) for _ in range(2))
        differing = [name for name in first if not _is_same(first[name], again.get(name))]
        if differing and not any(remark.code in _RANDOM_CODES for remark in self._session.spec.remarks):
            text = f"two runs of the same request differ in {_names(differing)}"
            yield Remark("differs-between-runs", text, "no comparison of its answers can be exact")
        for what, holds in (("empty", _is_empty), ("never finite", _is_nowhere_finite)):
            names = [name for name, array in first.items() if holds(array)]
            if names:
                yield Remark("drawn-outputs", f"for drawn requests {_names(names)} {_verb(names)} {what}", _USE_DATA)
        if not differing and self._answers_alike(columns, first):
            yield Remark("drawn-outputs", "two requests that were drawn get the same answer", _USE_DATA)


_USE_DATA = "give requests with --data FILE.npz"
_RANDOM_CODES = ("random-numbers", "training-mode")


def _count_elements(trial: ShapeTrial) -> int:
    return sum(math.prod(shape) for shape in trial.shapes.values())


def _describe_shapes(trial: ShapeTrial) -> str:
    return ", ".join(f"{name} {_text(shape)}" for name, shape in trial.shapes.items())


def _request_at(columns: Columns, place: int) -> dict[str, Array]:
    return {name: np.asarray(column[place]) for name, column in columns.items()}


def _are_equal(columns: Columns) -> bool:
    """Whether the first two requests are one and the same."""
    return all(_is_same(np.asarray(column[0]), np.asarray(column[1])) for column in columns.values())


def _is_same(array: Array, other: Array | None) -> bool:
    """Bit by bit, NaN being NaN."""
    if other is None or array.shape != other.shape or array.dtype != other.dtype:
        return False
    return bool(np.array_equal(array, other, equal_nan=array.dtype.kind in "fc"))


def _is_empty(array: Array) -> bool:
    return array.size == 0


def _is_nowhere_finite(array: Array) -> bool:
    return array.dtype.kind == "f" and array.size > 0 and not np.isfinite(array).any()


def _names(names: Sequence[str]) -> str:
    first = ", ".join(map(repr, names[:3]))
    return first if len(names) <= 3 else f"{first} and {len(names) - 3} more"


def _verb(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _text(shape: Shape) -> str:
    return "x".join(map(str, shape)) or "scalar"
