"""A model opened for serving: it answers the rows of several requests in one call."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from infer_bench import data
from infer_bench.engines.base import Session
from infer_bench.engines.feeds.schema import Schema
from infer_bench.engines.onnxruntime.inputs import Tensor
from infer_bench.engines.session import first_line
from infer_bench.engines.tensor_session import as_row
from infer_bench.errors import EngineError, InferBenchError, UsageError
from infer_bench.measure.candidates.candidates import Candidate, choose_candidates, usual_candidate
from infer_bench.measure.candidates.models import identify_model
from infer_bench.model import PHASES, ModelRef, ModelSpec, Phase, TensorInput
from infer_bench.serving.paths.observed_outputs import observe_outputs
from infer_bench.serving.paths.predictions import Predictions, join_values, split_predictions
from infer_bench.serving.paths.stacking import Stacking
from infer_bench.serving.paths.stacking_trial import try_stacking
from infer_bench.serving.rows.feed import BatchFeed, array_schema, number_tensors
from infer_bench.serving.rows.rows import Rows
from infer_bench.serving.settings import ServingSettings
from infer_bench.typing import Array, Floats

Result = TypeVar("Result")
_WARM_ROWS = 4
_ROUNDING = 1e-5
"""What rows alone and together may differ by, as a share of the prediction or of 1: more than float32 rounds."""


@dataclass(eq=False)
class ServedModel:
    """A model with its session. It is called by one thread at a time, which `lock` sees to.

    `sample` is a row that it has answered, None where there is nothing to draw one from or it answered none; `row_ns`
    is what a call of one row took. `alone_because` is why requests are answered one by one, empty where they go
    together: as in a network that is quantised by what a batch holds, an answer may depend on those beside it.
    `stacking` is how a network's go together. `declared_outputs` are a network's, as its file or a run says; none where
    neither does.
    """

    candidate: Candidate
    session: Session
    lock: threading.Lock = field(default_factory=threading.Lock)
    sample: Rows | None = None
    row_ns: float | None = None
    alone_because: str = ""
    stacking: Stacking | None = None
    declared_outputs: tuple[TensorInput, ...] = ()

    def __post_init__(self) -> None:
        self._feed = BatchFeed(self.session)
        self._is_network = bool(self.spec.inputs)
        self._chunk = 1 if self._is_network else self.spec.batch
        self._own_labels = getattr(self.session, "predictions_and_labels", None) if self.spec.classes else None
        self._texts = getattr(self.session, "texts", None)

    @property
    def ref(self) -> ModelRef:
        """The file."""
        return self.candidate.artefact

    @property
    def spec(self) -> ModelSpec:
        """What it computes."""
        return self.session.spec

    @property
    def schema(self) -> Schema | None:
        """The columns of a model that is fed one array of numbers; None for any other."""
        return array_schema(self.session)

    @property
    def takes_numbers(self) -> bool:
        """Whether requests of numbers are joined as they are."""
        return self._feed.takes_numbers

    @property
    def fill(self) -> float:
        """What stands in a column that a record lacks."""
        return 0.0 if self.candidate.options.get("fill") == "zero" else float("nan")

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """The tensors of an ONNX graph that takes nothing but numbers; none of any other model."""
        return number_tensors(self.session)

    @property
    def input_name(self) -> str:
        """What the tensor of a model that is fed one array is called: as in its file, where that names it."""
        return str(getattr(self.session, "input_name", "")) or "input"

    @property
    def stays_on_loop(self) -> bool:
        """Whether it may be called on the thread of an event loop: a user's function may need a loop of its own."""
        return self.candidate.engine.name != "callable"

    def answer(self, batch: Sequence[Rows]) -> Predictions:
        """Predict the rows of several requests in one call. Raises `EngineError` when the model refuses them."""
        return self._call(self._answer if self._chunk is None else self._answer_in_chunks, batch)

    def answer_each(self, batch: Sequence[Rows]) -> list[Predictions]:
        """What each of several requests gets in one call; a network's are all `stackable`. Raises as `answer`."""
        if len(batch) > 1 and self.stacking is not None:
            return self._call(self._answer_stacked, batch)
        return split_predictions(self.answer(batch), batch)

    def _call(self, function: Callable[[Sequence[Rows]], Result], batch: Sequence[Rows]) -> Result:
        with self.lock:
            try:
                return function(batch)
            except InferBenchError:
                raise
            except (KeyboardInterrupt, SystemExit) as error:
                if threading.current_thread() is threading.main_thread():  # there it is the user who ends the process
                    raise
                raise EngineError(f"the model's code raised {type(error).__name__}") from None
            except Exception as error:  # noqa: BLE001 - a library or a user's function may raise anything
                raise EngineError(first_line(error)) from None

    def _answer(self, batch: Sequence[Rows]) -> Predictions:
        start = time.perf_counter_ns()
        inputs = self._feed.inputs(batch)
        fed = time.perf_counter_ns()
        named: list[Mapping[str, Array]] | None = None
        if self._own_labels is not None:
            values, labels = self._own_labels(inputs)
            end = time.perf_counter_ns()
        else:
            outputs = self.session.predict(inputs)
            end = time.perf_counter_ns()
            values = self.session.postprocess(outputs)
            if self._is_network:
                session: Any = self.session
                named = [{name: np.array(array) for name, array in session.named_outputs(outputs).items()}]
            labels = self.session.labels(values) if self._texts is None else self._text_labels(outputs)
        rows = sum([part.count for part in batch])
        if len(values) != rows:
            raise EngineError(_describe_count(len(values), rows))
        # A copy: the next call may overwrite what the library has handed out.
        values, plain = np.array(values), None if labels is None else np.asarray(labels).tolist()
        phases: dict[Phase, int] = {
            "preprocess": fed - start,
            "predict": end - fed,
            "postprocess": time.perf_counter_ns() - end,
        }
        return Predictions(values, plain, phases, named)

    def _answer_stacked(self, batch: Sequence[Rows]) -> list[Predictions]:
        """Of a network, each request being some of the entries along the batch axes."""
        session: Any = self.session
        requests = [rows.stackable for rows in batch if rows.stackable is not None]
        assert self.stacking is not None
        start = time.perf_counter_ns()
        inputs = session.preprocess(self.stacking.join([request.arrays for request in requests]))
        fed = time.perf_counter_ns()
        outputs = session.predict(inputs)
        end = time.perf_counter_ns()
        parts = self.stacking.split(session.named_outputs(outputs), [request.count for request in requests])
        values = [as_row(named) for named in parts]
        phases: dict[Phase, int] = {
            "preprocess": fed - start,
            "predict": end - fed,
            "postprocess": time.perf_counter_ns() - end,
        }
        return [Predictions(row, None, phases, [named]) for row, named in zip(values, parts, strict=True)]

    def _answer_in_chunks(self, batch: Sequence[Rows]) -> Predictions:
        """Of a model that takes so many rows at a time and no other number; the last call is filled up."""
        size = self._chunk or 1
        parts = []
        for rows in batch:
            for start in range(0, rows.count, size):
                part = self._answer([rows.chunk(start, size)])
                count = min(size, rows.count - start)
                labels = None if part.labels is None else part.labels[:count]
                parts.append(Predictions(part.values[:count], labels, part.phases_ns, part.outputs))
        phases: dict[Phase, int] = {phase: sum(part.phases_ns[phase] for part in parts) for phase in PHASES}
        labels = None if parts[0].labels is None else [label for part in parts for label in part.labels or ()]
        outputs = [named for part in parts for named in part.outputs or ()] if self._is_network else None
        return Predictions(join_values([part.values for part in parts]), labels, phases, outputs)

    def _text_labels(self, outputs: Any) -> list[str] | None:
        texts: list[str] = self._texts(outputs) if self._texts is not None else []
        return texts if any(texts) else None

    def warm_up(self) -> None:
        """Answer rows drawn from the model: the first request does not pay for it, and what rows cost is known.

        Rows, and a network's requests, are answered alone and together. Where there are none that the model answers,
        nothing is known. Of a network that does not declare its outputs, these are observed.
        """
        if self._is_network:
            self._warm_up_network()
        elif self.spec.features:
            self._warm_up_rows()

    def _warm_up_network(self) -> None:
        self.declared_outputs = getattr(self.session, "declared_outputs", ())
        with self.lock:
            if not self.spec.output_names:
                self.declared_outputs = observe_outputs(self.session)
            result = try_stacking(self.session)
        if isinstance(result, Stacking):
            self.stacking, self.row_ns = result, result.row_ns
        else:
            self.alone_because = result

    def _warm_up_rows(self) -> None:
        try:
            rows = self._draw_rows()
            alone = [self.answer([row]) for row in rows]
            start = time.perf_counter_ns()
            self.answer(rows[:1])
            self.row_ns = float(time.perf_counter_ns() - start)
            self.sample = rows[0]
        except InferBenchError:
            return
        try:
            together = self.answer(rows)
        except InferBenchError as error:  # as of a model that gives one prediction for all rows
            self.alone_because = f"the model does not take several rows together: {error.message}"
            return
        if not _agree(np.concatenate([answer.values for answer in alone]), together.values):
            self.alone_because = "a prediction depends on the rows beside it"

    def _draw_rows(self) -> list[Rows]:
        """Some rows, each on its own."""
        table = data.draw(self.spec, self.session.domain().thresholds, _WARM_ROWS, 0)
        lists = {name: column.tolist() for name, column in table.columns.items()}
        records = [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]
        return [Rows(self.spec.feature_names, None, [record], self.spec.named) for record in records]

    def close(self) -> None:
        """Release what the library holds."""
        with self.lock:
            self.session.close()


def _describe_count(predictions: int, rows: int) -> str:
    """What is wrong with a model that does not give a prediction for each row, and what helps."""
    if predictions == 1:
        return f"the model gives a single prediction for all {rows:,} rows of the request: send each row by itself"
    noun = "prediction" if rows == 1 else "predictions"
    return f"the model gives {predictions:,} predictions where {rows:,} {noun} would be one for each row"


def _agree(alone: Floats, together: Floats) -> bool:
    """Whether predictions differ by no more than rounding; what is not finite has to be so on both sides."""
    if alone.shape != together.shape:
        return False
    scale = np.maximum(1.0, np.abs(alone))
    with np.errstate(invalid="ignore"):
        near = np.abs(alone - together) <= _ROUNDING * scale
    return bool((near | ~(np.isfinite(alone) | np.isfinite(together))).all())


def choose_candidate(name: str, engine: str, settings: ServingSettings) -> Candidate:
    """The model at a path (or `package.module:function`) and how it is opened; `engine` is a candidate or empty.

    Raises `ModelError` for a file that is no model and `UsageError` for an engine that cannot open it.
    """
    ref = identify_model(name, allow_pickle=settings.allow_pickle)
    candidates, _ = choose_candidates([ref], [engine or usual_candidate(ref)], _refuse_conversion, settings.threads)
    return candidates[0]


def open_model(candidate: Candidate, settings: ServingSettings) -> ServedModel:
    """Load the model. Raises `ModelError` and `EngineError`, among them `MissingDependency`."""
    options = {**candidate.options, "allow_pickle": "yes" if settings.allow_pickle else "no"}
    return ServedModel(candidate, candidate.engine.open(candidate.artefact, options))


def _refuse_conversion(ref: ModelRef) -> ModelRef:
    raise UsageError(f"{ref.name} is no ONNX file", f"infer-bench convert {ref.name} makes one")
