"""What the reader of a profile should know, as data. Pure."""

from collections.abc import Iterable, Sequence

from infer_bench.engines.onnxruntime.providers import PROVIDERS, read_provider
from infer_bench.measure.profile.settings import ProfileSettings
from infer_bench.report.common import Environment, Notice
from infer_bench.report.profile import ProfileResult

UNACCOUNTED = 0.03
OTHER_THREADS = 0.1
"""Of the CPU time: below it lies what a library's threads do between requests."""


def notices_on(
    rows: Sequence[ProfileResult], settings: ProfileSettings, environment: Environment
) -> tuple[Notice, ...]:
    """Every notice that applies, about the machine first, then about each row."""
    notices = list(_threads(settings, environment))
    for row in (row for row in rows if not row.failed):
        notices += [*_providers(row), *_required(row, settings), *_model_calls(row), *_unsteady(row), *_rest(row)]
    return tuple(notices)


def _threads(settings: ProfileSettings, environment: Environment) -> Iterable[Notice]:
    cores = max(1.0, environment.cpus_effective)
    if settings.threads > cores:
        text = f"{settings.threads} threads on {cores:g} effective CPUs: they wait for each other"
        yield Notice("threads-exceed-cores", text, f"--threads {int(cores)}")


def _find_foreign_operators(row: ProfileResult, provider_name: str) -> list[str]:
    """The operators that another provider ran, by type."""
    return list(dict.fromkeys(cost.op_type for cost in row.operators if cost.provider != provider_name))


def _providers(row: ProfileResult) -> Iterable[Notice]:
    provider_name = PROVIDERS.get(row.options.get("providers", "cpu"), "")
    others = _find_foreign_operators(row, provider_name)
    if row.operators and provider_name and others:
        ran = sorted({cost.provider for cost in row.operators if cost.provider != provider_name})
        text = f"{provider_name} was asked for, but {', '.join(others)} ran on {', '.join(ran)}"
        yield Notice("other-provider", text, "it has no kernel for them there", row.candidate)


def _required(row: ProfileResult, settings: ProfileSettings) -> Iterable[Notice]:
    if settings.require_provider is None:
        return
    provider_name = PROVIDERS[read_provider(settings.require_provider)]
    others = _find_foreign_operators(row, provider_name)
    if not row.operators:
        yield Notice("provider-required", f"{row.candidate} has no ONNX operators to check", "", row.candidate)
    elif others:
        text = f"{row.candidate}: {', '.join(others)} did not run on {provider_name}"
        yield Notice("provider-required", text, "ask for it with -e onnxruntime:providers=…", row.candidate)


def _model_calls(row: ProfileResult) -> Iterable[Notice]:
    if row.engine == "callable" and row.does.get("predict") == "the whole function":
        text = f"no call of a known library's model was seen in {row.candidate}: its phases cannot be told apart"
        hint = "a method that was bound before the call (predict = model.predict) is not seen"
        yield Notice("no-model-call", text, hint, row.candidate)


def _unsteady(row: ProfileResult) -> Iterable[Notice]:
    if row.request and not row.warmup_steady:
        text = f"{row.candidate} was not steady after its warm-up"
        yield Notice("not-steady", text, "run again on a quieter machine", row.candidate)


def _rest(row: ProfileResult) -> Iterable[Notice]:
    if row.typical and row.unaccounted_ns is not None:
        share = abs(row.unaccounted_ns) / max(1, row.typical.request_ns)
        if share > UNACCOUNTED:
            text = f"the phases of {row.candidate} do not sum to its request"
            yield Notice("unaccounted", text, "more --requests average the machine's noise out", row.candidate)


def note_profiler(candidate: str, settings: ProfileSettings, *, was_ended: bool, others: float) -> Iterable[Notice]:
    """That a candidate ended the profiler, so that nothing is known of its functions; or that it worked on other
    threads, whose calls cProfile does not see or, from Python 3.12 on, counts as if they were the answering one's.

    `others` is their part of the CPU time.
    """
    if was_ended:
        text = f"{candidate} sets a profiler of its own (sys.setprofile), which ended {settings.profiler}: no functions"
        yield Notice("profiler-ended", text, "--profiler none leaves them out", candidate)
    elif others > OTHER_THREADS:
        share = f"{others * 100:.0f} %"
        text = f"other threads did {share} of the work of {candidate}: {settings.profiler} does not tell it apart"
        yield Notice("other-threads", text, "their time is in the phases, as far as a request waits for it", candidate)
