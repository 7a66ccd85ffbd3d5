"""The report itself, as it is saved: every raw sample, in the schema of `docs/report.schema.json`."""

from typing import Any

from infer_bench.report.common import Report
from infer_bench.report.serialize import DOCUMENTS, dump


class Json:
    """The same bytes that `--json` writes; width, colour and phases change nothing."""

    name = "json"
    commands = frozenset(DOCUMENTS)

    def render(
        self, report: Report[Any], *, width: int | None = None, color: bool = False, phases: bool = False
    ) -> str:
        """The whole document."""
        return dump(report).decode()
