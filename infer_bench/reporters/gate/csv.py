"""A gate as rows of numbers: one a check, in the unit that the column `unit` names."""

import csv
import io
from dataclasses import asdict, fields
from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.gate import Check
from infer_bench.reporters.gate.groups import gate_of

_COLUMNS = tuple(field.name for field in fields(Check))
_OF_THE_GATE = ("mode", "rounds", "alpha", "beta")


def render(report: Report[Any]) -> str:
    """The whole text, its lines ended by a line feed."""
    gate = gate_of(report)
    text = io.StringIO()
    writer = csv.DictWriter(text, [*_COLUMNS, *_OF_THE_GATE], lineterminator="\n")
    writer.writeheader()
    shared = {name: getattr(gate, name) for name in _OF_THE_GATE}
    writer.writerows({name: _cell(value) for name, value in (asdict(check) | shared).items()} for check in gate.checks)
    return text.getvalue()


def _cell(value: object) -> object:
    """Surrogates of an undecodable file name, which no file could hold, are escaped."""
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value
