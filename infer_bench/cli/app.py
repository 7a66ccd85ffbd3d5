"""The command tree. A command's module imports what it needs when it runs, so that `--help` stays quick.

Building a command's options takes as long as starting Python, so only the command that is asked for is built.
"""

import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from infer_bench.cli.help import Command, Commands
from infer_bench.cli.options.groups import GENERAL
from infer_bench.version import __version__


@dataclass(frozen=True, slots=True)
class Entry:
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


def _show_version(requested: bool) -> None:
    if requested:
        typer.echo(f"infer-bench {__version__}")
        raise typer.Exit


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


def build_app(names: Iterable[str] = tuple(ENTRIES), *, listed: bool = False) -> typer.Typer:
    """The tree of these commands, which are known by their names alone where they are only `listed`."""
    app = typer.Typer(
        name="infer-bench",
        cls=Commands,
        help="Profile, convert, validate and benchmark model inference.",
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(root)
    for name in names:
        example = ENTRIES[name].example
        command = _listed_command(name) if listed else _command(name)
        app.command(name, cls=Command, epilog=f"Example: {example}" if example else None)(command)
    return app


def build_for(arguments: Sequence[str]) -> typer.Typer:
    """The tree as far as this command line needs it."""
    if arguments and arguments[0] in ENTRIES:
        return build_app(arguments[:1])
    return build_app(listed=list(arguments) in (["--help"], ["-h"]))


def _command(name: str) -> Callable[..., Any]:
    command: Callable[..., Any] = getattr(importlib.import_module(f"infer_bench.cli.commands.{name}"), name)
    return command


def _listed_command(name: str) -> Callable[..., Any]:
    def command() -> None:
        raise NotImplementedError(name)

    command.__doc__ = ENTRIES[name].summary
    return command
