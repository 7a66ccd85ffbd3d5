"""`convert`: an ONNX file that was run and compared with the original on rows made to find differences, or no file."""

import contextlib
import datetime
import functools
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from infer_bench import data
from infer_bench.converters.base import ConvertOptions
from infer_bench.converters.metadata import CHECK, add_metadata, describe_source
from infer_bench.data.rounding import round_numbers
from infer_bench.errors import ModelError, PredictionsDiffer, UsageError, WorkerHung
from infer_bench.formats.identify import identify
from infer_bench.libraries import PACKAGES
from infer_bench.machine.environment import describe
from infer_bench.measure.candidates.column_mapping import note_match
from infer_bench.measure.candidates.models import describe_model, identify_convertible
from infer_bench.measure.candidates.request_file import RequestFile, open_data
from infer_bench.measure.convert.compare import (
    Criterion,
    choose_criterion,
    compare_group,
    describe_check,
    failure,
    note_rounding,
    passes,
)
from infer_bench.measure.convert.own_dtypes import as_stored, compare_own_dtypes
from infer_bench.measure.convert.round_trip import (
    TablePredictor,
    original_predictor,
    predict_groups,
    start_runtime,
    start_writer,
)
from infer_bench.measure.convert.scratch_file import scratch_file
from infer_bench.measure.target import refuse_target
from infer_bench.model import ModelRef, ModelSpec
from infer_bench.output import OutputFile
from infer_bench.progress import Progress, Silent
from infer_bench.report.common import ModelInfo, Notice, Report, Verdict
from infer_bench.report.convert import CheckedGroup, ConvertReport, ConvertResult
from infer_bench.stats.agreement.predictions import Predictions
from infer_bench.typing import Columns
from infer_bench.version import __version__
from infer_bench.workers.tasks.convert import ConvertModel, OnnxConversion

if TYPE_CHECKING:
    from infer_bench.measure.convert.networks.run import NetworkAttempt

DATA_ROWS = 100_000
"""So many of the user's rows are compared at the most."""
DEFAULT_TIME_LIMIT_S = 300.0


@dataclass(frozen=True, slots=True)
class Attempt:
    """One written file and what comparing it showed; `failure` says where it differs."""

    options: ConvertOptions
    route: str
    notes: tuple[str, ...]
    groups: tuple[CheckedGroup, ...]
    criterion: Criterion
    failure: str | None


def convert(
    model: str,
    output: str | None = None,
    *,
    data: str | None = None,
    options: ConvertOptions | None = None,
    allow_pickle: bool = False,
    time_limit_s: float = DEFAULT_TIME_LIMIT_S,
    progress: Progress | None = None,
) -> ConvertReport:
    """Convert a trained model to an ONNX file that predicts the same.

    `output` is the file to write (`model` with `.onnx` when None): it appears only when the new file was run and agreed
    with the original on rows drawn from the model, and on those of the file `data`. The report's verdict is `different`
    (exit code 4) when they disagreed, and no file is written then.

    Raises `NotConvertible` naming what stands in the way, `ModelError`, `DataError` or `OutputError`.
    """
    if not time_limit_s > 0:
        raise UsageError(f"a time limit of {time_limit_s:g} s is none", "give seconds above 0")
    source = identify_convertible(model, allow_pickle=allow_pickle)
    target = Path(output) if output else Path(source.path).with_suffix(".onnx")
    refuse_target(target, source)
    options, file = options or ConvertOptions(), open_data(data)
    with OutputFile(target) as output_file, scratch_file() as scratch:
        with Conversion(source, scratch, file, allow_pickle, time_limit_s, progress or Silent()) as conversion:
            spec = conversion.open(options)
            info = describe_model(source, spec)
            if spec.inputs:
                return _report_network(info, options, conversion.convert_network(options, target, output_file), data)
            attempt = conversion.run(options)
        target_info = None
        if attempt.failure is None:
            scratch.write_bytes(
                add_metadata(scratch.read_bytes(), CHECK, describe_check(attempt.criterion, attempt.groups))
            )
            target_info = describe_model(replace(identify(str(scratch)), path=os.path.abspath(target)), None)
            output_file.write_atomic(scratch.read_bytes())
    return _report(info, attempt, target_info, data)


class Conversion:
    """A conversion under way: workers for the original, for writing and for ONNX Runtime, which start side by side.

    It takes as many files written and compared as it needs.
    """

    def __init__(
        self,
        source: ModelRef,
        scratch: Path,
        file: RequestFile | None,
        allow_pickle: bool,
        time_limit_s: float,
        progress: Progress,
    ) -> None:
        self._source = source
        self._scratch = scratch
        self._allow_pickle = allow_pickle
        self._time_limit_s = time_limit_s
        self._progress = progress
        self._file = file
        self._workers = contextlib.ExitStack()
        self._column_notes: tuple[str, ...] = ()
        self._stored_rows: Columns | None = None

    def __enter__(self) -> "Conversion":
        return self

    def __exit__(self, *_: object) -> None:
        self._workers.close()

    def open(self, options: ConvertOptions) -> ModelSpec:
        """Load the original; what it computes."""
        self._progress.update(0.0, "opening the model")
        self._original = original_predictor(self._source, options.trees, self._allow_pickle)
        self._workers.enter_context(contextlib.closing(self._original))
        self._writer = self._workers.enter_context(start_writer(self._source))
        self._runtime = self._workers.enter_context(start_runtime(self._source))
        return self._original.spec

    def convert_network(self, options: ConvertOptions, target: Path, output: OutputFile) -> "NetworkAttempt":
        """Write the file of a model that takes tensors, and put it at `target` where it answers the same."""
        from infer_bench.measure.convert.networks.run import NetworkConversion

        open_again = functools.partial(original_predictor, self._source, options.trees, self._allow_pickle)
        parts = self._source, self._original.spec, self._original.worker, self._writer, options, self._time_limit_s
        return NetworkConversion(*parts, self._progress, open_again, self._allow_pickle).run(target, output, self._file)

    def run(self, options: ConvertOptions) -> Attempt:
        """Write and compare; once more with float64 input when only the user's own rows need it."""
        table = self._table(self._original.spec)
        attempt = self._attempt(options, self._original, table)
        differs = [group.name for group in attempt.groups if not passes(group, attempt.criterion)]
        if differs == ["data"] and attempt.options.input_dtype == "float32" and self._has_exact_form(options):
            wide = self._attempt(replace(options, input_dtype="float64"), self._original, table)
            note = "the rows given need float64 input: rounded to float32, they get other answers"
            return replace(wide, notes=(*wide.notes, note))
        return attempt

    def _has_exact_form(self, options: ConvertOptions) -> bool:
        """Whether a file with float64 input can be asked for; a network is one of float32."""
        return options.precision == "exact" and self._source.family != "torch"

    def _table(self, spec: ModelSpec) -> Columns | None:
        if self._file is None:
            return None
        dataset = self._file.rows
        match = data.match(dataset.columns, spec, named=dataset.named)
        self._column_notes = tuple(notice.message for notice in note_match(match, dataset, "model"))
        rows = dataset.with_texts(data.text_columns(match, spec))
        columns = data.conform(rows.head(DATA_ROWS, match.columns), spec).columns
        pairs = zip(spec.feature_names, match.columns, strict=True)
        narrow = {feature: dataset.narrow_dtypes[name] for feature, name in pairs if name in dataset.narrow_dtypes}
        self._stored_rows = as_stored(columns, narrow)
        return round_numbers(columns, "float64")

    def _attempt(self, options: ConvertOptions, original: TablePredictor, table: Columns | None) -> Attempt:
        self._progress.update(0.2, "converting")
        conversion = self._write(options, original.spec)
        options = replace(options, input_dtype=conversion.input_dtype)
        single = options.input_dtype == "float32"
        groups: dict[str, Columns] = {
            name: round_numbers(columns, "float32") if single else columns
            for name, columns in conversion.groups.items()
        }
        if table is not None:
            groups = {"data": table, **groups}
        self._progress.update(0.5, "comparing")
        dtype = conversion.computes_in
        references = predict_groups(original, groups, dtype)
        rounding = any(reference.units is not None for reference in references.values())
        criterion = choose_criterion(dtype, options.atol, options.rtol, rounding=rounding)
        results = self._compare(original.spec, groups, references, criterion)
        own = compare_own_dtypes(original, self._stored_rows, references.get("data"))
        notes = (*conversion.notes, *self._column_notes, *filter(None, [note_rounding(results), own.note]))
        reason = failure(results, criterion) or own.failure
        return Attempt(options, conversion.route, notes, results, criterion, reason)

    def _write(self, options: ConvertOptions, spec: ModelSpec) -> OnnxConversion:
        request = ConvertModel(
            self._source, options, describe_source(self._source, spec), str(self._scratch), self._allow_pickle
        )
        try:
            return self._writer.ask(request, timeout_s=self._time_limit_s)
        except WorkerHung:
            raise WorkerHung(f"writing the file took over {self._time_limit_s:g} s", "raise --time-limit") from None

    def _compare(
        self,
        spec: ModelSpec,
        groups: Mapping[str, Columns],
        references: Mapping[str, Predictions],
        criterion: Criterion,
    ) -> tuple[CheckedGroup, ...]:
        """Compare on every group as one batch, as `dtype` holds predictions; labels are the file's own output."""
        candidate = TablePredictor("onnxruntime", identify(str(self._scratch)), {}, worker=self._runtime)
        return tuple(
            _compare_on(name, rows, references[name], candidate, criterion, with_labels=bool(spec.classes))
            for name, rows in groups.items()
        )


def _compare_on(
    name: str,
    rows: Columns,
    reference: Predictions,
    predictor: TablePredictor,
    criterion: Criterion,
    *,
    with_labels: bool,
) -> CheckedGroup:
    candidate = predictor.predict(rows)
    if not with_labels:
        candidate = replace(candidate, labels=None)
    elif candidate.labels is None:
        raise ModelError("the converted file gives no labels")
    return compare_group(name, reference if len(candidate.values) else candidate, candidate, criterion)


def _report_network(
    source: ModelInfo, options: ConvertOptions, attempt: "NetworkAttempt", rows: str | None
) -> ConvertReport:
    result = ConvertResult(
        source=source,
        output=attempt.target,
        route=attempt.route,
        precision=options.precision,
        input_dtype="",
        tolerance=attempt.criterion.tolerance,
        groups=attempt.groups,
        failed=attempt.failure,
        criterion=attempt.criterion.name,
        rtol=attempt.criterion.rtol,
    )
    return replace(_report_on(result, options, attempt.notices, rows), inputs=attempt.drawn_inputs)


def _report(source: ModelInfo, attempt: Attempt, target: ModelInfo | None, rows: str | None) -> ConvertReport:
    result = ConvertResult(
        source=source,
        output=target,
        route=attempt.route,
        precision=attempt.options.precision,
        input_dtype=attempt.options.input_dtype,
        tolerance=attempt.criterion.tolerance,
        groups=attempt.groups,
        failed=attempt.failure,
        criterion=attempt.criterion.name,
        rtol=attempt.criterion.rtol,
    )
    return _report_on(result, attempt.options, tuple(Notice("conversion", note) for note in attempt.notes), rows)


def _report_on(
    result: ConvertResult, options: ConvertOptions, notices: tuple[Notice, ...], rows: str | None
) -> ConvertReport:
    failure = result.failed
    return Report(
        command="convert",
        tool_version=__version__,
        created_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        settings={**asdict(options), "data": rows},
        environment=describe(PACKAGES),
        results=(result,),
        notices=notices,
        verdict=Verdict("different", PredictionsDiffer.exit_code, (failure,)) if failure else Verdict("pass", 0),
    )
