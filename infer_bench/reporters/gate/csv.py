"""A gate as rows of numbers: one a check, in the unit that the column `unit` names."""

from dataclasses import asdict, fields
from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.gate import Check
from infer_bench.reporters.gate.groups import require_gate
from infer_bench.reporters.text.csv import write_table

_COLUMNS = tuple(field.name for field in fields(Check))
_OF_THE_GATE = ("mode", "rounds", "alpha", "beta")


def render(report: Report[Any]) -> str:
    """The whole text, its lines ended by a line feed."""
    gate = require_gate(report)
    shared = {name: getattr(gate, name) for name in _OF_THE_GATE}
    return write_table([*_COLUMNS, *_OF_THE_GATE], (asdict(check) | shared for check in gate.checks))
