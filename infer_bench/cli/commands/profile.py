"""`infer-bench profile`: where the time of a request goes."""

from typing import Annotated

import typer

from infer_bench.cli import options
from infer_bench.cli.options import AllowPickle, Candidates, Data, JsonPath


def profile(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="A model, package.module:function, or a .prof file.")],
    profiler: Annotated[str, typer.Option("--profiler", help="cprofile, pyinstrument or none.")] = "",
    engine: Candidates = None,
    data: Data = None,
    input: Annotated[str | None, typer.Option("--input", help="A JSON file with a record or a list of them.")] = None,
    batch: Annotated[int, typer.Option("--batch", "-b", help="Rows a request.")] = 1,
    threads: Annotated[int, typer.Option("--threads", "-t", help="Threads of the engine.")] = 1,
    requests: Annotated[int | None, typer.Option("--requests", help="Requests of each run. [default: 2000]")] = None,
    budget: Annotated[str | None, typer.Option("--budget", help="Time to measure for, as in 10s.")] = None,
    sort: Annotated[str, typer.Option("--sort", help="Functions by cumulative or own time.")] = "cumulative",
    top: Annotated[int, typer.Option("--top", help="How many functions to show.")] = 20,
    split: Annotated[bool, typer.Option("--split", help="Time each library step inside a phase.")] = False,
    memory: Annotated[
        bool, typer.Option("--memory", help="Also what is resident and what a request allocates.")
    ] = False,
    diff: Annotated[str | None, typer.Option("--diff", help="Compare with this .prof file or candidate.")] = None,
    provider: Annotated[
        str | None, typer.Option("--require-provider", help="Fail unless it ran every node, as in cuda.")
    ] = None,
    output: Annotated[str | None, typer.Option("--output", "-o", help="Write a file, as in before.prof.")] = None,
    format: Annotated[
        str, typer.Option("--format", "-f", help="pstats, speedscope, html, json, markdown or table.")
    ] = "",
    json: JsonPath = None,
    view: Annotated[bool, typer.Option("--view", help="Open the profile in snakeviz.")] = False,
    allow_pickle: AllowPickle = False,
    timeout: Annotated[float, typer.Option("--timeout", help="Seconds that a worker may take to answer.")] = 120.0,
    interval: Annotated[float, typer.Option("--interval", help="Seconds between pyinstrument's samples.")] = 0.001,
    seed: Annotated[int, typer.Option("--seed", help="Rows drawn from the model.")] = 0,
) -> int:
    """Show where a prediction spends its time.

    By phase, library step, function and operator, and in memory.
    """
    from infer_bench.cli.runs.profile import Wish, profiled
    from infer_bench.measure.profile.run import Source
    from infer_bench.measure.profile.settings import PROFILERS, SORTS, ProfileSettings

    wish = Wish(output, format, json, view)
    chosen = wish.profiler(profiler)
    settings = ProfileSettings(
        profiler=options.one_of(chosen, "profiler", PROFILERS),
        sort=options.one_of(sort, "sort", SORTS),
        batch=batch, threads=threads, requests=requests, budget_s=options.duration(budget), top=top, split=split,
        memory=memory, require_provider=provider, form=wish.form, interval_s=interval, allow_pickle=allow_pickle,
        seed=seed, timeout_s=timeout,
    )  # fmt: skip
    return profiled(target, Source(data, input), engine or [], diff, settings, wish)
