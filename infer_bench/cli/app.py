"""The command tree. A command's module imports what it needs when it runs, so that `--help` stays quick."""

from typing import Annotated

import typer

from infer_bench.cli.commands.bench import bench
from infer_bench.cli.commands.convert import convert
from infer_bench.cli.commands.doctor import doctor
from infer_bench.cli.commands.engines import engines
from infer_bench.cli.commands.profile import profile
from infer_bench.cli.commands.show import show
from infer_bench.cli.commands.validate import validate
from infer_bench.version import __version__

app = typer.Typer(
    name="infer-bench",
    help="Profile, convert, validate and benchmark model inference.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"infer-bench {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", "-V", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """Profile, convert, validate and benchmark model inference."""


app.command(epilog="Example: infer-bench bench model.txt -d rows.parquet -e lightgbm:feed=ndarray -e onnxruntime")(
    bench
)
app.command(epilog="Example: infer-bench convert model.txt -o model.onnx -d rows.parquet")(convert)
app.command(epilog="Example: infer-bench profile service:predict --input record.json -o before.prof")(profile)
app.command(epilog="Example: infer-bench validate model.txt model.onnx -d rows.parquet --atol 1e-6")(validate)
app.command(epilog="Example: infer-bench show report.json --format markdown")(show)
app.command()(engines)
app.command()(doctor)
