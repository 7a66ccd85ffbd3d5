"""A benchmark of candidates, from the models' names to the report."""

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from infer_bench.machine.environment import count_usable_cpus
from infer_bench.measure.candidates.candidates import (
    check_reference,
    default_candidates,
    group_by_model,
    order_by_start,
    plan_candidates,
    refuse_form,
)
from infer_bench.measure.candidates.early_openings import EarlyOpenings
from infer_bench.measure.candidates.every_engine import expand_all
from infer_bench.measure.candidates.models import identify_model
from infer_bench.measure.candidates.required_provider import require_provider
from infer_bench.measure.schedule.starts import can_start_twice
from infer_bench.measure.settings import Settings
from infer_bench.model import ModelRef
from infer_bench.progress import Progress, Silent

if TYPE_CHECKING:
    from infer_bench.report.bench import BenchReport
    from infer_bench.report.common import Notice

Save = Callable[["BenchReport"], None]

EARLY_BYTES = 256 << 20
"""Models of larger files are not opened beside a conversion, which holds them too."""


def run(
    models: Sequence[str],
    *,
    data: str | None,
    candidates: Sequence[str],
    settings: Settings,
    progress: Progress | None = None,
    save: Save | None = None,
    ready: Save | None = None,
    notices: "Sequence[Notice]" = (),
    begin_ns: int | None = None,
    meanwhile: Callable[[], None] | None = None,
    keeps_rounds: bool = True,
) -> "BenchReport":
    """Measure what each candidate costs to answer a request, as `bench` does; several models are one comparison.

    `save` is called with what is known at the end, and with `keeps_rounds` after the first round and now and again;
    `ready` before the measuring, with a report that has none: what it raises ends the run. The report carries
    `notices`. A budget counts from `begin_ns`.
    `meanwhile` is called once while models are opened, before anything is measured; what it raises ends the run, too.
    """
    progress, begin_ns = progress or Silent(), begin_ns or time.perf_counter_ns()
    progress.update(0, "reading the model")
    refs = [identify_model(name, allow_pickle=settings.allow_pickle) for name in dict.fromkeys(models)]
    texts, optional, missing = expand_all(refs, candidates)
    texts = _list_candidates(refs, texts, settings)
    with _open_early(refs, texts, settings) as openings:
        # Half of all that the coordinator imports: as long as it takes to open a model.
        from infer_bench.measure.bench.measuring import Comparison, measure

        if meanwhile is not None:
            meanwhile()
        notes = (*notices, *missing)
        plan = Comparison(refs, data, texts, optional, settings, progress, save, ready, notes, begin_ns, keeps_rounds)
        return measure(plan, openings)


def _open_early(models: Sequence[ModelRef], texts: Sequence[str], settings: Settings) -> EarlyOpenings:
    """Start to open models that need no conversion, as many as there are CPUs.

    With a budget, which is planned by what it takes to open one model after the other, only where there is one model.
    """
    openings = EarlyOpenings(settings, keeps=settings.budget_s is not None)
    if settings.budget_s is not None and len(models) > 1:
        return openings
    plans = plan_candidates(models, texts, settings.threads, settings.thread_sweep)
    candidates = [plan.build(refuse_form) for plan in plans if plan.model.format in plan.engine.formats]
    groups = group_by_model([candidate for candidate in candidates if can_start_twice(candidate)])
    for group in list(groups.values())[: count_usable_cpus(settings.affinity)]:
        if group[0].model.bytes <= EARLY_BYTES:
            openings.start(order_by_start(group)[0])
    return openings


def _list_candidates(models: Sequence[ModelRef], texts: list[str], settings: Settings) -> list[str]:
    """What the user wrote; where a provider is required, with the default candidates and with what binds them to it.

    Raises `UsageError` where one makes no sense, or the reference is none of them.
    """
    if settings.require_provider is not None:
        usual = dict.fromkeys(text for model in models for text in default_candidates(model))
        texts = require_provider(texts or list(usual), settings.require_provider)
    plans = plan_candidates(models, texts, settings.threads, settings.thread_sweep)
    check_reference(settings.reference, [plan.label for plan in plans])
    return texts
