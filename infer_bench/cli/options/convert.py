"""The options of `convert`."""

from typing import Annotated

from infer_bench.cli.completion import complete_from
from infer_bench.cli.options.groups import machine, model, output, tolerance, what, write

Model = Annotated[str | None, model(metavar="MODEL", help="A trained model.")]
Routes = Annotated[bool, what("--list", help="Show what is converted how, and what is refused.")]

Precision = Annotated[str, write("--precision", metavar="NAME", help="exact, or float32 throughout.")]
OpsetMl = Annotated[int, write("--opset-ml", metavar="N", help="5, or 3 for ONNX Runtime before 1.21.")]
InputName = Annotated[str, write("--input-name", metavar="NAME", help="The input tensor's name.")]
InputDtype = Annotated[str, write("--input-dtype", metavar="DTYPE", help="float32 or float64.")]
Trees = Annotated[str, write("--trees", metavar="WHICH", help="auto, best (iteration of early stopping) or all.")]
Zipmap = Annotated[bool, write("--zipmap", help="Probabilities as a list of maps.")]

Atol = Annotated[float | None, tolerance("--atol", metavar="X", help="Largest |Δ| from the original.")]
Rtol = Annotated[float | None, tolerance("--rtol", metavar="X", help="More, as a share of the original's answer.")]

TimeLimit = Annotated[float, machine("--time-limit", metavar="SECONDS", help="Seconds that writing the file may take.")]

OnnxFile = Annotated[str | None, output("--output", "-o", metavar="FILE", help="The file. [default: MODEL with .onnx]")]
Format = Annotated[
    str,
    output(
        "--format",
        "-f",
        metavar="NAME",
        help="table, json or html.",
        autocompletion=complete_from("table", "json", "html"),
    ),
]
