"""Aligned text for a terminal or a pipe."""

from typing import Any

from infer_bench.report.common import Report
from infer_bench.reporters import convert, selftest
from infer_bench.reporters.bench import table as bench_table
from infer_bench.reporters.fleet import table as fleet_table
from infer_bench.reporters.gate import table as gate_table
from infer_bench.reporters.load import table as load_table
from infer_bench.reporters.profile import table as profile_table
from infer_bench.reporters.quantize import table as quantize_table
from infer_bench.reporters.text.layout import join_blocks
from infer_bench.reporters.validate import table as validate_table


class TextTable:
    """The columns that every width shows, and what follows from them."""

    name = "table"
    commands = frozenset({"bench", "convert", "fleet", "load", "profile", "quantize", "self-test", "validate"})

    def render(
        self, report: Report[Any], *, width: int | None = None, color: bool = False, phases: bool = False
    ) -> str:
        """The whole text. `phases` adds a line for each phase below its request."""
        return "\n".join(_draw(report, width, color, phases)) + "\n"


def _draw(report: Report[Any], width: int | None, color: bool, phases: bool) -> list[str]:
    match report.command:
        case "convert":
            return convert.draw_conversion(report, width)
        case "fleet":
            return fleet_table.draw_fleet(report, width, color)
        case "load":
            return load_table.draw_load(report, width, color, phases=phases)
        case "profile":
            return profile_table.draw_profile(report, width, color)
        case "quantize":
            return quantize_table.draw_quantisation(report, width, color)
        case "self-test":
            return selftest.draw_selftest(report, width, color)
        case "validate":
            return validate_table.draw_comparison(report, width, color)
    if report.gate is None:
        return bench_table.draw_table(report, width, color, phases=phases)
    models = bench_table.draw_models(report, width, color) if phases else []
    return join_blocks([*models, gate_table.draw_gate(report, width, color)])
