"""`infer-bench validate`: does it still answer the same, and if not, why."""

from typing import Any

from infer_bench.cli.options import validate as of
from infer_bench.cli.options.shared import (
    AllowPickle,
    Chart,
    Data,
    Fills,
    Html,
    JsonPath,
    Notes,
    Output,
    Shapes,
    Sizes,
    Threads,
    Timeout,
)


def validate(
    models: of.Models,
    data: Data = None,
    engine: of.Engines = None,
    atol: of.Atol = None,
    rtol: of.Rtol = None,
    threshold: of.Threshold = None,
    strict: of.Strict = False,
    shape: Shapes = None,
    dim: Sizes = None,
    fill: Fills = None,
    probes: of.Probes = "on",
    rows: of.Rows = None,
    worst: of.Worst = 10,
    input_dtype: of.InputDtype = None,
    threads: Threads = 1,
    seed: of.Seed = 0,
    timeout: Timeout = 600.0,
    allow_pickle: AllowPickle = False,
    shard: of.Shard = None,
    on: of.On = None,
    parts: of.Parts = None,
    resume: of.Resume = None,
    export_worst: of.ExportWorst = None,
    json: JsonPath = None,
    format: of.Format = "",
    output: Output = None,
    notes: Notes = False,
    html: Html = None,
    chart: Chart = None,
) -> int:
    """Compare what models answer, and say why it differs.

    On your rows and on rows made to find differences. Exits with 4 if they differ.
    """
    from infer_bench.cli.delivery import Delivery
    from infer_bench.cli.illustrations import Illustrations
    from infer_bench.cli.options.reading import pick, read_requests
    from infer_bench.cli.options.rules import check_names, check_requests
    from infer_bench.measure.validate.settings import INPUT_DTYPES, PROBES, ValidateSettings, project_tolerances

    tolerances: dict[str, Any] = {"atol": atol, "rtol": rtol, "threshold": threshold}
    overrides = {name: value for name, value in tolerances.items() if value is not None}
    settings = ValidateSettings(
        **{**project_tolerances(), **overrides}, shard=shard,
        probes=pick(probes, "probes", PROBES), rows=rows, worst=worst,
        input_dtype=pick(input_dtype, "input-dtype", INPUT_DTYPES) if input_dtype else None,
        strict=strict, threads=threads, seed=seed, timeout_s=timeout, allow_pickle=allow_pickle,
        requests=read_requests(shape, dim, fill),
    )  # fmt: skip
    check_requests(data, settings.requests)
    check_names(models, engine)
    to = Delivery(json, format, output, illustrations=Illustrations(html, chart), notes=notes)
    to.check_format("validate")
    from infer_bench.cli.runs.validate import run_validate

    return run_validate(models, data, engine or [], settings, to, worst=export_worst, on=on, parts=parts, resume=resume)
