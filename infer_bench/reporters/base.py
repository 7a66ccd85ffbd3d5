"""What a reporter is: `render(report) -> str`. It imports no engine and no measurement."""

from typing import Any, Protocol

from infer_bench.report.common import Report


class Reporter(Protocol):
    """Renders a report. `width` is the number of columns to fit into (None: as wide as needed), `color` allows ANSI."""

    name: str
    commands: frozenset[str]
    """The commands whose reports it can render."""

    def render(
        self, report: Report[Any], *, width: int | None = None, color: bool = False, phases: bool = False
    ) -> str:
        """The whole text, ending in a newline."""
