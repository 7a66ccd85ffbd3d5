"""One part of a comparison, made in a process of its own. What a worker of a cluster runs."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

from infer_bench.errors import CannotRun
from infer_bench.measure.command_process import run_command
from infer_bench.measure.shards.cluster import check_versions
from infer_bench.measure.validate.settings import PartNumber, ValidateSettings
from infer_bench.measure.validate.summary.part import ComparisonPlan


def make_part_report(
    plan: ComparisonPlan, settings: ValidateSettings, index: int, of: int, folder: str, versions: Mapping[str, str]
) -> bytes | str:
    """The bytes of the part's report, or in words why there is none and will be none.

    Raises `CannotRun` where another try may help: the process was ended, or the versions are other ones here.
    """
    check_versions(versions)
    with tempfile.TemporaryDirectory() as scratch:
        output = str(Path(scratch) / "part.json")
        words = plan.words(settings, PartNumber(index, of), output)
        process = run_command(words, folder)
        if process.returncode < 0 or process.returncode >= 128:
            raise CannotRun(f"its process was ended (exit code {process.returncode})")
        try:
            return Path(output).read_bytes()
        except FileNotFoundError:
            lines = process.stderr.decode("utf-8", "replace").splitlines()
            errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
            return (errors or lines or [f"it ended with exit code {process.returncode}"])[0]
