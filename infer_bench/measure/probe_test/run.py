"""Put the probes to the sessions of a bench that have nothing left to time, and say who answers otherwise, and why."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from infer_bench.data import Table
from infer_bench.errors import InferBenchError
from infer_bench.machine.environment import count_usable_cpus
from infer_bench.measure.candidates.candidates import Candidate, Key
from infer_bench.measure.candidates.column_mapping import columns_for, share_names
from infer_bench.measure.candidates.rows import Rows
from infer_bench.measure.probe_test.outcome import describe_test
from infer_bench.measure.probe_test.rows import ProbeRows, limit_rows, mix_probes
from infer_bench.measure.schedule.budget import Budget
from infer_bench.measure.schedule.layouts import OpenSession
from infer_bench.measure.settings import Settings
from infer_bench.measure.validate import find_causes
from infer_bench.measure.validate.group_comparison import GroupComparison
from infer_bench.measure.validate.label_reading import choose_reading
from infer_bench.measure.validate.predictors import Predictor, align_classes, describe_feeds
from infer_bench.measure.validate.probes.rows import probes
from infer_bench.measure.validate.probes.run import leave_out_infinities
from infer_bench.measure.validate.settings import ValidateSettings
from infer_bench.measure.validate.trees import Structures
from infer_bench.measure.validate.validation import CandidateState, Validation
from infer_bench.model import ModelSpec
from infer_bench.report.bench import ProbeTest
from infer_bench.stats.agreement.predictions import Predictions

Specs = Mapping[Key, ModelSpec]
_Kind = tuple[bool, bool, str]
"""Probes of float32, those for JSON, and the path of a model whose own thresholds they lie on."""
SHARE = 0.05
"""So much of the run's time so far may be spent on answering probes."""
SEARCH_SHARE = 0.03
"""So much of it may be spent on causes, all candidates together."""
LEAST_NS = 2_000_000
"""So long each may answer at the least."""
LEAST_SEARCH_NS = 200_000_000
"""So long a cause is sought at the least: a bench of seconds has no more."""
RESERVE = 0.15
"""The part of a budget that is kept for the test."""
OVERRUN = 0.1
"""A test must be expected to end within so much more than the budget."""
USUAL_OPENINGS = 1.5
"""A test reads trees in processes of their own, and so takes about as long as starting one: before the first one."""


_NO_TIME = "no time was left of the budget"


@dataclass
class ProbeTester:
    """Tests candidates once; `tests` are the outcomes so far. `rows` are those of each model, by its path.

    The others are compared with the reference of the `settings`, or with the first. Where a `budget` bounds all of the
    run, those are left out, and said to be, for whom no time is left.
    """

    rows: Mapping[str, Rows]
    settings: Settings
    begin_ns: int = field(default_factory=time.monotonic_ns)
    budget: Budget | None = None
    tests: dict[Key, ProbeTest] = field(default_factory=dict)

    def run(self, candidates: Sequence[Candidate], sessions: Mapping[Key, OpenSession], specs: Specs) -> None:
        """Test those of the candidates that have a session. A failure costs the candidate its test and nothing else."""
        elapsed_ns = time.monotonic_ns() - self.begin_ns
        limit_ns, search_ns = round(SHARE * elapsed_ns), round(SEARCH_SHARE * elapsed_ns)
        own, threads = self.settings, self.settings.threads
        timeout_s = min(own.timeout_s, max(1.0, self._left_ns / 1e9))
        settings = ValidateSettings(seed=own.seed, allow_pickle=own.allow_pickle, timeout_s=timeout_s, threads=threads)
        candidates_with_session = [candidate for candidate in candidates if candidate.key in sessions]
        if len(candidates_with_session) < 2:
            return
        predictors = [
            Predictor(candidate, settings, worker=sessions[candidate.key].worker)
            for candidate in candidates_with_session
        ]
        for predictor in predictors:
            predictor.spec = specs[predictor.candidate.key]
        reference = next((p for p in predictors if p.candidate.label == self.settings.reference), predictors[0])
        others = [p for p in predictors if p is not reference and self._answers_the_same_rows(p, reference)]
        rows = self.rows[reference.candidate.model.path]
        spec = reference.spec if reference.spec.features else rows.spec
        has_columns = spec.features and set(spec.feature_names) <= set(rows.columns)
        if not has_columns or not others or (reference.is_function and not _takes_columns(rows, spec)):
            return
        limits = (max(LEAST_NS, limit_ns // (len(others) + 2)), max(LEAST_SEARCH_NS, search_ns // len(others)))
        is_together = count_usable_cpus(self.settings.affinity) > 1
        comparison = _Comparison(reference, spec, rows, settings, limits, is_together=is_together)
        longest_ns = 0 if self.budget is None else round(USUAL_OPENINGS * self.budget.durations.opening_ns(1))
        for other in others:
            begin_ns = time.monotonic_ns()
            fits = longest_ns <= self._left_ns
            self.tests[other.candidate.key] = comparison.test(other) if fits else ProbeTest(failed=_NO_TIME)
            longest_ns = max(longest_ns, time.monotonic_ns() - begin_ns)

    @property
    def _left_ns(self) -> float:
        """Until a test must have ended."""
        if self.budget is None or not self.budget.bounds_all:
            return math.inf
        return self.settings.limit_s * (1 + OVERRUN) * 1e9 - self.budget.used_ns

    def _answers_the_same_rows(self, predictor: Predictor, reference: Predictor) -> bool:
        """Whether a candidate was fed the reference's rows, of which probes are made."""
        ours, theirs = (self.rows[p.candidate.model.path] for p in (reference, predictor))
        spec = ours.spec if predictor.is_function else theirs.spec
        return ours.drawn_for == theirs.drawn_for and (not predictor.is_function or _takes_columns(theirs, spec))


def _takes_columns(rows: Rows, spec: ModelSpec) -> bool:
    """Whether a function is handed the model's columns alone: of others nobody knows what to put into them."""
    return set(rows.records) <= set(spec.feature_names)


class _Comparison:
    """A reference, and what it answers to probes of float32 and of double, once each is needed."""

    def __init__(
        self,
        reference: Predictor,
        spec: ModelSpec,
        rows: Rows,
        settings: ValidateSettings,
        limits_ns: tuple[int, int],
        *,
        is_together: bool,
    ) -> None:
        self._is_together = is_together
        self._reference, self._spec, self._rows = reference, spec, rows
        self._settings, (self._limit_ns, self._search_ns) = settings, limits_ns
        self._table = Table({name: rows.columns[name] for name in spec.feature_names})
        self._probes: dict[_Kind, ProbeRows] = {}
        self._answers: dict[_Kind, Predictions] = {}
        self._structures = Structures(settings, in_place=True)
        self._obstacle = ""

    def test(self, candidate: Predictor) -> ProbeTest:
        """Compare one candidate with the reference."""
        state = CandidateState(candidate)
        validation = Validation(self._reference, self._spec, [state], (), None, self._settings)
        try:
            self._compare(state, validation)
            if any(group.comparison.failing for group in state.groups.values()):
                self._structures.of(self._reference)  # not of the search's time
            find_causes.explain_candidates(validation, self._structures, time.monotonic_ns() + self._search_ns)
        except InferBenchError as error:
            return ProbeTest(failed=error.message)
        return describe_test(state)

    def _compare(self, state: CandidateState, validation: Validation) -> None:
        predictor = state.predictor
        describe_feeds([p for p in (self._reference, predictor) if not p.feed_dtype], self._ordinary(), self._spec)
        needs_float32, needs_json = _feeds_float32(self._reference, predictor), _feeds_json(self._reference, predictor)
        if not self._answers:
            validation.float64_obstacle = self._obstacle = self._reference.measure_rounding()
        kind = needs_float32, needs_json, predictor.candidate.model.path if self._has_own_thresholds(predictor) else ""
        rows = self._make_probes(kind, predictor)
        state.reading = choose_reading(self._reference, predictor, self._settings.threshold)
        ours, theirs = self._ask(kind, predictor)
        theirs = align_classes(theirs, predictor.spec, self._spec)
        count = min(len(ours.values), len(theirs.values))
        for i, name in enumerate(rows.names):
            places = np.flatnonzero(rows.kinds[:count] == i)
            limits = validation.limits_for(state)
            group = state.groups[name] = GroupComparison(name, limits, state.reading)
            group.add(ours.take(places), theirs.take(places), 0, rows.table.take(places).take)

    def _ordinary(self) -> Table:
        return self._table.slice(0, min(64, self._table.rows))

    def _make_probes(self, kind: _Kind, predictor: Predictor) -> ProbeRows:
        if kind not in self._probes:
            float32, json, _ = kind
            thresholds, most = self._thresholds(predictor), limit_rows(len(self._spec.features))
            seed = self._settings.seed
            groups = probes(self._spec, thresholds, float32=float32, seed=seed, rows=self._table, most=most)
            self._probes[kind] = mix_probes(leave_out_infinities(groups) if json else groups, seed)
        return self._probes[kind]

    def _ask(self, kind: _Kind, predictor: Predictor) -> tuple[Predictions, Predictions]:
        """What the reference and a candidate answer, at the same time where that slows neither."""
        table, waiting = self._probes[kind].table, None
        columns = columns_for(table, predictor.spec, self._spec, predictor.name)
        if kind not in self._answers:
            waiting = self._reference.ask_within(dict(table.columns), self._limit_ns)
            if not self._is_together:
                self._answers[kind], waiting = waiting(), None
        theirs = predictor.ask_within(columns, self._limit_ns)
        if waiting is not None:
            self._answers[kind] = waiting()
        return self._answers[kind], theirs()

    def _thresholds(self, predictor: Predictor) -> dict[str, tuple[float, ...]]:
        """The reference's; of another model too, or where the reference has none, those of the candidate."""
        own = {name: set(values) for name, values in self._reference.thresholds().items()}
        if self._has_own_thresholds(predictor):
            for name, values in predictor.thresholds().items():
                own.setdefault(name, set()).update(values)
        return {name: tuple(sorted(values)) for name, values in own.items()}

    def _has_own_thresholds(self, predictor: Predictor) -> bool:
        is_other = predictor.candidate.model != self._reference.candidate.model or not self._reference.thresholds()
        return is_other and share_names(predictor.spec, self._spec)


def _feeds_float32(*predictors: Predictor) -> bool:
    dtypes = {feature.dtype for predictor in predictors for feature in predictor.spec.features}
    return "float32" in dtypes or any("float32" in predictor.feed_dtype for predictor in predictors)


def _feeds_json(*predictors: Predictor) -> bool:
    return any(predictor.feed_dtype == "JSON" for predictor in predictors)
