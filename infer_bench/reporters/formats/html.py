"""One HTML file, for a pull request, a wiki or a meeting."""

from typing import Any

from infer_bench.report.common import Report
from infer_bench.reporters.html.render import render_html, require_jinja2


class Html:
    """A page with the finding, tables that sort, charts, notes and the environment. Width and colour change nothing.

    Made before anything is measured: without jinja2 that raises `MissingDependency`, and no measurement is lost.
    """

    name = "html"
    commands = frozenset({"bench", "convert", "fleet", "load", "profile", "quantize", "self-test", "validate"})

    def __init__(self) -> None:
        require_jinja2()

    def render(
        self, report: Report[Any], *, width: int | None = None, color: bool = False, phases: bool = False
    ) -> str:
        """The whole page; phases are always shown."""
        return render_html(report)
