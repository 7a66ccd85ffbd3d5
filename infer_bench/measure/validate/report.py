"""The report on a comparison: groups, worst rows and the verdict, from what was compared."""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from infer_bench.data import Dataset, match
from infer_bench.errors import DataError, InferBenchError, PredictionsDiffer
from infer_bench.libraries import PACKAGES
from infer_bench.machine.environment import describe
from infer_bench.measure.bench.report import CANNOT_RUN
from infer_bench.measure.candidates.candidates import Candidate
from infer_bench.measure.validate.fan_out import Duel, Saved
from infer_bench.measure.validate.group_comparison import GroupComparison
from infer_bench.measure.validate.predictors import Predictor, by_position
from infer_bench.measure.validate.settings import ValidateSettings
from infer_bench.model import ModelRef, ModelSpec
from infer_bench.report.common import ModelInfo, Notice, Report, Verdict
from infer_bench.report.validate import (
    ComparedSide,
    OutputDelta,
    ValidateGroup,
    ValidateReport,
    ValidateResult,
    WorstRow,
)
from infer_bench.stats.agreement.compare import Comparison, Limits, Tally
from infer_bench.version import __version__


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """Everything that a report is made from."""

    reference: Predictor | Saved
    spec: ModelSpec
    duels: Sequence[Duel]
    lost: Sequence[tuple[Candidate, InferBenchError]]
    dataset: Dataset | None
    settings: ValidateSettings
    rows_per_s: float | None = None


def assemble(found: Findings, *, complete: bool = True) -> ValidateReport:
    """The report, one result a candidate. One that is not `complete` has no verdict and waits for nothing."""
    results = tuple([_result(found, duel) for duel in found.duels] + [_unopened(found, e, f) for e, f in found.lost])
    limits = found.settings.limits(found.spec.task)
    settings = {**asdict(found.settings), "atol": limits.atol, "rtol": limits.rtol}
    settings["data"] = found.dataset.path if found.dataset else None
    settings["data_sha256"] = _hash(found.dataset, complete) if found.dataset else None
    gone = [_gone(found.dataset)] if found.dataset and complete and not settings["data_sha256"] else []
    return Report(
        command="validate",
        tool_version=__version__,
        created_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        settings=settings,
        environment=describe(PACKAGES),
        results=results,
        notices=(*_notices(found), *gone),
        verdict=verdict(results) if complete else None,
        complete=complete,
    )


def _hash(dataset: Dataset, complete: bool) -> str | None:
    """The file's hash; None where it is not yet known, or where the file went away after its rows were read."""
    if not complete:
        return dataset.digest.known or None
    try:
        return dataset.sha256
    except DataError:
        return None


def _gone(dataset: Dataset) -> Notice:
    name = Path(dataset.path).name
    return Notice("data-gone", f"{name} can no longer be read: the report does not say by a hash which rows these were")


def verdict(results: Sequence[ValidateResult]) -> Verdict:
    """Different when any candidate is, else failed when any could not be compared."""
    differing = tuple(f"{_name(r.candidate)}: {_how(r)}" for r in results if r.different)
    failed = tuple(f"{_name(r.candidate)}: {r.failed}" for r in results if r.failed)
    if differing:
        return Verdict("different", PredictionsDiffer.exit_code, (*differing, *failed))
    return Verdict("failed", CANNOT_RUN, failed) if failed else Verdict("pass", 0)


def _how(result: ValidateResult) -> str:
    failing = sum(group.failing for group in result.groups)
    rows = sum(group.rows for group in result.groups)
    return f"{failing:,} of {rows:,} rows differ"


def _name(side: ComparedSide) -> str:
    return side.model.path.replace("\\", "/").rsplit("/", 1)[-1]


def _result(found: Findings, duel: Duel) -> ValidateResult:
    limits = found.settings.limits(found.spec.task)
    groups = tuple(group(pairing, found.spec.outputs) for pairing in duel.groups.values() if pairing.rows)
    return ValidateResult(
        reference=_reference(found),
        candidate=duel.side.described,
        smallest_passing_atol=_passing(groups),
        atol=limits.atol,
        rtol=limits.rtol,
        output_meaning=_meaning(found.spec),
        groups=groups,
        causes=duel.explanation.causes,
        not_explained=duel.explanation.not_explained,
        why=duel.explanation.why,
        worst=_worst(duel.groups.values(), found.spec.outputs, limits),
        different=any(g.failing for g in groups),
        rows_per_s=found.rows_per_s,
        failed=None if duel.failed is None else str(duel.failed),
    )


def _unopened(found: Findings, candidate: Candidate, error: InferBenchError) -> ValidateResult:
    limits = found.settings.limits(found.spec.task)
    side = ComparedSide(candidate.label, _info(candidate.artefact, None))
    return ValidateResult(_reference(found), side, None, limits.atol, limits.rtol, failed=str(error))


def _reference(found: Findings) -> ComparedSide:
    if isinstance(found.reference, Saved):
        name = found.reference.name
        return ComparedSide("saved", ModelInfo(name, "predictions", "saved", "", 0), "float64")
    return found.reference.described


def _info(ref: ModelRef, spec: ModelSpec | None) -> ModelInfo:
    known = (spec.task, len(spec.features), spec.trees) if spec else (None, None, None)
    return ModelInfo(ref.path, ref.family, ref.format, ref.sha256, ref.bytes, *known)


def _meaning(spec: ModelSpec) -> str:
    if spec.task == "binary":
        return f"probability of class {spec.classes[1]}" if len(spec.classes) == 2 else "probability"
    if spec.task == "multiclass":
        return f"probabilities of {len(spec.classes)} classes"
    return {"ranking": "score", "regression": "prediction"}.get(spec.task, "raw answer")


def group(pairing: GroupComparison, outputs: Sequence[str]) -> ValidateGroup:
    """One group's figures."""
    found, pooled = pairing.comparison, pairing.comparison.pooled
    single = found.sample.rank_correlation() if len(found.outputs) == 1 else None
    return ValidateGroup(
        name=pairing.group,
        rows=pairing.rows,
        max_abs_delta=pooled.max_abs,
        label_changes=found.label_changes,
        flips=found.flips,
        non_finite_mismatches=found.non_finite_mismatches,
        mean_abs_delta=pooled.mean_abs,
        p999_abs_delta=pooled.quantile(0.999),
        max_relative_delta=pooled.max_relative,
        max_ulps_float32=pooled.max_ulps32,
        max_ulps_float64=pooled.max_ulps64,
        rmse=pooled.rmse,
        argmax_changes=found.argmax_changes,
        rank_correlation=single,
        failing=pairing.failing,
        refusals=pairing.refusals,
        refused_by_both=pairing.refused_by_both,
        passing_atol=_group_atol(pairing, found),
        passing_rtol=found.passing_rtol,
        histogram={"exact" if d is None else str(d): n for d, n in pooled.spread.decades()},
        outputs=tuple(_output(_named(outputs, i), tally) for i, tally in enumerate(found.outputs)),
        note=pairing.complaint,
    )


def _named(outputs: Sequence[str], index: int) -> str:
    """A user's function tells none of its values' names, nor how many there are."""
    return outputs[index] if index < len(outputs) else f"output {index}"


def _group_atol(pairing: GroupComparison, found: Comparison) -> float | None:
    """No tolerance passes a changed label, a flip, or a row that one side refuses."""
    if pairing.refusals or found.label_changes or found.flips:
        return None
    return found.passing_atol


def _output(name: str, tally: Tally) -> OutputDelta:
    return OutputDelta(
        output=name,
        max_abs_delta=tally.max_abs,
        mean_abs_delta=tally.mean_abs,
        p999_abs_delta=tally.quantile(0.999),
        max_relative_delta=tally.max_relative,
        max_ulps_float32=tally.max_ulps32,
        max_ulps_float64=tally.max_ulps64,
        rmse=tally.rmse,
        failing=tally.failing,
        flips=tally.flips,
        non_finite_mismatches=tally.non_finite_mismatches,
    )


def _passing(groups: Sequence[ValidateGroup]) -> float | None:
    found = [group.passing_atol for group in groups]
    return None if not found or any(value is None for value in found) else max(v for v in found if v is not None)


def _worst(pairings: Iterable[GroupComparison], outputs: Sequence[str], limits: Limits) -> tuple[WorstRow, ...]:
    lines: list[WorstRow] = []
    for pairing in pairings:
        lines += pairing.lone
        for row, output, size, ours, theirs in pairing.comparison.worst.lines:
            name = _named(outputs, output)
            features = pairing.features[row].record(0) if row in pairing.features else {}
            lines.append(WorstRow(pairing.group, row, name, _number(ours), _number(theirs), size, features=features))
    lines.sort(key=lambda line: (-line.abs_delta, line.group != "data", line.group, line.row))
    return tuple(lines[: limits.worst])


def _extra(columns: Sequence[str], name: str) -> str:
    shown = ", ".join(repr(column) for column in columns[:3]) + (", …" if len(columns) > 3 else "")
    told = "column {} is not the model's and was" if len(columns) == 1 else "columns {} are not the model's and were"
    return f"{len(columns)} {told.format(f'of {name}')} not used: {shown}"


def _number(answer: float) -> float | None:
    return None if answer != answer else answer


def _notices(found: Findings) -> list[Notice]:
    notices = []
    if found.dataset is not None and found.spec.features:
        matched = match(found.dataset.columns, found.spec)
        name = Path(found.dataset.path).name
        if matched.by_position:
            text = (
                f"the reference has no column names: the {len(matched.columns)} columns of {name} were taken in order"
            )
            notices.append(Notice("by-position", text, "see that they stand in the order of training"))
        if matched.extra:
            notices.append(Notice("extra-columns", _extra(matched.extra, name)))
    for duel in found.duels:
        if found.spec.features and by_position(duel.side, found.spec):
            name = duel.side.candidate.artefact.name
            text = f"{name} does not name its columns: they were taken in the reference's order"
            notices.append(Notice("by-position", text))
    return notices
