"""`quantize`: every smaller form of a network beside the original; the smallest that keeps the limits is written."""

import contextlib
import datetime
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from infer_bench.errors import NotConvertible, UsageError
from infer_bench.formats.identify import identify
from infer_bench.gates.rules import EXIT_CODES
from infer_bench.libraries import PACKAGES
from infer_bench.machine.environment import describe
from infer_bench.measure.candidates.models import describe_model, identify_model
from infer_bench.measure.quantize.drawn_rows import draw_rows
from infer_bench.measure.quantize.forms import Candidate, judge_forms, passes
from infer_bench.measure.quantize.limits import outcome_of, rows_to_tell
from infer_bench.measure.quantize.network_tools import NetworkTools
from infer_bench.measure.quantize.reference import Outputs
from infer_bench.measure.quantize.rows import Rows, read_rows
from infer_bench.measure.quantize.settings import QuantizeSettings
from infer_bench.measure.quantize.setup import NO_LIMIT, Setup, set_up
from infer_bench.measure.quantize.times import least_s, time_forms
from infer_bench.measure.target import refuse_target
from infer_bench.model import ModelRef
from infer_bench.output import OutputFile
from infer_bench.progress import Progress, Silent
from infer_bench.report.common import Notice, Report, Verdict
from infer_bench.report.quantize import QuantizeReport, QuantizeResult, TimeRatio
from infer_bench.version import __version__
from infer_bench.workers.tasks.quantize import NetworkDescription

ORIGINAL = "original"
SAME_SIZE = 0.01
"""Files whose sizes differ by no more are as small: the faster is written."""
_OTHER_WAY = "infer-bench convert --precision float32 makes a smaller file of trees"


def quantize(
    model: str,
    output: str | None = None,
    *,
    data: str | None = None,
    labels: str | None = None,
    judge: str | None = None,
    settings: QuantizeSettings | None = None,
    progress: Progress | None = None,
) -> QuantizeReport:
    """Shrink an ONNX network, and write the smallest form that keeps the limits (`model` with `.small.onnx` if None).

    `data` is a file with an array an input: some rows calibrate, the others judge; `judge` names other rows for that.
    `labels` are the true classes of the rows that judge. The verdict is `different` (exit code 4) when every form
    breaks a limit and `inconclusive` (3) when the rows are too few to tell; no file is written then.

    Raises `UsageError`, `NotConvertible` for what gains nothing by it, `ModelError`, `DataError` or `OutputError`.
    """
    settings, progress = settings or QuantizeSettings(), progress or Silent()
    _check_usage(data, labels, judge, settings)
    source = _identify(model)
    target = Path(output) if output else Path(source.path).with_suffix(".small.onnx")
    refuse_target(target, source)
    with OutputFile(target) as file, _open_tools(source, settings) as tools:
        progress.update(0.0, "reading the model")
        network = tools.prepare()
        _check_layers(settings, network)
        rows = draw_rows(tools, network, settings) if data is None else _read(data, judge, labels, network, settings)
        setup, rows, notices = set_up(tools, network, rows, settings)
        progress.update(0.1, notices[-1].message)
        candidates = list(judge_forms(setup, progress))
        candidates = _time(candidates, setup, progress)
        choice = _choose(candidates)
        results = [_describe_original(setup), *(candidate.result for candidate in candidates)]
        if choice is not None:
            results[results.index(choice.result)] = _write(choice, file, target)
    return _report(tuple(results), setup, rows, notices, data=data, labels=labels, judge=judge)


def write_form(model: str, form: str, target: Path, *, data: str, settings: QuantizeSettings) -> None:
    """Write one form of an ONNX network, calibrated on rows of `data`, and judge nothing.

    Raises `NotConvertible` where nothing is made smaller, `ModelError`, `DataError` or `OutputError`.
    """
    with _open_tools(_identify(model), settings) as tools, OutputFile(target) as file:
        network = tools.prepare()
        rows = _read(data, None, None, network, settings)
        path = tools.folder / "form.onnx"
        layers = tools.write(form, tools.save(rows.calibrating, "calibrating"), (), str(path)).layers
        if not sum(layer.quantised for layer in layers):
            raise NotConvertible("it has no layer that multiplies by weights")
        file.write_atomic(path.read_bytes())


def _check_usage(data: str | None, labels: str | None, judge: str | None, settings: QuantizeSettings) -> None:
    if data is None and not settings.allow_drawn:
        raise UsageError(
            "quantize needs rows to calibrate on", "--data calibration.npz, or --allow-drawn for rows that are drawn"
        )
    if data is None and not settings.limits.any:
        raise UsageError(*NO_LIMIT)
    if data is None and (labels or judge):
        raise UsageError("drawn rows have no labels and judge alone", "give rows with --data")
    if data is not None and settings.requests:
        raise UsageError("--shape, --dim and --fill are of drawn rows, and --data has its own", "leave out one")
    if settings.limits.max_drop is not None and labels is None:
        raise UsageError("--max-drop needs the true classes", "give them with --labels")


def _identify(name: str) -> ModelRef:
    source = identify_model(name)
    if source.family == "onnx":
        return source
    if source.family in ("callable", "torch"):
        what = "a function" if source.family == "callable" else "a PyTorch program"
        raise NotConvertible(f"{name} is {what}", "quantize takes an ONNX file: infer-bench convert writes one")
    raise NotConvertible(
        f"{source.name} is a model of {source.family}: int8 makes trees and linear models neither smaller nor faster",
        _OTHER_WAY,
    )


@contextlib.contextmanager
def _open_tools(source: ModelRef, settings: QuantizeSettings) -> Iterator[NetworkTools]:
    with tempfile.TemporaryDirectory(prefix="infer-bench-") as folder:
        tools = NetworkTools(source, Path(folder), settings.timeout_s)
        try:
            yield tools
        finally:
            tools.close()


def _check_layers(settings: QuantizeSettings, network: NetworkDescription) -> None:
    names = [layer.name for layer in network.layers]
    strange = [name for name in settings.exclude if name not in names]
    if strange:
        raise UsageError(f"the model has no layer {strange[0]!r} to leave out", f"layers: {', '.join(names[:20])}")


def _read(
    data: str, judge: str | None, labels: str | None, network: NetworkDescription, settings: QuantizeSettings
) -> Rows:
    return read_rows(data, judge, labels, network.inputs, settings.seed, select=settings.exclude_auto)


def _time(candidates: list[Candidate], setup: Setup, progress: Progress) -> list[Candidate]:
    paths = [candidate.path for candidate in candidates if candidate.path is not None]
    if not setup.settings.time_forms or not paths:
        return candidates
    rows = setup.judging
    batches = sorted({1, min(setup.settings.batch, rows.count)}) if rows.free else [rows.stack]
    batches = [batch for batch in batches if setup.budget.has_room(least_s(batch, len(paths), setup.budget.row_s))]
    if not batches:
        return candidates
    times = time_forms(
        setup.tools.source, paths, setup.judging, batches, setup.settings.seed, setup.settings.timeout_s,
        lambda share: progress.update(0.7 + 0.3 * share, "timing every form beside the original"),
    )  # fmt: skip
    return [
        replace(candidate, result=replace(candidate.result, times=times.get(candidate.path or "", ())))
        for candidate in candidates
    ]


def _choose(candidates: Sequence[Candidate]) -> Candidate | None:
    """The smallest that passes; of those as small the fastest at the smallest batch."""
    passing = [c for c in candidates if c.path is not None and passes(c.result) and _is_smaller(c.result)]
    if not passing:
        return None
    smallest = min(candidate.result.bytes or 0 for candidate in passing)
    small = [c for c in passing if (c.result.bytes or 0) <= smallest * (1 + SAME_SIZE)]
    return max(small, key=lambda candidate: _speed(candidate.result.times))


def _is_smaller(result: QuantizeResult) -> bool:
    return result.bytes is not None and result.bytes < result.model.bytes


def _write(choice: Candidate, file: OutputFile, target: Path) -> QuantizeResult:
    """Put the file where it was asked for; the result that names it."""
    path = choice.path or ""
    info = describe_model(replace(identify(path), path=str(target.absolute())), None)
    file.write_atomic(Path(path).read_bytes())
    return replace(choice.result, output=info)


def _speed(times: tuple[TimeRatio, ...]) -> float:
    return times[0].ratio if times else 1.0


def _describe_original(setup: Setup) -> QuantizeResult:
    outputs: Outputs = setup.reference.outputs
    return QuantizeResult(
        ORIGINAL, "as it is", setup.model, bytes=setup.model.bytes, quality=setup.reference.quality(outputs)
    )


def _describe_settings(settings: QuantizeSettings) -> dict[str, Any]:
    """What came of the choices of requests stands in the report's `inputs`."""
    return {name: value for name, value in asdict(settings).items() if name != "requests"}


def _report(
    results: tuple[QuantizeResult, ...], setup: Setup, rows: Rows, notices: list[Notice], **files: str | None
) -> QuantizeReport:
    counts = {"calibrating_rows": rows.calibrating.count, "judging_rows": rows.judging.count, "drawn": rows.are_drawn}
    return Report(
        command="quantize",
        tool_version=__version__,
        created_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        settings={**_describe_settings(setup.settings), **files, **counts},
        environment=describe(PACKAGES),
        results=results,
        notices=tuple(notices),
        verdict=_verdict(results[1:], setup),
        inputs=rows.inputs,
    )


def _verdict(results: Sequence[QuantizeResult], setup: Setup) -> Verdict:
    if any(result.output is not None for result in results):
        return Verdict("pass", EXIT_CODES["pass"])
    judged = [result for result in results if result.failed is None]
    if not judged:
        return Verdict("failed", EXIT_CODES["failed"], ("no form of the model could be made; nothing was written",))
    if any(passes(result) for result in judged):
        return Verdict(
            "failed", NotConvertible.exit_code, ("no form that keeps the limits is smaller; nothing was written",)
        )
    undecided = [result.title for result in judged if outcome_of(result.checks) == "undecided"]
    if not undecided:
        return Verdict("different", EXIT_CODES["different"], ("every form breaks a limit; nothing was written",))
    others = f" and {len(undecided) - 1} other forms" if len(undecided) > 1 else ""
    reason = f"cannot tell with {setup.judging.count} rows whether {undecided[0]}{others} keep the limits"
    least = rows_to_tell(setup.settings.limits, setup.alpha)
    needs = f"; it takes {least} at the least" if least > setup.judging.count else ""
    return Verdict("inconclusive", EXIT_CODES["inconclusive"], (f"{reason}{needs}; nothing was written",))
