"""Options that several commands share, and how their texts are read."""

import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from infer_bench.errors import UsageError

if TYPE_CHECKING:
    from infer_bench.gates.rules import Choice
    from infer_bench.measure.gate.settings import GateSettings

T = TypeVar("T")

DEFAULT_ALPHA = 0.01

Data = Annotated[str | None, typer.Option("--data", "-d", help="Rows: a parquet, csv, npy or npz file.")]
Candidates = Annotated[
    list[str] | None,
    typer.Option("--engine", "-e", help="A candidate, engine[:key=value,…] or package.module:function. Repeatable."),
]
AllowPickle = Annotated[bool, typer.Option("--allow-pickle", help="Open any pickle. A pickle can run code: trust it.")]
JsonPath = Annotated[
    str | None, typer.Option("--json", help="Also write the report as JSON to this file (- is stdout).")
]
Format = Annotated[
    str,
    typer.Option(
        "--format",
        "-f",
        help="table, json, markdown, csv, junit, openmetrics, pyperf, bencher or github-action-benchmark.",
    ),
]
Output = Annotated[str | None, typer.Option("--output", "-o", help="Write the rendered report to this file.")]


def numbers(text: str, of: Callable[[str], T], what: str) -> tuple[T, ...]:
    """`1,64,1000` as numbers; raises `UsageError` naming the part that is none."""
    parts = [part.strip().replace("_", "") for part in text.split(",")]
    try:
        return tuple(of(part) for part in parts)
    except ValueError:
        raise UsageError(f"{what}: {text!r} is not a list of numbers", f"for example --{what} 1,64") from None


def terminal() -> tuple[int | None, bool]:
    """(width, color) for stdout: in a pipe or a file as wide as needed and plain; `NO_COLOR` is honoured.

    A terminal that does not know its width (of a container, say) gets as much as needed too.
    """
    if sys.stdout is None or not sys.stdout.isatty():
        return None, False
    return os.get_terminal_size(sys.stdout.fileno()).columns or None, not os.environ.get("NO_COLOR")


def one_of(given: object, what: str, choices: tuple[T, ...]) -> T:
    """`given` as one of the choices; raises `UsageError` listing them."""
    for choice in choices:
        if choice == given:
            return choice
    raise UsageError(f"{what} cannot be {given!r}", f"one of: {', '.join(map(str, choices))}")


def choice(inconclusive: str) -> "Choice":
    """What an inconclusive gate exits with, from `3`, `pass` or `fail`."""
    choices: dict[str, Choice] = {"3": "", "pass": "pass", "fail": "fail"}
    return choices[one_of(inconclusive, "inconclusive", tuple(choices))]


def check_gate(
    gate: "GateSettings",
    *,
    rounds: int | None,
    processes: int | None,
    reference: str | None,
    save_baseline: str | None,
) -> None:
    """Raises `UsageError` for options that do not go with a gate."""
    if gate.live and (rounds is not None or processes is not None):
        raise UsageError("a gate takes as many rounds and processes as it needs", "bound it with --budget")
    if gate.paired and reference is not None:
        raise UsageError("--reference does not go with --against", "each candidate is compared with its baseline")
    if save_baseline in ("", "-"):
        raise UsageError("--save-baseline keeps a file", "to see the report as well: --json -")
    if gate.asked and save_baseline is not None:
        raise UsageError("--save-baseline keeps a plain run", "leave out the limits and what to compare with")


def check_self_test(gate: "GateSettings", *, save_baseline: str | None, alpha: float) -> None:
    """Raises `UsageError` for options that a self-test would leave unheard."""
    given = gate.paired or gate.baseline is not None or save_baseline is not None or bool(gate.asked_bounds)
    if given or gate.allowed.max_delta is not None or alpha != DEFAULT_ALPHA:
        raise UsageError("a self-test races a model against itself", "give it --max-regression and --budget only")


def affinity(text: str | None) -> tuple[int, ...]:
    """The CPUs to bind to; raises `UsageError` for one that this process may not use."""
    if not text:
        return ()
    given = numbers(text, int, "affinity")
    if hasattr(os, "sched_getaffinity"):
        usable = sorted(os.sched_getaffinity(0))
        strange = [cpu for cpu in given if cpu not in usable]
        if strange:
            raise UsageError(f"there is no CPU {strange[0]} to bind to", f"usable: {','.join(map(str, usable))}")
    return given


def named(models: list[str] | None) -> list[str]:
    """The models; raises `UsageError` without any."""
    if not models:
        raise UsageError("MODEL is missing", "infer-bench bench MODEL")
    return models


def duration(text: str | None) -> float | None:
    """Seconds, from `10s`, `500ms` or `2m`; None for none given."""
    from infer_bench.gates.limits import seconds

    return None if text is None else seconds(text)


def processes(given: int | None, baseline: str | None) -> int:
    """How many fresh processes a candidate is measured in; more where the run is kept or compared with one that was."""
    from infer_bench.measure.gate.settings import STORED_PROCESSES
    from infer_bench.measure.settings import DEFAULT_PROCESSES

    if given is not None:
        return given
    return DEFAULT_PROCESSES if baseline is None else STORED_PROCESSES
