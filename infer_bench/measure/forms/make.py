"""Making the forms of a model: its library's own formats, pickles, ONNX in two precisions, smaller networks."""

import time
from collections.abc import Sequence
from pathlib import Path

from infer_bench.converters.base import ConvertOptions, InputDtype
from infer_bench.engines.registry import available
from infer_bench.errors import InferBenchError, UsageError
from infer_bench.formats.identify import identify
from infer_bench.libraries import LIBRARIES, of_family
from infer_bench.measure.candidates.jobs import build_task_job
from infer_bench.measure.convert.run import convert
from infer_bench.measure.quantize.run import write_form
from infer_bench.measure.quantize.settings import QuantizeSettings
from infer_bench.measure.schedule.plan import describe_forms
from infer_bench.measure.settings import Settings
from infer_bench.model import ModelRef
from infer_bench.progress import Progress
from infer_bench.report.common import Notice, NoticeLevel
from infer_bench.workers.process import Worker
from infer_bench.workers.tasks.model_forms import WriteForms

SMALLER = {"float16": "float16", "int8": "u8s8"}
"""Forms of a network by name, and what `quantize` calls them."""
INPUTS: tuple[InputDtype, ...] = ("float32", "float64")


def make_forms(
    model: ModelRef, folder: Path, data: str | None, settings: Settings, progress: Progress
) -> tuple[list[str], list[Notice]]:
    """The paths of the forms, the model's own first, and of forms that cannot be made why.

    The plan says how long it is about to take, as soon as the first files show what one takes on this machine: a
    conversion takes 0.7 to 1.1 times as long as these, of forests and boosted trees (measured).
    An ONNX file appears where it predicts the same on rows drawn from the model and on those of `data`. Raises
    `UsageError` where one of the files is there already, and for what has no forms.
    """
    if model.family in ("callable", "http"):
        raise UsageError(f"{model.name} is no file that has forms", "give a trained model")
    _check_room(model, folder)
    progress.update(0, "making the forms of the model")
    paths, notices = [model.path], list[Notice]()
    begin_ns = time.perf_counter_ns()
    with Worker(build_task_job(model), timeout_s=settings.timeout_s) as worker:
        forms = worker.ask(WriteForms(model, str(folder), settings.allow_pickle))
    paths += forms.paths.values()
    notices += [_note(form, reason) for form, reason in forms.failures.items()]
    missing, each_ns = _count_missing(model, data), time.perf_counter_ns() - begin_ns
    plan = describe_forms(len(forms.paths), missing, each_ns, settings.budget_s)
    progress.announce(plan, always=settings.budget_s is not None)
    for dtype in _list_inputs(model):
        try:
            paths.append(_convert(model, folder, dtype, data, settings.allow_pickle, progress))
        except InferBenchError as error:
            notices.append(_note(f"ONNX of {dtype}", error.message))
    smaller, reasons = _make_smaller(paths, folder, data, settings)
    return [*paths, *smaller], [*notices, *reasons]


def _list_inputs(model: ModelRef) -> tuple[InputDtype, ...]:
    """Of what its rows may be in an ONNX file; a network's tensors are what they are."""
    library = of_family(model.family)
    if library is None or not library.converts:
        return ()
    return INPUTS[:1] if model.family == "torch" else INPUTS


def _count_missing(model: ModelRef, data: str | None) -> int:
    """How many conversions and smaller networks are tried."""
    return len(_list_inputs(model)) + (len(SMALLER) if _takes_smaller(model) and data is not None else 0)


def _takes_smaller(model: ModelRef) -> bool:
    return model.family in ("onnx", "torch")


def name_candidates(models: Sequence[ModelRef]) -> list[str]:
    """The candidates that open the forms as they are. They name no feed: arrays alike, but for models that take none.

    They are the forms' own libraries, and what is installed that has no format of its own and reads one of these.
    """
    families = dict.fromkeys(model.family for model in models)
    own = [library.engine for name in families if (library := of_family(name)) is not None]
    installed = {info.name: info.formats for info in available() if info.version is not None}
    readers = [
        library.engine
        for library in LIBRARIES
        if not library.family and any(model.format in installed.get(library.engine, ()) for model in models)
    ]
    return [*own, *readers]


def _check_room(model: ModelRef, folder: Path) -> None:
    stem = Path(model.path).stem
    existing_files = [path for path in sorted(folder.glob(f"{stem}.*")) if path != Path(model.path)]
    if existing_files:
        raise UsageError(f"{existing_files[0]} is there already", "keep the forms in an empty folder")


def _convert(
    model: ModelRef, folder: Path, dtype: InputDtype, data: str | None, allow_pickle: bool, progress: Progress
) -> str:
    path = str(folder / f"{Path(model.path).stem}.{dtype}.onnx")
    options = ConvertOptions(input_dtype=dtype)
    report = convert(model.path, path, data=data, options=options, allow_pickle=allow_pickle, progress=progress)
    if (difference := report.results[0].failed) is not None:
        raise UsageError(f"it does not predict the same: {difference}")
    return path


def _make_smaller(
    paths: Sequence[str], folder: Path, data: str | None, settings: Settings
) -> tuple[list[str], list[Notice]]:
    """float16 and int8 of a network, and why there is none. Ranges are those of `data`, which a form is compared on."""
    model = identify(paths[0])
    network = next((path for path in paths if identify(path).family == "onnx"), None)
    if not _takes_smaller(model):
        return [], [_note("int8", "it makes trees and linear models neither smaller nor faster", "note")]
    if network is None:
        return [], [_note("int8", "there is no ONNX file to make it of")]
    if data is None:
        return [], [_note("int8", "its ranges are those of your requests", hint="give them with --data")]
    smaller, reasons = list[str](), list[Notice]()
    for name, form in SMALLER.items():
        path = folder / f"{Path(model.path).stem}.{name}.onnx"
        try:
            write_form(network, form, path, data=data, settings=QuantizeSettings(timeout_s=settings.timeout_s))
            smaller.append(str(path))
        except InferBenchError as error:
            reasons.append(_note(name, error.message))
    return smaller, reasons


def _note(form: str, reason: str, level: NoticeLevel = "warning", hint: str = "") -> Notice:
    return Notice("no-form", f"no form {form}: {reason}", hint, level=level)
