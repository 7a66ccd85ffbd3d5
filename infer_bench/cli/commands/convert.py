"""`infer-bench convert`: an ONNX file that answers the same, or one line that says why there is none."""

from typing import Annotated

import typer

from infer_bench.cli import options
from infer_bench.cli.options import AllowPickle, Data, JsonPath


def convert(
    model: Annotated[str | None, typer.Argument(metavar="MODEL", help="A trained model.")] = None,
    output: Annotated[str | None, typer.Option("--output", "-o", help="The file. [default: MODEL with .onnx]")] = None,
    data: Data = None,
    precision: Annotated[str, typer.Option("--precision", help="exact, or float32 throughout.")] = "exact",
    opset_ml: Annotated[int, typer.Option("--opset-ml", help="5, or 3 for ONNX Runtime before 1.21.")] = 5,
    input_name: Annotated[str, typer.Option("--input-name", help="The input tensor's name.")] = "input",
    input_dtype: Annotated[str, typer.Option("--input-dtype", help="float32 or float64.")] = "float32",
    trees: Annotated[str, typer.Option("--trees", help="auto, best (iteration of early stopping) or all.")] = "auto",
    zipmap: Annotated[bool, typer.Option("--zipmap", help="Probabilities as a list of maps.")] = False,
    time_limit: Annotated[float, typer.Option("--time-limit", help="Seconds that writing the file may take.")] = 300.0,
    allow_pickle: AllowPickle = False,
    routes: Annotated[bool, typer.Option("--list", help="Show what is converted how, and what is refused.")] = False,
    json: JsonPath = None,
    format: Annotated[str, typer.Option("--format", "-f", help="table or json.")] = "table",
) -> int:
    """Convert a model to ONNX, exactly or not at all.

    Nothing is written that was not run and compared with the original.
    """
    from infer_bench.cli.runs.convert import listed, written
    from infer_bench.converters.base import INPUT_DTYPES, OPSETS, PRECISIONS, TREES, ConvertOptions
    from infer_bench.errors import UsageError

    if routes:
        return listed()
    if model is None:
        raise UsageError("convert needs a model", "infer-bench convert MODEL -o OUT.onnx")
    convert_options = ConvertOptions(
        precision=options.one_of(precision, "precision", PRECISIONS),
        input_dtype=options.one_of(input_dtype, "input-dtype", INPUT_DTYPES),
        opset_ml=options.one_of(opset_ml, "opset-ml", OPSETS),
        input_name=input_name,
        zipmap=zipmap,
        trees=options.one_of(trees, "trees", TREES),
    )
    return written(model, output, data, convert_options, allow_pickle, time_limit, json=json, format=format)
