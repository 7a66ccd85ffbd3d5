"""Options that a project keeps in its `pyproject.toml`, as defaults of the command line."""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_type_hints

from infer_bench.errors import UsageError
from infer_bench.project import COMMANDS, OPTIONS, find_project, project_table, suggest

ONE_RUN = frozenset(
    {"allow-pickle", "against", "against-python", "baseline", "save-baseline", "max-regression", "limit", "max-delta"}
    | {"chart", "chart-kind", "html", "json", "output", "view", "diff", "self-test", "show-inputs", "help"}
    | {"forms", "keep"}
)
"""What is decided for a run and not for a project, or has a key of its own beside the tables. A file that comes with a
checkout may not allow pickles."""
GATES = frozenset({"--against", "--against-python", "--baseline", "--limit", "--max-delta", "--self-test"})
PLAIN = frozenset({"rounds", "processes", "reference", "labels", "slo", "price", "memory"})
"""What only a run without a gate takes: left out where there is one."""
OF_SELF_TEST = frozenset({"trials", "hogs", "jobs"})
"""What only a self-test takes."""
YIELDS = {
    "rounds": {"budget", "quick"},
    "budget": {"rounds", "quick"},
    "quick": {"rounds", "budget", "processes"},
    "processes": {"quick"},
    "dim": {"data"},
    "fill": {"data"},
    "show-inputs": {"data"},
}
"""What an option of the command line, or of the command's own table, leaves out of what stands behind it."""
_NAMES = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}


def read_defaults(
    command: str, parameters: Iterable[Any], function: Callable[..., Any], arguments: Sequence[str]
) -> dict[str, Any]:
    """The project's values by the parameter's name, for what the command line does not give.

    Those of `[tool.infer-bench.COMMAND]` come before those of `[tool.infer-bench]`. Raises `UsageError`, one line, for
    an option that the command lacks and for a value of another type.
    """
    file = find_project() if command in COMMANDS else None
    if file is None:
        return {}
    table = project_table()
    own = table.get(command, {})
    if not isinstance(own, dict):
        raise UsageError(f"{file}: tool.infer-bench.{command} is no table", f"write [tool.infer-bench.{command}]")
    options = {name: p for p in parameters for name in _names(p) if name not in ONE_RUN}
    for key in own:
        if key.replace("_", "-") not in options:
            message = f"{file}: [tool.infer-bench.{command}] has no key {key!r}"
            raise UsageError(message, suggest(key, sorted(options)))
    tests_gate = command != "bench" or "--self-test" in arguments
    gates = command == "bench" and ("limits" in table or any(a.partition("=")[0] in GATES for a in arguments))
    values = _merge(table, own, {name for name, p in options.items() if _is_given(p, arguments)})
    types = get_type_hints(function)
    return {
        options[key].name: _convert(value, options[key], types, f"{file}: {key}", file.parent)
        for key, value in values.items()
        if key in options
        and (key in OPTIONS or key in own)
        and (tests_gate or key not in OF_SELF_TEST)
        and not (gates and (key in PLAIN or _is_sweep(key, value)))
    }


def _merge(table: Mapping[str, Any], own: Mapping[str, Any], on_command_line: Iterable[str]) -> dict[str, Any]:
    """The values by name: those of `table`, `own` over them, less what does not go with what was asked for first."""
    common, of_command = ({key.replace("_", "-"): value for key, value in part.items()} for part in (table, own))
    without = {name for one in on_command_line for name in YIELDS.get(one, ())}
    before = {name for one in of_command for name in YIELDS.get(one, ())}
    values = {name: value for name, value in common.items() if name not in before} | of_command
    return {name: value for name, value in values.items() if name not in without}


def _is_sweep(key: str, value: object) -> bool:
    """Whether it is several numbers of threads, of which a gate takes one."""
    return key == "threads" and (("," in value) if isinstance(value, str) else isinstance(value, list))


def _is_given(parameter: Any, arguments: Sequence[str]) -> bool:
    """Whether the command line has the option, as `--rounds 5`, `--rounds=5` or `-b5`."""
    long = {argument.partition("=")[0] for argument in arguments if argument.startswith("--")}
    short = {argument[:2] for argument in arguments if argument.startswith("-")}
    return any(name in (long if name.startswith("--") else short) for name in parameter.opts)


@contextlib.contextmanager
def name_source(parameters: Sequence[str]) -> Iterator[None]:
    """Within it, the hint of a `UsageError` says which options the project gives: the user may not have written it."""
    try:
        yield
    except UsageError as error:
        if parameters:
            names = ", ".join(name.replace("_", "-") for name in parameters)
            error.hint = "; ".join(filter(None, (error.hint, f"{find_project()} gives {names}")))
        raise


def _names(parameter: Any) -> list[str]:
    """An option's long names, without the dashes; none of an argument."""
    return [name.removeprefix("--") for name in parameter.opts if name.startswith("--")]


def _convert(value: Any, parameter: Any, types: Mapping[str, Any], place: str, folder: Path) -> Any:
    """The value as the command line has it: a list as `1,64` where the option takes one, a file from the project on."""
    kind = _kind(types[parameter.name])
    if parameter.multiple:
        return [_check(one, kind, place) for one in (value if isinstance(value, list) else [value])]
    if isinstance(value, list) and "…" in (parameter.metavar or ""):
        return ",".join(str(_check(one, str, place)) for one in value)
    default = _check(value, kind, place)
    return str(folder / default) if parameter.metavar == "FILE" else default


def _kind(annotation: Any) -> type:
    """The type of one value: `float` of `float | None`, `str` of `list[str] | None`."""
    if isinstance(annotation, UnionType):
        (annotation,) = (part for part in get_args(annotation) if part is not type(None))
    inner = get_args(annotation)
    kind: type = inner[0] if inner else annotation
    return kind


def _check(value: Any, kind: type, place: str) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = {
        bool: isinstance(value, bool),
        int: isinstance(value, int) and not isinstance(value, bool),
        float: is_number,
        str: isinstance(value, str) or is_number,
    }
    if not fits[kind]:
        raise UsageError(f"{place} is no {_NAMES[kind].removeprefix('a ')}: {value!r}", f"write {_NAMES[kind]}")
    return kind(value)
