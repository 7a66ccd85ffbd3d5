"""`validate`: does it still answer the same, and if not, why."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from infer_bench.data import Dataset, Table, conform, match
from infer_bench.errors import CannotRun, DataError, InferBenchError, UsageError
from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.validate import find_causes as reasons
from infer_bench.measure.validate import opening as contest
from infer_bench.measure.validate.checkpoints import Checkpoints
from infer_bench.measure.validate.fan_out import Duel, FanOut, Saved, batch_rows, narrowed, stream
from infer_bench.measure.validate.group_comparison import GroupComparison
from infer_bench.measure.validate.predictors import Predictor, describe_feeds
from infer_bench.measure.validate.probe_runs import Prober
from infer_bench.measure.validate.report import Findings, assemble
from infer_bench.measure.validate.settings import ValidateSettings
from infer_bench.measure.validate.trees import Structure, Structures, renamed
from infer_bench.model import ModelSpec
from infer_bench.progress import Progress, Silent
from infer_bench.report.validate import ValidateReport

__all__ = ["run", "validate"]

Save = Callable[[ValidateReport], None]


def validate(
    reference: str,
    *candidates: str,
    data: str | None = None,
    engines: Sequence[str] = (),
    progress: Progress | None = None,
    **settings: Any,
) -> ValidateReport:
    """Compare what artefacts answer on the user's rows and on probes made to find differences.

    `reference` and `candidates` are model files, `package.module:function`, or (the reference) saved predictions: an
    npy file or `rows.parquet:column`. `engines` are candidates as in `onnxruntime:feed=dataframe`: one for all, one for
    each, or several for the reference alone. The other keywords are the fields of `ValidateSettings`: `atol=1e-6`.

    The report's verdict is `pass`, `different` (exit code 4) or `failed` (6). Raises `UsageError` for settings that
    make no sense and `CannotRun` when the reference, every candidate or the data cannot be used.
    """
    made = ValidateSettings(**settings)
    return run((reference, *candidates), data=data, engines=engines, settings=made, progress=progress)


def run(
    models: Sequence[str],
    *,
    data: str | None,
    engines: Sequence[str],
    settings: ValidateSettings,
    progress: Progress | None = None,
    save: Save | None = None,
) -> ValidateReport:
    """As `validate`, with the settings made and the reference first among `models`.

    `save` gets what is known so far, every few seconds, and when the comparison is interrupted or fails.
    """
    shown = progress or Silent()
    shown.update(0, "reading the models")
    saved = contest.saved(models[0]) if contest.is_predictions(models[0]) else None
    candidates = contest.chosen(models[1:] if saved else models, engines, settings, 1 if saved else 2)
    dataset = None if data is None else Dataset.open(data)
    if dataset is not None:
        dataset.digest.start()
    with contest.opened(candidates, settings) as (sides, failed):
        first = 0 if saved else 1
        _require(sides, failed, first)
        duels = [Duel(side, {}) for side in sides[first:] if side is not None]
        spec = duels[0].side.spec if saved else sides[0].spec  # type: ignore[union-attr]
        reference = saved.fitting(spec) if saved else sides[0]
        lost = [(e, f) for e, f in zip(candidates[first:], failed[first:], strict=True) if f is not None]
        plan = Plan(reference, spec, duels, lost, dataset, settings)  # type: ignore[arg-type]
        return plan.run(shown, save)


def _require(sides: Sequence[Predictor | None], failed: Sequence[InferBenchError | None], first: int) -> None:
    """Raise what kept the reference, or every candidate, from being opened."""
    if first and failed[0] is not None:
        raise failed[0]
    if all(side is None for side in sides[first:]):
        raise failed[first] or CannotRun("no candidate can be opened")


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """One comparison: the user's rows, then probes."""

    reference: Predictor | Saved
    spec: ModelSpec
    duels: list[Duel]
    lost: Sequence[tuple[Candidate, InferBenchError]]
    dataset: Dataset | None
    settings: ValidateSettings

    def run(self, progress: Progress, save: Save | None = None) -> ValidateReport:
        """The whole comparison."""
        self._check()
        fan_out = FanOut(self.reference, self.spec, self.duels)
        shown = Checkpoints(progress, lambda: save(self._report(complete=False))) if save else progress
        try:
            speed = self._compare(fan_out, shown)
        except BaseException:
            if save:
                save(self._report(complete=False))
            raise
        finally:
            fan_out.close()
        return self._report(speed)

    def _report(self, speed: float | None = None, *, complete: bool = True) -> ValidateReport:
        found = Findings(self.reference, self.spec, self.duels, self.lost, self.dataset, self.settings, speed)
        return assemble(found, complete=complete)

    def _compare(self, fan_out: FanOut, progress: Progress) -> float | None:
        """The user's rows, the probes, the causes; returns the rows per second of the user's."""
        limits = self.settings.limits(self.spec.task)
        structures = Structures(self.settings)
        speed: float | None = None
        sample = next(self._batches(), None)
        if sample is not None:
            self._describe(sample)
        if self.dataset is not None and self.settings.probes != "only":
            for duel in self.duels:
                duel.groups["data"] = GroupComparison("data", limits)
            speed = stream(fan_out, self._batches(), self.rows, "data", progress)
        if self.settings.probes != "off" and isinstance(self.reference, Predictor) and self.spec.features:
            progress.update(0, "reading the trees")
            Prober(fan_out, limits, self.settings, progress, self._visited(structures)).run(sample)
        progress.update(1, "looking for causes")
        reasons.find(self.duels, self.reference, structures, self.spec)
        return speed

    @property
    def rows(self) -> int:
        """How many of the user's rows are read."""
        return min(self.dataset.rows, self.settings.rows or self.dataset.rows) if self.dataset else 0

    def _visited(self, structures: Structures) -> Structure | None:
        """The trees that probes visit: the reference's, or the first candidate's that can be read."""
        assert isinstance(self.reference, Predictor)
        found = structures.of(self.reference)
        for duel in self.duels if found is None else ():
            held = structures.of(duel.side)
            found = found or (None if held is None else renamed(held, duel.side.spec, self.spec))
        return found

    def _check(self) -> None:
        reference, dataset = self.reference, self.dataset
        if dataset is None and isinstance(reference, Saved):
            raise UsageError("saved predictions need the rows that they belong to", "give --data ROWS")
        if dataset is None and self.settings.probes == "off":
            raise UsageError("there is nothing to compare on", "give --data, or leave out --probes off")
        if dataset is None and not self.spec.features:
            raise DataError("there is nothing to draw rows from", "give rows with --data")
        if dataset is not None and isinstance(reference, Saved) and len(reference.values) != dataset.rows:
            raise DataError(f"{reference.name} holds {len(reference.values):,} predictions for {dataset.rows:,} rows")

    def _describe(self, sample: Table) -> None:
        known = [self.reference] if isinstance(self.reference, Predictor) else []
        describe_feeds([*known, *(duel.side for duel in self.duels)], sample, self.spec)

    def _batches(self) -> Iterator[Table]:
        """The user's rows, as the reference's features in its order and under its names."""
        if self.dataset is None:
            return
        wanted = match(self.dataset.columns, self.spec).columns if self.spec.features else None
        left = self.rows
        for table in self.dataset.batches(batch_rows(len(wanted or self.dataset.columns)), wanted):
            part = table if table.rows <= left else table.slice(0, left)
            fitted = conform(part, self.spec) if self.spec.features else part
            yield narrowed(fitted, self.settings.input_dtype)
            left -= part.rows
            if left == 0:
                return
