"""What is known of each candidate at each batch size, at any time of a run."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from infer_bench.errors import InferBenchError, WorkerError
from infer_bench.measure.candidates.candidates import Candidate, Key
from infer_bench.measure.candidates.fixed_batch import explain_batch
from infer_bench.measure.schedule.sampling import SamplingPlan
from infer_bench.measure.schedule.starts import StartTooLate
from infer_bench.model import Label, ModelSpec, Phase
from infer_bench.report.bench import Process, Round
from infer_bench.typing import Array, Columns, Samples
from infer_bench.workers.requests import ResidentMemory, WorkerEnvironment
from infer_bench.workers.tasks.batch_invariance import BatchInvariance
from infer_bench.workers.timing.requests import ChangedRowTimes, TimedBlock, Warmth

Part = Literal["request", "preprocess", "predict", "postprocess"]


@dataclass(frozen=True, slots=True, eq=False)
class SampledRound:
    """One block of one candidate: the samples as arrays, and all of it as the report has it."""

    block: TimedBlock
    report: Round


@dataclass
class LayoutSamples:
    """What one layout has given: what is known of its process, and its rounds so far."""

    process: Process
    rounds: list[SampledRound] = field(default_factory=list)

    def note_warm_up(self, warmth: Warmth) -> None:
        """Note how the warm-up went."""
        self.process = replace(
            self.process,
            warmup_ns=warmth.warmup_ns,
            warmup_steady=warmth.steady,
            floor_ns=warmth.floor_ns,
            stage_floor_ns=warmth.stage_floor_ns,
        )

    def note_end(self, throttled_ns: int, memory: ResidentMemory | None) -> None:
        """Note the time that the quota took away and, where it is one candidate's own, the process's memory."""
        rss_bytes, peak_rss_bytes = (memory.rss_bytes, memory.peak_rss_bytes) if memory else (0, 0)
        self.process = replace(
            self.process, rss_bytes=rss_bytes, peak_rss_bytes=peak_rss_bytes, throttled_ns=throttled_ns
        )

    def freeze(self) -> Process:
        """The process with its rounds, for the report."""
        return replace(self.process, rounds=tuple(r.report for r in self.rounds))


class NetworkOutputs:
    """The outputs of a network by name, as a `data.Table` has its columns."""

    def __init__(self, columns: Columns) -> None:
        self.columns = columns


@dataclass
class Measurement:
    """What is known of one candidate at one batch size.

    `frame_shares` of each phase's time go into DataFrames; `allocated_bytes` is the most that a request allocated;
    `changed_rows` are times of requests that were asked before, and of others.
    """

    candidate: Candidate
    batch: int
    plan: SamplingPlan | None = None
    predictions: Array | None = None
    labels: tuple[Label | None, ...] | None = None
    outputs: NetworkOutputs | None = None
    invariance: BatchInvariance | None = None
    layouts: list[LayoutSamples] = field(default_factory=list)
    frame_shares: dict[Phase, float] = field(default_factory=dict)
    allocated_bytes: int | None = None
    changed_rows: ChangedRowTimes | None = None

    @property
    def sampled(self) -> list[LayoutSamples]:
        """The layouts with a round at least."""
        return [layout for layout in self.layouts if layout.rounds]

    @property
    def calls(self) -> int:
        """Calls a sample."""
        return self.plan.calls if self.plan else 1

    def add_round(self, block: TimedBlock, index: int, position: int) -> None:
        """Add a block of the last layout; `position` is its place in the round number `index`."""
        report = Round(
            index=index,
            position=position,
            calls_per_sample=self.calls,
            rows=block.rows,
            wall_ns=block.wall_ns,
            gc_collections=block.gc_collections,
            request_ns=tuple(block.request.tolist()),
            preprocess_ns=tuple(block.preprocess.tolist()),
            predict_ns=tuple(block.predict.tolist()),
            postprocess_ns=tuple(block.postprocess.tolist()),
            cpu_ns=block.cpu_ns,
            reference_ns=block.reference_ns,
            queued_ns=block.queued_ns,
        )
        self.layouts[-1].rounds.append(SampledRound(block, report))

    def samples(self, part: Part) -> list[list[Samples]]:
        """Raw samples of the request or of a phase in ns: layouts → rounds → samples."""
        return [[getattr(r.block, part) for r in layout.rounds] for layout in self.sampled]


class Measurements:
    """All that is known so far. A report can be made of it at any time.

    `failures` are the candidates that are out, and why; with `batches_fail_alone`, `batch_failures` are those that
    cannot take a batch size and can be measured at another. Without `models_explicit` nobody has named the models, so
    that one for which no time was left is left out. `specs` are what the models say of themselves;
    `interpreters` what the workers' own were, where that was a question. `layout_count` layouts are over, the first of
    which had `round_count` rounds; `cut_short`: time ran out before the usual number of rounds was made;
    `budget_needed_ns`: the budget that would have held all layouts, where the one that was given did not.
    """

    def __init__(
        self,
        candidates: Sequence[Candidate],
        batches: Sequence[int],
        failures: Mapping[Key, InferBenchError] | None = None,
        *,
        batches_fail_alone: bool = False,
        models_explicit: bool = True,
    ) -> None:
        self._models_explicit = models_explicit
        self._batches_fail_alone = batches_fail_alone
        self.candidates = tuple(candidates)
        self.batches = tuple(batches)
        self.failures = dict(failures or {})
        self.batch_failures: dict[tuple[Key, int], InferBenchError] = {}
        self.specs: dict[Key, ModelSpec] = {}
        self.interpreters: dict[Key, WorkerEnvironment] = {}
        self.layout_count = 0
        self.round_count = 0
        self.cut_short = False
        self.budget_needed_ns = 0
        self._by_key = {(e.key, batch): Measurement(e, batch) for batch in batches for e in candidates}

    def __getitem__(self, key: tuple[Key, int]) -> Measurement:
        return self._by_key[key]

    def __iter__(self) -> Iterator[Measurement]:
        """The first batch size of every candidate first."""
        return iter(self._by_key.values())

    def fail(self, key: Key, error: InferBenchError, batch: int | None = None) -> None:
        """Take a candidate out; at one batch size alone, where its worker lives and there are other sizes for it."""
        if batch is not None and self._batches_fail_alone and not isinstance(error, WorkerError):
            self.batch_failures[key, batch] = error
            if any((key, other) not in self.batch_failures for other in self.batches):
                return
        self.failures[key] = error

    def note_specs(self, specs: Mapping[Key, ModelSpec]) -> None:
        """What models say of themselves; batch sizes that one says it cannot take are not tried."""
        self.specs |= specs
        for key, spec in specs.items() if self._batches_fail_alone else ():
            for batch in self.batches:
                if (reason := explain_batch(spec, batch)) is not None:
                    self.batch_failures[key, batch] = reason

    def failure(self, key: Key, batch: int) -> InferBenchError | None:
        """Why a candidate is not measured at a batch size; None where nothing stands in the way."""
        return self.batch_failures.get((key, batch)) or self.failures.get(key)

    @property
    def remaining(self) -> list[Candidate]:
        """Those that have not failed."""
        return [candidate for candidate in self.candidates if candidate.key not in self.failures]

    @property
    def lean(self) -> frozenset[str]:
        """The labels of candidates whose workers keep modules from being imported."""
        return frozenset(e.label for e in self.candidates if e.engine.lean(e.artefact, e.options))

    @property
    def left_out(self) -> list[Candidate]:
        """Default candidates that turned out not to fit the model: nobody asked for them, and no worker broke.

        When none fits a model, all of its have failed; where nobody named the models, but for those that had no time.
        """
        unfit = [candidate for candidate in self.candidates if not candidate.explicit and self._is_unfit(candidate)]
        fit = {candidate.model.path for candidate in self.candidates if candidate not in unfit}
        return [c for c in unfit if c.model.path in fit or (fit and self._lacked_time(c))]

    def _lacked_time(self, candidate: Candidate) -> bool:
        return not self._models_explicit and isinstance(self.failures[candidate.key], StartTooLate)

    def _is_unfit(self, candidate: Candidate) -> bool:
        error = self.failures.get(candidate.key)
        was_measured = any(self[candidate.key, batch].layouts for batch in self.batches)
        return error is not None and not isinstance(error, WorkerError) and not was_measured

    @property
    def whole_layout_count(self) -> int:
        """Without one that the budget cut short of its least rounds."""
        return max(len(measurement.sampled) for measurement in self)

    def drop_layout(self, index: int) -> None:
        """Forget what the layout of that number has given."""
        for measurement in self:
            measurement.layouts = [layout for layout in measurement.layouts if layout.process.index != index]
