"""The file that a command is to write beside a report."""

import stat
from pathlib import Path

from infer_bench.errors import OutputError, UsageError
from infer_bench.model import ModelRef


def refuse_target(target: Path, source: ModelRef) -> None:
    """Raise `UsageError` or `OutputError` for stdout, a pipe, and the model itself."""
    if str(target) == "-":
        raise UsageError("stdout carries the report, not the file", "name a file with -o")
    if target.exists() and target.samefile(source.path):
        raise OutputError(f"{target} is the model itself", "name another file with -o")
    if target.exists() and stat.S_ISFIFO(target.stat().st_mode):
        raise OutputError(f"cannot write {target}: it is a pipe", "name a file with -o")
