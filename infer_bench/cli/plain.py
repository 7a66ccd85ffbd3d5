"""A plain command line, read without Typer: that and pydantic, which it needs for values, start in ten Pythons' time.

Plain is what needs no judgement: known names written out, a value behind each that takes one, numbers in digits, no
argument too few or too many. Any other command line is for Typer, which says what is wrong with it.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from infer_bench.cli.entries import ENTRIES, load_command
from infer_bench.cli.help import Parameter, list_parameters

COMPLETION = "_INFER_BENCH_COMPLETE"
"""The variable by which a shell asks Typer for completions."""
_WHOLE = re.compile(r"[0-9]{1,18}")
_DECIMAL = re.compile(r"[0-9]+(\.[0-9]+)?(e-?[0-9]{1,2})?")


class _Option(NamedTuple):
    """An option as a project's defaults are read for it."""

    name: str
    opts: tuple[str, ...]
    multiple: bool
    metavar: str


def find_plain_command(arguments: Sequence[str]) -> Callable[..., object] | None:
    """What runs a plain command line; None for one that Typer has to read."""
    if not arguments or arguments[0] not in ENTRIES or COMPLETION in os.environ:
        return None
    name, *words = arguments
    command = load_command(name)
    parameters = list_parameters(command)
    values = read_values(words, parameters)
    if values is None:
        return None

    def run(**_: object) -> object:
        defaults = _read_defaults(name, command, parameters, words) if parameters else {}
        if not defaults:
            return command(**values)
        from infer_bench.cli.defaults import name_source

        with name_source([name for name in defaults if name not in values]):
            return command(**{**defaults, **values})

    return run


def read_values(words: Sequence[str], parameters: Sequence[Parameter]) -> dict[str, Any] | None:
    """The values of a command line by their parameters' names; None where it is not plain."""
    options = {name: parameter for parameter in parameters for name in parameter.declaration.names}
    values: dict[str, Any] = {}
    others: list[str] = []
    try:
        for option, text in _split(words, options):
            if option is None:
                others.append(text)
            elif option.is_list:
                values.setdefault(option.name, []).append(text)
            else:
                values[option.name] = _convert(text, option.kind)
        return values | _assign(others, [p for p in parameters if not p.declaration.names])
    except ValueError:
        return None


def _split(words: Sequence[str], options: Mapping[str, Parameter]) -> Iterator[tuple[Parameter | None, str]]:
    """The text of each option, and of what is none. Raises `ValueError` for what is not plain."""
    rest = iter(words)
    for word in rest:
        word.encode()
        name, equals, text = word.partition("=")
        if not word.startswith("-") or word == "-":
            yield None, word
        elif name not in options or (equals and not name.startswith("--")):
            raise ValueError(word)
        elif options[name].kind is bool:
            if equals:
                raise ValueError(word)
            yield options[name], ""
        else:
            yield options[name], text if equals else _take_value(rest)


def _take_value(rest: Iterator[str]) -> str:
    value = next(rest, "-?")
    value.encode()
    if value.startswith("-") and value != "-":
        raise ValueError(value)
    return value


def _convert(text: str, kind: Any) -> Any:
    if kind is bool:
        return True
    if kind in (str, str | None):
        return text
    if kind in (int, int | None) and _WHOLE.fullmatch(text):
        return int(text)
    if kind in (float, float | None) and _DECIMAL.fullmatch(text):
        return float(text)
    raise ValueError(text)


def _assign(texts: Sequence[str], parameters: Sequence[Parameter]) -> dict[str, Any]:
    """The arguments by their parameters' names; a list takes all that is left."""
    values: dict[str, Any] = {}
    rest = list(texts)
    for parameter in parameters:
        if parameter.is_list and rest:
            values[parameter.name], rest = rest, []
        elif rest:
            values[parameter.name] = _convert(rest.pop(0), parameter.kind)
        elif parameter.is_required:
            raise ValueError(parameter.name)
    if rest:
        raise ValueError(rest[0])
    return values


def _read_defaults(
    name: str, command: Callable[..., Any], parameters: Sequence[Parameter], words: Sequence[str]
) -> dict[str, Any]:
    from infer_bench.cli.defaults import read_defaults

    options = [_Option(p.name, p.declaration.names, p.is_list, p.declaration.metavar) for p in parameters]
    return read_defaults(name, options, command, words)
