"""`infer-bench profile`: where the time of a request goes."""

from infer_bench.cli.options import profile as of
from infer_bench.cli.options.shared import (
    AllowPickle,
    Budget,
    Candidates,
    Chart,
    Data,
    Fills,
    Html,
    JsonPath,
    Shapes,
    Sizes,
    Timeout,
)


def profile(
    target: of.Target,
    profiler: of.Profiler = "",
    engine: Candidates = None,
    data: Data = None,
    input: of.Input = None,
    shape: Shapes = None,
    dim: Sizes = None,
    fill: Fills = None,
    batch: of.Batch = 1,
    threads: of.Threads = 1,
    requests: of.Requests = None,
    budget: Budget = None,
    sort: of.Sort = "cumulative",
    top: of.Top = 20,
    split: of.Split = False,
    memory: of.Memory = False,
    diff: of.Diff = None,
    provider: of.Provider = None,
    output: of.File = None,
    format: of.Format = "",
    json: JsonPath = None,
    html: Html = None,
    chart: Chart = None,
    view: of.View = False,
    allow_pickle: AllowPickle = False,
    timeout: Timeout = 120.0,
    interval: of.Interval = 0.001,
    seed: of.Seed = 0,
) -> int:
    """Show where a prediction spends its time.

    By phase, library step, function and operator, and in memory.
    """
    from infer_bench.cli.illustrations import Illustrations
    from infer_bench.cli.options.reading import pick, read_duration, read_requests
    from infer_bench.cli.options.rules import check_names, check_requests
    from infer_bench.cli.profile_delivery import ProfileDelivery
    from infer_bench.measure.profile.settings import PROFILERS, SORTS, ProfileSettings, RequestSource

    to = ProfileDelivery(output, format, json, view, Illustrations(html, chart))
    source = RequestSource(data, input)
    settings = ProfileSettings(
        profiler=pick(to.choose_profiler(profiler), "profiler", PROFILERS), sort=pick(sort, "sort", SORTS), top=top,
        batch=batch, threads=threads, requests=requests, budget_s=read_duration(budget), split=split, memory=memory,
        require_provider=provider, form=to.form, interval_s=interval, allow_pickle=allow_pickle, seed=seed,
        timeout_s=timeout, choices=read_requests(shape, dim, fill))  # fmt: skip
    check_requests(data or input, settings.choices)
    check_names([target], engine)
    from infer_bench.cli.runs.profile import run_profile

    return run_profile(target, source, engine or [], diff, settings, to)
