"""Runs the jobs of a fleet."""

from collections.abc import Mapping
from typing import Any

from infer_bench.cli.delivery import Delivery, tell_verdict
from infer_bench.cli.progress import ProgressLine
from infer_bench.measure.fleet.plan import COMMANDS, read_plan
from infer_bench.measure.fleet.run import run
from infer_bench.output import check_outputs


def list_options(root: Any) -> dict[str, frozenset[str]]:
    """The long options of each command that a fleet runs, without their dashes; `root` is the command tree."""
    return {name: frozenset(_long(root.commands[name])) for name in COMMANDS}


def _long(command: Any) -> list[str]:
    return [word.removeprefix("--") for param in command.params for word in param.opts if word.startswith("--")]


def run_fleet(path: str, known: Mapping[str, frozenset[str]], to: Delivery, *, again: bool) -> int:
    """Run what has changed, write and render; returns the worst exit code."""
    check_outputs(to.files, [path])
    plan = read_plan(path, known)
    with to.open_files("fleet") as save, ProgressLine() as progress:
        report = run(plan, again=again, progress=progress, save=save)
        save(report)
    to.deliver(report)
    if to.rendered_as == "table" and to.on_stdout:
        return report.verdict.exit_code if report.verdict else 0
    return tell_verdict(report)
