"""The command tree as Typer reads a command line by it, built from the options that each command's function declares.

Building a command's options takes as long as starting Python, so only the command that is asked for is built. A
command's module imports what it needs when it runs.
"""

import inspect
from collections.abc import Callable, Iterable, Sequence
from functools import partial, wraps
from typing import Annotated, Any, cast

import typer
from typer.core import TyperCommand, TyperGroup

from infer_bench.cli.entries import ENTRIES, load_command
from infer_bench.cli.help import render_command, render_tree
from infer_bench.cli.options.groups import Declaration, find_declaration
from infer_bench.version import __version__


class Command(TyperCommand):
    """A command whose help is ours, and whose options a project may keep."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line; what it does not give comes from the project, if that says it."""
        if not ctx.resilient_parsing and not {"--help", "-h"} & set(args):
            from infer_bench.cli.defaults import read_defaults

            ctx.default_map = read_defaults(ctx.info_name, self.params, cast("Any", self.callback), args)
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        from infer_bench.cli.defaults import name_source

        of_project = [name for name in ctx.default_map or {} if ctx.get_parameter_source(name).name == "DEFAULT_MAP"]
        with name_source(of_project):
            return super().invoke(ctx)

    def get_help(self, ctx: Any) -> str:
        """The help of this command."""
        return render_command(ctx.info_name).rstrip("\n")


class Commands(TyperGroup):
    """The command tree, whose help shows its own options and then the commands."""

    _without_options = False

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Pass over the tree's own options where none is given: to find that, Typer would import pydantic."""
        self._without_options = bool(args) and not args[0].startswith("-")
        return super().parse_args(ctx, args)

    def get_params(self, ctx: Any) -> list[Any]:
        """The tree's own options."""
        return [] if self._without_options else super().get_params(ctx)

    def get_help(self, ctx: Any) -> str:
        """The help of the tree."""
        return render_tree().rstrip("\n")


def _show_version(requested: bool) -> None:
    if requested:
        typer.echo(f"infer-bench {__version__}")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", "-V", help="Show the version.", callback=_show_version, is_eager=True)
]


def root(version: Version = False) -> None:
    """Profile, convert, validate and benchmark model inference."""


def build_app(names: Iterable[str] = tuple(ENTRIES)) -> typer.Typer:
    """The tree of these commands."""
    app = typer.Typer(
        name="infer-bench",
        cls=Commands,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(root)
    for name in names:
        app.command(name, cls=Command)(_as_typer_reads_it(name, load_command(name)))
    return app


def build_for(arguments: Sequence[str]) -> typer.Typer:
    """The tree as far as this command line needs it."""
    return build_app(arguments[:1]) if arguments and arguments[0] in ENTRIES else build_app()


def _as_typer_reads_it(name: str, command: Callable[..., Any]) -> Callable[..., Any]:
    """The same function, each of whose parameters has Typer's own form of what it declares."""
    signature = inspect.signature(command)
    parameters = [
        parameter.replace(annotation=_translate(name, parameter.annotation))
        for parameter in signature.parameters.values()
    ]

    @wraps(command)
    def run(*arguments: Any, **options: Any) -> Any:
        return command(*arguments, **options)

    typed: Any = run
    typed.__signature__ = signature.replace(parameters=parameters)
    typed.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _translate(name: str, annotation: Any) -> Any:
    kind, declaration = find_declaration(annotation)
    make: Any = partial(typer.Option, *declaration.names) if declaration.names else typer.Argument
    completion = _find_completion(name, declaration)
    info = make(metavar=declaration.metavar or None, help=declaration.help, autocompletion=completion)
    return Annotated[kind, info]


def _find_completion(name: str, declaration: Declaration) -> Callable[[str], list[str]] | None:
    of_command = declaration.autocompletion_of
    return declaration.autocompletion if of_command is None else of_command(name)
