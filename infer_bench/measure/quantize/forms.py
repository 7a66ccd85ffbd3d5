"""Makes every form of a network and judges it against the original."""

import contextlib
import functools
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from infer_bench.converters.quantization.forms import FORMS, Form
from infer_bench.errors import InferBenchError
from infer_bench.measure.quantize.budget import SHARE_OF_LAYERS, describe_s
from infer_bench.measure.quantize.exclusion import blame_layers, fewest_excluded
from infer_bench.measure.quantize.limits import check_limits, outcome_of
from infer_bench.measure.quantize.reference import Outputs
from infer_bench.measure.quantize.setup import Setup
from infer_bench.progress import Progress
from infer_bench.report.quantize import Layers as ReportLayers
from infer_bench.report.quantize import LimitCheck, QuantizeResult
from infer_bench.workers.tasks.quantize import WrittenForm

SINGLY = 64
"""So many rows are also run one at a time."""
MOST_BLAMING = 128
"""On so many rows layers are left out one after the other: each takes a form of its own."""
_ROUNDING = 10.0
"""A batch may differ from single rows by so many times what the original's does."""
_SCALE_EPSILON = 1e-6
_STEP = 0.02
"""A last bit that falls to the other side moves a prediction by one step of a range: this share of the form's own Δ."""


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A form that was tried; `path` is its file, None where there is none."""

    result: QuantizeResult
    path: str | None


def judge_forms(setup: Setup, progress: Progress) -> Iterator[Candidate]:
    """Every form, and after one that breaks a limit, with `exclude_auto`, the same with some layers in float32.

    Layers are blamed for the first form that breaks one and for those that saturate: of others it is much the same.
    """
    has_blame = False
    for index, form in enumerate(FORMS):
        if index and setup.budget.is_spent():
            reason = f"not tried, as {describe_s(setup.budget.total_s)} were over (--budget)"
            yield Candidate(QuantizeResult(form.name, form.title, setup.model, failed=reason), None)
            continue
        share = 0.1 + 0.6 * index / len(FORMS)
        progress.update(share, f"{form.title}")
        candidate = try_form(setup, form, setup.settings.exclude)
        needs_help = form.integral and candidate.path is not None and is_too_far(candidate.result)
        if needs_help and (not has_blame or candidate.result.saturates or setup.settings.exclude_auto):
            tell = functools.partial(_tell_trials, progress, share, form)
            candidate = replace(candidate, result=_blame(setup, form, candidate.result, tell))
            has_blame = True
        yield candidate
        if needs_help and setup.settings.exclude_auto and not setup.budget.is_spent(SHARE_OF_LAYERS):
            progress.update(0.1 + 0.6 * (index + 0.5) / len(FORMS), f"{form.title}: which layers stay float32")
            excluded = _find_exclusion(setup, form)
            if excluded is not None:
                yield try_form(setup, form, excluded)


def passes(result: QuantizeResult) -> bool:
    """Whether every limit is met for certain."""
    return result.failed is None and outcome_of(result.checks) == "pass"


def is_too_far(result: QuantizeResult) -> bool:
    """Whether other layers could help: a limit is broken by what was measured, or sums saturate."""
    return result.saturates or any(check.value > check.limit for check in result.checks)


def try_form(setup: Setup, form: Form, excluded: tuple[str, ...]) -> Candidate:
    """Make one form, run it and judge it. What the tool or ONNX Runtime refuses is the result's `failed`."""
    path = setup.path(form.name, excluded)
    start = QuantizeResult(form.name, form.title, setup.model, excluded=excluded)
    try:
        file = setup.tools.write(form.name, setup.calibrating, excluded, path)
        if not sum(layer.quantised for layer in file.layers):
            return Candidate(replace(start, failed="no layer was quantised", layers=_layers(file)), None)
        return Candidate(_judge(setup, form, replace(start, bytes=file.bytes, layers=_layers(file)), path), path)
    except InferBenchError as error:
        return Candidate(replace(start, failed=error.message), None)


def _layers(file: WrittenForm) -> tuple[ReportLayers, ...]:
    return tuple(ReportLayers(entry.operator, entry.layers, entry.quantised, entry.reason) for entry in file.layers)


def _judge(setup: Setup, form: Form, start: QuantizeResult, path: str) -> QuantizeResult:
    outputs = setup.tools.run(path, setup.judging)
    deltas = setup.reference.deltas(outputs)
    delta = max(deltas.values(), default=0.0)
    precise = _run_precisely(setup, path) if form.integral else None
    precise_delta = None if precise is None else max(setup.reference.deltas(precise).values(), default=0.0)
    checks = _check(setup, outputs)
    if precise is not None:
        checks = _worse(checks, _check(setup, precise))
    invariance = _compare_batches(setup, path, delta)
    if invariance is not None and not invariance[1]:
        checks = _worse(checks, _check(setup, setup.tools.run(path, setup.judging, singly=True)))
    return replace(
        start,
        max_abs_delta=delta,
        deltas=deltas,
        precise_max_abs_delta=precise_delta,
        saturates=precise_delta is not None and delta > 2 * precise_delta,
        batch_max_abs_delta=invariance and invariance[0],
        batch_invariant=invariance and invariance[1],
        flips=setup.reference.flips(outputs),
        quality=setup.reference.quality(outputs),
        checks=checks,
    )


def _run_precisely(setup: Setup, path: str) -> Outputs | None:
    with contextlib.suppress(InferBenchError):
        return setup.tools.run(path, setup.judging, precise=True)
    return None


def _check(setup: Setup, outputs: Outputs) -> tuple[LimitCheck, ...]:
    reference = setup.reference
    delta = max(reference.deltas(outputs).values(), default=0.0)
    return check_limits(setup.settings.limits, delta, reference.flips(outputs), setup.alpha)


def _worse(first: tuple[LimitCheck, ...], second: tuple[LimitCheck, ...]) -> tuple[LimitCheck, ...]:
    """Of each limit the check that shows more: a file is served on CPUs of both kinds."""
    return tuple(b if b.value > a.value else a for a, b in zip(first, second, strict=True))


def _compare_batches(setup: Setup, path: str, form_delta: float) -> tuple[float, bool] | None:
    """How far a batch is from the same rows one at a time, and whether that is rounding; None for fixed batches."""
    if not setup.judging.free:
        return None
    with contextlib.suppress(InferBenchError):
        original = _batch_delta(setup, setup.tools.source.path)
        delta = _batch_delta(setup, path)
        arrays = setup.reference.outputs.values()
        scale = max(
            (float(abs(array).max()) for array in arrays if array.dtype.kind == "f" and array.size), default=1.0
        )
        rounding = _ROUNDING * max(original, _SCALE_EPSILON * scale)
        return delta, delta <= max(rounding, _STEP * form_delta)
    return None


def _batch_delta(setup: Setup, path: str) -> float:
    stacked = setup.tools.run(path, setup.judging, most=SINGLY)
    single = setup.tools.run(path, setup.judging, most=SINGLY, singly=True)
    return max(replace(setup.reference, outputs=stacked).deltas(single).values(), default=0.0)


def _try(setup: Setup, form: Form, excluded: tuple[str, ...], most: int | None = None) -> Outputs:
    """The outputs of a form on the rows that layers are tried on, or on the first `most` of them."""
    path = str(setup.tools.folder / "trial.onnx")
    setup.tools.write(form.name, setup.calibrating, excluded, path)
    return setup.tools.run(path, setup.trial, most=most)


class _SpentError(Exception):
    """The time for leaving layers out is over."""


def _require_time(setup: Setup) -> None:
    if setup.budget.is_spent(SHARE_OF_LAYERS):
        raise _SpentError


def _trial_delta(setup: Setup, form: Form, excluded: tuple[str, ...], most: int | None = None) -> float:
    try:
        outputs = _try(setup, form, excluded, most)
    except InferBenchError:
        return float("inf")
    reference = setup.trial_reference
    return max(replace(reference, outputs=_take_first(reference.outputs, most)).deltas(outputs).values(), default=0.0)


def _take_first(outputs: Outputs, most: int | None) -> Outputs:
    return {name: array[:most] for name, array in outputs.items()}


def _tell_trials(progress: Progress, share: float, form: Form, trials: int) -> None:
    progress.update(share, f"{form.title}: which layers are to blame, {trials} tried")


def _blame(setup: Setup, form: Form, result: QuantizeResult, tell: Callable[[int], None]) -> QuantizeResult:
    """The result with what remains without each layer; `tell` is called with the number of trials so far."""
    layers, fixed = setup.free_layers, setup.settings.exclude
    if len(layers) < 2:
        return result
    stack, trials = max(1, setup.trial.stack), itertools.count()
    most = max(stack, MOST_BLAMING // stack * stack)

    def measure(excluded: tuple[str, ...]) -> float:
        _require_time(setup)
        tell(next(trials))
        return _trial_delta(setup, form, excluded, most)

    try:
        whole = measure(fixed)
        return replace(result, blame=blame_layers(layers, fixed, measure), blame_max_abs_delta=whole)
    except _SpentError:
        return result


def _find_exclusion(setup: Setup, form: Form) -> tuple[str, ...] | None:
    limits, fixed = setup.settings.limits, setup.settings.exclude

    def delta_of(excluded: tuple[str, ...]) -> float:
        _require_time(setup)
        return _trial_delta(setup, form, excluded)

    def meets(excluded: tuple[str, ...]) -> bool:
        try:
            outputs = _try(setup, form, excluded)
        except InferBenchError:
            return False
        delta = max(setup.trial_reference.deltas(outputs).values(), default=0.0)
        checks = check_limits(limits, delta, setup.trial_reference.flips(outputs), setup.alpha)
        return all(check.value <= check.limit / (1 if check.metric == "delta" else 2) for check in checks)

    try:
        excluded = fewest_excluded(setup.free_layers, fixed, delta_of, meets)
    except _SpentError:
        return None
    return None if excluded is None else (*fixed, *excluded)
