"""The command tree. A command's module imports what it needs when it runs, so that `--help` stays quick."""

from collections.abc import Callable
from typing import Annotated

import typer

from infer_bench.cli.commands.bench import bench
from infer_bench.cli.commands.convert import convert
from infer_bench.cli.commands.doctor import doctor
from infer_bench.cli.commands.engines import engines
from infer_bench.cli.commands.fleet import fleet
from infer_bench.cli.commands.load import load
from infer_bench.cli.commands.merge import merge
from infer_bench.cli.commands.profile import profile
from infer_bench.cli.commands.quantize import quantize
from infer_bench.cli.commands.serve import serve
from infer_bench.cli.commands.show import show
from infer_bench.cli.commands.validate import validate
from infer_bench.cli.help import Command, Commands
from infer_bench.cli.options.groups import GENERAL
from infer_bench.version import __version__

app = typer.Typer(
    name="infer-bench",
    cls=Commands,
    help="Profile, convert, validate and benchmark model inference.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(requested: bool) -> None:
    if requested:
        typer.echo(f"infer-bench {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            "-V",
            help="Show the version.",
            callback=_show_version,
            is_eager=True,
            rich_help_panel=GENERAL,
        ),
    ] = False,
) -> None:
    """Profile, convert, validate and benchmark model inference."""


def add(command: Callable[..., int], example: str = "") -> None:
    """Add a command under its own name, with an example below its help."""
    app.command(cls=Command, epilog=f"Example: {example}" if example else None)(command)


add(bench, "infer-bench bench model.txt -d rows.parquet -e lightgbm:feed=ndarray -e onnxruntime")
add(convert, "infer-bench convert model.txt -o model.onnx -d rows.parquet")
add(profile, "infer-bench profile service:predict --input record.json -o before.prof")
add(validate, "infer-bench validate model.txt model.onnx -d rows.parquet --atol 1e-6")
add(merge, "infer-bench merge part-*.json -o whole.json")
add(fleet, "infer-bench fleet fleet.toml --html fleet.html")
add(serve, "infer-bench serve model.onnx --port 8080")
add(load, "infer-bench load http://127.0.0.1:8080/predict -d rows.parquet --rate 1000/s --slo 'p99<20ms'")
add(quantize, "infer-bench quantize model.onnx -o small.onnx -d rows.npz --labels y.npy --max-drop accuracy=1%")
add(show, "infer-bench show report.json --format markdown")
add(engines)
add(doctor)
