"""Reporters by name: those of infer-bench and of any package that adds an `infer_bench.reporters` entry point."""

from typing import Any, cast

from infer_bench import plugins
from infer_bench.errors import UsageError
from infer_bench.report.common import Report
from infer_bench.reporters.base import Reporter

GROUP = "infer_bench.reporters"

__all__ = ["GROUP", "names", "render"]


def names() -> tuple[str, ...]:
    """The formats that can be asked for."""
    return plugins.names(GROUP)


def render(
    report: Report[Any], format: str = "table", *, width: int | None = None, color: bool = False, phases: bool = False
) -> str:
    """The report as text, ending in a newline.

    Raises:
        UsageError: there is no such format, or it cannot render this command's reports.
        CannotRun: the plug-in is broken.
    """
    return find(format, report.command).render(report, width=width, color=color, phases=phases)


def find(format: str, command: str) -> Reporter:
    """The reporter of that name for reports of `command`; raises as `render` does, before anything was measured."""
    plugin = plugins.find(GROUP, format)
    reporter = cast("Reporter", plugin() if isinstance(plugin, type) else plugin)
    if command not in reporter.commands:
        commands = ", ".join(sorted(reporter.commands))
        raise UsageError(f"{format} cannot render a report of {command}", f"it renders: {commands}")
    return reporter
