"""Runs the jobs of a fleet."""

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any, get_args

from infer_bench.cli.delivery import Delivery, tell_verdict
from infer_bench.cli.entries import load_command
from infer_bench.cli.help import Parameter, list_parameters
from infer_bench.cli.progress import ProgressLine
from infer_bench.measure.fleet.options import KindsByCommand, OptionKind, Takes
from infer_bench.measure.fleet.plan import COMMANDS, read_plan
from infer_bench.measure.fleet.run import RunAll, run, run_here
from infer_bench.output import check_outputs


def list_options() -> KindsByCommand:
    """The long options of each command that a fleet runs."""
    return {name: _list_kinds(list_parameters(load_command(name))) for name in COMMANDS}


def _list_kinds(parameters: Iterable[Parameter]) -> dict[str, OptionKind]:
    return {
        word.removeprefix("--"): OptionKind(_takes(parameter.kind), parameter.is_list)
        for parameter in parameters
        for word in parameter.declaration.names
        if word.startswith("--")
    }


def _takes(hint: Any) -> Takes:
    """What an option of this type takes: `float | None` is a number."""
    kinds: dict[type, Takes] = {bool: "nothing", float: "float", int: "integer"}
    return next((takes for kind, takes in kinds.items() if kind in (hint, *get_args(hint))), "text")


def run_fleet(path: str, options: KindsByCommand, to: Delivery, *, again: bool, on: str | None) -> int:
    """Run what has changed, write and render; returns the worst exit code."""
    check_outputs(to.files, [path])
    plan = read_plan(path, options)
    if on is not None:
        from infer_bench.measure.shards.cluster import check_place

        check_place(on)
    with to.open_files("fleet") as save, ProgressLine() as progress:
        with _place(on) as run_all:
            report = run(plan, run_all=run_all, again=again, progress=progress, save=save)
        save(report)
    to.deliver(report)
    if to.rendered_as == "table" and to.on_stdout:
        return report.verdict.exit_code if report.verdict else 0
    return tell_verdict(report)


@contextlib.contextmanager
def _place(on: str | None) -> Iterator[RunAll]:
    """What runs the tasks, here or on a cluster."""
    if on is None:
        yield run_here
        return
    from infer_bench.measure.fleet.distribute import run_on
    from infer_bench.measure.shards.cluster import connect

    with connect(on) as client:
        yield run_on(client)
