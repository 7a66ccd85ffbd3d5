"""Probes put to the sides of a comparison."""

from dataclasses import replace

import numpy as np

from infer_bench.data import Table, concat
from infer_bench.errors import EngineError, InferBenchError
from infer_bench.measure.validate.fan_out import Duel, FanOut, Saved, narrowed
from infer_bench.measure.validate.group_comparison import GroupComparison
from infer_bench.measure.validate.predictors import Predictions, Predictor, aligned, columns_for, describe_feeds
from infer_bench.measure.validate.probes import Probe, as_float32, probes
from infer_bench.measure.validate.settings import ValidateSettings
from infer_bench.measure.validate.trees import Structure
from infer_bench.progress import Progress
from infer_bench.stats.agreement.compare import Limits
from infer_bench.typing import Array


class Prober:
    """Makes probes for a reference and its candidates, and compares the answers."""

    def __init__(
        self,
        fan_out: FanOut,
        limits: Limits,
        settings: ValidateSettings,
        progress: Progress,
        structure: Structure | None = None,
    ) -> None:
        self._arena, self._limits, self._settings, self._progress = fan_out, limits, settings, progress
        self._structure = structure

    def run(self, rows: Table | None) -> None:
        """Compare on every group; `rows` are rows of the user's to start from."""
        groups = self._made(rows)
        for i, probe in enumerate(groups):
            self._progress.update(i / len(groups), f"probes: {probe.name}")
            self._compare(probe)

    def _made(self, rows: Table | None) -> list[Probe]:
        reference = self._arena.reference
        assert not isinstance(reference, Saved)
        thresholds = {name: set(values) for name, values in reference.thresholds().items()}
        for duel in self._arena.duels:
            for name, values in _renamed(duel.side, reference).items():
                thresholds.setdefault(name, set()).update(values)
        listed = {name: sorted(values) for name, values in thresholds.items()}
        if not reference.fed:
            drawn = probes(self._arena.spec, listed, float32=False, seed=self._settings.seed)[0].table
            describe_feeds([reference, *(duel.side for duel in self._arena.duels)], drawn, self._arena.spec)
        single = self._single()
        seed, stored = self._settings.seed, self._stored()
        made = probes(self._arena.spec, listed, float32=single, seed=seed, rows=rows, stored=stored)
        return _joined(made, self._structure, single) if self._structure else made

    def _stored(self) -> Array | None:
        """The training rows that the reference has kept, or a candidate that takes its columns in the same order."""
        names = self._reference().spec.feature_names
        sides = [self._reference(), *(duel.side for duel in self._arena.duels)]
        alike = [
            side for side in sides if side.spec.feature_names == names or not set(side.spec.feature_names) & set(names)
        ]
        return next((rows for side in alike if (rows := side.stored_rows()) is not None), None)

    def _single(self) -> bool:
        """Whether some side can only take what float32 holds, and the user did not ask for more."""
        if self._settings.input_dtype is not None:
            return self._settings.input_dtype == "float32"
        sides = [self._arena.reference, *(duel.side for duel in self._arena.duels)]
        return any(isinstance(side, Predictor) and "float32" in side.fed for side in sides)

    def _compare(self, probe: Probe) -> None:
        table = narrowed(probe.table, self._settings.input_dtype)
        for duel in self._arena.duels:
            duel.groups[probe.name] = GroupComparison(probe.name, self._limits, probe.refusals_count)
        if not probe.singly and not probe.shuffled:
            self._arena.finish(self._arena.start(table, 0), probe.name)
            return
        ours = self._reference().answer(dict(table.columns))
        for duel in self._arena.duels:
            if duel.failed is None:
                _oddly(duel, probe, table, ours, self._arena)

    def _reference(self) -> Predictor:
        reference = self._arena.reference
        assert isinstance(reference, Predictor)
        return reference


def _joined(made: list[Probe], structure: Structure, single: bool) -> list[Probe]:
    """Probes with the rows that visit the trees added to the groups of their kind."""
    visiting = {name: as_float32(t) if single else t for name, t in structure.groups.items()}
    visiting = {name: t if name == "infinite" else _within_float32(t) for name, t in visiting.items()}
    joined = []
    for probe in made:
        own = None if probe.singly or probe.shuffled else visiting.pop(probe.name, None)
        joined.append(probe if own is None else replace(probe, table=concat([probe.table, _like(own, probe.table)])))
    return [*joined[:-2], *(Probe(name, table) for name, table in visiting.items()), *joined[-2:]]


def _within_float32(table: Table) -> Table:
    """Without the rows that become infinite in float32: some libraries refuse those whatever the model is."""
    limit = float(np.finfo(np.float32).max)
    fits = np.ones(table.rows, dtype=np.bool_)
    for column in table.columns.values():
        if column.dtype.kind == "f":
            fits &= ~(np.abs(column) > limit)
    return table.take(np.flatnonzero(fits))


def _like(table: Table, other: Table) -> Table:
    """Columns that stand as text in one table and as numbers in the other, as objects in both."""
    columns = {}
    for name, column in table.columns.items():
        text = other.columns[name].dtype == object and column.dtype != object
        columns[name] = column.astype(object) if text else column
    return Table(columns)


def _oddly(duel: Duel, probe: Probe, table: Table, ours: Predictions, fan_out: FanOut) -> None:
    """The same rows asked in another way: one at a time, or with the columns in another order."""
    columns = columns_for(table, duel.side, fan_out.spec)
    if probe.shuffled:
        columns = dict(reversed(columns.items()))
    try:
        found = duel.side.predict_singly(columns) if probe.singly else duel.side.answer(columns)
        duel.groups[probe.name].add(ours, aligned(found, duel.side.spec, fan_out.spec), 0, table.take)
    except EngineError as error:
        duel.failed = error


def _renamed(side: Predictor, reference: Predictor) -> dict[str, tuple[float, ...]]:
    """A candidate's thresholds under the reference's names; none where it cannot tell them."""
    try:
        found = side.thresholds()
    except InferBenchError:
        return {}
    ours, theirs = reference.spec.feature_names, side.spec.feature_names
    if set(theirs) <= set(ours):
        return {name: values for name, values in found.items() if name in ours}
    if len(ours) != len(theirs):
        return {}
    names = dict(zip(theirs, ours, strict=True))
    return {names[name]: values for name, values in found.items() if name in names}
