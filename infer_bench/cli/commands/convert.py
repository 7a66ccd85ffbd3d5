"""`infer-bench convert`: an ONNX file that answers the same, or one line that says why there is none."""

from infer_bench.cli.options import convert as of
from infer_bench.cli.options.shared import AllowPickle, Data, Html, JsonPath


def convert(
    model: of.Model = None,
    output: of.OnnxFile = None,
    data: Data = None,
    precision: of.Precision = "exact",
    opset_ml: of.OpsetMl = 5,
    input_name: of.InputName = "input",
    input_dtype: of.InputDtype = "float32",
    trees: of.Trees = "auto",
    zipmap: of.Zipmap = False,
    atol: of.Atol = None,
    rtol: of.Rtol = None,
    time_limit: of.TimeLimit = 300.0,
    allow_pickle: AllowPickle = False,
    routes: of.Routes = False,
    json: JsonPath = None,
    html: Html = None,
    format: of.Format = "table",
) -> int:
    """Convert a model to ONNX, exactly or not at all.

    Nothing is written that was not run and compared with the original.
    """
    from infer_bench.cli.delivery import Delivery
    from infer_bench.cli.illustrations import Illustrations
    from infer_bench.cli.options.reading import pick
    from infer_bench.cli.options.rules import check_names
    from infer_bench.converters.base import INPUT_DTYPES, OPSETS, PRECISIONS, TREES, ConvertOptions
    from infer_bench.errors import UsageError

    if model is None and not routes:
        raise UsageError("convert needs a model", "infer-bench convert MODEL -o OUT.onnx")
    options = ConvertOptions(
        precision=pick(precision, "precision", PRECISIONS),
        input_dtype=pick(input_dtype, "input-dtype", INPUT_DTYPES),
        opset_ml=pick(opset_ml, "opset-ml", OPSETS),
        input_name=input_name,
        zipmap=zipmap,
        trees=pick(trees, "trees", TREES),
        atol=atol,
        rtol=rtol,
    )
    check_names([model] if model and not routes else [], ())
    from infer_bench.cli.runs.convert import list_routes, run_convert

    if model is None or routes:
        return list_routes()
    to = Delivery(json, "json" if json == "-" else format, illustrations=Illustrations(html))
    return run_convert(model, output, data, options, allow_pickle, time_limit, to)
