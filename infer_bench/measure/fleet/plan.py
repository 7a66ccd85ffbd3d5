"""What a fleet's TOML file asks for, as tasks: a command line for each job and model."""

import glob
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from infer_bench.errors import CannotRun, UsageError
from infer_bench.measure.fleet.inputs import find_files, runs_code
from infer_bench.measure.fleet.options import WRITTEN, KindsByCommand, as_list, read_options, write_flags

COMMANDS = ("bench", "convert", "validate")
TIMED = frozenset({"bench"})
"""Commands whose results hold on one class of machine alone."""
_FIELDS = ("model", "name", "stem", "folder")
_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
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
    """One job on one model: the command, its arguments, and of these the paths that it reads and that it writes.

    `output` is the file of a conversion or a rendered report, one of the `outputs`. A task that `is_repeatable` comes
    to the same again: it runs no function and asks no service, of which no bytes are known here.
    """

    job: str
    command: str
    model: str
    arguments: tuple[str, ...]
    inputs: tuple[str, ...]
    output: str | None = None
    outputs: tuple[str, ...] = ()
    is_repeatable: bool = True


def read_plan(path: str, kinds: KindsByCommand) -> FleetPlan:
    """The plan in a TOML file; `kinds` are the long options of each command.

    Raises `CannotRun` where it cannot be read, and `UsageError` for a key that nothing is known of.
    """
    try:
        document = tomllib.loads(Path(path).read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise CannotRun(f"{path}: no such file", "docs/distributed.md shows one") from None
    except OSError as error:
        raise CannotRun(f"{path} cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise CannotRun(f"{path} cannot be read: {error}") from None
    return parse_plan(document, os.path.dirname(os.path.abspath(path)), Path(path).stem, kinds)


def parse_plan(document: Mapping[str, Any], folder: str, name: str, kinds: KindsByCommand) -> FleetPlan:
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
    jobs = tuple(_parse_job(table, models, kinds) for table in tables)
    names = [job.name for job in jobs]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice:
        raise UsageError(f"two jobs are called {twice!r}", 'give each a name of its own: name = "…"')
    return FleetPlan(folder, results, jobs)


def _parse_job(table: Mapping[str, Any], models: tuple[str, ...], kinds: KindsByCommand) -> FleetJob:
    command = table.get("command")
    if command not in COMMANDS:
        raise UsageError(f"a job's command cannot be {command!r}", f"one of: {', '.join(COMMANDS)}")
    name = table.get("name", command)
    if not isinstance(name, str) or not name:
        raise UsageError(f"a job's name is a text, not {name!r}")
    own = _texts(table.get("models", models), "models")
    if not own:
        raise UsageError(f"the job {name!r} has no models", 'models = "models/*.txt"')
    candidates = _texts(table.get("candidates", ()), "candidates")
    if candidates and command == "convert":
        raise UsageError(f"the job {name!r} converts and has candidates", "they go with validate and bench")
    options = read_options(name, command, table, kinds.get(command, {}))
    for text in (*candidates, *(item for value in options.values() for item in as_list(value))):
        _check_placeholders(text)
    return FleetJob(name, command, own, candidates, options)


def _check_placeholders(text: Any) -> None:
    unknown = [field for field in _PLACEHOLDER.findall(text) if field not in _FIELDS] if isinstance(text, str) else []
    if unknown:
        raise UsageError(
            f"nothing is put in place of {{{unknown[0]}}}", f"known: {', '.join(map('{{{}}}'.format, _FIELDS))}"
        )


def _texts(value: Any, key: str) -> tuple[str, ...]:
    values = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list | tuple) else None
    if values is None or not all(isinstance(item, str) and item and "\0" not in item for item in values):
        raise UsageError(f"{key} is a path, or a list of paths")
    return values


def list_tasks(job: FleetJob, folder: str) -> list[Task]:
    """A task for each model, sorted by path. Raises `CannotRun` where a pattern matches nothing.

    Raises `UsageError` where two models would write one file, and for a placeholder that there is not.
    """
    tasks = [_make_task(job, model, folder) for model in find_models(job.models, folder)]
    writers: dict[str, str] = {}
    for task in tasks:
        for path in map(os.path.normpath, task.outputs):
            other = writers.setdefault(path, task.model)
            if other != task.model:
                raise UsageError(f"{other} and {task.model} would both be written to {path}", "use {name} in it")
    return tasks


def find_models(patterns: Sequence[str], folder: str) -> list[str]:
    """The models, each once, as paths from `folder` on; a text without wildcards stands for itself."""
    models: dict[str, str] = {}
    for pattern in patterns:
        is_pattern = glob.has_magic(pattern) and not os.path.lexists(os.path.join(folder, pattern))
        matches = glob.glob(pattern, root_dir=folder, recursive=True) if is_pattern else [pattern]
        if not matches:
            raise CannotRun(f"no model matches {pattern}")
        for match in matches:
            models.setdefault(os.path.normpath(os.path.join(folder, match)), match)
    return sorted(models.values())


def _make_task(job: FleetJob, model: str, folder: str) -> Task:
    candidates = [_fill(text, model) for text in job.candidates]
    options = {key: _fill_all(value, model) for key, value in job.options.items()}
    output = str(options["output"]) if "output" in options else _usual_output(job.command, model)
    values = [item for key, value in options.items() if key not in WRITTEN for item in as_list(value)]
    texts = [text for text in (model, *candidates, *values) if isinstance(text, str)]
    inputs = dict.fromkeys(path for text in texts for path in find_files(text, folder))
    written = [output, *(str(item) for key in WRITTEN[1:] if key in options for item in as_list(options[key]))]
    return Task(
        job.name, job.command, model, (*write_flags(options), "--", model, *candidates), tuple(inputs), output,
        tuple(path for path in written if path), is_repeatable=not any(runs_code(text, folder) for text in texts),
    )  # fmt: skip


def _usual_output(command: str, model: str) -> str | None:
    return str(Path(model).with_suffix(".onnx")) if command == "convert" else None


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
