"""`infer-bench quantize`: a smaller network that keeps the limits, or one line that says how near each form came."""

from infer_bench.cli.options import quantize as of
from infer_bench.cli.options.shared import Fills, Html, JsonPath, Notes, Shapes, Sizes


def quantize(
    model: of.Model,
    output: of.OnnxFile = None,
    data: of.Data = None,
    judge: of.Judge = None,
    labels: of.Labels = None,
    allow_drawn: of.AllowDrawn = False,
    shape: Shapes = None,
    dim: Sizes = None,
    fill: Fills = None,
    max_drop: of.MaxDrop = None,
    max_flips: of.MaxFlips = None,
    max_delta: of.MaxDelta = None,
    exclude: of.Exclude = None,
    budget: of.Budget = "10m",
    batch: of.Batch = 64,
    seed: of.Seed = 0,
    timeout: of.Timeout = 300.0,
    json: JsonPath = None,
    html: Html = None,
    notes: Notes = False,
    format: of.Format = "table",
) -> int:
    """Shrink an ONNX network to float16 or int8, and judge every form.

    Writes the smallest form that keeps the limits. Exits with 4 if none does, with 3 if the rows are too few to tell.
    """
    from infer_bench.cli.delivery import Delivery
    from infer_bench.cli.illustrations import Illustrations
    from infer_bench.cli.options.reading import read_duration, read_requests
    from infer_bench.cli.runs.quantize import run_quantize
    from infer_bench.measure.quantize.settings import AUTO, QuantizeSettings, read_limits

    names = tuple(exclude or ())
    settings = QuantizeSettings(
        limits=read_limits(max_drop, max_flips, max_delta),
        exclude=tuple(name for name in names if name != AUTO),
        exclude_auto=AUTO in names,
        allow_drawn=allow_drawn,
        budget_s=read_duration(budget) or 600.0,
        batch=batch,
        seed=seed,
        timeout_s=timeout,
        requests=read_requests(shape, dim, fill),
    )
    to = Delivery(json, "json" if json == "-" else format, illustrations=Illustrations(html), notes=notes)
    return run_quantize(model, output, data, labels, judge, settings, to)
