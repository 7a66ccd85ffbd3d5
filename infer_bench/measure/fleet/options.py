"""The options of a job: which there are, and whether the values of a TOML file fit them. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from infer_bench.errors import UsageError

Takes = Literal["nothing", "text", "integer", "float"]
WRITTEN = ("output", "html", "chart", "export-worst", "keep")
"""Options that name what is written."""
_OWN = frozenset({"name", "command", "models", "candidates"})
_REFUSED = frozenset({"json", "format", "shard", "on", "resume", "parts", "save-baseline"})
"""Options that a fleet gives itself, or that say nothing of one model."""


@dataclass(frozen=True, slots=True)
class OptionKind:
    """What an option takes, and whether it may be given several times."""

    takes: Takes = "text"
    repeats: bool = False


KindsByCommand = Mapping[str, Mapping[str, OptionKind]]
"""Command → its long options without their dashes."""


def read_options(job: str, command: str, table: Mapping[str, Any], kinds: Mapping[str, OptionKind]) -> dict[str, Any]:
    """The options in a job's table, by the names that the command has for them.

    Raises `UsageError` for what the command does not have, and for a value that it cannot take.
    """
    options: dict[str, Any] = {}
    for key, value in table.items():
        name = key.replace("_", "-")
        if key in _OWN:
            continue
        if name not in kinds or name in _REFUSED:
            raise UsageError(f"{command} in the job {job!r} has no option {name!r}", f"infer-bench {command} --help")
        if name in options:
            raise UsageError(f"the job {job!r} has {name!r} twice", "with - and with _ it is one option")
        _check(job, name, value, kinds[name])
        options[name] = value
    return options


def _check(job: str, name: str, value: Any, kind: OptionKind) -> None:
    if isinstance(value, list) and not kind.repeats:
        raise UsageError(f"{name} in the job {job!r} is given once, not as a list", f"write {name} = …")
    types = {"nothing": (bool,), "text": (str, int, float), "integer": (int,), "float": (int, float)}[kind.takes]
    names = {"nothing": "true or false", "text": "text or a number", "integer": "a whole number", "float": "a number"}
    for item in value if isinstance(value, list) else [value]:
        is_right = isinstance(item, types) and (isinstance(item, bool) == (kind.takes == "nothing"))
        if not is_right or (isinstance(item, str) and "\0" in item):
            raise UsageError(f"{name} in the job {job!r} is {names[kind.takes]}, not {item!r}")


def write_flags(options: Mapping[str, Any]) -> Iterator[str]:
    """As words of a command line."""
    for name, value in options.items():
        if isinstance(value, bool):
            yield from [f"--{name}"] if value else []
        else:
            yield from (f"--{name}={item}" for item in as_list(value))


def as_list(value: Any) -> list[Any]:
    """The values of an option that may have several."""
    return value if isinstance(value, list) else [value]
