"""The options of `quantize`."""

from typing import Annotated

from infer_bench.cli.completion import complete_format
from infer_bench.cli.options.groups import how, machine, model, output, tolerance, what, write

Model = Annotated[str, model(metavar="MODEL", help="An ONNX network.")]
Data = Annotated[
    str | None,
    what(
        "--data",
        "-d",
        metavar="FILE",
        help="Rows: an npz with an array an input, or a table. Some calibrate, others judge.",
    ),
]
Judge = Annotated[str | None, what("--judge", metavar="FILE", help="Judge on these rows; all of --data calibrate.")]
Labels = Annotated[str | None, what("--labels", metavar="FILE", help="The true classes of the rows that judge.")]
AllowDrawn = Annotated[bool, what("--allow-drawn", help="Calibrate and judge on rows drawn at random.")]

MaxDrop = Annotated[str | None, tolerance("--max-drop", metavar="LIMIT", help="Loss of accuracy, as in accuracy=0.5%.")]
MaxFlips = Annotated[
    str | None, tolerance("--max-flips", metavar="SHARE", help="Rows that get another class. [default: 1%]")
]
MaxDelta = Annotated[float | None, tolerance("--max-delta", metavar="X", help="Largest |Δ| of any output.")]
Exclude = Annotated[
    list[str] | None,
    write(
        "--exclude",
        metavar="LAYER",
        help="Leave a layer in float32. auto: the fewest that keep the limits. Repeatable.",
    ),
]
Budget = Annotated[str, how("--budget", metavar="TIME", help="Time after which no more forms and layers are tried.")]
Batch = Annotated[int, how("--batch", "-b", metavar="N", help="The batch that is timed beside single rows.")]
Seed = Annotated[int, how("--seed", metavar="N", help="Of the split into calibrating and judging rows.")]
Timeout = Annotated[float, machine("--timeout", metavar="SECONDS", help="Seconds that one step may take.")]
OnnxFile = Annotated[
    str | None, output("--output", "-o", metavar="FILE", help="The file. [default: MODEL with .small.onnx]")
]
Format = Annotated[
    str,
    output("--format", "-f", metavar="NAME", help="table, json, markdown or html.", autocompletion_of=complete_format),
]
