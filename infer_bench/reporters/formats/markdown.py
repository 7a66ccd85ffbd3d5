"""GitHub's markdown, for a pull request or a README."""

from typing import Any

from infer_bench.report.common import Report
from infer_bench.reporters.bench import markdown as bench_markdown
from infer_bench.reporters.fleet import markdown as fleet_markdown
from infer_bench.reporters.gate import markdown as gate_markdown
from infer_bench.reporters.load import markdown as load_markdown
from infer_bench.reporters.profile import markdown as profile_markdown
from infer_bench.reporters.quantize import markdown as quantize_markdown
from infer_bench.reporters.validate import markdown as validate_markdown


class Markdown:
    """Headings, tables, then what follows from them. Width and colour change nothing."""

    name = "markdown"
    commands = frozenset({"bench", "fleet", "load", "profile", "quantize", "validate"})

    def render(
        self, report: Report[Any], *, width: int | None = None, color: bool = False, phases: bool = False
    ) -> str:
        """The whole text."""
        match report.command:
            case "fleet":
                return fleet_markdown.render(report)
            case "load":
                return load_markdown.render(report, phases=phases)
            case "profile":
                return profile_markdown.render(report)
            case "quantize":
                return quantize_markdown.render(report)
            case "validate":
                return validate_markdown.render(report)
        return bench_markdown.render(report, phases=phases) if report.gate is None else gate_markdown.render(report)
