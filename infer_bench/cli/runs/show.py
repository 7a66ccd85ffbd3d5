"""Loading what `show` renders."""

from pathlib import Path
from typing import Any

from infer_bench.errors import CannotRun, ModelError
from infer_bench.formats.strangers import is_named_as_profile
from infer_bench.report.common import Report
from infer_bench.report.serialize import load_report


def load(path: str) -> Report[Any]:
    """The report in a file. Raises `CannotRun`, which names the command that reads a profile or a model."""
    try:
        return load_report(path)
    except CannotRun:
        _refuse_other(path)
        raise


def _refuse_other(path: str) -> None:
    if is_named_as_profile(Path(path)):
        raise CannotRun(f"{path} is a profile, not a report", f"infer-bench profile {path} shows it") from None
    if not Path(path).is_file():
        return
    from infer_bench.formats.identify import identify

    try:
        family = identify(path).family
    except ModelError:
        return
    hint = f"infer-bench bench {path} --json report.json writes a report of it"
    raise CannotRun(f"{path} is a model ({family}), not a report", hint) from None
