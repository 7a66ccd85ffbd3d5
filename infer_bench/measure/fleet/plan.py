"""What a fleet's TOML file asks for, as tasks: a command line for each job and model."""

import glob
import os
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infer_bench.errors import CannotRun, UsageError

COMMANDS = ("bench", "convert", "validate")
TIMED = frozenset({"bench"})
"""Commands whose results hold on one class of machine alone."""
_OWN = frozenset({"name", "command", "models", "candidates"})
_FIELDS = ("model", "name", "stem", "folder")
_TAKEN = frozenset({"json", "format", "shard", "on", "resume", "save-baseline"})
"""Options that a fleet gives itself, or that say nothing of one model."""
_EXAMPLE = '[[jobs]]\ncommand = "validate"\nmodels = "models/*.txt"\ncandidates = "onnx/{stem}.onnx"'


@dataclass(frozen=True, slots=True)
class FleetJob:
    """A command for some models: patterns of their paths, of their candidates, and the options by name."""

    name: str
    command: str
    models: tuple[str, ...]
    candidates: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FleetPlan:
    """The jobs in their order; `folder` is where paths begin, `results` where reports are kept."""

    folder: str
    results: str
    jobs: tuple[FleetJob, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """One job on one model: the command, its arguments, and of these the paths that it reads and that it writes."""

    job: str
    command: str
    model: str
    arguments: tuple[str, ...]
    inputs: tuple[str, ...]
    output: str | None = None


def read_plan(path: str, options_by_command: Mapping[str, frozenset[str]]) -> FleetPlan:
    """The plan in a TOML file; `options_by_command` are the long options of each command.

    Raises `CannotRun` where it cannot be read, and `UsageError` for a key that nothing is known of.
    """
    try:
        document = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CannotRun(f"{path}: no such file", "docs/distributed.md shows one") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise CannotRun(f"{path} cannot be read: {error}") from None
    return parse_plan(document, os.path.dirname(os.path.abspath(path)), Path(path).stem, options_by_command)


def parse_plan(
    document: Mapping[str, Any], folder: str, name: str, options_by_command: Mapping[str, frozenset[str]]
) -> FleetPlan:
    """The plan in a document. Raises `UsageError`."""
    unknown = [key for key in document if key not in ("models", "results", "jobs")]
    if unknown:
        raise UsageError(f"a fleet has no key {unknown[0]!r}", "known: models, results, jobs")
    results = document.get("results", f"{name}-results")
    if not isinstance(results, str) or not results:
        raise UsageError("results is the name of a folder")
    tables = document.get("jobs")
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        raise UsageError("a fleet needs jobs", f"write {_EXAMPLE}")
    models = _texts(document.get("models", ()), "models")
    jobs = tuple(_parse_job(table, models, options_by_command) for table in tables)
    names = [job.name for job in jobs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise UsageError(f"two jobs are called {twice!r}", 'give each a name of its own: name = "…"')
    return FleetPlan(folder, results, jobs)


def _parse_job(
    table: Mapping[str, Any], models: tuple[str, ...], options_by_command: Mapping[str, frozenset[str]]
) -> FleetJob:
    command = table.get("command")
    if command not in COMMANDS:
        raise UsageError(f"a job's command cannot be {command!r}", f"one of: {', '.join(COMMANDS)}")
    name = str(table.get("name", command))
    own = _texts(table.get("models", models), "models")
    if not own:
        raise UsageError(f"the job {name!r} has no models", 'models = "models/*.txt"')
    options = {key.replace("_", "-"): value for key, value in table.items() if key not in _OWN}
    for key, value in options.items():
        if key not in options_by_command.get(command, frozenset()) or key in _TAKEN:
            raise UsageError(f"{command} in the job {name!r} has no option {key!r}", f"infer-bench {command} --help")
        _check_value(key, value)
    return FleetJob(name, command, own, _texts(table.get("candidates", ()), "candidates"), options)


def _check_value(key: str, value: Any) -> None:
    values = value if isinstance(value, list) else [value]
    if not all(isinstance(item, str | int | float | bool) for item in values):
        raise UsageError(f"{key} is text, a number, true, false or a list of these")


def _texts(value: Any, key: str) -> tuple[str, ...]:
    values = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list | tuple) else None
    if values is None or not all(isinstance(item, str) and item for item in values):
        raise UsageError(f"{key} is a path, or a list of paths")
    return values


def list_tasks(job: FleetJob, folder: str) -> list[Task]:
    """A task for each model, sorted by path. Raises `CannotRun` where a pattern matches nothing.

    Raises `UsageError` where two models would write one file, and for a placeholder that there is not.
    """
    tasks = [_make_task(job, model, folder) for model in find_models(job.models, folder)]
    outputs: dict[str, str] = {}
    for task in tasks:
        if task.output is not None and outputs.setdefault(os.path.normpath(task.output), task.model) != task.model:
            other = outputs[os.path.normpath(task.output)]
            raise UsageError(f"{other} and {task.model} would both be written to {task.output}", "use {name} in it")
    return tasks


def find_models(patterns: Sequence[str], folder: str) -> list[str]:
    """The models, each once, as paths from `folder` on; a text without wildcards stands for itself."""
    models: set[str] = set()
    for pattern in patterns:
        matches = glob.glob(pattern, root_dir=folder, recursive=True) if glob.has_magic(pattern) else [pattern]
        if not matches:
            raise CannotRun(f"no model matches {pattern}")
        models.update(matches)
    return sorted(models)


def _make_task(job: FleetJob, model: str, folder: str) -> Task:
    candidates = [_fill(text, model) for text in job.candidates]
    options = {key: _fill_all(value, model) for key, value in job.options.items()}
    output = options.get("output")
    flags = [word for key, value in options.items() for word in _flags(key, value)]
    values = [item for key, value in options.items() if key != "output" for item in _as_list(value)]
    inputs = [path for text in (model, *candidates, *values) for path in _paths(text, folder)]
    return Task(
        job.name, job.command, model, (model, *candidates, *flags), tuple(dict.fromkeys(inputs)),
        str(output) if output is not None else _usual_output(job.command, model),
    )  # fmt: skip


def _usual_output(command: str, model: str) -> str | None:
    return str(Path(model).with_suffix(".onnx")) if command == "convert" else None


def _paths(value: Any, folder: str) -> Iterator[str]:
    """The files that a text names, if any: one, those that a pattern matches, or one before a column's name."""
    if not isinstance(value, str) or "\0" in value:
        return
    for text in (value, value.rpartition(":")[0]):
        if text and os.path.isfile(os.path.join(folder, text)):
            yield text
            return
    if glob.has_magic(value):
        yield from sorted(p for p in glob.glob(value, root_dir=folder, recursive=True) if _is_file(p, folder))


def _is_file(path: str, folder: str) -> bool:
    return os.path.isfile(os.path.join(folder, path))


def _flags(key: str, value: Any) -> list[str]:
    if isinstance(value, bool):
        return [f"--{key}"] if value else []
    return [f"--{key}={item}" for item in _as_list(value)]


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _fill_all(value: Any, model: str) -> Any:
    if isinstance(value, list):
        return [_fill_all(item, model) for item in value]
    return _fill(value, model) if isinstance(value, str) else value


def _fill(text: str, model: str) -> str:
    """With `{stem}` and the other placeholders filled in."""
    path = Path(model)
    for key, value in zip(_FIELDS, (model, path.name, path.stem, str(path.parent)), strict=True):
        text = text.replace(f"{{{key}}}", value)
    return text
