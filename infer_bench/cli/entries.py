"""The commands by name, and where each one's function is."""

import importlib
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple


class Entry(NamedTuple):
    """What the list of commands says of one: the first line of its own help, and an example below that."""

    summary: str
    example: str = ""


ENTRIES: Mapping[str, Entry] = {
    "bench": Entry(
        "Measure what a model costs to serve.",
        "infer-bench bench model.txt -d rows.parquet -e lightgbm:feed=ndarray -e onnxruntime",
    ),
    "convert": Entry(
        "Convert a model to ONNX, exactly or not at all.",
        "infer-bench convert model.txt -o model.onnx -d rows.parquet",
    ),
    "profile": Entry(
        "Show where a prediction spends its time.",
        "infer-bench profile service:predict --input record.json -o before.prof",
    ),
    "validate": Entry(
        "Compare what models answer, and say why it differs.",
        "infer-bench validate model.txt model.onnx -d rows.parquet --atol 1e-6",
    ),
    "merge": Entry(
        "Merge the reports on parts of the rows.",
        "infer-bench merge part-*.json -o whole.json",
    ),
    "fleet": Entry(
        "Convert, validate and bench many models.",
        "infer-bench fleet fleet.toml --html fleet.html",
    ),
    "serve": Entry(
        "Answer requests over HTTP with a model.",
        "infer-bench serve model.onnx --port 8080",
    ),
    "load": Entry(
        "Load a service at a rate, and say how long its answers take.",
        "infer-bench load http://127.0.0.1:8080/predict -d rows.parquet --rate 1000/s --slo 'p99<20ms'",
    ),
    "quantize": Entry(
        "Shrink an ONNX network to float16 or int8, and judge every form.",
        "infer-bench quantize model.onnx -o small.onnx -d rows.npz --labels y.npy --max-drop accuracy=1%",
    ),
    "show": Entry(
        "Render a saved report, or draw a chart of it. Several benches, or a folder of them, are lined up run by run.",
        "infer-bench show report.json --format markdown",
    ),
    "engines": Entry(
        "List the engines that can run here.",
    ),
    "doctor": Entry(
        "Say what this machine can resolve.",
    ),
}


def load_command(name: str) -> Callable[..., Any]:
    """The function of a command: its parameters are the options, and its docstring the help."""
    command: Callable[..., Any] = getattr(importlib.import_module(f"infer_bench.cli.commands.{name}"), name)
    return command
