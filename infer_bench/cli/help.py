"""`--help` as plain text: options in groups, as wide as the terminal. Typer's own groups need Rich, 110 ms at start."""

import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, cast

from typer.core import TyperCommand, TyperGroup

from infer_bench.cli.options.groups import GENERAL, GROUPS
from infer_bench.cli.terminal import find_width

_MARGIN = 2
_LEAST = 24
_NARROW = 60
"""In fewer columns an option's text goes below its name."""
_LONGEST = 30
"""Columns of an option's name and value beside its text; what is longer has a line of its own."""
_BELOW = 2
_GLUE = "\u00a0"
_BRACKETS = re.compile(r"\[\w+: [^]]*\]")
_TYPE = re.compile(r" <[^>]*>$")
"""What Typer says of an argument's type, which its text says better."""

Record = tuple[str, str]


class Formatter(Protocol):
    """What Typer collects help in."""

    width: int
    buffer: list[str]

    def section(self, name: str) -> AbstractContextManager[None]:
        """A heading, and what is written in it indented."""

    def write_dl(self, rows: Sequence[Record], col_max: int = 30, col_spacing: int = 2) -> None:
        """Two columns of text."""


def find_group(parameter: Any) -> str:
    """The group that an option or argument stands in."""
    return getattr(parameter, "rich_help_panel", None) or GENERAL


def write_groups(parameters: Sequence[Any], context: Any, formatter: Formatter) -> None:
    """Every option and argument in its group, the texts of all groups in one column."""
    groups: dict[str, list[Record]] = {group: [] for group in GROUPS}
    for parameter in parameters:
        if (record := parameter.get_help_record(context)) is not None:
            name, text = record
            groups[find_group(parameter)].append((_TYPE.sub("", name), _BRACKETS.sub(_glue, text)))
    longest = _LONGEST if formatter.width >= _NARROW else _BELOW
    names = [len(name) for records in groups.values() for name, _ in records]
    column = max((width for width in names if width <= longest), default=longest)
    for group, records in groups.items():
        if records:
            with formatter.section(group):
                formatter.write_dl([(name.ljust(column), text) for name, text in records], col_max=column)
    formatter.buffer[:] = [text.replace(_GLUE, " ") for text in formatter.buffer]


def _glue(brackets: re.Match[str]) -> str:
    """`[default: 1]` as one word, which is not broken over two lines."""
    return brackets[0].replace(" ", _GLUE)


def widen(formatter: Formatter) -> None:
    """Make help as wide as the terminal, also through a pager; without one it is 80 columns wide."""
    formatter.width = max(_LEAST, find_width() - _MARGIN)


class Command(TyperCommand):
    """A command whose help shows its options in groups, and whose options a project may keep."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line; what it does not give comes from the project, if that says it."""
        if not ctx.resilient_parsing and not {"--help", "-h"} & set(args):
            from infer_bench.cli.defaults import read_defaults

            ctx.default_map = read_defaults(ctx.info_name, self.params, cast("Any", self.callback), args)
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        widen(formatter)
        super().format_help(ctx, formatter)

    def format_options(self, ctx: Any, formatter: Formatter) -> None:
        """Write the options and arguments."""
        write_groups(self.get_params(ctx), ctx, formatter)


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

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help."""
        widen(formatter)
        super().format_help(ctx, formatter)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the options, then the commands."""
        write_groups(self.get_params(ctx), ctx, formatter)
        self.format_commands(ctx, formatter)
