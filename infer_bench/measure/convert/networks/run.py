"""`convert` of a network: the file appears when it has answered requests of several sizes as the original does."""

import contextlib
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from infer_bench.converters.base import ConvertOptions
from infer_bench.converters.metadata import CHECK, SOURCE, add_metadata, describe_source
from infer_bench.engines.training_mode import VARYING
from infer_bench.errors import EngineError, ModelError, NotConvertible, WorkerHung
from infer_bench.formats.identify import identify
from infer_bench.formats.signature import TENSORS
from infer_bench.measure.candidates.models import describe_model
from infer_bench.measure.candidates.remarks import notices_of
from infer_bench.measure.candidates.request_file import RequestFile
from infer_bench.measure.convert.compare import Criterion, describe_check
from infer_bench.measure.convert.networks.comparison import (
    NetworkComparison,
    describe_failure,
    describe_group,
    is_empty,
)
from infer_bench.measure.convert.networks.files import has_weights_beside, publish, scratch_network
from infer_bench.measure.convert.networks.requests import (
    CheckRequests,
    collect_requests,
    read_own,
    take_request,
)
from infer_bench.measure.convert.networks.script import ModuleSizes
from infer_bench.measure.convert.round_trip import TablePredictor
from infer_bench.model import ModelRef, ModelSpec
from infer_bench.output import OutputFile
from infer_bench.progress import Progress
from infer_bench.report.common import DrawnInput, ModelInfo, Notice
from infer_bench.report.convert import CheckedGroup
from infer_bench.stats.agreement.limits import Limits
from infer_bench.stats.agreement.rounding import DIFFERENT, SAME
from infer_bench.workers.process import Worker
from infer_bench.workers.tasks.convert import ConvertNetwork

DEFAULT_ATOL, DEFAULT_RTOL = 1e-4, 1e-5
"""Where nothing measures what the original rounds."""


@dataclass(frozen=True, slots=True)
class NetworkAttempt:
    """One written file, and what comparing it showed; `target` is None where it was not kept, as `failure` says."""

    route: str
    target: ModelInfo | None
    groups: tuple[CheckedGroup, ...]
    criterion: Criterion
    failure: str | None
    notices: tuple[Notice, ...]
    drawn_inputs: tuple[DrawnInput, ...]


@dataclass(frozen=True, slots=True)
class NetworkConversion:
    """A network that is to be converted: its original is open in a worker, and another one writes the file."""

    source: ModelRef
    spec: ModelSpec
    original: Worker
    writer: Worker
    options: ConvertOptions
    time_limit_s: float
    progress: Progress
    open_again: Callable[[], TablePredictor]
    allow_pickle: bool = False

    def run(self, target: Path, output: OutputFile, file: RequestFile | None) -> NetworkAttempt:
        """Write, compare, and put the file at `target`. Raises what stands in the way."""
        self._refuse_random()
        self.progress.update(0.1, "drawing requests")
        requests = self._collect(file)
        beside = has_weights_beside(self.source.bytes)
        with scratch_network(target, beside=beside) as scratch:
            self.progress.update(0.2, "converting")
            sizes = None if self._keeps_shapes else self._find_sizes(requests)
            route = self._write(scratch, beside, sizes)
            if sizes is not None:
                requests = self._check_sizes(scratch, requests, sizes)
            self.progress.update(0.5, "comparing")
            attempt = self._compare(scratch, route, requests, sizes)
            if attempt.failure is not None:
                return attempt
            check = describe_check(attempt.criterion, attempt.groups)
            scratch.write_bytes(add_metadata(scratch.read_bytes(), CHECK, check))
            info = _describe_target(scratch, target)
            publish(scratch, target, output)
        return replace(attempt, target=info)

    def _refuse_random(self) -> None:
        """Raise `NotConvertible` for a network that does not answer alike twice, naming the operators."""
        for remark in self.spec.remarks:
            if remark.code in VARYING:
                raise NotConvertible(f"{self.source.name} {remark.message}", remark.hint)

    @property
    def _keeps_shapes(self) -> bool:
        return all(tensor.shape is not None for tensor in self.spec.inputs)

    def _collect(self, file: RequestFile | None) -> CheckRequests:
        if not self._keeps_shapes:
            return read_own(self.spec, file, self.source.name)
        return collect_requests(self.original, self.spec, file, self.source.path)

    def _find_sizes(self, requests: CheckRequests) -> ModuleSizes:
        sizes = ModuleSizes(self.open_again, take_request(requests.tables["data"]))
        sizes.find()
        return sizes

    def _check_sizes(self, scratch: Path, requests: CheckRequests, sizes: ModuleSizes) -> CheckRequests:
        """With requests of other sizes; in the file only those axes are free along which it is compared."""
        requests, axes = sizes.check(requests, lambda: _open(scratch))
        notices = sizes.fix(axes, self.writer, scratch)
        return replace(requests, notices=(*requests.notices, *notices))

    def _write(self, scratch: Path, beside: bool, sizes: ModuleSizes | None) -> str:
        metadata = {SOURCE: describe_source(self.source, self.spec)[SOURCE], TENSORS: "yes"}
        request = ConvertNetwork(self.source, metadata, str(scratch), beside, self.allow_pickle)
        if sizes is not None:
            request = replace(request, request=sizes.request, axes=sizes.names)
        try:
            return self.writer.ask(request, timeout_s=self.time_limit_s).route
        except WorkerHung:
            text = f"writing the file took over {self.time_limit_s:g} s"
            raise WorkerHung(text, "raise --time-limit") from None

    def _compare(self, scratch: Path, route: str, requests: CheckRequests, sizes: ModuleSizes | None) -> NetworkAttempt:
        limits = _choose_limits(self.options)
        with contextlib.closing(_open(scratch)) as converted:
            comparison = NetworkComparison(self.original, converted.worker, limits)
            if sizes is not None:
                requests = sizes.add_drawn(requests, converted, self.source.path)
            groups = [comparison.compare(name, table) for name, table in requests.tables.items()]
        if all(map(is_empty, groups)):
            reason = "no output had a value in any request, so that nothing could be compared"
            raise NotConvertible(reason, "give requests with --data FILE.npz")
        checked = tuple(map(describe_group, groups))
        failure = next((text for group in groups if (text := describe_failure(group))), None)
        criterion = _name_criterion(limits, checked)
        notices = (
            *requests.notices,
            *notices_of([(self.source.name, self.spec)]),
            *_note_measure(comparison, checked, criterion),
        )
        return NetworkAttempt(route, None, checked, criterion, failure, notices, tuple(requests.drawn_inputs))


def _open(scratch: Path) -> TablePredictor:
    """The new file in ONNX Runtime. Raises `NotConvertible` where that refuses it."""
    predictor = TablePredictor("onnxruntime", identify(str(scratch)), {})
    try:
        if predictor.spec.inputs:
            return predictor
    except (EngineError, ModelError) as error:
        raise NotConvertible(f"ONNX Runtime cannot run the file that was written: {error.message}") from None
    predictor.close()
    raise NotConvertible("the file that was written takes rows of a table, and the model tensors")


def _describe_target(scratch: Path, target: Path) -> ModelInfo:
    """The file as it will be called."""
    return describe_model(replace(identify(str(scratch)), path=os.path.abspath(target)), None)


def _choose_limits(options: ConvertOptions) -> Limits:
    if options.atol is not None or options.rtol is not None:
        return Limits(options.atol or 0.0, options.rtol or 0.0, worst=0)
    return Limits(DEFAULT_ATOL, DEFAULT_RTOL, worst=0, by_rounding=True)


def _name_criterion(limits: Limits, groups: tuple[CheckedGroup, ...]) -> Criterion:
    if not limits.by_rounding:
        return Criterion("given", limits.atol, limits.rtol)
    is_measured = any(group.rounding is not None for group in groups)
    return Criterion("rounding" if is_measured else "relative", limits.atol)


def _note_measure(
    comparison: NetworkComparison, groups: tuple[CheckedGroup, ...], criterion: Criterion
) -> list[Notice]:
    """What measures rounding where float64 does not, and that the file rounds more than the original."""
    notices = []
    if criterion.name == "relative" and comparison.obstacle:
        text = f"what the network rounds is not known ({comparison.obstacle}): the tolerance decides"
        notices.append(Notice("no-float64", text, "--atol and --rtol give a tolerance of your own"))
    if comparison.is_coarse:
        text = "the network works in less than float32, at least in parts: what passes is as near as that allows"
        notices.append(Notice("coarse", text))
    ratio = max((group.rounding.ratio for group in groups if group.rounding), default=0.0)
    if SAME < ratio <= DIFFERENT:
        text = f"the file rounds {ratio:.0f} × as much as the original; up to {SAME:g} × is the same"
        notices.append(Notice("rounding", text))
    return notices
